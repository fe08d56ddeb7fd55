import { formatAmount } from '../../domain/sats.js';
import { CODES, type CodeMeaning } from '../../policy/codes.js';
import { listText } from '../../policy/describe.js';
import type { BookVersion, PolicyVersion, ScreeningIntake } from '../../workflow/report/documents.js';
import type { AuditReport } from '../../workflow/report/fold.js';
import type { LimitPeak } from '../../workflow/report/limits.js';
import type { FirstPayment } from '../../workflow/report/payees.js';
import { note, right, type Section, sectionFields } from './section.js';
import { spanText } from './span.js';
import type { Style } from './style.js';
import { table } from './table.js';
import { plural, printable } from './text.js';

/** What was in force, what changed, and how far it was used. */
export function documentSections(report: AuditReport, style: Style): readonly Section[] {
  const { policies, limits, books, firstPayments, screening } = report;
  return [
    { title: 'Policy', lines: policies.length === 0 ? ['none'] : policies.flatMap((one) => policyLines(one, style)) },
    { title: 'Limits at their peak', lines: limitLines(limits, style) },
    {
      title: 'Address book',
      lines: books.length === 0 ? ['no change'] : books.flatMap((one) => bookLines(one, style)),
    },
    { title: 'First payments', lines: firstLines(firstPayments, style) },
    { title: 'Screening', lines: screeningLines(report, screening, style) },
  ];
}

function policyLines(one: PolicyVersion, style: Style): string[] {
  const { version, digest, seq, activatedAt, signers, under, inForceFrom, inForceTo } = one;
  const force =
    inForceFrom === null
      ? 'not in the period: it waits, or gave way to a newer one'
      : `from ${inForceFrom} ${inForceTo === null ? 'on' : `to ${inForceTo}`}`;
  return [
    `version ${version}`,
    ...sectionFields(
      [
        ['  digest', `sha256:${digest}`],
        ['  in force', force],
        ['  taken in', `entry ${seq} of ${activatedAt}, signed by ${listText(signers.map(printable))}`],
        ['  under', under === null ? 'none: the first one' : `sha256:${under}`],
        ...changeFields(one),
      ],
      style,
    ),
  ];
}

function changeFields({
  change,
  loosens,
  tightens,
  notice,
  noticeAsked,
}: PolicyVersion): (readonly [string, string])[] {
  if (change === null) return [];
  const asked = noticeAsked === null ? '' : `, of ${spanText(noticeAsked)} that a loosening waits`;
  return [
    ['  change', `${change}; notice ${spanText(notice)}${asked}`],
    ...(loosens.length === 0 ? [] : [['  loosens', loosens.join(', ')] as const]),
    ...(tightens.length === 0 ? [] : [['  tightens', tightens.join(', ')] as const]),
  ];
}

/** Two lines a limit: what was used, and what of. */
function limitLines(limits: readonly LimitPeak[], style: Style): string[] {
  if (limits.length === 0) return ['no policy was in force'];
  const versions = [...new Set(limits.map(({ policy }) => policy))];
  const columns = [{ title: 'limit' }, right('share'), { title: 'used, and the limit' }];
  return [
    ...versions.flatMap((version) => [
      `version ${version}`,
      ...table(columns, limits.filter(({ policy }) => policy === version).flatMap(limitRows), style),
    ]),
    ...note(
      'The share of each limit at its highest. Limits of one batch, and those of single destinations, are not among these.',
      style,
    ),
  ];
}

function limitRows({ limit, unit, cap, measured, at, shareBp }: LimitPeak): string[][] {
  const amount = (value: bigint): string =>
    unit === 'sat' ? formatAmount(value) : `${value} ${value === 1n ? 'batch' : 'batches'}`;
  return [
    [limit, shareText(shareBp), amount(measured)],
    [measured === 0n ? '' : `  at ${at}`, 'of', cap === null ? 'unlimited' : amount(cap)],
  ];
}

function shareText(bp: bigint | null): string {
  if (bp === null) return '-';
  return `${bp / 100n}.${(bp % 100n).toString().padStart(2, '0')} %`;
}

function bookLines(
  { version, digest, seq, at, signers, added, removed, changed, narrowed }: BookVersion,
  style: Style,
) {
  const named = (name: string, ids: readonly string[]): (readonly [string, string])[] =>
    ids.length === 0 ? [] : [[`  ${name}`, ids.map(printable).join(', ')]];
  return [
    `version ${version}, entry ${seq} of ${at}`,
    ...sectionFields(
      [
        ['  digest', `sha256:${digest}`],
        ['  signed by', listText(signers.map(printable))],
        ...named(
          'added',
          added.map(({ id }) => id),
        ),
        ...named(
          'changed',
          changed.map(({ id }) => id),
        ),
        ...named('removed', removed),
        ...named('narrowed', narrowed),
      ],
      style,
    ),
  ];
}

function firstLines(payments: readonly FirstPayment[], style: Style): string[] {
  if (payments.length === 0) return ['no destination was paid for the first time'];
  const columns = [
    { title: 'destination' },
    { title: 'in the book since' },
    { title: 'first signed' },
    right('age'),
    { title: 'batch' },
  ];
  const rows = payments.map(({ destination, since, at, age, batch }) => [
    printable(destination),
    since,
    at,
    spanText(age),
    batch,
  ]);
  return table(columns, rows, style);
}

/** Whether the rule of a code looks into screening lists. */
function isOfScreening(code: string): boolean {
  const meanings: Readonly<Record<string, CodeMeaning | undefined>> = CODES;
  return meanings[code]?.rule.startsWith('screening.') === true;
}

function screeningLines({ denials }: AuditReport, intakes: readonly ScreeningIntake[], style: Style): string[] {
  const hits = denials.codes.filter(({ code }) => isOfScreening(code));
  const lines = intakes.flatMap(({ list, seq, at, document, issuedAt, pinnedBy, scripts, unusable, removed, own }) => [
    `${printable(list)}, entry ${seq} of ${at}`,
    ...sectionFields(
      [
        ['  SHA-256', document],
        ['  issued', `${issuedAt}, vouched for by ${printable(pinnedBy)}`],
        [
          '  holds',
          `${plural(scripts, 'script')}, ${removed} fewer of those before, ${plural(unusable, 'line')} not usable`,
        ],
        ['  own', own.length === 0 ? 'no script of this vault' : own.join(' ')],
      ],
      style,
    ),
  ]);
  return [
    ...(intakes.length === 0 ? ['no list was taken in'] : lines),
    hits.length === 0
      ? 'no verdict denied because of a list'
      : `denied because of a list: ${hits.map(({ code, verdicts }) => `${code} ${verdicts}`).join(', ')}`,
  ];
}
