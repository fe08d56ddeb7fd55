import { formatFeeRate, rateOf } from '../../domain/feerate.js';
import { formatAmount, maxSats } from '../../domain/sats.js';
import { tallyWindow } from '../windows.js';
import { DAY } from './rolling.js';
import { askForPolicy, assertAmount, capped, finding, type Rule, type RuleContext, type Said, single } from './rule.js';

const digits = (rate: bigint): string => formatFeeRate(rate).replace(' sat/vB', '');

/** Compared without division; the vsize is that of the signed transaction, at most a few vB too large. */
export const feeRate: Rule = {
  tag: 'fee-rate',
  codes: ['FEE_RATE'],
  check: (context) => {
    const { fee, vsize } = context.facts;
    const max = context.document.fees.maxRate;
    assertAmount(max, 'fees.max_rate_sat_vb');
    const within = fee * 1000n <= max * vsize;
    const said = (): Said => {
      // Rounded up, so that a rate above the limit never prints as the limit.
      const rate = fee <= 0n ? 0n : (fee * 1000n + vsize - 1n) / vsize;
      const shown = { measured: digits(rate), limit: digits(max), unit: 'sat/vB' } as const;
      const is = `The feerate is ${formatFeeRate(rate)} (${formatAmount(fee)} for ${vsize} vB)`;
      if (within) {
        const text = `${is}, within the limit of ${formatFeeRate(max)}.`;
        return { ...shown, text, headroom: digits(max - rate) };
      }
      const most = formatAmount((max * vsize) / 1000n);
      const remedy = `plan with a fee of at most ${most}, or ${askForPolicy(context, 'fees.max_rate_sat_vb')}`;
      return { ...shown, text: `${is}, above the limit of ${formatFeeRate(max)}.`, headroom: digits(max), remedy };
    };
    return [finding(context, 'FEE_RATE', within ? 'pass' : 'deny', said)];
  },
};

export const feeFloor: Rule = {
  tag: 'fee-floor',
  codes: ['FEE_TOO_LOW'],
  check: (context) => {
    const { fee, vsize } = context.facts;
    const min = context.document.fees.minRate;
    assertAmount(min, 'fees.min_rate_sat_vb');
    const within = fee * 1000n >= min * vsize;
    const said = (): Said => {
      const rate = fee < 0n ? 0n : rateOf(fee, vsize);
      const shown = { measured: digits(rate), limit: digits(min), unit: 'sat/vB' } as const;
      if (within) {
        const text = `The feerate is ${formatFeeRate(rate)}, at or above the floor of ${formatFeeRate(min)}.`;
        return { ...shown, text, headroom: digits(rate - min) };
      }
      const text = `The feerate is ${formatFeeRate(rate)} (${formatAmount(fee)} for ${vsize} vB), below the floor of ${formatFeeRate(min)}: a stuck transaction holds budget.`;
      const least = (min * vsize + 999n) / 1000n;
      return { ...shown, text, headroom: '0', remedy: `plan with a fee of at least ${formatAmount(least)}` };
    };
    return [finding(context, 'FEE_TOO_LOW', within ? 'pass' : 'deny', said)];
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
      const pass = () => {
        const small = `fees up to ${formatAmount(bpAppliesAbove)} are not asked for their fraction`;
        return { text: `The fee is ${formatAmount(fee)}; ${external === 0n ? 'nobody is paid' : small}.` };
      };
      return [finding(context, 'FEE_FRACTION', 'pass', pass)];
    }
    const max = BigInt(maxBpOfExternal);
    const within = fee * 10_000n <= external * max;
    const said = (): Said => {
      const bp = (fee * 10_000n + external - 1n) / external;
      const shown = { measured: `${bp}`, limit: `${max}`, unit: 'bp' } as const;
      const text = `The fee of ${formatAmount(fee)} is ${bp} bp (rounded up) of the ${formatAmount(external)} paid`;
      if (within) return { ...shown, text: `${text}, within the limit of ${max} bp.`, headroom: `${max - bp}` };
      const most = maxSats((external * max) / 10_000n, bpAppliesAbove);
      const remedy = `plan with a fee of at most ${formatAmount(most)}, or ${askForPolicy(context, 'fees.max_bp_of_external')}`;
      return { ...shown, text: `${text}, above the limit of ${max} bp.`, headroom: `${max}`, remedy };
    };
    return [finding(context, 'FEE_FRACTION', within ? 'pass' : 'deny', said)];
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
