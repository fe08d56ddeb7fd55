/**
 * A device answers one request at a time; Speculos even hands the first answer to both callers. A second call while one
 * is pending, or a call after close, is a bug of the caller and throws.
 */
export class OneAtATime {
  #pending = false;
  #closed = false;

  constructor(private readonly name: string) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error(`${this.name}: an exchange after the channel was closed`);
    if (this.#pending) throw new Error(`${this.name}: a second exchange while one is pending`);
    this.#pending = true;
    try {
      return await work();
    } finally {
      this.#pending = false;
    }
  }

  /** True the first time. */
  close(): boolean {
    const first = !this.#closed;
    this.#closed = true;
    return first;
  }
}
