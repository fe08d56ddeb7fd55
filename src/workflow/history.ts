import type { Hex } from '../domain/bytes.js';
import { toHex } from '../domain/bytes.js';
import type { Coin } from '../domain/coin.js';
import { formatOutpoint } from '../domain/outpoint.js';
import type { Sats } from '../domain/sats.js';
import type { UnixSeconds } from '../domain/time.js';
import type { BatchRecord } from '../journal/state.js';
import { holdsBudget, holdsCoins } from '../journal/transitions.js';
import { type ConfirmedSpend, ConfirmedSpends, isConfirmed } from '../policy/confirmed-spends.js';
import { coinsOnScripts } from '../policy/facts.js';
import type { SpendRecord } from '../policy/types.js';
import { createSpendIndex, indexOver, type SpendIndex } from '../policy/windows.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import { countsAsReserve, UsedIndexes } from './own-coins.js';
import { askedOf, requestOf } from './records.js';

/** Longest window of time that a rule looks back. */
const WEEK = 7 * 86_400;

/** A coin snapshot with the sums that verdicts ask of it again and again. */
interface Coins {
  readonly snapshot: Snapshot;
  readonly byOutpoint: ReadonlyMap<string, Coin>;
  readonly onScript: ReadonlyMap<Hex, number>;
  readonly frozen: ReadonlyMap<string, string>;
  readonly quarantined: ReadonlyMap<string, unknown>;
  readonly changeScripts: ReadonlySet<Hex>;
  /** Once a coin, rising. */
  readonly changeIndexes: readonly number[];
  /** Values of coins that count as reserve, by outpoint. */
  readonly reserve: ReadonlyMap<string, Sats>;
  /** What they come to without those that a batch holding budget spends. */
  balance: Sats;
}

/**
 * What verdicts look at, kept up to date entry by entry. A verdict sees the earlier spends that a window can still hold, so
 * a hundred thousand decisions cost a hundred thousand small steps and not ever larger ones.
 */
export class History {
  readonly #batches = new Map<string, BatchRecord>();
  readonly #pending = new Map<string, SpendRecord>();
  readonly #confirmed = new Map<string, ConfirmedSpend>();
  /** The confirmed ones as windows want them, and how many of them, however old, spend an input. */
  readonly #arranged = new ConfirmedSpends();
  readonly #gone = new Map<string, number>();
  /** Those that no window holds any more. Only their sum is asked for, by the limit on all that ever leaves. */
  readonly #past = new Map<string, ConfirmedSpend>();
  #pastTotal: Sats = 0n;
  readonly #leaving = new Map<string, number>();
  readonly #changeScripts = new Map<Hex, number>();
  readonly #changeIndexes: UsedIndexes;
  #kept: readonly SpendRecord[] | null = null;
  #coins: Coins | null = null;

  /** `depth` confirmations make a coin part of the balance; `blocks` is the longest window of blocks. */
  constructor(
    readonly depth: number,
    readonly blocks: number,
    maxGap: number,
  ) {
    this.#changeIndexes = new UsedIndexes(maxGap);
  }

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

