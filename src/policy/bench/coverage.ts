import { CODES, type Code } from '../codes.js';
import { asksSources } from '../screening/hits.js';
import type { LoadedPolicy } from '../types.js';
import { numericLimits } from './limits.js';
import type { CaseOutcome } from './types.js';

/** One thing that the cases of a policy should show, and the case that shows it first. */
export interface Witness {
  readonly kind: 'code' | 'limit';
  /** "LIMIT_24H" or "limits.rolling.24h". */
  readonly name: string;
  /** Of a code "pass" and its outcome; of a limit "one under", "at", "one over". */
  readonly aspect: string;
  readonly seenIn: string | null;
}

export interface Coverage {
  readonly witnesses: readonly Witness[];
  readonly seen: number;
  /** Whole percent, rounded down: 100 only where nothing is missing. */
  readonly percent: number;
  /** Codes that this policy cannot give, with the reason. */
  readonly beyond: readonly { readonly code: string; readonly why: string }[];
  /** Cases that were judged by another policy, or by this one with fields changed, and so show nothing of it. */
  readonly elsewhere: number;
}

const SIDES = [
  { aspect: 'one under', delta: -1n },
  { aspect: 'at', delta: 0n },
  { aspect: 'one over', delta: 1n },
] as const;

/**
 * What a set of cases shows of a policy: each rule content and not content, and each number met exactly, missed by one
 * and exceeded by one. Only cases that hold count, and only under this very policy.
 */
export function coverageOf(policy: LoadedPolicy, outcomes: readonly CaseOutcome[]): Coverage {
  const own = outcomes.filter(
    ({ judged, problems }) => judged?.input.policy.digest === policy.digest && problems.length === 0,
  );
  const beyond = outOfReach(policy);
  const witnesses = [
    ...codeWitnesses(
      own,
      beyond.map(({ code }) => code),
    ),
    ...limitWitnesses(policy, own),
  ];
  const seen = witnesses.filter(({ seenIn }) => seenIn !== null).length;
  return {
    witnesses,
    seen,
    percent: Math.floor((seen * 100) / witnesses.length),
    beyond,
    elsewhere: outcomes.length - own.length,
  };
}

function codeWitnesses(outcomes: readonly CaseOutcome[], beyond: readonly string[]): Witness[] {
  const first = new Map<string, string>();
  for (const { judged, case: one } of outcomes) {
    for (const { code, outcome } of judged?.verdict.findings ?? []) {
      const key = `${code} ${outcome}`;
      if (!first.has(key)) first.set(key, one.name);
    }
  }
  return (Object.keys(CODES) as Code[])
    .filter((code) => code !== 'EVAL_ERROR')
    .flatMap((code) =>
      ['pass', ...(beyond.includes(code) ? [] : [CODES[code].outcome])].map(
        (aspect): Witness => ({ kind: 'code', name: code, aspect, seenIn: first.get(`${code} ${aspect}`) ?? null }),
      ),
    );
}

function limitWitnesses({ document }: LoadedPolicy, outcomes: readonly CaseOutcome[]): Witness[] {
  return numericLimits(document).flatMap(({ field, limit, measure }) => {
    const first = new Map<bigint, string>();
    for (const { judged, case: one } of outcomes) {
      if (judged === null) continue;
      for (const value of measure(judged.input, judged.verdict)) {
        if (!first.has(value)) first.set(value, one.name);
      }
    }
    return SIDES.map(
      ({ aspect, delta }): Witness => ({
        kind: 'limit',
        name: field,
        aspect,
        seenIn: first.get(limit + delta) ?? null,
      }),
    );
  });
}

/** Codes that no case can bring about, because the policy has no such limit. */
function outOfReach({ document }: LoadedPolicy): Coverage['beyond'] {
  const { limits, fees, destinations, screening, approvals } = document;
  const caps: readonly (readonly [Code, boolean])[] = [
    ['LIMIT_BATCH', limits.batch === null],
    ['LIMIT_OUTPUT', limits.output === null],
    ['LIMIT_1H', limits.rolling['1h'] === null],
    ['LIMIT_24H', limits.rolling['24h'] === null],
    ['LIMIT_7D', limits.rolling['7d'] === null],
    ['LIMIT_BLOCKS', [...limits.rollingBlocks.values()].every((cap) => cap === null)],
    ['LIMIT_UNCONFIRMED', limits.signedUnconfirmed === null],
    ['LIMIT_LIFETIME', (limits.lifetime ?? null) === null],
    ['RESERVE_FLOOR', limits.reserveFloor === 0n],
    ['DEST_CAP', [destinations.defaultCap24h, ...destinations.caps24h.values()].every((cap) => cap === null)],
    ['BOOK_PROOF', destinations.proof !== 'required'],
    ['YOUNG_CAP', destinations.young.each24h === null],
    ['YOUNG_AGGREGATE', destinations.young.all24h === null],
    ['FEE_ABS', fees.maxAbs === null],
    ['FEE_REPLACEMENTS', fees.maxAbs === null],
    ['FEE_24H', fees.max24h === null],
    ['DATA_MISSING', screening.lists.length === 0],
    ['DATA_INVALID', screening.lists.length === 0],
    ['DEST_SANCTIONED', screening.lists.length === 0],
    ['OWN_LISTED', screening.lists.length === 0],
    ['INPUT_TAINTED', !asksSources(document)],
    ['INPUT_UNSCREENED', !asksSources(document)],
    ['APPROVALS_NO_TIER', approvals.tiers.some(({ upTo }) => upTo === null)],
  ];
  return caps.flatMap(([code, isBeyond]) =>
    isBeyond ? [{ code, why: `the policy sets no bound in ${CODES[code].rule}` }] : [],
  );
}
