import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime } from '../domain/time.js';
import type { Entry, EntryBody } from '../journal/entries.js';
import { StateBuilder } from '../journal/fold.js';
import { confirmationOf } from '../journal/fold-batch.js';
import type { JournalTransaction } from '../journal/port.js';
import type { BatchRecord } from '../journal/state.js';
import { nextState } from '../journal/transitions.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import { type ChainSpends, CONFIRMED_DEPTH, chainSpends, conflictOf } from './chain-spends.js';
import type { FoundOnChain } from './find-on-chain.js';
import type { ProvenSpends } from './proven-spends.js';

/** What the chain made of batches, by their ids. */
export interface Settled {
  /** Batches that the chain has buried. */
  readonly confirmed: readonly string[];
  /** Batches whose block is no longer of the chain, so that they count as now. */
  readonly fallen: readonly string[];
  /** Batches that lost their coins to another one of this journal, and hold nothing any more. */
  readonly replaced: readonly string[];
  /** Batches that lost a coin to a transaction of no batch, and hold nothing any more. */
  readonly conflicted: readonly string[];
  /** Batches of which a signature might have existed, and whose transaction the chain showed. */
  readonly appeared: readonly string[];
  /** Batches that were settled, and count again: what stood against them is no longer of the chain. */
  readonly revived: readonly string[];
}

type Batches = ReadonlyMap<string, BatchRecord>;

/** What the signatures of transactions that a snapshot brings along prove. */
export interface Shown {
  readonly found: FoundOnChain;
  /** Coins of batches that the vault's keys spent past this journal. */
  readonly proven: ProvenSpends['proven'];
}

/**
 * Writes down what a snapshot says of the batches of a journal, in the one order in which at no moment less counts than can
 * confirm: first what falls back, and before it what that had settled; then what the chain showed to be signed; then what is
 * buried; then what can never confirm beside it. `imported` is the entry of the snapshot, the newest of the transaction.
 */
export function settle(
  tx: JournalTransaction,
  imported: Entry,
  snapshot: Snapshot,
  { found, proven }: Shown,
  file: string,
): Result<Settled, Fault> {
  const writer = new Writer(tx, imported);
  const spends = chainSpends(snapshot, tx.state.batches);
  const { fallen, revived } = fallBack(writer, snapshot, spends);
  const appeared = appear(writer, found);
  const confirmed = confirm(writer, snapshot, spends, file);
  if (!confirmed.ok) return confirmed;
  const replaced = exclude(writer);
  const conflicted = conflict(writer, snapshot, spends, proven);
  return ok({ confirmed: confirmed.value, fallen, replaced, conflicted, appeared, revived });
}

/** A transaction of the journal that shows the batches as its own entries leave them. */
class Writer {
  readonly #state: StateBuilder;

  constructor(
    readonly tx: JournalTransaction,
    imported: Entry,
  ) {
    this.#state = new StateBuilder(tx.state);
    this.#apply(imported);
  }

  get batches(): Batches {
    return this.#state.snapshot().batches;
  }

  append(body: EntryBody): void {
    this.#apply(this.tx.append(body));
  }

  #apply(entry: Entry): void {
    const applied = this.#state.apply(entry);
    if (!applied.ok) throw new Error(`the journal took an entry that does not follow: ${applied.error.message}`);
  }
}

function fallBack(writer: Writer, snapshot: Snapshot, spends: ChainSpends): Pick<Settled, 'fallen' | 'revived'> {
  const fallen: string[] = [];
  const revived: string[] = [];
  const { batches } = writer;
  for (const batch of batches.values()) {
    const reason = revivalReason(batch, snapshot, spends);
    if (reason === null) continue;
    writer.append({ kind: 'batch.unsettled', batch: batch.id, reason });
    revived.push(batch.id);
  }
  for (const batch of batches.values()) {
    const reason = fallbackReason(batch, snapshot, spends);
    if (reason === null || batch.signed === null) continue;
    for (const { id, settled, state } of batches.values()) {
      if (state !== 'REPLACED' || settled?.by !== batch.id) continue;
      writer.append({ kind: 'batch.unsettled', batch: id, reason: `batch ${batch.id} is no longer confirmed` });
      revived.push(id);
    }
    writer.append({ kind: 'batch.unconfirmed', batch: batch.id, txid: batch.signed.txid, reason });
    fallen.push(batch.id);
  }
  return { fallen, revived };
}

