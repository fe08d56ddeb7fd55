import { equalBytes, type Hex, toHex } from '../domain/bytes.js';
import type { Coin } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatFeeRate } from '../domain/feerate.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';
import type { JournalState } from '../journal/state.js';
import { parseTransaction, txidOf } from '../psbt/transaction.js';
import type { ChainBackend, ChainScan, ScanRequest, StatedCoin } from '../vault/chain.js';
import type { FeeEstimator } from '../vault/fees.js';
import { provenCoins } from '../vault/proven-coins.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { Deriver } from '../vault/types.js';
import { isUndecided, leavingCoins } from './chain-spends.js';
import { viewChain } from './chain-views.js';
import { coinOrigins, type Origins } from './coin-origins.js';
import { askFeerate, type ChosenFeerate, type FeeBounds } from './feerate.js';
import { type Confirmation, takeSpends } from './take-spends.js';

export interface TakingOptions {
  readonly deriver: Deriver;
  readonly backends: readonly ChainBackend[];
  readonly state: JournalState;
  /** The newest snapshot that was taken in: its previous transactions are not fetched again. */
  readonly known: Snapshot | null;
  readonly gap: number;
  /** Whether the policy screens where coins come from, so that it is asked. */
  readonly asksOrigins: boolean;
  /** Where the feerate that is proposed comes from, and for how many blocks. */
  readonly fees: { readonly sources: readonly FeeEstimator[]; readonly bounds: FeeBounds; readonly target: number };
  readonly clock: () => UnixSeconds;
  readonly onProgress: (line: string) => void;
}

/** A snapshot as a file holds it, and what people are told about its making. */
export interface TakenSnapshot {
  readonly bytes: Uint8Array;
  readonly from: string;
  readonly coins: number;
  readonly fetched: number;
  /** Coins that were known and that are no longer unspent. */
  readonly vanished: ReadonlySet<string>;
  /** The feerate that it proposes, or why it proposes none. */
  readonly feerate: Result<ChosenFeerate, Fault>;
}

/**
 * Makes a countersign.snapshot/1 document (docs/snapshot.md) of what the back ends say, the form that `coins import` reads:
 * whatever comes over a network goes through the same checks as a file that somebody carries.
 */
export async function takeSnapshot(options: TakingOptions): Promise<Result<TakenSnapshot, Fault>> {
  const { deriver, backends, state, known, gap, onProgress } = options;
  const request: ScanRequest = {
    deriver,
    lastUsed: lastUsed(state, known),
    gap,
    onProgress: (done, of, unit = 'scripts') =>
      onProgress(
        unit === 'percent'
          ? `the node looks through its chain: ${done} %`
          : `scripts looked for: ${done}${of === null ? '' : ` of ${of}`}`,
      ),
  };
  const view = await viewChain(backends, request, leavingCoins(state));
  if (!view.ok) return view;
  const { backend } = view.value;
  const { tip } = view.value.scan;
  const confirmed = await confirmedBatches(state, backends, tip.height);
  if (!confirmed.ok) return confirmed;
  const spends = await takeSpends(state, view.value.scan, known, confirmed.value, backends, deriver.vault.kind);
  if (!spends.ok) return spends;
  const scan = { ...view.value.scan, coins: [...view.value.scan.coins, ...spends.value.waiting] };
  const previous = await previousTransactions(scan.coins, known, backend, onProgress);
  if (!previous.ok) return previous;
  const origins = options.asksOrigins
    ? await coinOrigins(scan.coins, previous.value.transactions, known, backend, onProgress)
    : ok<Origins>(known?.sources ?? new Map());
  if (!origins.ok) return origins;
  const coins = placed(scan, previous.value.transactions, known, deriver, backend.name);
  if (!coins.ok) return coins;
  // No news of the chain is held up by a feerate: where there is none to propose, whoever plans says one.
  const { sources, bounds, target } = options.fees;
  const feerate = await askFeerate(sources, bounds, target);
  const text = snapshotText({
    deriver,
    scan,
    coins: coins.value,
    previous: new Map([...previous.value.transactions, ...spends.value.transactions]),
    origins: origins.value,
    confirmed: new Map([...confirmed.value, ...spends.value.blocks]),
    feerate: feerate.ok ? feerate.value : null,
    takenAt: options.clock(),
  });
  return ok({
    bytes: Buffer.from(text),
    from: backend.name,
    coins: coins.value.length,
    fetched: previous.value.fetched,
    vanished: vanishedOf(known, coins.value),
    feerate,
  });
}

