import type { Sats } from '../../domain/sats.js';
import { formatAmount, formatBtc } from '../../domain/sats.js';
import { formatTime, type UnixSeconds } from '../../domain/time.js';
import { addTally, type Flows, NO_TALLY, PASSAGES, type Passage, type Passages } from '../../workflow/report/flows.js';
import type { AuditReport, Border } from '../../workflow/report/fold.js';
import type { Standing } from '../../workflow/report/standing.js';
import { documentSections } from './report-documents.js';
import { peopleSections } from './report-people.js';
import { note, right, type Section, sectionFields } from './section.js';
import type { Style } from './style.js';
import { table } from './table.js';
import { plural, printable } from './text.js';

export interface ReportPeriod {
  readonly from: UnixSeconds | null;
  readonly to: UnixSeconds | null;
  readonly until: UnixSeconds;
  readonly isOver: boolean;
}

/** The report for people. Sections that have nothing to say say so: a missing heading would look like a missing check. */
export function reportSections(report: AuditReport, period: ReportPeriod, style: Style): readonly Section[] {
  return [
    { title: titleOf(report), lines: headLines(report, period, style) },
    { title: 'State', lines: stateLines(report, style) },
    { title: 'Batches', lines: batchLines(report.flows, style) },
    { title: 'Payments by destination', lines: payeeLines(report.flows, style) },
    { title: 'Deposits', lines: [depositLine(report.flows)] },
    ...peopleSections(report, style),
    ...documentSections(report, style),
  ];
}

function titleOf({ vault, network }: AuditReport): string {
  return `Report of ${vault === null ? 'a journal without a vault' : vault.id} on ${network ?? 'no network'}`;
}

function headLines({ begin, end, entries }: AuditReport, period: ReportPeriod, style: Style): string[] {
  const from = period.from === null ? 'the beginning of the journal' : formatTime(period.from);
  const asOf = formatTime(period.until - 1);
  const to = period.to === null ? `up to now, ${asOf}` : `up to and without ${formatTime(period.to)}`;
  const isCut = period.to !== null && !period.isOver;
  return [
    ...sectionFields(
      [
        ['period', `from ${from}, ${to}`],
        ...(isCut ? [['', `It is not over: this is the state of ${asOf}.`] as const] : []),
        ['entries', `${entries}`],
        ...borderFields('begin', begin),
        ...borderFields('end', end),
      ],
      style,
    ),
    ...note('Computed from the journal, and no proof of it: countersign audit verify proves the journal.', style),
  ];
}

function borderFields(name: string, { head, size, root }: Border): (readonly [string, string])[] {
  if (head === null) return [[name, 'no entry']];
  return [
    [name, `behind entry ${head.seq} of ${head.at}`],
    ['  hash', head.hash],
    ['  root', `${Buffer.from(root).toString('base64')} (${plural(size, 'entry', 'entries')})`],
  ];
}

function stateLines({ opening, closing }: AuditReport, style: Style): string[] {
  const states = opening.batches.map((before, index) => ({ before, after: closing.batches[index] ?? before }));
  const rows = states
    .filter(({ before, after }) => before.batches + after.batches > 0)
    .map(({ before, after }) => [
      before.state,
      `${before.batches}`,
      `${before.spend}`,
      `${after.batches}`,
      `${after.spend}`,
      formatBtc(after.spend),
    ]);
  const columns = [{ title: 'batches' }, right('begin'), right('sat'), right('end'), right('sat'), right('BTC')];
  return [
    ...(rows.length === 0 ? ['no batch'] : table(columns, rows, style)),
    '',
    ...table([{ title: '' }, { title: '' }, { title: '' }], standingRows(opening, closing), style),
    ...note(
      'Budget held is reserved or signed and not yet confirmed; left for good is confirmed, fees included.',
      style,
    ),
  ];
}