function appear(writer: Writer, found: FoundOnChain): readonly string[] {
  const appeared: string[] = [];
  const { batches } = writer;
  for (const [id, { psbt, final, signatures }] of found) {
    const batch = batches.get(id);
    if (batch === undefined || batch.psbt !== psbt || nextState(batch.state, 'batch.signed') === null) continue;
    const { txid } = final;
    writer.append({
      kind: 'batch.signed',
      batch: id,
      psbt,
      signedPsbt: writer.tx.keep(final.psbt),
      transaction: writer.tx.keep(final.transaction),
      txid,
      signatures,
    });
    writer.append({ kind: 'batch.broadcast', batch: id, txid, to: ['coin snapshot'] });
    appeared.push(id);
  }
  return appeared;
}

/** Parents before their children, which lose with them. */
function conflict(writer: Writer, snapshot: Snapshot, spends: ChainSpends, proven: Shown['proven']): readonly string[] {
  const conflicted: string[] = [];
  for (const isChild of [false, true]) {
    const { batches } = writer;
    for (const batch of batches.values()) {
      if ((batch.childOf !== null) !== isChild || nextState(batch.state, 'batch.conflicted') === null) continue;
      const lost = conflictOf(batch, snapshot, spends, batches, proven);
      if (lost === null) continue;
      writer.append({ kind: 'batch.conflicted', batch: batch.id, ...lost });
      conflicted.push(batch.id);
    }
  }
  return conflicted;
}

function confirm(
  writer: Writer,
  snapshot: Snapshot,
  spends: ChainSpends,
  file: string,
): Result<readonly string[], Fault> {
  const confirmed: string[] = [];
  const twice = spentTwice(writer.batches, snapshot, spends);
  if (twice !== null) return doubleSpend(twice, file);
  for (const batch of writer.batches.values()) {
    const { id, signed } = batch;
    const seen = signed === null ? undefined : snapshot.confirmed.get(signed.txid);
    if (signed === null || seen === undefined) continue;
    const contradicted = unspentInput(batch, spends);
    if (contradicted !== null) return contradiction(id, contradicted, file);
    if (nextState(batch.state, 'batch.confirmed') === null) continue;
    if (snapshot.tip.height - confirmationOf(signed, seen).height + 1 < CONFIRMED_DEPTH) continue;
    const { txid } = signed;
    writer.append({ kind: 'batch.confirmed', batch: id, txid, height: seen.height, time: formatTime(seen.time) });
    confirmed.push(id);
  }
  return ok(confirmed);
}

function exclude(writer: Writer): readonly string[] {
  const replaced: string[] = [];
  const { batches } = writer;
  for (const [id, by] of excluded(batches)) {
    const batch = batches.get(id);
    if (batch !== undefined && nextState(batch.state, 'batch.replaced') !== null) {
      writer.append({ kind: 'batch.replaced', batch: id, by });
      replaced.push(id);
    } else {
      // Nothing of it is signed, and nothing of it can be any more.
      writer.append({
        kind: 'batch.abandoned',
        batch: id,
        reason: `batch ${by} is confirmed, and spends its coins`,
        by: 'chain',
      });
    }
  }
  return replaced;
}

/** Batches that hold coins and can never confirm: beside a confirmed one, or beside what the batch before them lost to. */
function excluded(batches: Batches): ReadonlyMap<string, string> {
  const open = [...batches.values()].filter(
    ({ state }) => nextState(state, 'batch.replaced') !== null || nextState(state, 'batch.abandoned') !== null,
  );
  const contested = new Set(open.flatMap(({ inputs }) => inputs));
  const taken = new Map<string, string>();
  for (const { id, state, inputs } of batches.values()) {
    if (state !== 'CONFIRMED') continue;
    for (const input of inputs) if (contested.has(input)) taken.set(input, id);
  }
  const found = new Map<string, string>();
  for (const { id, inputs } of open) {
    const by = inputs.map((input) => taken.get(input)).find((one) => one !== undefined);
    if (by !== undefined) found.set(id, by);
  }
  for (const { id, childOf } of open) {
    const parent = childOf === null ? undefined : batches.get(childOf);
    const by =
      parent === undefined
        ? undefined
        : (found.get(parent.id) ?? (parent.state === 'REPLACED' ? parent.settled?.by : undefined));
    if (by !== undefined && !found.has(id)) found.set(id, by);
  }
  return found;
}

