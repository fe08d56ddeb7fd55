import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Runs tasks one after another, in the order in which they came. A task that waits for another one of the same mutex
 * would wait for ever; that is a bug, and it throws instead.
 */
export class Mutex {
  readonly #inside = new AsyncLocalStorage<true>();
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => T | Promise<T>): Promise<T> {
    if (this.#inside.getStore() === true) {
      return Promise.reject(new Error('the journal was asked for a turn from inside a transaction of its own'));
    }
    const turn = this.#last.then(() => this.#inside.run(true, task));
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
