import { type Fault, fail } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import { formatAmount } from '../domain/sats.js';
import { formatTime } from '../domain/time.js';
import type { ChainBackend, ChainScan, ScanRequest } from '../vault/chain.js';

/** What one back end says about the coins of a vault. */
export interface ChainView {
  readonly backend: ChainBackend;
  readonly scan: ChainScan;
}

/** Blocks by which the tips of back ends may differ: news travels for some seconds, and two blocks can be minutes apart. */
export const TIPS_APART = 2;

/**
 * Asks every back end for the coins of a vault, and refuses to go on where they contradict each other: another network,
 * tips further apart than TIPS_APART, another block at the same height, or other confirmed coins. The first one's view is
 * the one to use, since all agree. `leaving` are coins that transactions of this journal may be spending: what waits for a
 * block is known to one back end and not yet to another, and a node without a wallet lists such a coin where an indexer
 * leaves it out. Of those coins alone it may differ whether they are there. E_CHAIN_NONE, E_CHAIN_NETWORK, E_CHAIN_DISAGREE, and the faults of back ends.
 */
export async function viewChain(
  backends: readonly ChainBackend[],
  request: ScanRequest,
  leaving: ReadonlySet<string>,
): Promise<Result<ChainView, Fault>> {
  const views: ChainView[] = [];
  for (const backend of backends) {
    const right = await checkNetwork(backend, request.deriver.vault.network);
    if (!right.ok) return right;
    const scan = await backend.scan(request);
    if (!scan.ok) return scan;
    views.push({ backend, scan: scan.value });
  }
  const [first, ...others] = views;
  if (first === undefined) {
    return fail('E_CHAIN_NONE', 'no chain back end is named', {
      remedy: 'name one in countersign.yaml (chain:) or with --backend, for example core:http://127.0.0.1:8332',
    });
  }
  for (const other of others) {
    const agree = await compare(first, other, leaving);
    if (!agree.ok) return agree;
  }
  return ok(first);
}

export async function checkNetwork(backend: ChainBackend, due: Network): Promise<Result<void, Fault>> {
  const network = await backend.network();
  if (!network.ok) return network;
  if (network.value === due) return ok(undefined);
  return fail('E_CHAIN_NETWORK', `${backend.name} serves ${network.value}, and the vault is of ${due}`, {
    remedy: `name a back end of ${due}`,
  });
}

async function compare(a: ChainView, b: ChainView, leaving: ReadonlySet<string>): Promise<Result<void, Fault>> {
  const [low, high] = a.scan.tip.height <= b.scan.tip.height ? [a, b] : [b, a];
  const apart = high.scan.tip.height - low.scan.tip.height;
  if (apart > TIPS_APART) {
    const heights = `${a.backend.name} is at block ${a.scan.tip.height}, ${b.backend.name} at ${b.scan.tip.height}`;
    return disagree(
      `${heights}: more than ${TIPS_APART} apart`,
      'wait for the one that is behind, or find out why it is',
    );
  }
  const same = await high.backend.blockHash(low.scan.tip.height);
  if (!same.ok) return same;
  if (same.value !== low.scan.tip.hash) {
    const blocks = `${low.backend.name} has ${low.scan.tip.hash}, ${high.backend.name} has ${same.value ?? 'none'}`;
    return disagree(
      `at block ${low.scan.tip.height}, ${blocks}`,
      'wait for some blocks: either a reorganisation is going on, or one of them shows another chain',
    );
  }
  const [lowTime, highTime] = [low.scan.tip.medianTimePast, high.scan.tip.medianTimePast];
  // It is made of the block and the ten before it, and never goes back (BIP113).
  if (highTime < lowTime || (apart === 0 && highTime !== lowTime)) {
    const times = `${low.backend.name} has ${formatTime(lowTime)}, ${high.backend.name} has ${formatTime(highTime)}`;
    return disagree(`median time past of blocks ${low.scan.tip.height} and ${high.scan.tip.height}: ${times}`, LIE);
  }
  return compareCoins(a, b, low.scan.tip.height, leaving);
}

/**
 * Coins that both tips know, with their blocks, from which their age is counted. A coin that was spent between the two tips
 * is reported too: the next run will agree.
 */
function compareCoins(a: ChainView, b: ChainView, upTo: number, leaving: ReadonlySet<string>): Result<void, Fault> {
  const [left, right] = [coinsUpTo(a, upTo), coinsUpTo(b, upTo)];
  for (const [outpoint, said] of left) {
    const other = right.get(outpoint);
    if (other === said || (other === undefined && leaving.has(outpoint))) continue;
    const words = `of ${outpoint}, ${a.backend.name} says: ${said}; ${b.backend.name}: ${other ?? NOT_UNSPENT}`;
    return disagree(words, other === undefined ? GONE : LIE);
  }
  for (const [outpoint, said] of right) {
    if (left.has(outpoint) || leaving.has(outpoint)) continue;
    return disagree(`of ${outpoint}, ${b.backend.name} says: ${said}; ${a.backend.name}: ${NOT_UNSPENT}`, GONE);
  }
  return ok(undefined);
}

const NOT_UNSPENT = 'not a confirmed unspent output';

/** What a back end says of each coin up to a height, by outpoint. */
function coinsUpTo({ scan }: ChainView, upTo: number): ReadonlyMap<string, string> {
  const said = new Map<string, string>();
  for (const { outpoint, value, height } of scan.coins) {
    if (height === null || height > upTo) continue;
    said.set(formatOutpoint(outpoint), `unspent, worth ${formatAmount(value)}, in block ${height}`);
  }
  return said;
}

const LIE =
  'run it again; if they still disagree, one of them is wrong or lies, and nothing is planned until it is known which';

/** A coin that one of them does not list any more may be on its way out, and not by a batch: that is for reconcile to say. */
const GONE = `ask who spends it: countersign reconcile. ${LIE.charAt(0).toUpperCase()}${LIE.slice(1)}`;

function disagree(message: string, remedy: string): Result<never, Fault> {
  return fail('E_CHAIN_DISAGREE', `the chain back ends contradict each other: ${message}`, { remedy });
}
