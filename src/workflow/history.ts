import type { Hex } from '../domain/bytes.js';
import { toHex } from '../domain/bytes.js';
import { type Coin, confirmations } from '../domain/coin.js';
import { formatOutpoint } from '../domain/outpoint.js';
import type { Sats } from '../domain/sats.js';
import type { UnixSeconds } from '../domain/time.js';
import type { BatchRecord } from '../journal/state.js';
import { holdsBudget, holdsCoins } from '../journal/transitions.js';
import type { SpendRecord } from '../policy/types.js';
import type { Snapshot } from '../vault/snapshot-types.js';

/** Longest window of time that a rule looks back. */
const WEEK = 7 * 86_400;

/** A coin snapshot with the sums that verdicts ask of it again and again. */
interface Coins {
  readonly snapshot: Snapshot;
  readonly byOutpoint: ReadonlyMap<string, Coin>;
  readonly changeScripts: ReadonlySet<Hex>;
  readonly lastChange: number;
  /** Values of coins that are deep enough, by outpoint. */
  readonly deep: ReadonlyMap<string, Sats>;
  /** What the deep coins come to that no batch holding budget spends. */
  balance: Sats;
}

/**
 * What verdicts look at, kept up to date entry by entry. A verdict sees the earlier spends that a window can still hold, so
 * a hundred thousand decisions cost a hundred thousand small steps and not ever larger ones.
 */
export class History {
  readonly #batches = new Map<string, BatchRecord>();
  readonly #pending = new Map<string, SpendRecord>();
  readonly #confirmed = new Map<string, SpendRecord>();
  readonly #leaving = new Map<string, number>();
  readonly #changeScripts = new Map<Hex, number>();
  readonly #changeIndexes = new Map<number, number>();
  #highest = -1;
  #spends: readonly SpendRecord[] | null = null;
  #coins: Coins | null = null;

  /** `depth` confirmations make a coin part of the balance; `blocks` is the longest window of blocks. */
  constructor(
    readonly depth: number,
    readonly blocks: number,
  ) {}

  batch(id: string): BatchRecord | undefined {
    return this.#batches.get(id);
  }

  /** Takes a batch in its new state. */
  put(after: BatchRecord): void {
    const before = this.#batches.get(after.id);
    this.#batches.set(after.id, after);
    const held = before !== undefined && holdsCoins(before.state);
    if (held !== holdsCoins(after.state)) this.#countChange(after, held ? -1 : 1);
    const debited = before !== undefined && holdsBudget(before.state);
    if (debited !== holdsBudget(after.state)) this.#countInputs(after, debited ? -1 : 1);
    if (debited || holdsBudget(after.state)) this.#putSpend(after);
  }

  setCoins(snapshot: Snapshot): void {
    const byOutpoint = new Map(snapshot.coins.map((coin) => [formatOutpoint(coin.outpoint), coin]));
    const deep = new Map(
      [...byOutpoint].flatMap(([name, coin]): [string, Sats][] =>
        confirmations(coin, snapshot.tip) >= this.depth ? [[name, coin.value]] : [],
      ),
    );
    let balance = 0n;
    for (const [name, value] of deep) if (!this.#leaving.has(name)) balance += value;
    const change = snapshot.coins.filter(({ origin }) => origin.branch === 1);
    this.#coins = {
      snapshot,
      byOutpoint,
      deep,
      balance,
      changeScripts: new Set(change.map(({ script }) => toHex(script))),
      lastChange: Math.max(-1, ...change.map(({ origin }) => origin.index)),
    };
  }

  get coins(): Coins | null {
    return this.#coins;
  }

  /** Spends of other batches than `except` that a window can hold at this time and tip. */
  spends(except: string, time: UnixSeconds, tip: number): readonly SpendRecord[] {
    if (this.#spends === null) {
      for (const [id, { confirmed }] of this.#confirmed) {
        if (confirmed === null || time - confirmed.at < WEEK || tip - confirmed.height < this.blocks) continue;
        this.#confirmed.delete(id);
      }
      this.#spends = [...this.#confirmed.values(), ...this.#pending.values()];
    }
    return this.#pending.has(except) || this.#confirmed.has(except)
      ? this.#spends.filter(({ batch }) => batch !== except)
      : this.#spends;
  }

  /** Which of a batch's change scripts others used, and the highest change index of others. */
  changeUse(batch: BatchRecord): { readonly scripts: ReadonlySet<Hex>; readonly last: number } {
    const own = holdsCoins(batch.state) ? batch.outputs : [];
    const scripts = new Set<Hex>();
    for (const { script } of batch.outputs) {
      const mine = own.filter((output) => output.change !== null && output.script === script).length;
      const others = (this.#changeScripts.get(script) ?? 0) - mine;
      if (others > 0 || this.#coins?.changeScripts.has(script) === true) scripts.add(script);
    }
    let last = this.#highest;
    while (last >= 0) {
      const mine = own.filter(({ change }) => change === last).length;
      if ((this.#changeIndexes.get(last) ?? 0) > mine) break;
      last -= 1;
    }
    return { scripts, last: Math.max(last, this.#coins?.lastChange ?? -1) };
  }

  /** Confirmed coins that no other batch holding budget spends. */
  balance(except: BatchRecord): Sats {
    const coins = this.#coins;
    if (coins === null) return 0n;
    if (!holdsBudget(except.state)) return coins.balance;
    const own = except.inputs.filter((input) => this.#leaving.get(input) === 1);
    return own.reduce((sum, input) => sum + (coins.deep.get(input) ?? 0n), coins.balance);
  }

  #countChange({ outputs }: BatchRecord, by: number): void {
    for (const { change, script } of outputs) {
      if (change === null) continue;
      bump(this.#changeScripts, script, by);
      bump(this.#changeIndexes, change, by);
      this.#highest = Math.max(this.#highest, change);
    }
    while (this.#highest >= 0 && !this.#changeIndexes.has(this.#highest)) this.#highest -= 1;
  }

  #countInputs({ inputs }: BatchRecord, by: number): void {
    for (const input of inputs) {
      const was = this.#leaving.has(input);
      bump(this.#leaving, input, by);
      const value = this.#coins?.deep.get(input);
      if (this.#coins === null || value === undefined || was === this.#leaving.has(input)) continue;
      this.#coins.balance += was ? value : -value;
    }
  }

  #putSpend(batch: BatchRecord): void {
    this.#spends = null;
    this.#pending.delete(batch.id);
    this.#confirmed.delete(batch.id);
    if (!holdsBudget(batch.state)) return;
    (batch.confirmed === null ? this.#pending : this.#confirmed).set(batch.id, spendOf(batch));
  }
}

/** A batch as the windows count it. */
export function spendOf(batch: BatchRecord): SpendRecord {
  return {
    batch: batch.id,
    spend: batch.spend,
    fee: batch.fee,
    outputs: batch.outputs.filter(({ change }) => change === null),
    inputs: batch.inputs,
    reservedAt: batch.reservedAt ?? batch.plannedAt,
    confirmed: batch.confirmed,
  };
}

/** Counts, with nothing kept where the count is none. */
function bump<K>(counts: Map<K, number>, key: K, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
