import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatOutpoint, parseOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import type { UnixSeconds } from '../domain/time.js';
import type { JournalState } from '../journal/state.js';
import { outpointOf, parseTransaction, txidOf } from '../psbt/transaction.js';
import type { ChainBackend, ChainScan, StatedCoin, TransactionStatus } from '../vault/chain.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { VaultKind } from '../vault/types.js';
import { isUndecided } from './chain-spends.js';

export type Confirmation = { readonly height: number; readonly time: UnixSeconds };

/** Who took the coins of batches, as far as all back ends agree on it. */
export interface TakenSpends {
  /** Raw transactions by txid. */
  readonly transactions: ReadonlyMap<Hex, Uint8Array>;
  /** The blocks of those that are in one. */
  readonly blocks: ReadonlyMap<Hex, Confirmation>;
  /**
   * Coins that a transaction of this journal spends and that are unspent as long as it waits for a block. Indexers leave
   * them out; a node lists them. A replacement spends them.
   */
  readonly waiting: readonly StatedCoin[];
}

/**
 * Asks who spends the coins of batches that the chain has not decided about and that are no longer there, unless a batch that
 * is in a block (`confirmed`) explains it: most of the time nobody is asked. What the back ends do not agree on is left out.
 */
export async function takeSpends(
  state: JournalState,
  scan: ChainScan,
  known: Snapshot | null,
  confirmed: ReadonlyMap<Hex, Confirmation>,
  backends: readonly ChainBackend[],
  kind: VaultKind,
): Promise<Result<TakenSpends, Fault>> {
  const { wanted, since } = unexplained(state, scan, confirmed);
  const transactions = new Map<Hex, Uint8Array>();
  const blocks = new Map<Hex, Confirmation>();
  const waiting: StatedCoin[] = [];
  const spenders = await agreedSpenders(wanted, since, backends);
  if (!spenders.ok) return spenders;
  const own = new Set([...state.batches.values()].flatMap(({ signed }) => (signed === null ? [] : [signed.txid])));
  for (const by of new Set(spenders.value.values())) {
    const status = await agreedStatus(by, since, scan.tip.height, backends);
    if (!status.ok) return status;
    if (status.value.state === 'unknown') continue;
    const block = status.value.state === 'confirmed' ? status.value : null;
    const bytes = await transactionOf(by, block?.height ?? null, backends);
    if (!bytes.ok) return bytes;
    if (bytes.value === null) continue;
    transactions.set(by, bytes.value);
    if (kind === 'tr' && !own.has(by)) {
      const spent = await spentBy(bytes.value, known, backends);
      if (!spent.ok) return spent;
      for (const [txid, raw] of spent.value) transactions.set(txid, raw);
    }
    if (block !== null) blocks.set(by, { height: block.height, time: block.time });
    if (block !== null || !own.has(by)) continue;
    for (const { outpoint, value, script, origin, height } of known?.coins ?? []) {
      if (height !== null && spenders.value.get(formatOutpoint(outpoint)) === by)
        waiting.push({ outpoint, value, script, place: origin, height });
    }
  }
  return ok({ transactions, blocks, waiting });
}

/**
 * The transactions that a foreign one spends from, as far as back ends have them: a taproot signature is over all that its
 * transaction spends (BIP341), so without them nobody can tell whether the vault's keys gave it.
 */
async function spentBy(
  bytes: Uint8Array,
  known: Snapshot | null,
  backends: readonly ChainBackend[],
): Promise<Result<ReadonlyMap<Hex, Uint8Array>, Fault>> {
  const parsed = parseTransaction(bytes);
  const txids = parsed.ok ? new Set(parsed.value.inputs.map((input) => outpointOf(input).txid)) : new Set<Hex>();
  const found = new Map<Hex, Uint8Array>();
  for (const txid of txids) {
    const kept = known?.previous.get(txid);
    const raw = kept === undefined ? await transactionOf(txid, null, backends) : ok(kept);
    if (!raw.ok) return raw;
    if (raw.value !== null) found.set(txid, raw.value);
  }
  return ok(found);
}

