import { formatFeeRate, rateOf } from '../../domain/feerate.js';
import { formatAmount } from '../../domain/sats.js';
import { tallyWindow } from '../windows.js';
import { DAY } from './rolling.js';
import { askForPolicy, assertAmount, capped, finding, type Rule, type RuleContext, single } from './rule.js';

const digits = (rate: bigint): string => formatFeeRate(rate).replace(' sat/vB', '');

/** Compared without division; the vsize is that of the signed transaction, at most a few vB too large. */
export const feeRate: Rule = {
  tag: 'fee-rate',
  codes: ['FEE_RATE'],
  check: (context) => {
    const { fee, vsize } = context.facts;
    const max = context.document.fees.maxRate;
    assertAmount(max, 'fees.max_rate_sat_vb');
    // Rounded up, so that a rate above the limit never prints as the limit.
    const rate = fee <= 0n ? 0n : (fee * 1000n + vsize - 1n) / vsize;
    const shown = { measured: digits(rate), limit: digits(max), unit: 'sat/vB' } as const;
    if (fee * 1000n <= max * vsize) {
      const text = `The feerate is ${formatFeeRate(rate)} (${formatAmount(fee)} for ${vsize} vB), within the limit of ${formatFeeRate(max)}.`;
      return [finding(context, 'FEE_RATE', 'pass', text, { ...shown, headroom: digits(max - rate) })];
    }
    const most = (max * vsize) / 1000n;
    const text = `The feerate is ${formatFeeRate(rate)} (${formatAmount(fee)} for ${vsize} vB), above the limit of ${formatFeeRate(max)}.`;
    const remedy = `plan with a fee of at most ${formatAmount(most)}, or ${askForPolicy(context, 'fees.max_rate_sat_vb')}`;
    return [finding(context, 'FEE_RATE', 'deny', text, { ...shown, headroom: digits(max), remedy })];
  },
};

export const feeFloor: Rule = {
  tag: 'fee-floor',
  codes: ['FEE_TOO_LOW'],
  check: (context) => {
    const { fee, vsize } = context.facts;
    const min = context.document.fees.minRate;
    assertAmount(min, 'fees.min_rate_sat_vb');
    const rate = fee < 0n ? 0n : rateOf(fee, vsize);
    const shown = { measured: digits(rate), limit: digits(min), unit: 'sat/vB' } as const;
    if (fee * 1000n >= min * vsize) {
      const text = `The feerate is ${formatFeeRate(rate)}, at or above the floor of ${formatFeeRate(min)}.`;
      return [finding(context, 'FEE_TOO_LOW', 'pass', text, { ...shown, headroom: digits(rate - min) })];
    }
    const least = (min * vsize + 999n) / 1000n;
    const text = `The feerate is ${formatFeeRate(rate)} (${formatAmount(fee)} for ${vsize} vB), below the floor of ${formatFeeRate(min)}: a stuck transaction holds budget.`;
    return [
      finding(context, 'FEE_TOO_LOW', 'deny', text, {
        ...shown,
        headroom: '0',
        remedy: `plan with a fee of at least ${formatAmount(least)}`,
      }),
    ];
  },
};

export const feeAbsolute: Rule = {
  tag: 'fee-absolute',
  codes: ['FEE_ABS'],
  check: (context) => [
    capped(context, {
      code: 'FEE_ABS',
      what: 'The fee',
      cap: context.document.fees.maxAbs,
      tally: single(context.facts.fee),
      remedy: 'look whether the change output is missing',
    }),
  ],
};

/** In integers: fee x 10,000 against payments x basis points. Small fees, and batches that pay nobody, are not asked. */
export const feeFraction: Rule = {
  tag: 'fee-fraction',
  codes: ['FEE_FRACTION'],
  check: (context) => {
    const { fee, external } = context.facts;
    const { maxBpOfExternal, bpAppliesAbove } = context.document.fees;
    assertAmount(bpAppliesAbove, 'fees.bp_applies_above');
    if (fee <= bpAppliesAbove || external === 0n) {
      const why =
        external === 0n
          ? 'nobody is paid'
          : `fees up to ${formatAmount(bpAppliesAbove)} are not asked for their fraction`;
      return [finding(context, 'FEE_FRACTION', 'pass', `The fee is ${formatAmount(fee)}; ${why}.`)];
    }
    const max = BigInt(maxBpOfExternal);
    const most = (external * max) / 10_000n;
    const bp = (fee * 10_000n + external - 1n) / external;
    const shown = { measured: `${bp}`, limit: `${max}`, unit: 'bp' } as const;
    const text = `The fee of ${formatAmount(fee)} is ${bp} bp (rounded up) of the ${formatAmount(external)} paid`;
    if (fee * 10_000n <= external * max) {
      const headroom = `${max - bp}`;
      return [
        finding(context, 'FEE_FRACTION', 'pass', `${text}, within the limit of ${max} bp.`, { ...shown, headroom }),
      ];
    }
    const remedy = `plan with a fee of at most ${formatAmount(most > bpAppliesAbove ? most : bpAppliesAbove)}, or ${askForPolicy(context, 'fees.max_bp_of_external')}`;
    return [
      finding(context, 'FEE_FRACTION', 'deny', `${text}, above the limit of ${max} bp.`, {
        ...shown,
        headroom: `${max}`,
        remedy,
      }),
    ];
  },
};

export const feeDay: Rule = {
  tag: 'fee-day',
  codes: ['FEE_24H'],
  check: (context: RuleContext) => [
    capped(context, {
      code: 'FEE_24H',
      what: 'What goes to fees within 24 hours, this batch included,',
      cap: context.document.fees.max24h,
      tally: tallyWindow(context.index, 'fee', context.claim(context.facts.fee), context.time, DAY),
    }),
  ],
};
