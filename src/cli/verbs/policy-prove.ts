import { type Fault, fail, formatPosition } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { formatAmount, parseSats, type Sats } from '../../domain/sats.js';
import { formatTime, parseDuration } from '../../domain/time.js';
import type { Step } from '../../policy/bound/rehearse.js';
import { propertyText, prove } from '../../policy/prove/prove.js';
import type { Answer, Property } from '../../policy/prove/types.js';
import type { LoadedPolicy } from '../../policy/types.js';
import type { Report, Verb, VerbContext, Words } from '../command.js';
import type { Style } from '../render/style.js';
import { plural, printable, wrap } from '../render/text.js';
import { argument, required } from '../with-workspace.js';
import { bookFile, policyFile } from './policy-bound.js';

const NAMES = [
  'outside-book',
  'max-outflow',
  'needs-role',
  'separation',
  'refines',
] as const satisfies readonly Property['kind'][];

/** Needs no workspace: it speaks of documents alone. Proven is 0; refuted, and neither, are 10. */
export const run: Verb = async (words, context) => {
  const name = NAMES.find((one) => one === words.args[0]);
  if (name === undefined) {
    return fail('E_USAGE', `${JSON.stringify(argument(words, 0).slice(0, 40))} is no property`, {
      remedy: `one of ${NAMES.join(', ')}`,
    });
  }
  const stray = strayWord(words, name);
  if (stray !== null) return stray;
  const first = await policyFile(context, argument(words, 1));
  if (!first.ok) return first;
  const asked = await propertyOf(name, words, context, first.value);
  if (!asked.ok) return asked;
  const { policy, property } = asked.value;
  const answer = prove(policy, property);
  return answer.ok ? ok(report(policy, property, answer.value, context.style)) : answer;
};

const OPTIONS: Readonly<Record<Property['kind'], readonly string[]>> = {
  'outside-book': [],
  'max-outflow': ['window', 'amount', 'book'],
  'needs-role': ['over', 'role'],
  separation: [],
  refines: [],
};

/** An option that a property has no use for was meant to mean something: it is refused, not passed over. */
function strayWord(words: Words, name: Property['kind']): Result<never, Fault> | null {
  const option = Object.values(OPTIONS)
    .flat()
    .find((one) => words.text(one) !== undefined && !OPTIONS[name].includes(one));
  if (option !== undefined) return fail('E_USAGE', `--${option} means nothing to ${name}`);
  if (name !== 'refines' && words.args[2] !== undefined) return fail('E_USAGE', `${name} speaks of one policy`);
  return null;
}

interface Asked {
  readonly policy: LoadedPolicy;
  readonly property: Property;
}

async function propertyOf(
  name: Property['kind'],
  words: Words,
  context: VerbContext,
  policy: LoadedPolicy,
): Promise<Result<Asked, Fault | readonly Fault[]>> {
  switch (name) {
    case 'outside-book':
    case 'separation':
      return ok({ policy, property: { kind: name } });
    case 'max-outflow': {
      const seconds = spanOf(words);
      if (!seconds.ok) return seconds;
      const amount = amountOf(words, 'amount');
      if (!amount.ok) return amount;
      const book = await bookFile(context, words.text('book'), policy);
      if (!book.ok) return book;
      return ok({ policy, property: { kind: name, seconds: seconds.value, amount: amount.value, book: book.value } });
    }
    case 'needs-role': {
      const over = amountOf(words, 'over');
      if (!over.ok) return over;
      const role = required(words, 'role', 'compliance');
      return role.ok ? ok({ policy, property: { kind: name, over: over.value, role: role.value } }) : role;
    }
    case 'refines': {
      const file = words.args[2];
      if (file === undefined) return fail('E_USAGE', 'refines compares two policies: name the newer one as well');
      const newer = await policyFile(context, file);
      return newer.ok ? ok({ policy: newer.value, property: { kind: name, before: policy } }) : newer;
    }
  }
}

function spanOf(words: Words): Result<number, Fault> {
  const text = required(words, 'window', '24h');
  if (!text.ok) return text;
  const seconds = parseDuration(text.value);
  if (seconds !== null && seconds > 0 && seconds <= LONGEST) return ok(seconds);
  return fail('E_USAGE', `${JSON.stringify(text.value.slice(0, 40))} is no window`, {
    remedy: 'write 90s, 30m, 24h or 7d; at most 60d',
  });
}

/** A schedule of a longer window would be too long to rehearse. */
const LONGEST = 60 * 86_400;

function amountOf(words: Words, option: string): Result<Sats, Fault> {
  const text = required(words, option, '20000000000');
  if (!text.ok) return text;
  const sats = parseSats(text.value);
  return sats.ok ? sats : err(sats.error);
}