function unexplained(
  { batches }: JournalState,
  { coins, tip }: ChainScan,
  confirmed: ReadonlyMap<Hex, Confirmation>,
): { readonly wanted: ReadonlySet<string>; readonly since: number } {
  const undecided = [...batches.values()].filter((batch) => isUndecided(batch, tip.height, batches));
  if (undecided.length === 0) return { wanted: new Set(), since: tip.height };
  const there = new Set(coins.map(({ outpoint }) => formatOutpoint(outpoint)));
  const explained = new Set<string>();
  const pending = new Set<Hex>();
  for (const { signed, inputs } of batches.values()) {
    if (signed === null) continue;
    if (confirmed.has(signed.txid)) for (const input of inputs) explained.add(input);
    else pending.add(signed.txid);
  }
  const wanted = new Set<string>();
  let since = tip.height;
  for (const batch of undecided) {
    for (const input of batch.inputs) {
      // Change of a transaction that is in no block is not there, whoever spends it.
      // A coin that is listed may be spent by what waits for a block: asked only where nobody knows whether there is such a thing.
      const isThere = there.has(input) && batch.signed !== null;
      if (isThere || explained.has(input) || pending.has(input.slice(0, 64))) continue;
      wanted.add(input);
      since = Math.min(since, batch.plannedHeight);
    }
  }
  return { wanted, since };
}

async function agreedSpenders(
  wanted: ReadonlySet<string>,
  since: number,
  backends: readonly ChainBackend[],
): Promise<Result<ReadonlyMap<string, Hex>, Fault>> {
  const agreed = new Map<string, Hex | null>();
  const outpoints = [...wanted].flatMap((text) => {
    const outpoint = parseOutpoint(text);
    return outpoint.ok ? [outpoint.value] : [];
  });
  for (const backend of outpoints.length === 0 ? [] : backends) {
    const answers = await backend.spenders(outpoints, since);
    if (!answers.ok) return answers;
    for (const outpoint of wanted) {
      const answer = answers.value.get(outpoint);
      const by = answer?.state === 'spent' ? answer.by : null;
      agreed.set(outpoint, agreed.has(outpoint) && agreed.get(outpoint) !== by ? null : by);
    }
  }
  return ok(new Map([...agreed].flatMap(([outpoint, by]) => (by === null ? [] : [[outpoint, by] as const]))));
}

/** What all back ends say of a transaction: the same block, one that the scan has seen, or that it waits; else unknown. */
async function agreedStatus(
  txid: Hex,
  since: number,
  tipHeight: number,
  backends: readonly ChainBackend[],
): Promise<Result<TransactionStatus, Fault>> {
  let agreed: TransactionStatus | null = null;
  for (const backend of backends) {
    const status = await backend.status(txid, since);
    if (!status.ok) return status;
    const said = status.value;
    const isSame: boolean =
      agreed === null ||
      (agreed.state === said.state &&
        (agreed.state !== 'confirmed' || said.state !== 'confirmed' || agreed.blockHash === said.blockHash));
    agreed = isSame ? said : { state: 'unknown' };
    if (agreed.state === 'unknown') break;
  }
  if (agreed === null || (agreed.state === 'confirmed' && agreed.height > tipHeight)) return ok({ state: 'unknown' });
  return ok(agreed);
}

/** Its bytes, from the first back end that has them; null where none has. */
export async function transactionOf(
  txid: Hex,
  height: number | null,
  backends: readonly ChainBackend[],
): Promise<Result<Uint8Array | null, Fault>> {
  for (const backend of backends) {
    const answer = await backend.transactions([{ txid, height }]);
    if (!answer.ok) return answer;
    const bytes = answer.value.get(txid);
    if (bytes === undefined) continue;
    const parsed = parseTransaction(bytes);
    if (parsed.ok && txidOf(parsed.value) === txid) return ok(bytes);
    return fail('E_CHAIN_ANSWER', `${backend.name} answers ${txid} with bytes that are not that transaction`, {
      remedy: 'do not use this back end before it is known why it lies',
    });
  }
  return ok(null);
}
