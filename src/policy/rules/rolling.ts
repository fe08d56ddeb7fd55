import { formatTime } from '../../domain/time.js';
import { type Tally, tallyBlocks, tallyPending, tallyWindow } from '../windows.js';
import { askForPolicy, capped, finding, perVerdict, type Rule, type Said } from './rule.js';

export const HOUR = 3600;
export const DAY = 86_400;

const WINDOWS = [
  { span: '1h', seconds: HOUR, code: 'LIMIT_1H', words: 'an hour' },
  { span: '24h', seconds: DAY, code: 'LIMIT_24H', words: '24 hours' },
  { span: '7d', seconds: 7 * DAY, code: 'LIMIT_7D', words: '7 days' },
] as const;

/** What leaves within 24 hours with this batch counted in: the basis of the approval tiers as well. */
export const rollingDay = perVerdict(
  ({ index, facts, time, claim }): Tally => tallyWindow(index, 'spend', claim(facts.spend), time, DAY),
);

/** One rule a window; all of them hold at once. */
export const rollingLimits: readonly Rule[] = WINDOWS.map(({ span, seconds, code, words }) => ({
  tag: `limit-${span}`,
  codes: [code],
  check: (context) => [
    capped(context, {
      code,
      what: `What leaves within ${words}, this batch and fees included,`,
      cap: context.document.limits.rolling[span],
      tally: tallyWindow(context.index, 'spend', context.claim(context.facts.spend), context.time, seconds),
    }),
  ],
}));

/** A second, independent clock: blocks cannot be had by setting a computer's time. */
export const blockLimits: Rule = {
  tag: 'limit-blocks',
  codes: ['LIMIT_BLOCKS'],
  check: (context) => {
    const { index, facts, state, document } = context;
    const windows = [...document.limits.rollingBlocks].sort(([a], [b]) => a - b);
    if (windows.length === 0) {
      return [finding(context, 'LIMIT_BLOCKS', 'pass', 'The policy has no window of blocks.')];
    }
    return windows.map(([blocks, cap]) =>
      capped(context, {
        code: 'LIMIT_BLOCKS',
        field: `limits.rolling_blocks.${blocks}`,
        subject: `${blocks} blocks`,
        what: `What leaves within ${blocks} blocks, this batch and fees included,`,
        cap,
        tally: tallyBlocks(index, context.claim(facts.spend), state.tip.height, blocks),
        remedy: 'wait for blocks',
      }),
    );
  },
};

/** Against hoarding: signing a little every day and broadcasting all of it at once. */
export const unconfirmedLimit: Rule = {
  tag: 'limit-unconfirmed',
  codes: ['LIMIT_UNCONFIRMED'],
  check: (context) => [
    capped(context, {
      code: 'LIMIT_UNCONFIRMED',
      what: 'What is signed and not yet confirmed, this batch included,',
      cap: context.document.limits.signedUnconfirmed,
      tally: tallyPending(context.index, context.claim(context.facts.spend)),
      remedy: 'wait until earlier batches have 6 confirmations',
    }),
  ],
};

/** A batch and its replacement are one: only one of them can confirm. */
export const batchCountLimit: Rule = {
  tag: 'limit-batch-count',
  codes: ['LIMIT_BATCH_COUNT'],
  check: (context) => {
    const limit = context.document.limits.batches24h;
    const cap = BigInt(limit);
    const tally = tallyWindow(context.index, 'count', context.claim(1n), context.time, DAY);
    const within = tally.measured <= cap;
    const said = (): Said => {
      const shown = { measured: `${tally.measured}`, limit: `${limit}`, unit: 'count' } as const;
      if (within) {
        const text = `This is batch ${tally.measured} of at most ${limit} within 24 hours.`;
        return { ...shown, text, headroom: `${cap - tally.measured}` };
      }
      const freesAt = tally.freesAt(cap);
      const ways = [
        ...(freesAt === null ? [] : [`wait until ${formatTime(freesAt)}`]),
        askForPolicy(context, 'limits.batches_24h'),
      ];
      const text = `This would be batch ${tally.measured} within 24 hours; at most ${limit} may leave.`;
      return { ...shown, text, headroom: `${tally.room(cap)}`, freesAt, remedy: ways.join(', or ') };
    };
    return [finding(context, 'LIMIT_BATCH_COUNT', within ? 'pass' : 'deny', said)];
  },
};
