import { type Fault, fail, formatPosition, type SourcePosition } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { formatAmount, parseSats, type Sats } from '../../domain/sats.js';
import { type Bound, type BoundLine, bound } from '../../policy/bound/bound.js';
import { everybody } from '../../policy/bound/people.js';
import { ASSUMPTIONS, HOST_LINE, weakened } from '../../policy/bound/powers.js';
import type { LoadedBook, LoadedPolicy } from '../../policy/types.js';
import { activePolicy } from '../../workflow/active-policy.js';
import type { Report, Verb, VerbContext } from '../command.js';
import type { Style } from '../render/style.js';
import { padEnd, plural, printable, wrap } from '../render/text.js';
import { withWorkspace } from '../with-workspace.js';

type Faults = Fault | readonly Fault[];

/** Of a file, or of the active policy and book of the workspace where none is named. */
export const run: Verb = async (words, context) => {
  const balance = sats(words.text('balance'));
  if (!balance.ok) return balance;
  const answer = (policy: LoadedPolicy, book: LoadedBook | null): Result<Report, Faults> => {
    const compromised = peopleNamed(words.text('compromise'), policy);
    if (!compromised.ok) return compromised;
    const found = bound({ policy, compromised: compromised.value, book, balance: balance.value });
    return ok(report(found, policy, book, context.style));
  };
  const file = words.args[0];
  if (file !== undefined) {
    const policy = await policyFile(context, file);
    if (!policy.ok) return policy;
    const book = await bookFile(context, words.text('book'), policy.value);
    return book.ok ? answer(policy.value, book.value) : book;
  }
  return withWorkspace(context, async (desk) => {
    const read = await desk.journal.read();
    if (!read.ok) return read;
    const policy = await activePolicy(desk, read.value);
    if (!policy.ok) return policy;
    const given = await bookFile(context, words.text('book'), policy.value);
    if (!given.ok) return given;
    if (given.value !== null || read.value.book === null) return answer(policy.value, given.value);
    const bytes = await desk.journal.blob(read.value.book.document);
    if (!bytes.ok) return bytes;
    const book = context.compose.documents.book(bytes.value, 'the active book', policy.value.document.wallet.network);
    return book.ok ? answer(policy.value, book.value) : book;
  });
};

export async function policyFile({ compose }: VerbContext, file: string): Promise<Result<LoadedPolicy, Faults>> {
  const bytes = await compose.files.read(file);
  return bytes.ok ? compose.documents.policy(bytes.value, file) : bytes;
}

export async function bookFile(
  { compose }: VerbContext,
  file: string | undefined,
  policy: LoadedPolicy,
): Promise<Result<LoadedBook | null, Faults>> {
  if (file === undefined) return ok(null);
  const bytes = await compose.files.read(file);
  if (!bytes.ok) return bytes;
  const { network, id } = policy.document.wallet;
  const book = compose.documents.book(bytes.value, file, network);
  if (!book.ok || book.value.wallet === id) return book;
  return fail('E_USAGE', `the book is of the wallet ${book.value.wallet}, and the policy is for ${id}`, {
    where: { file },
  });
}

function peopleNamed(list: string | undefined, policy: LoadedPolicy): Result<ReadonlySet<string>, Fault> {
  const all = everybody(policy.document);
  if (list === undefined) return ok(new Set(all));
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !all.includes(name));
  if (unknown === undefined) return ok(new Set(names));
  return fail('E_USAGE', `${JSON.stringify(unknown)} is nobody in the roles of ${policy.file}`, {
    remedy: `name some of ${all.join(', ')}, separated by commas; without --compromise it is everybody`,
  });
}

export function sats(text: string | undefined): Result<Sats | null, Fault> {
  if (text === undefined) return ok(null);
  const amount = parseSats(text);
  return amount.ok ? ok(amount.value) : err(amount.error);
}

// ---------------------------------------------------------------- rendering

function report(found: Bound, policy: LoadedPolicy, book: LoadedBook | null, style: Style): Report {
  const { document, digest } = policy;
  const weak = weakened(policy);
  const destinations = book === null ? 'any number of destinations' : plural(book.entries.length, 'destination');
  return {
    schema: 'countersign.policy-bound/1',
    exit: 'OK',
    data: {
      version: document.version,
      digest,
      book: book?.digest ?? null,
      compromised: found.compromised,
      bounds: found.lines.map(({ what, span, atMost, exact, by }) => ({
        what,
        span,
        at_most: atMost?.toString() ?? null,
        exact,
        by: by.map(({ binding, times }) => ({ ...binding, times })),
      })),
      reserve_floor: document.limits.reserveFloor.toString(),
      powers: found.powers,
      assumptions: ASSUMPTIONS,
      not_enforced: weak,
      host: HOST_LINE,
    },
    text: [
      `${style.bold('policy')} ${printable(policy.file)}, version ${document.version}, ${digest}; ${destinations}`,
      `${style.bold('compromised')} ${found.compromised.join(', ')}`,
      '',
      ...found.lines.flatMap((line, index) => boundLines(line, found.lines[index - 1], style)),
      '',
      style.bold('what these rules say'),
      ...ruleLines(found.lines, style),
      '',
      style.bold('never below'),
      `  ${formatAmount(document.limits.reserveFloor)} stay confirmed in the vault  ${at(policy.where('limits.reserve_floor'), style)}`,
      '',
      style.bold('what else these people can do'),
      ...found.powers.flatMap(({ able, text, where }) => [
        ...paragraph(`${able ? style.warn('yes') : style.good('no ')} ${printable(text)}`),
        `      ${at(where, style)}`,
      ]),
      '',
      style.bold('assumed'),
      ...ASSUMPTIONS.flatMap((text) => paragraph(`- ${text}`)),
      ...(weak.length === 0 ? [] : ['', style.bold('in the policy, and not enforced by this version')]),
      ...weak.flatMap(({ field, reason, where }) => [
        ...paragraph(`- ${field}: ${reason}`),
        `      ${at(where, style)}`,
      ]),
      '',
      style.warn(HOST_LINE),
    ],
  };
}

const at = (where: SourcePosition, style: Style): string => style.dim(printable(formatPosition(where)));

function paragraph(text: string): string[] {
  const [first = '', ...rest] = wrap(text, 98);
  return [`  ${first}`, ...rest.map((line) => `      ${line}`)];
}

/** "  24 h  at most 1000000000 sat (10.00000000 BTC)  6 x APPROVALS_MISSING policy.yaml:65:7" under what it is about. */
function boundLines(
  { what, span, atMost, exact, by }: BoundLine,
  before: BoundLine | undefined,
  style: Style,
): string[] {
  const amount =
    atMost === null
      ? style.warn('no rule bounds it')
      : `${exact ? 'at most' : 'not more than'} ${formatAmount(atMost)}`;
  const rules = by.map(
    ({ binding: { code, where }, times }) => `${times > 1 ? `${times} x ` : ''}${code} ${at(where, style)}`,
  );
  return [
    ...(before?.what === what ? [] : [style.bold(printable(what))]),
    `  ${padEnd(span, 11)} ${padEnd(amount, 46)} ${rules.join(' + ')}`.trimEnd(),
  ];
}

/** What each rule that was named says, once. */
function ruleLines(lines: readonly BoundLine[], style: Style): string[] {
  const texts = new Map(
    lines.flatMap(({ by }) =>
      by.map(
        ({ binding: { code, text, where } }) => [`${code} ${text}`, `${code} ${text}  ${at(where, style)}`] as const,
      ),
    ),
  );
  return [...texts.values()].flatMap((text) => paragraph(text));
}