// ---------------------------------------------------------------- rendering

const WORDS = { proven: 'proven', refuted: 'refuted', open: 'not proven' } as const;

function report(policy: LoadedPolicy, property: Property, answer: Answer, style: Style): Report {
  const { outcome } = answer;
  const sentence = propertyText(property);
  const colour = outcome === 'proven' ? style.good : style.bad;
  return {
    schema: 'countersign.policy-prove/1',
    exit: outcome === 'proven' ? 'OK' : 'DENIED',
    data: {
      property: property.kind,
      statement: sentence,
      outcome,
      policy: { file: policy.file, version: policy.document.version, digest: policy.digest },
      ...dataOf(answer),
    },
    text: [
      ...paragraph(`${colour(WORDS[outcome])}  ${printable(sentence)}`, ''),
      ...bodyOf(answer, style),
      ...(outcome === 'open' ? ['This is no proof: treat the property as broken.'] : []),
    ],
  };
}

function dataOf(answer: Answer): Readonly<Record<string, unknown>> {
  switch (answer.outcome) {
    case 'proven':
      return { argument: answer.argument };
    case 'refuted':
      return { story: answer.story, counterexample: answer.steps.map(stepData) };
    case 'open':
      return { story: answer.story };
  }
}

function bodyOf(answer: Answer, style: Style): readonly string[] {
  switch (answer.outcome) {
    case 'proven':
      return answer.argument.flatMap(({ text, by }) => [
        ...paragraph(`- ${printable(text)}`, '  '),
        ...by.map(({ code, text: rule, where }) =>
          style.dim(`      ${code} ${printable(rule)}  ${printable(formatPosition(where))}`),
        ),
      ]);
    case 'refuted':
      return [...answer.story.flatMap((text) => paragraph(printable(text), '  ')), ...stepsText(answer.steps)];
    case 'open':
      return answer.story.flatMap((text) => paragraph(`- ${printable(text)}`, '  '));
  }
}

function paragraph(text: string, indent: string): string[] {
  return wrap(text, 100).map((line, index) => `${indent}${index === 0 ? '' : '  '}${line}`);
}

/** A long schedule repeats itself: its beginning and its end are enough for people, and --json has all of it. */
function stepsText(steps: readonly Step[]): readonly string[] {
  if (steps.length <= 8) return steps.flatMap(stepLines);
  const left = steps.length - 6;
  return [
    ...steps.slice(0, 4).flatMap(stepLines),
    `  ... ${plural(left, 'more batch', 'more batches')} (--json has all of them)`,
    ...steps.slice(-2).flatMap(stepLines),
  ];
}

const approvers = ({ input }: Step): readonly string[] => input.state.approvals.map(({ person }) => person);

/** What is needed to make the case again: all of it was put to evaluate, which allowed it. */
function stepData(step: Step): Readonly<Record<string, unknown>> {
  const { batch, input, verdict } = step;
  const { facts, state, now } = input;
  return {
    batch,
    now: formatTime(now),
    decision: verdict.decision,
    initiator: state.initiator,
    approved_by: approvers(step),
    spend: facts.spend,
    fee: facts.fee,
    vsize: facts.vsize,
    payments: input.requests.map(({ address, amount }) => ({ address, amount })),
    destinations: [...state.destinations.values()].map(({ id, script, since }) => ({
      id,
      script,
      since: formatTime(since),
    })),
    earlier: state.spends.map(({ batch: earlier, spend, fee, confirmed }) => ({
      batch: earlier,
      spend,
      fee,
      confirmed: confirmed === null ? null : { at: formatTime(confirmed.at), height: confirmed.height },
    })),
    clock: {
      last_entry_at: formatTime(state.lastEntryAt),
      snapshot_at: formatTime(state.snapshotAt),
      tip: { height: state.tip.height, median_time_past: formatTime(state.tip.medianTimePast) },
    },
    confirmed_balance: state.confirmedBalance,
    inputs: facts.inputs.map(({ value, coin }) => ({ value, confirmations: coin?.confirmations ?? null })),
    change: facts.outputs.filter(({ isChange }) => isChange).map(({ value }) => value),
  };
}

function stepLines(step: Step): string[] {
  const { batch, input, verdict } = step;
  const payees = input.requests.map(({ address, amount }) => `      ${formatAmount(amount)} to ${address}`);
  const shown = payees.length > 6 ? [...payees.slice(0, 5), `      and ${payees.length - 5} more payments`] : payees;
  return [
    `  ${verdict.decision}  ${formatTime(input.now)}  ${batch} spends ${formatAmount(input.facts.spend)}, fee ${input.facts.fee} sat`,
    `      asked for by ${input.state.initiator}, approved by ${approvers(step).join(', ')}`,
    ...shown,
  ];
}