/** Once where both are the same. */
function standingRows(opening: Standing, closing: Standing): string[][] {
  const row = (name: string, of: (standing: Standing) => string): string[][] => {
    const [before, after] = [of(opening), of(closing)];
    if (before === after) return [[name, 'both', after]];
    return [
      [name, 'begin', before],
      ['', 'end', after],
    ];
  };
  return [
    ...row('budget held', ({ unconfirmed }) => formatAmount(unconfirmed)),
    ...row('left for good', ({ confirmed }) => formatAmount(confirmed)),
    ...row('coins', ({ coins }) =>
      coins === null ? 'nobody looked yet' : `${plural(coins.coins, 'coin')}, ${formatAmount(coins.total)}`,
    ),
    ...row('  looked at', ({ coins }) => (coins === null ? '-' : `height ${coins.height}, ${coins.importedAt}`)),
    ...row('frozen', ({ frozen }) => `${frozen}`),
    ...row('policy', ({ policy }) => (policy === null ? 'none' : `version ${policy.version}`)),
    ...row('address book', ({ book }) =>
      book === null ? 'none' : `version ${book.version}, ${plural(book.destinations, 'destination')}`,
    ),
    ...row('halts', ({ halts }) => (halts.length === 0 ? 'none' : halts.join(', '))),
  ];
}

function batchLines({ kinds, replacements, endings }: Flows, style: Style): string[] {
  const counts = (name: string, passages: Passages): string[] => [
    name,
    ...PASSAGES.map((passage) => `${passages[passage].batches}`),
    `${passages.signed.inputs}`,
    `${passages.confirmed.fee}`,
    formatBtc(passages.confirmed.fee),
  ];
  const columns = [
    { title: 'kind' },
    ...PASSAGES.map((passage) => right(passage)),
    right('coins'),
    right('fee sat'),
    right('BTC'),
  ];
  const rows = [...kinds.map(({ kind, passages }) => counts(kind, passages)), counts('replacements', replacements)];
  const total = (passage: Passage) => kinds.reduce((sum, { passages }) => addTally(sum, passages[passage]), NO_TALLY);
  const sums = PASSAGES.map((passage) => {
    const { paid, fee } = total(passage);
    return [passage, `${paid}`, formatBtc(paid), `${fee}`, formatBtc(fee)];
  });
  const amounts = [{ title: 'in all' }, right('paid sat'), right('BTC'), right('fee sat'), right('BTC')];
  const ended = Object.entries(endings).filter(([, count]) => count > 0);
  return [
    ...table(columns, rows, style),
    '',
    ...table(amounts, sums, style),
    `otherwise: ${ended.length === 0 ? 'nothing' : ended.map(([name, count]) => `${count} ${name}`).join(', ')}`,
    ...note(
      'Coins are those that signed batches spend, fees of each kind those of confirmed ones. Replacements are counted among their kinds as well: each pays the same once more, and only one of the two can confirm. Undone: a reorganisation took the block; what is confirmed again counts again. All by the time at which the journal learned of it.',
      style,
    ),
  ];
}

function payeeLines({ payees }: Flows, style: Style): string[] {
  if (payees.length === 0) return ['nobody was paid'];
  const hasUndone = payees.some(({ undone }) => undone.requests > 0);
  const columns = [
    { title: 'destination' },
    right('signed'),
    right('sat'),
    right('confirmed'),
    right('sat'),
    right('BTC'),
    ...(hasUndone ? [right('undone'), right('sat')] : []),
    { title: '' },
  ];
  const rows = payees.map(({ destination, script, address, signed, confirmed, undone }) => [
    destination === null ? 'not in the book' : printable(destination),
    `${signed.requests}`,
    `${signed.amount}`,
    `${confirmed.requests}`,
    `${confirmed.amount}`,
    formatBtc(confirmed.amount),
    ...(hasUndone ? [`${undone.requests}`, `${undone.amount}`] : []),
    destination === null ? printable(address ?? script) : '',
  ]);
  const sum = (of: (one: (typeof payees)[number]) => Sats): Sats => payees.reduce((all, one) => all + of(one), 0n);
  const inBook = payees.filter(({ destination }) => destination !== null).length;
  return [
    ...table(columns, rows, style),
    ...note(
      `${plural(inBook, 'destination')} of the book, ${payees.length - inBook} outside of it; signed ${formatAmount(sum(({ signed }) => signed.amount))}, confirmed ${formatAmount(sum(({ confirmed }) => confirmed.amount))}`,
      style,
    ),
  ];
}

function depositLine({ deposits: { coins, amount } }: Flows): string {
  return coins === 0
    ? 'none was seen'
    : `${plural(coins, 'coin')}, ${formatAmount(amount)}, as coin snapshots saw them`;
}
