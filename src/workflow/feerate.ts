import { type Fault, fail } from '../domain/fault.js';
import { type FeeRate, formatFeeRate } from '../domain/feerate.js';
import { ok, type Result } from '../domain/result.js';
import type { FeeConfig, FeeEstimator } from '../vault/fees.js';

/** Where the feerate of a plan comes from, as the plan records it and people are told. */
export interface FeerateOrigin {
  /** The name of a source; "--feerate" for a number on the command line. */
  readonly source: string;
  /** Blocks within which it should confirm; null where none were asked for. */
  readonly target: number | null;
  /** What the source said, before floor and ceiling. */
  readonly stated: FeeRate;
  readonly bounded: 'floor' | 'ceiling' | null;
  /** The other sources that were asked, with what they said or why they said nothing. */
  readonly others: readonly FeeAnswer[];
}

export interface FeeAnswer {
  readonly source: string;
  readonly rate: FeeRate | null;
  /** Why there is no rate; null where there is one. */
  readonly problem: string | null;
}

export interface ChosenFeerate {
  readonly rate: FeeRate;
  readonly from: FeerateOrigin;
}

export type FeeBounds = Pick<FeeConfig, 'maxFactor' | 'floor' | 'ceiling'>;

/** No bound at all: the first source that answers is taken at its word. */
export const UNBOUNDED: FeeBounds = { maxFactor: null, floor: null, ceiling: null };

/**
 * The feerate of the first source that answers, within floor and ceiling. Where a factor is stated all are asked, and
 * estimates that differ by more are refused with the names of who said what: one of them is wrong, and nothing here can tell
 * which. What lies below the floor is compared as the floor. A source that does not answer, or answers nonsense, is passed
 * over and named.
 *
 * E_FEERATE_NONE where no source answers, E_FEERATE_DISAGREE.
 */
export async function askFeerate(
  sources: readonly FeeEstimator[],
  { maxFactor, floor, ceiling }: FeeBounds,
  target: number,
): Promise<Result<ChosenFeerate, Fault>> {
  const answers: (FeeAnswer & { readonly isEstimate: boolean })[] = [];
  for (const { name, isEstimate, estimate } of sources) {
    const said = await estimate(target);
    // Zero is what a service says that has seen too little.
    const rate = said.ok && said.value !== 0n ? said.value : null;
    const problem = said.ok ? (rate === null ? 'it has no estimate' : null) : said.error.message;
    answers.push({ source: name, rate, problem, isEstimate });
    if (rate !== null && maxFactor === null) break;
  }
  const taken = answers.findIndex(({ rate }) => rate !== null);
  const first = answers[taken];
  if (first === undefined || first.rate === null) return nobodyAnswers(answers);
  if (maxFactor !== null) {
    const apart = furthestApart(answers, floor ?? 0n);
    if (apart !== null && apart.high.rate * 1000n > apart.low.rate * maxFactor) return disagreement(apart, maxFactor);
  }
  const { rate: stated, source } = first;
  const bounded = floor !== null && stated < floor ? 'floor' : ceiling !== null && stated > ceiling ? 'ceiling' : null;
  const rate = bounded === 'floor' ? (floor ?? stated) : bounded === 'ceiling' ? (ceiling ?? stated) : stated;
  const others = answers.filter((_, place) => place !== taken);
  return ok({
    rate,
    from: {
      source,
      target,
      stated,
      bounded,
      others: others.map(({ isEstimate: _, ...answer }) => answer),
    },
  });
}

interface Stated {
  readonly source: string;
  readonly rate: FeeRate;
}

/** The lowest and the highest estimate, none of them below the floor; null where there are not two. */
function furthestApart(
  answers: readonly (FeeAnswer & { readonly isEstimate: boolean })[],
  floor: FeeRate,
): { readonly low: Stated; readonly high: Stated } | null {
  const stated = answers.flatMap(({ source, rate, isEstimate }) =>
    isEstimate && rate !== null ? [{ source, rate: rate < floor ? floor : rate }] : [],
  );
  const [low, ...more] = stated.toSorted((a, b) => (a.rate < b.rate ? -1 : a.rate > b.rate ? 1 : 0));
  const high = more.at(-1);
  return low === undefined || high === undefined ? null : { low, high };
}

function disagreement(
  { low, high }: { readonly low: Stated; readonly high: Stated },
  maxFactor: bigint,
): Result<never, Fault> {
  const factor = `${maxFactor / 1000n}.${(maxFactor % 1000n).toString().padStart(3, '0')}`.replace(/\.?0+$/, '');
  return fail(
    'E_FEERATE_DISAGREE',
    `${high.source} says ${formatFeeRate(high.rate)} and ${low.source} says ${formatFeeRate(low.rate)}: more than the factor ${factor} apart`,
    { remedy: 'look at the mempool, and say what is meant with --feerate; or leave out the source that is wrong' },
  );
}

function nobodyAnswers(answers: readonly FeeAnswer[]): Result<never, Fault> {
  const said = answers.map(({ source, problem }) => `${source}: ${problem ?? ''}`);
  return fail('E_FEERATE_NONE', `no source tells a feerate${said.length === 0 ? '' : `: ${said.join('; ')}`}`, {
    remedy: 'give one in sat/vB: --feerate 12.5; or end the list fees.sources of countersign.yaml with fixed:RATE',
  });
}