function vanishedOf(known: Snapshot | null, coins: readonly Coin[]): ReadonlySet<string> {
  if (known === null) return new Set();
  const unspent = new Set(coins.map(({ outpoint }) => formatOutpoint(outpoint)));
  const before = known.coins.map(({ outpoint }) => formatOutpoint(outpoint));
  return new Set(before.filter((outpoint) => !unspent.has(outpoint)));
}

/**
 * The highest index of each branch that the journal knows to be used, also where everything there is spent by now: a node
 * without a history would otherwise look for the next deposit too low.
 */
function lastUsed(state: JournalState, known: Snapshot | null): [number, number] {
  const used: [number, number] = [known?.lastUsed[0] ?? -1, known?.lastUsed[1] ?? -1];
  for (const { origin } of known?.coins ?? []) used[origin.branch] = Math.max(used[origin.branch], origin.index);
  for (const { outputs } of state.batches.values()) {
    for (const { change } of outputs) if (change !== null) used[1] = Math.max(used[1], change);
  }
  return used;
}

/**
 * Each coin at the place where its back end says that it found it, which is derived here; of a coin that is known nothing is
 * new but its height.
 */
function placed(
  scan: ChainScan,
  previous: ReadonlyMap<Hex, Uint8Array>,
  vouched: Snapshot | null,
  deriver: Deriver,
  from: string,
): Result<readonly Coin[], Fault> {
  const before = provenCoins(vouched);
  const coins: { readonly name: string; readonly coin: Coin }[] = [];
  for (const { outpoint, value, script, place, height } of scan.coins) {
    const name = formatOutpoint(outpoint);
    const known = before.find({ outpoint, value, script }, place);
    if (known !== null) {
      coins.push({ name, coin: { ...known, height } });
      continue;
    }
    const { branch, index } = place;
    if (index > scan.lastUsed[branch] || !equalBytes(deriver.at(branch, index).script, script)) {
      return fail('E_CHAIN_ANSWER', `${from} says that ${name} is of the vault, and its script is not`);
    }
    const coinbase = isCoinbase(previous.get(outpoint.txid));
    coins.push({ name, coin: { outpoint, value, script, origin: place, height, coinbase } });
  }
  // The same coins make the same file, in whatever order a back end lists them.
  return ok(coins.sort((a, b) => compareText(a.name, b.name)).map(({ coin }) => coin));
}

