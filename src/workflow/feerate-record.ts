import type { Json } from '../domain/canonical-json.js';
import { type FeeRate, formatFeeRate } from '../domain/feerate.js';
import { ownValue, parsedJson } from '../domain/json-difference.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { FeerateOrigin } from './feerate.js';

/** The feerate of a number that somebody gave. */
export function givenFeerate(rate: FeeRate): FeerateOrigin {
  return { source: '--feerate', target: null, stated: rate, bounded: null, others: [] };
}

/** The feerate that the maker of the snapshot proposes, with whoever told it to them. */
export function snapshotFeerate({ feerateFrom }: Pick<Snapshot, 'feerateFrom'>, rate: FeeRate): FeerateOrigin {
  return {
    source: feerateFrom === null ? 'the snapshot' : `the snapshot, from ${feerateFrom.source}`,
    target: feerateFrom?.target ?? null,
    stated: rate,
    bounded: null,
    others: [],
  };
}

/** What a plan keeps of where its feerate comes from (in countersign.plan/1). */
export function feerateRecord({ source, target, stated, bounded, others }: FeerateOrigin): Json {
  return {
    source,
    ...(target === null ? {} : { target }),
    stated_sat_per_kvb: stated.toString(),
    ...(bounded === null ? {} : { bounded }),
    ...(others.length === 0
      ? {}
      : {
          others: others.map(({ source: other, rate, problem }) => ({
            source: other,
            ...(rate === null ? {} : { stated_sat_per_kvb: rate.toString() }),
            ...(problem === null ? {} : { problem }),
          })),
        }),
  };
}

/** "12.5 sat/vB, as mempool https://... says for 6 blocks", and a line for each other source that was asked. */
export function feerateLines(rate: FeeRate, from: FeerateOrigin): string[] {
  const { source, target, stated, bounded, others } = from;
  const within = target === null ? '' : ` for ${target === 1 ? 'the next block' : `${target} blocks`}`;
  const limit = bounded === null ? '' : `; it says ${formatFeeRate(stated)}, and the ${bounded} is kept`;
  return [
    `${formatFeeRate(rate)}, from ${source}${within}${limit}`,
    ...others.map(({ source: other, rate: said, problem }) =>
      said === null ? `  ${other} says nothing: ${problem ?? ''}` : `  ${other} says ${formatFeeRate(said)}`,
    ),
  ];
}

/** The same of a plan that the journal keeps: what it says of its feerate, from its bytes. Null where it says nothing. */
export function feerateOfPlan(
  plan: Uint8Array,
): { readonly rate: FeeRate; readonly from: FeerateOrigin | null } | null {
  const parsed = parsedJson(plan);
  const rate = ratesOf(ownValue(parsed, 'feerate_sat_per_kvb'));
  if (rate === null) return null;
  const record = ownValue(parsed, 'feerate_from');
  const source = ownValue(record, 'source');
  const stated = ratesOf(ownValue(record, 'stated_sat_per_kvb'));
  if (typeof source !== 'string' || stated === null) return { rate, from: null };
  const target = ownValue(record, 'target');
  const bounded = ownValue(record, 'bounded');
  const others = ownValue(record, 'others');
  return {
    rate,
    from: {
      source,
      target: typeof target === 'number' ? target : null,
      stated,
      bounded: bounded === 'floor' || bounded === 'ceiling' ? bounded : null,
      others: (Array.isArray(others) ? others : []).map((one: unknown) => {
        const problem = ownValue(one, 'problem');
        return {
          source: String(ownValue(one, 'source')),
          rate: ratesOf(ownValue(one, 'stated_sat_per_kvb')),
          problem: typeof problem === 'string' ? problem : null,
        };
      }),
    },
  };
}

const ratesOf = (value: unknown): FeeRate | null =>
  typeof value === 'string' && /^[0-9]{1,12}$/.test(value) ? BigInt(value) : null;
