/**
 * A map that is written in place and handed out without copying: after `share` the next write works on a copy, so
 * whoever holds the shared one never sees it change. Folding 100,000 entries copies nothing; a snapshot costs one copy,
 * and only if something is written after it.
 */
export class SharedMap<V> {
  #view: ReadonlyMap<string, V>;
  #own: Map<string, V> | null = null;

  constructor(from: ReadonlyMap<string, V>) {
    this.#view = from;
  }

  get(key: string): V | undefined {
    return this.#view.get(key);
  }

  get size(): number {
    return this.#view.size;
  }

  set(key: string, value: V): void {
    this.#writable().set(key, value);
  }

  delete(key: string): void {
    this.#writable().delete(key);
  }

  share(): ReadonlyMap<string, V> {
    this.#own = null;
    return this.#view;
  }

  #writable(): Map<string, V> {
    if (this.#own === null) {
      this.#own = new Map(this.#view);
      this.#view = this.#own;
    }
    return this.#own;
  }
}