/** One input, of an outpoint of zeros (validation.cpp of Bitcoin Core, IsCoinBase). Of a transaction that was parsed before. */
function isCoinbase(bytes: Uint8Array | undefined): boolean {
  if (bytes === undefined) return false;
  const inputs = bytes[4] === 0 ? 6 : 4;
  return bytes[inputs] === 1 && bytes.subarray(inputs + 1, inputs + 33).every((byte) => byte === 0);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Fetched once for each transaction, and kept: a txid never stands for other bytes. */
async function previousTransactions(
  coins: readonly StatedCoin[],
  known: Snapshot | null,
  backend: ChainBackend,
  onProgress: (line: string) => void,
): Promise<Result<{ readonly transactions: ReadonlyMap<Hex, Uint8Array>; readonly fetched: number }, Fault>> {
  const transactions = new Map<Hex, Uint8Array>();
  const wanted = new Map<Hex, number | null>();
  for (const { outpoint, height } of coins) {
    const kept = known?.previous.get(outpoint.txid);
    if (kept === undefined) wanted.set(outpoint.txid, height);
    else transactions.set(outpoint.txid, kept);
  }
  const list = [...wanted].map(([txid, height]) => ({ txid, height }));
  const fetched = await backend.transactions(list, (done, of) =>
    onProgress(`previous transactions fetched: ${done} of ${of}`),
  );
  if (!fetched.ok) return fetched;
  for (const { txid } of list) {
    const bytes = fetched.value.get(txid);
    if (bytes === undefined) {
      return fail('E_CHAIN_ANSWER', `${backend.name} lists a coin of ${txid} and does not have that transaction`, {
        remedy: 'a pruned node has no old blocks: name one that has, or an indexer beside it',
      });
    }
    const parsed = parseTransaction(bytes);
    if (!parsed.ok || txidOf(parsed.value) !== txid) {
      return fail('E_CHAIN_ANSWER', `${backend.name} answers ${txid} with bytes that are not that transaction`, {
        remedy: 'do not use this back end before it is known why it lies',
      });
    }
    transactions.set(txid, bytes);
  }
  return ok({ transactions, fetched: list.length });
}

/**
 * Blocks of the transactions that this journal signed, as long as a reorganisation could still undo them. Every back end
 * has to state the same block, and one that the scan has seen: what came in since belongs to the next one.
 */
async function confirmedBatches(
  state: JournalState,
  backends: readonly ChainBackend[],
  tipHeight: number,
): Promise<Result<ReadonlyMap<Hex, Confirmation>, Fault>> {
  const confirmed = new Map<Hex, Confirmation>();
  for (const batch of state.batches.values()) {
    const { signed } = batch;
    if (signed === null || !isUndecided(batch, tipHeight, state.batches)) continue;
    const found: (Confirmation & { readonly blockHash: Hex })[] = [];
    for (const backend of backends) {
      const status = await backend.status(signed.txid, batch.plannedHeight);
      if (!status.ok) return status;
      if (status.value.state === 'confirmed') found.push(status.value);
    }
    const [first, ...others] = found;
    if (first === undefined || found.length < backends.length || first.height > tipHeight) continue;
    if (others.some(({ blockHash, height }) => blockHash !== first.blockHash || height !== first.height)) continue;
    confirmed.set(signed.txid, { height: first.height, time: first.time });
  }
  return ok(confirmed);
}

interface SnapshotParts {
  readonly deriver: Deriver;
  readonly scan: ChainScan;
  readonly coins: readonly Coin[];
  readonly previous: ReadonlyMap<Hex, Uint8Array>;
  readonly origins: Origins;
  readonly confirmed: ReadonlyMap<Hex, Confirmation>;
  readonly feerate: ChosenFeerate | null;
  readonly takenAt: UnixSeconds;
}

/** One coin, and one transaction, to a line, so that two snapshots can be compared by eye and by diff. */
function snapshotText({ deriver, scan, coins, previous, origins, confirmed, feerate, takenAt }: SnapshotParts): string {
  const { vault } = deriver;
  const { height, hash, medianTimePast } = scan.tip;
  const head = {
    schema: 'countersign.snapshot/1',
    network: vault.network,
    vault: vault.id,
    descriptor_checksum: vault.descriptor.slice(-8),
    tip: { height, hash, median_time_past: formatTime(medianTimePast) },
    taken_at: formatTime(takenAt),
    last_used: {
      ...(scan.lastUsed[0] < 0 ? {} : { receive: scan.lastUsed[0] }),
      ...(scan.lastUsed[1] < 0 ? {} : { change: scan.lastUsed[1] }),
    },
    ...(feerate === null
      ? {}
      : {
          feerate: formatFeeRate(feerate.rate).replace(' sat/vB', ''),
          feerate_from: { source: feerate.from.source.slice(0, 200), target: feerate.from.target },
        }),
  };
  const lines = Object.entries(head).map(([name, value]) => `  "${name}": ${JSON.stringify(value)},`);
  const block = (name: string, open: string, rows: readonly string[], close: string): string =>
    rows.length === 0 ? `  "${name}": ${open}${close}` : `  "${name}": ${open}\n${rows.join(',\n')}\n  ${close}`;
  const coinRows = coins.map(
    (coin) =>
      `    ${JSON.stringify({
        outpoint: formatOutpoint(coin.outpoint),
        value: coin.value.toString(),
        script: toHex(coin.script),
        branch: coin.origin.branch,
        index: coin.origin.index,
        height: coin.height,
        coinbase: coin.coinbase,
      })}`,
  );
  const byTxid = (a: readonly [Hex, unknown], b: readonly [Hex, unknown]): number => compareText(a[0], b[0]);
  const previousRows = [...previous].sort(byTxid).map(([txid, bytes]) => `    "${txid}": "${toHex(bytes)}"`);
  // Of transactions that made no coin any more nothing is said.
  const originRows = [...origins]
    .filter(([txid]) => previous.has(txid))
    .sort(byTxid)
    .map(([txid, scripts]) => `    "${txid}": ${JSON.stringify(scripts.map(toHex))}`);
  const confirmedRows = [...confirmed]
    .sort(byTxid)
    .map(([txid, at]) => `    "${txid}": ${JSON.stringify({ height: at.height, time: formatTime(at.time) })}`);
  return [
    '{',
    ...lines,
    `${block('coins', '[', coinRows, ']')},`,
    `${block('previous_transactions', '{', previousRows, '}')},`,
    ...(originRows.length === 0 ? [] : [`${block('sources', '{', originRows, '}')},`]),
    block('confirmed_transactions', '{', confirmedRows, '}'),
    '}',
    '',
  ].join('\n');
}
