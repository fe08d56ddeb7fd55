import { formatTime } from '../../domain/time.js';
import { finding, formatSpan, listed, type Rule } from './rule.js';
import { listAges } from './screening/age.js';

/** Within the tolerance the verdict is given as of the newest journal entry: time never runs backwards. */
export const clockBack: Rule = {
  tag: 'clock-back',
  codes: ['CLOCK_BACK'],
  check: (context) => {
    const { maxBack } = context.document.clock;
    const { lastEntryAt } = context.state;
    const behind = Math.max(0, lastEntryAt - context.now);
    const within = behind <= maxBack;
    return [
      finding(context, 'CLOCK_BACK', within ? 'pass' : 'deny', () => ({
        text:
          behind === 0
            ? `The clock, ${formatTime(context.now)}, is not behind the newest journal entry.`
            : `The clock, ${formatTime(context.now)}, is ${formatSpan(behind)} behind the newest journal entry, ${formatTime(lastEntryAt)}; ${formatSpan(maxBack)} are tolerated.`,
        measured: `${behind}`,
        limit: `${maxBack}`,
        headroom: `${Math.max(0, maxBack - behind)}`,
        unit: 's',
        freesAt: within ? null : lastEntryAt - maxBack,
        remedy: within
          ? undefined
          : 'set the clock right; if it is right, look for the entry that was written too late',
      })),
    ];
  },
};

/**
 * Windows reckon from the times of earlier spends. One that lies ahead of the verdict's own time counts in every window, and
 * longer than it should; but it says that some time is false, and then none of them is worth a decision. Times of blocks
 * may run ahead of the clock by up to two hours, which passes by itself.
 */
export const ledgerTime: Rule = {
  tag: 'ledger-time',
  codes: ['LEDGER_TIME'],
  check: (context) => {
    const { time, state, index } = context;
    // The index knows the latest of all these times, so a long history is looked through only where one is false.
    const suspects = index.latest > time ? state.spends : [];
    const ahead = suspects.flatMap(({ batch, reservedAt, confirmed }) => {
      const latest = confirmed === null ? reservedAt : Math.max(reservedAt, confirmed.at);
      return latest <= time ? [] : [{ batch, latest, event: latest === reservedAt ? 'reserved' : 'confirmed' }];
    });
    return listed(
      context,
      'LEDGER_TIME',
      'No earlier batch was reserved or confirmed later than now.',
      ahead.map(({ batch, latest, event }) => ({
        subject: batch,
        freesAt: latest,
        text: `Batch ${batch} was ${event} at ${formatTime(latest)}, ${formatSpan(latest - time)} later than now.`,
        remedy: 'set the clock right; if it is right, find out where that time came from',
      })),
    );
  },
};

/** The chain is the witness: setting a clock ahead must not refill a window. */
export const clockJump: Rule = {
  tag: 'clock-jump',
  codes: ['CLOCK_JUMP'],
  check: (context) => {
    const { maxAheadOfMtp } = context.document.clock;
    const { medianTimePast } = context.state.tip;
    const ahead = Math.max(0, context.time - medianTimePast);
    const within = ahead <= maxAheadOfMtp;
    return [
      finding(context, 'CLOCK_JUMP', within ? 'pass' : 'deny', () => ({
        text: `${formatTime(context.time)} is ${formatSpan(ahead)} ahead of the median time past of the chain, ${formatTime(medianTimePast)}; ${formatSpan(maxAheadOfMtp)} are tolerated.`,
        measured: `${ahead}`,
        limit: `${maxAheadOfMtp}`,
        headroom: `${Math.max(0, maxAheadOfMtp - ahead)}`,
        unit: 's',
        remedy: within ? undefined : 'import a newer coin snapshot; if it is new, set the clock right',
      })),
    ];
  },
};

/** What is known of the world grows old: the coins, and the lists that are screened against. */
export const snapshotAge: Rule = {
  tag: 'snapshot-age',
  codes: ['DATA_STALE'],
  check: (context) => {
    const { chainSnapshotMaxAge } = context.document.clock;
    const { snapshotAt } = context.state;
    const age = Math.max(0, context.time - snapshotAt);
    const within = age <= chainSnapshotMaxAge;
    return [
      finding(context, 'DATA_STALE', within ? 'pass' : 'deny', () => ({
        text: `The coin snapshot was taken in at ${formatTime(snapshotAt)}, ${formatSpan(age)} ago; ${formatSpan(chainSnapshotMaxAge)} are tolerated.`,
        measured: `${age}`,
        limit: `${chainSnapshotMaxAge}`,
        headroom: `${Math.max(0, chainSnapshotMaxAge - age)}`,
        unit: 's',
        remedy: within ? undefined : 'import a newer coin snapshot',
      })),
      ...listAges(context),
    ];
  },
};