/**
 * Why a batch that was buried counts as now again, in words; null where nothing says so. Its block is not stated any more,
 * and a coin of it is unspent, or in the block of another batch.
 */
export function fallbackReason(batch: BatchRecord, snapshot: Snapshot, spends: ChainSpends): string | null {
  if (batch.state !== 'CONFIRMED' || batch.signed === null || snapshot.confirmed.has(batch.signed.txid)) return null;
  const unspent = unspentInput(batch, spends);
  if (unspent !== null) return `its coin ${unspent} is unspent again at height ${snapshot.tip.height}`;
  const { txid } = batch.signed;
  for (const input of batch.inputs) {
    const spend = spends.spenders.get(input);
    if (spend?.block != null && spend.txid !== txid)
      return `its coin ${input} is spent by ${spend.txid}, in block ${spend.block.height}`;
  }
  // Not its own: that is in no block that the snapshot states.
  const rival = batch.inputs.map((input) => spends.buried.get(input)).find((other) => other !== undefined);
  return rival === undefined
    ? null
    : `batch ${rival.id}, which spends the same coins, is in a block at height ${snapshot.tip.height}`;
}

/** Why a batch that lost a coin to a foreign transaction counts again, in words; null where nothing says so. */
export function revivalReason(batch: BatchRecord, snapshot: Snapshot, spends: ChainSpends): string | null {
  const { state, settled, signed } = batch;
  if (state !== 'CONFLICTED' || settled?.spent == null) return null;
  const { outpoint } = settled.spent;
  if (signed !== null && snapshot.confirmed.has(signed.txid)) return 'its own transaction is in a block';
  const { height } = snapshot.tip;
  if (spends.unspent.has(outpoint)) return `${outpoint} is unspent again at height ${height}`;
  const spend = spends.spenders.get(outpoint);
  if (spend === undefined || (spend.txid === settled.by && spend.block !== null)) return null;
  return `${settled.by}, which spent ${outpoint}, is in no block any more at height ${height}`;
}

/** A coin that a batch spends and that a snapshot lists all the same; null if there is none. */
export function unspentInput({ inputs }: BatchRecord, { unspent }: Pick<ChainSpends, 'unspent'>): string | null {
  return inputs.find((outpoint) => unspent.has(outpoint)) ?? null;
}

interface SpentTwice {
  readonly outpoint: string;
  readonly txids: readonly [string, string];
}

/** A coin of which a snapshot says that two transactions, both in blocks, have spent it; null if there is none. */
function spentTwice(batches: Batches, { confirmed }: Snapshot, { spenders }: ChainSpends): SpentTwice | null {
  const by = new Map<string, string>();
  for (const { signed, inputs } of batches.values()) {
    if (signed === null || !confirmed.has(signed.txid)) continue;
    for (const outpoint of inputs) {
      const foreign = spenders.get(outpoint);
      const other = by.get(outpoint) ?? (foreign?.block == null ? undefined : foreign.txid);
      if (other !== undefined && other !== signed.txid) return { outpoint, txids: [other, signed.txid] };
      by.set(outpoint, signed.txid);
    }
  }
  return null;
}

function doubleSpend({ outpoint, txids: [one, other] }: SpentTwice, file: string): Result<never, Fault> {
  return fail(
    'E_SNAPSHOT_COIN',
    `${file} says that ${one} and ${other} are both confirmed, and both spend ${outpoint}`,
    {
      where: { file },
      remedy: 'ask where it comes from, and look both up elsewhere: no chain has both',
    },
  );
}

/** A confirmation ends the time for which a spend counts as not yet settled: at least the file must agree with itself. */
function contradiction(batch: string, outpoint: string, file: string): Result<never, Fault> {
  const message = `${file} says that the transaction of batch ${batch} is confirmed, and lists ${outpoint}, which that spends, as unspent`;
  return fail('E_SNAPSHOT_COIN', message, {
    where: { file },
    remedy: 'ask where it comes from, and look the transaction up elsewhere: one of the two is false',
  });
}
