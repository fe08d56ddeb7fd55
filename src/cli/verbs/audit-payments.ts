import { groupedAddress } from '../../domain/address.js';
import { utf8 } from '../../domain/bytes.js';
import { ok } from '../../domain/result.js';
import { destinationsOf } from '../../workflow/destinations.js';
import { type PaymentRow, paymentsOf } from '../../workflow/payments.js';
import type { Verb } from '../command.js';
import { csvText } from '../render/csv.js';
import { table } from '../render/table.js';
import { plural, printable } from '../render/text.js';
import { nameInBook } from '../render/verdict.js';
import { periodOptions, withWorkspace } from '../with-workspace.js';

const COLUMNS: readonly (readonly [title: string, of: (row: PaymentRow) => string])[] = [
  ['planned_at', (row) => row.plannedAt],
  ['batch', (row) => row.batch],
  ['state', (row) => row.state],
  ['request', (row) => row.request],
  ['destination', (row) => row.destination],
  ['address', (row) => row.address],
  ['amount_sat', (row) => row.amount],
  ['label', (row) => row.label],
  ['reference', (row) => row.reference],
  ['initiator', (row) => row.initiator],
  ['approvers', (row) => row.approvers.join(' ')],
  ['signed_at', (row) => row.signedAt],
  ['txid', (row) => row.txid],
  ['confirmed_height', (row) => row.confirmedHeight],
];

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const period = periodOptions(words);
    if (!period.ok) return period;
    const { from, to } = period.value;
    const read = await desk.journal.read();
    if (!read.ok) return read;
    const destinations = destinationsOf(read.value, desk.config.network);
    const rows = paymentsOf(read.value, (request) => nameInBook(destinations, request), from, to);
    const csv = words.text('csv');
    if (csv !== undefined) {
      const titles = COLUMNS.map(([title]) => title);
      const cells = rows.map((row) => COLUMNS.map(([, of]) => of(row)));
      const written = await desk.ports.files.writeNew(csv, utf8(csvText(titles, cells)));
      if (!written.ok) return written;
    }
    return ok({
      schema: 'countersign.audit-payments/1',
      exit: 'OK',
      data: {
        payments: rows.map((row) => ({
          ...Object.fromEntries(COLUMNS.map(([title, of]) => [title, of(row)])),
          approvers: row.approvers,
        })),
        ...(csv === undefined ? {} : { file: csv }),
      },
      text: csv === undefined ? paymentLines(rows, context.style) : [`wrote ${csv}: ${plural(rows.length, 'payment')}`],
    });
  });

function paymentLines(rows: readonly PaymentRow[], style: Parameters<typeof table>[2]): string[] {
  if (rows.length === 0) return ['no payment was planned in that time'];
  const columns = [
    { title: 'planned' },
    { title: 'batch' },
    { title: 'state' },
    { title: 'request' },
    { title: 'sat', align: 'right' as const },
    { title: 'to' },
    { title: 'address' },
  ];
  const cells = rows.map((row) => [
    row.plannedAt,
    row.batch,
    row.state,
    printable(row.request),
    row.amount,
    row.destination,
    groupedAddress(row.address),
  ]);
  return table(columns, cells, style);
}