  setCoins(snapshot: Snapshot, frozen: ReadonlyMap<string, string>, quarantined: ReadonlyMap<string, unknown>): void {
    const isKeptBack = (outpoint: string): boolean => frozen.has(outpoint) || quarantined.has(outpoint);
    const byOutpoint = new Map(snapshot.coins.map((coin) => [formatOutpoint(coin.outpoint), coin]));
    const reserve = new Map(
      [...byOutpoint].flatMap(([name, coin]): [string, Sats][] =>
        countsAsReserve(coin, snapshot.tip, this.depth, isKeptBack, name) ? [[name, coin.value]] : [],
      ),
    );
    let balance = 0n;
    for (const [name, value] of reserve) if (!this.#leaving.has(name)) balance += value;
    const change = snapshot.coins.filter(({ origin }) => origin.branch === 1);
    const changeIndexes = change.map(({ origin }) => origin.index).sort((a, b) => a - b);
    for (const index of this.#coins?.changeIndexes.toReversed() ?? []) this.#changeIndexes.remove(index);
    for (const index of changeIndexes) this.#changeIndexes.add(index);
    this.#coins = {
      snapshot,
      byOutpoint,
      onScript: coinsOnScripts(byOutpoint),
      frozen,
      quarantined,
      reserve,
      balance,
      changeScripts: new Set(change.map(({ script }) => toHex(script))),
      changeIndexes,
    };
  }

  get coins(): Coins | null {
    return this.#coins;
  }

  /**
   * Spends of other batches than `except`, and `pending` ones besides. Those that no window can hold at this time and tip
   * are one record, of their sum and of no time: they are never judged again. Good until the next `put`.
   */
  spends(except: string, time: UnixSeconds, tip: number, pending: readonly SpendRecord[]): SpendIndex {
    this.#leaveWindows(time, tip);
    const own = this.#confirmed.get(except);
    if (own === undefined) {
      this.#kept ??= [...this.#longAgo(), ...this.#confirmed.values()];
      const unconfirmed = [...this.#pending.values()].filter(({ batch }) => batch !== except);
      unconfirmed.push(...pending);
      return indexOver(
        [...this.#kept, ...unconfirmed],
        { confirmed: this.#arranged, longAgo: this.#pastTotal, isGone: (input) => this.#gone.has(input) },
        unconfirmed,
      );
    }
    // A batch that is confirmed is not judged again; should somebody ask all the same, all is arranged anew for it.
    const others = [...this.#confirmed.values(), ...this.#pending.values()].filter(({ batch }) => batch !== except);
    return createSpendIndex([...this.#longAgo(), ...others, ...pending]);
  }

  #leaveWindows(time: UnixSeconds, tip: number): void {
    for (let [oldest] = this.#arranged.records; oldest !== undefined; [oldest] = this.#arranged.records) {
      const { batch, confirmed } = oldest;
      if (time - confirmed.at < WEEK || tip - confirmed.height < this.blocks) return;
      this.#kept = null;
      this.#pastTotal += oldest.spend;
      this.#past.set(batch, oldest);
      this.#confirmed.delete(batch);
      this.#arranged.remove(oldest);
    }
  }

  /** Which of a batch's change scripts others used, and how far the change of others reaches. */
  changeUse(batch: BatchRecord): { readonly scripts: ReadonlySet<Hex>; readonly last: number } {
    const own = holdsCoins(batch.state) ? batch.outputs : [];
    const scripts = new Set<Hex>();
    for (const { script } of batch.outputs) {
      const mine = own.filter((output) => output.change !== null && output.script === script).length;
      const others = (this.#changeScripts.get(script) ?? 0) - mine;
      if (others > 0 || this.#coins?.changeScripts.has(script) === true) scripts.add(script);
    }
    const indexes = own.flatMap(({ change }) => (change === null ? [] : [change]));
    return { scripts, last: this.#changeIndexes.reach(indexes) };
  }

  /**
   * Confirmed coins that neither another batch holding budget spends nor an earlier part of the same plan. Rivals of the
   * batch spend nothing should it confirm.
   */
  balance(except: BatchRecord, rivals: readonly BatchRecord[], pending: readonly SpendRecord[]): Sats {
    const coins = this.#coins;
    if (coins === null) return 0n;
    const spent = new Map<string, number>();
    for (const { state, inputs } of [except, ...rivals]) {
      if (holdsBudget(state)) for (const input of inputs) bump(spent, input, 1);
    }
    const own = [...spent].flatMap(([input, count]) => (this.#leaving.get(input) === count ? [input] : []));
    const kept = own.reduce((sum, input) => sum + (coins.reserve.get(input) ?? 0n), coins.balance);
    const parts = new Set(pending.flatMap(({ inputs }) => inputs));
    return [...parts]
      .filter((input) => !this.#leaving.has(input))
      .reduce((sum, input) => sum - (coins.reserve.get(input) ?? 0n), kept);
  }

  #countChange({ outputs }: BatchRecord, by: number): void {
    for (const { change, script } of outputs) {
      if (change === null) continue;
      bump(this.#changeScripts, script, by);
      if (by > 0) this.#changeIndexes.add(change);
      else this.#changeIndexes.remove(change);
    }
  }

  #countInputs({ inputs }: BatchRecord, by: number): void {
    for (const input of inputs) {
      const was = this.#leaving.has(input);
      bump(this.#leaving, input, by);
      const value = this.#coins?.reserve.get(input);
      if (this.#coins === null || value === undefined || was === this.#leaving.has(input)) continue;
      this.#coins.balance += was ? value : -value;
    }
  }

  #longAgo(): readonly SpendRecord[] {
    if (this.#past.size === 0) return [];
    const confirmed = { at: 0, height: 0 };
    return [{ batch: '', spend: this.#pastTotal, fee: 0n, outputs: [], inputs: [], reservedAt: 0, confirmed }];
  }

  #putSpend(batch: BatchRecord): void {
    this.#pending.delete(batch.id);
    this.#drop(batch.id);
    if (!holdsBudget(batch.state)) return;
    const spend = spendOf(batch);
    if (isConfirmed(spend)) this.#keep(spend);
    else this.#pending.set(batch.id, spend);
  }

  #keep(spend: ConfirmedSpend): void {
    this.#kept = null;
    this.#confirmed.set(spend.batch, spend);
    this.#arranged.add(spend);
    for (const input of spend.inputs) bump(this.#gone, input, 1);
  }

  #drop(batch: string): void {
    const spend = this.#confirmed.get(batch) ?? this.#past.get(batch);
    if (spend === undefined) return;
    this.#kept = null;
    if (this.#past.delete(batch)) this.#pastTotal -= spend.spend;
    if (this.#confirmed.delete(batch)) this.#arranged.remove(spend);
    for (const input of spend.inputs) bump(this.#gone, input, -1);
  }
}

/** A batch as the windows count it. */
export function spendOf(batch: BatchRecord): SpendRecord {
  return {
    batch: batch.id,
    spend: batch.spend,
    fee: batch.fee,
    outputs: batch.outputs.filter(({ change }) => change === null),
    // Of most batches none: turning each address of years into bytes, to find that out, is most of what this would cost.
    ...askedOf(batch.requests.filter(({ feePayer }) => feePayer === 'payee').map(requestOf)),
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
