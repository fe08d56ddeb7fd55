import { type Hex, toHex } from '../../domain/bytes.js';
import type { Sats } from '../../domain/sats.js';
import type { UnixSeconds } from '../../domain/time.js';
import { weighAmong } from '../conflicts.js';
import type { DestinationAge, SpendRecord } from '../types.js';
import { confirmedWithin, earliest, type SpendIndex, type Tally, tallyScripts } from '../windows.js';
import { ageAt, paidDestinations, payees } from './payee.js';
import { DAY } from './rolling.js';
import { capped, finding, formatSpan, perVerdict, type Rule, type RuleContext, single } from './rule.js';

/**
 * Young at a time: in the book for less than the age of the policy. What the book does not hold is young too, earlier
 * payments included: otherwise a thief could pay a new destination up to the cap, strike it out and go on with the next.
 */
function isYoung(context: RuleContext, script: Hex, time: UnixSeconds): boolean {
  return isYoungEntry(context, context.state.destinations.get(script), time);
}

function isYoungEntry({ document }: RuleContext, entry: DestinationAge | undefined, time: UnixSeconds): boolean {
  return entry === undefined || !(ageAt(entry, time) >= document.destinations.young.untilAge);
}

function maturesAt({ document }: RuleContext, entry: DestinationAge | undefined): UnixSeconds | null {
  return entry === undefined ? null : entry.since + document.destinations.young.untilAge;
}

export const youngCap: Rule = {
  tag: 'young-cap',
  codes: ['YOUNG_CAP'],
  check: (context) => {
    const { untilAge, each24h } = context.document.destinations.young;
    const young = paidDestinations(context).filter(({ entry }) => isYoungEntry(context, entry, context.time));
    if (young.length === 0) {
      const pass = () => ({ text: `Every destination of the batch is at least ${formatSpan(untilAge)} old.` });
      return [finding(context, 'YOUNG_CAP', 'pass', pass)];
    }
    return young.map(({ scripts, name, amount, entry }) => {
      const tally = tallyScripts(context.index, scripts, context.claim(amount), context.time, DAY);
      return capped(context, {
        code: 'YOUNG_CAP',
        subject: name,
        what: `What the young destination ${name} gets within 24 hours, this batch included,`,
        cap: each24h,
        tally: { ...tally, freesAt: (limit) => sooner(tally.freesAt(limit), maturesAt(context, entry)) },
      });
    });
  },
};

function sooner(a: UnixSeconds | null, b: UnixSeconds | null): UnixSeconds | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/**
 * All young destinations together: the rule that stops a theft of which every single part is within limits (2019: 44
 * outputs, 21 of them to new addresses). A batch that pays none of them is not held up by what others did.
 */
export const youngAggregate: Rule = {
  tag: 'young-aggregate',
  codes: ['YOUNG_AGGREGATE'],
  check: (context) => {
    const { all24h } = context.document.destinations.young;
    const adds = youngOf(context, batchOutputs(context), context.time);
    return [
      capped(context, {
        code: 'YOUNG_AGGREGATE',
        what: 'What all young destinations together get within 24 hours, this batch included,',
        cap: all24h,
        tally: adds > 0n ? youngTally(context, context.index) : single(0n),
      }),
    ];
  },
};

type Outputs = SpendRecord['outputs'];

const batchOutputs = perVerdict(
  (context): Outputs => payees(context).map(({ script, amount }) => ({ script, amount })),
);

function youngOf(context: RuleContext, outputs: Outputs, time: UnixSeconds): Sats {
  return outputs.reduce((sum, { script, amount }) => (isYoung(context, script, time) ? sum + amount : sum), 0n);
}

function youngTally(context: RuleContext, index: SpendIndex): Tally {
  const batch = batchOutputs(context);
  const at = (time: UnixSeconds) => {
    const confirmed = confirmedWithin(index, time, DAY).reduce(
      (sum, { outputs }) => sum + youngOf(context, outputs, time),
      0n,
    );
    const pending = index.pending
      .map(({ outputs, inputs }) => ({ weight: youngOf(context, outputs, time), inputs }))
      .filter(({ weight }) => weight > 0n);
    return { confirmed, ...weighAmong(context.claim(youngOf(context, batch, time)), pending) };
  };
  const now = at(context.time);
  return {
    measured: now.confirmed + now.together,
    room: (limit) => {
      const left = limit - now.confirmed - now.beside;
      return now.confirmed + now.without > limit || left < 0n ? 0n : left;
    },
    freesAt: (limit) =>
      earliest(youngMoments(context, index), (time) => {
        if (youngOf(context, batch, time) === 0n) return true;
        const then = at(time);
        return then.confirmed + then.together <= limit;
      }),
  };
}

/** When the aggregate can become smaller: a confirmed payment leaves the window, or a destination comes of age. */
function youngMoments(context: RuleContext, index: SpendIndex): UnixSeconds[] {
  const held = confirmedWithin(index, context.time, DAY);
  const leaving = held.flatMap(({ confirmed }) => (confirmed === null ? [] : [confirmed.at + DAY]));
  const scripts = [...context.payments.map(({ script }) => toHex(script))];
  for (const { outputs } of [...held, ...index.pending]) scripts.push(...outputs.map(({ script }) => script));
  const maturing = scripts.flatMap((script) => maturesAt(context, context.state.destinations.get(script)) ?? []);
  return [...new Set([...leaving, ...maturing])].filter((time) => time > context.time).sort((a, b) => a - b);
}
