import { type Fault, fail } from '../domain/fault.js';
import { parseFeeRate } from '../domain/feerate.js';
import { ok, type Result } from '../domain/result.js';
import type { ChainSource } from '../vault/chain.js';
import { type FeeConfig, type FeeEstimator, FURTHEST_TARGET, USUAL_TARGET } from '../vault/fees.js';
import { askFeerate, type ChosenFeerate, type FeeBounds, UNBOUNDED } from '../workflow/feerate.js';
import { givenFeerate } from '../workflow/feerate-record.js';
import type { Desk } from '../workflow/ports.js';
import type { VerbContext, Words } from './command.js';
import { wholeNumber } from './with-workspace.js';

/** Where feerates come from, for how many blocks, and within which bounds. */
interface FeeWish {
  readonly sources: readonly FeeEstimator[];
  readonly bounds: FeeBounds;
  readonly target: number;
}

/** `--target`, or what countersign.yaml says, or 6. */
function targetOf(words: Words, fees: FeeConfig | null): Result<number, Fault> {
  const text = words.text('target');
  if (text === undefined) return ok(fees?.target ?? USUAL_TARGET);
  const target = wholeNumber(text, FURTHEST_TARGET, 'a number of blocks');
  if (!target.ok || target.value > 0) return target;
  return fail('E_USAGE', '--target 0 is no number of blocks: the next one is 1', {
    remedy: `give a whole number from 1 to ${FURTHEST_TARGET}`,
  });
}

/** Opens the sources of countersign.yaml, or without any there the chain back ends themselves. */
async function openWish(
  words: Words,
  { compose }: VerbContext,
  { config, root }: Desk,
  chain: readonly ChainSource[],
): Promise<Result<FeeWish, Fault>> {
  const target = targetOf(words, config.fees);
  if (!target.ok) return target;
  const sources = await compose.openFees(config.fees?.sources ?? [{ kind: 'chain' }], chain, root);
  return ok({ sources, bounds: config.fees ?? UNBOUNDED, target: target.value });
}

/** Runs work with the sources of feerates, and closes them whatever happened. */
export async function withFees<T>(
  words: Words,
  context: VerbContext,
  desk: Desk,
  chain: readonly ChainSource[],
  work: (wish: FeeWish) => Promise<Result<T, Fault>>,
): Promise<Result<T, Fault>> {
  const wish = await openWish(words, context, desk, chain);
  if (!wish.ok) return wish;
  try {
    return await work(wish.value);
  } finally {
    for (const source of wish.value.sources) await source.close();
  }
}

/**
 * The feerate of a plan: `--feerate`, else what the sources of countersign.yaml say for `--target` blocks. Null, which leaves
 * it to the snapshot, where neither is given and countersign.yaml names no sources.
 */
export async function takeFeerate(
  words: Words,
  context: VerbContext,
  desk: Desk,
): Promise<Result<ChosenFeerate | null, Fault>> {
  const rate = words.text('feerate');
  if (rate !== undefined && words.text('target') !== undefined) {
    return fail('E_USAGE', '--feerate says the feerate, and --target asks for one', { remedy: 'give one of the two' });
  }
  if (rate !== undefined) {
    const parsed = parseFeeRate(rate);
    return parsed.ok ? ok({ rate: parsed.value, from: givenFeerate(parsed.value) }) : parsed;
  }
  const { fees, chain } = desk.config;
  if (words.text('target') === undefined && fees === null) return ok(null);
  if (fees === null && chain.length === 0) {
    return fail('E_CHAIN_NONE', 'countersign.yaml names nobody to ask for a feerate', {
      remedy: 'write fees: or chain: into it (docs/chain.md), or give one in sat/vB: --feerate 12.5',
    });
  }
  return withFees(words, context, desk, chain, ({ sources, bounds, target }) => askFeerate(sources, bounds, target));
}
