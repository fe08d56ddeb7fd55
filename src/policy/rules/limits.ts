import { formatAmount, maxSats, type Sats } from '../../domain/sats.js';
import {
  askForPolicy,
  assertAmount,
  capped,
  finding,
  outputName,
  plural,
  type Rule,
  type Said,
  single,
} from './rule.js';

/** Fee counts: the batch costs the vault what it does not get back as proven change. */
export const batchLimit: Rule = {
  tag: 'limit-batch',
  codes: ['LIMIT_BATCH'],
  check: (context) => [
    capped(context, {
      code: 'LIMIT_BATCH',
      what: 'The batch, fee included,',
      cap: context.document.limits.batch,
      tally: single(context.facts.spend),
      remedy: 'split the batch',
    }),
  ],
};

/** Each output by itself; what several outputs bring one destination is the matter of its cap. */
export const outputLimit: Rule = {
  tag: 'limit-output',
  codes: ['LIMIT_OUTPUT'],
  check: (context) => {
    const cap = context.document.limits.output;
    const check = (what: string, value: Sats, subject?: string) =>
      capped(context, {
        code: 'LIMIT_OUTPUT',
        what,
        cap,
        tally: single(value),
        ...(subject === undefined ? {} : { subject }),
      });
    const over = cap === null ? [] : context.payments.filter(({ value }) => !(value <= cap));
    if (over.length > 0) {
      return over.map((output) => check(`The output to ${outputName(output)}`, output.value, outputName(output)));
    }
    const largest = context.payments.reduce((most, { value }) => maxSats(most, value), 0n);
    return [check('The largest output', largest)];
  },
};

export const outputCountLimit: Rule = {
  tag: 'limit-output-count',
  codes: ['LIMIT_OUTPUT_COUNT'],
  check: (context) => {
    const limit = context.document.limits.outputsPerBatch;
    const count = context.payments.length;
    // 0 means that nothing may leave: not even the fee of a consolidation, which pays no output.
    const within = count <= limit && limit > 0;
    const said = (): Said => {
      const shown = { measured: `${count}`, limit: `${limit}`, unit: 'count' } as const;
      const pays = `The batch pays ${plural(count, 'output')}, change not counted`;
      if (within) return { ...shown, text: `${pays}; ${limit} are allowed.`, headroom: `${limit - count}` };
      const text =
        limit === 0
          ? `${pays}; 0 are allowed, so nothing may leave.`
          : `${pays}, ${count - limit} more than the ${limit} allowed.`;
      const remedy = `split the batch, or ${askForPolicy(context, 'limits.outputs_per_batch')}`;
      return { ...shown, text, headroom: `${limit}`, remedy };
    };
    return [finding(context, 'LIMIT_OUTPUT_COUNT', within ? 'pass' : 'deny', said)];
  },
};

/**
 * Confirmed coins that stay, and this batch's proven change; deposits that are not confirmed do not count. An unconfirmed
 * input (which another rule denies unless the policy allows it) pays for itself at most.
 */
export const reserveFloor: Rule = {
  tag: 'reserve-floor',
  codes: ['RESERVE_FLOOR'],
  check: (context) => {
    const floor = context.document.limits.reserveFloor;
    assertAmount(floor, 'limits.reserve_floor');
    const { facts, state } = context;
    const unconfirmed = facts.inputs.reduce(
      (sum, { origin, coin, value }) => (origin !== null && coin?.confirmations === 0 ? sum + value : sum),
      0n,
    );
    const after = state.confirmedBalance - maxSats(0n, facts.spend - unconfirmed);
    const said = (): Said => {
      const shown = { measured: after.toString(), limit: floor.toString(), unit: 'sat' } as const;
      if (after >= floor) {
        const left = after - floor;
        const text = `After the batch ${formatAmount(after)} stay confirmed in the vault, ${formatAmount(left)} above the floor of ${formatAmount(floor)}.`;
        return { ...shown, text, headroom: left.toString() };
      }
      const room = maxSats(0n, state.confirmedBalance - floor);
      const text = `After the batch ${formatAmount(after)} would stay confirmed in the vault, ${formatAmount(floor - after)} below the floor of ${formatAmount(floor)}.`;
      const ways = [
        'wait until more coins of the vault are confirmed',
        ...(room > 0n ? [`stay within ${formatAmount(room)} now`] : []),
        askForPolicy(context, 'limits.reserve_floor'),
      ];
      return { ...shown, text, headroom: room.toString(), remedy: ways.join(', or ') };
    };
    return [finding(context, 'RESERVE_FLOOR', after >= floor ? 'pass' : 'deny', said)];
  },
};
