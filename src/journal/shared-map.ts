type Value = NonNullable<unknown>;

/** What stands for a key that was not there. */
const ABSENT = Symbol('absent');

/** A map that is written in place, until somebody walks through it: from then on it stays as it is. */
interface Line<V> {
  readonly map: Map<string, V>;
  isWalked: boolean;
}

/** So many later moments may lie between a moment and the newest one before they are put together. */
const MOST_STEPS = 32;

/**
 * A SharedMap as it was at one moment. It reads in the map that goes on being written, past what was noted of the keys that
 * were written since.
 */
class Moment<V extends Value> implements ReadonlyMap<string, V> {
  readonly size: number;
  readonly #line: Line<V>;
  /** What the keys written between this moment and the next one had at this moment. */
  readonly #had = new Map<string, V | typeof ABSENT>();
  #next: Moment<V> | null = null;
  #whole: ReadonlyMap<string, V> | null = null;

  constructor(line: Line<V>) {
    this.#line = line;
    this.size = line.map.size;
  }

  get isNewest(): boolean {
    return this.#next === null && this.#had.size === 0;
  }

  /** Before a key is written: only what it had at this moment counts. */
  note(key: string): void {
    if (!this.#had.has(key)) this.#had.set(key, this.#line.map.get(key) ?? ABSENT);
  }

  followedBy(next: Moment<V>): void {
    this.#next = next;
  }

  get(key: string): V | undefined {
    if (this.#whole !== null) return this.#whole.get(key);
    let steps = 0;
    for (let moment: Moment<V> | null = this; moment !== null; moment = moment.#next) {
      const had = moment.#had.get(key);
      if (had !== undefined) return had === ABSENT ? undefined : had;
      steps += 1;
    }
    if (steps > MOST_STEPS) this.#putTogether();
    return this.#line.map.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  entries(): MapIterator<[string, V]> {
    return this.#walked().entries();
  }

  keys(): MapIterator<string> {
    return this.#walked().keys();
  }

  values(): MapIterator<V> {
    return this.#walked().values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  forEach(call: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.#walked()) call(value, key, this);
  }

  /** All of it in the order in which it came in. Nobody's walk through a map sees it change. */
  #walked(): ReadonlyMap<string, V> {
    if (this.#whole !== null) return this.#whole;
    if (this.isNewest) {
      this.#line.isWalked = true;
      return this.#line.map;
    }
    this.#putTogether();
    const whole = new Map<string, V>();
    // Keys are only added to a line, so its order is that of this moment.
    for (const key of this.#line.map.keys()) {
      const value = this.get(key);
      if (value !== undefined) whole.set(key, value);
    }
    this.#whole = whole;
    return whole;
  }

  /** Notes here what all moments up to the newest one have noted, which goes on noting. */
  #putTogether(): void {
    while (this.#next !== null && this.#next.#next !== null) {
      for (const [key, had] of this.#next.#had) if (!this.#had.has(key)) this.#had.set(key, had);
      this.#next = this.#next.#next;
    }
  }
}

/**
 * A map that is written in place and handed out without copying: whoever holds a shared one never sees it change. Folding
 * 100,000 entries copies nothing, and a write after a snapshot costs what it always costs, however much the map holds. It is
 * copied only where a snapshot was walked through, or something is removed, before the first write after it.
 */
export class SharedMap<V extends Value> {
  readonly #from: ReadonlyMap<string, V>;
  /** Null until it is written. */
  #line: Line<V> | null = null;
  /** The newest one that was handed out; null after a copy. */
  #shared: Moment<V> | null = null;
  #written: Set<string> | null = null;

  constructor(from: ReadonlyMap<string, V>) {
    this.#from = from;
  }

  get(key: string): V | undefined {
    return (this.#line?.map ?? this.#from).get(key);
  }

  get size(): number {
    return (this.#line?.map ?? this.#from).size;
  }

  set(key: string, value: V): void {
    const { map } = this.#writable();
    this.#shared?.note(key);
    this.#written?.add(key);
    map.set(key, value);
  }

  delete(key: string): void {
    if (this.get(key) === undefined) return;
    this.#written?.add(key);
    // A key that is gone has lost its place in the order, which moments before have to keep.
    const line = this.#shared === null ? this.#writable() : this.#copy();
    line.map.delete(key);
  }

  /** The keys that are written or removed from now on, until somebody asks again. */
  watch(): ReadonlySet<string> {
    this.#written = new Set();
    return this.#written;
  }

  share(): ReadonlyMap<string, V> {
    const line = this.#line;
    if (line === null) return this.#from;
    const newest = this.#shared;
    if (newest?.isNewest === true) return newest;
    const moment = new Moment(line);
    newest?.followedBy(moment);
    this.#shared = moment;
    return moment;
  }

  #writable(): Line<V> {
    return this.#line === null || this.#line.isWalked ? this.#copy() : this.#line;
  }

  #copy(): Line<V> {
    this.#line = { map: new Map(this.#line?.map ?? this.#from), isWalked: false };
    this.#shared = null;
    return this.#line;
  }
}
