import { type Fault, fail } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import { formatAmount } from '../domain/sats.js';
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
 * the one to use, since all agree. E_CHAIN_NONE, E_CHAIN_NETWORK, E_CHAIN_DISAGREE, and the faults of back ends.
 */
export async function viewChain(
  backends: readonly ChainBackend[],
  request: ScanRequest,
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
    const agree = await compare(first, other);
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

async function compare(a: ChainView, b: ChainView): Promise<Result<void, Fault>> {
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
  return compareCoins(a, b, low.scan.tip.height);
}

/** Coins that both tips know. A coin that was spent between the two tips is reported too: the next run will agree. */
function compareCoins(a: ChainView, b: ChainView, upTo: number): Result<void, Fault> {
  const coinsOf = ({ scan }: ChainView): Map<string, bigint> =>
    new Map(
      scan.coins
        .filter(({ height }) => height !== null && height <= upTo)
        .map(({ outpoint, value }) => [formatOutpoint(outpoint), value]),
    );
  const [left, right] = [coinsOf(a), coinsOf(b)];
  for (const [outpoint, value] of left) {
    const other = right.get(outpoint);
    if (other === value) continue;
    return disagree(coinProblem(outpoint, a.backend.name, value, b.backend.name, other), LIE);
  }
  for (const [outpoint, value] of right) {
    if (left.has(outpoint)) continue;
    return disagree(coinProblem(outpoint, b.backend.name, value, a.backend.name, undefined), LIE);
  }
  return ok(undefined);
}

const LIE =
  'run it again; if they still disagree, one of them is wrong or lies, and nothing is planned until it is known which';

function coinProblem(
  outpoint: string,
  one: string,
  value: bigint,
  other: string,
  otherValue: bigint | undefined,
): string {
  const there = otherValue === undefined ? 'does not know it as unspent' : `says ${formatAmount(otherValue)}`;
  return `${one} says that ${outpoint} is unspent, worth ${formatAmount(value)}, and ${other} ${there}`;
}

function disagree(message: string, remedy: string): Result<never, Fault> {
  return fail('E_CHAIN_DISAGREE', `the chain back ends contradict each other: ${message}`, { remedy });
}
