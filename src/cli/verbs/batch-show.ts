import { groupedAddress } from '../../domain/address.js';
import { toHex } from '../../domain/bytes.js';
import { ok } from '../../domain/result.js';
import { formatAmount } from '../../domain/sats.js';
import { formatTime } from '../../domain/time.js';
import type { BatchRecord } from '../../journal/state.js';
import type { Destinations } from '../../policy/counterparties.js';
import { destinationsOf } from '../../workflow/destinations.js';
import { findBatch } from '../../workflow/situation.js';
import type { Verb, VerbContext } from '../command.js';
import { exportFile } from '../export-file.js';
import { fields, table } from '../render/table.js';
import { printable } from '../render/text.js';
import { nameInBook } from '../render/verdict.js';
import { argument, withWorkspace } from '../with-workspace.js';
import { UNANSWERED } from './batch-list.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const read = await desk.journal.read();
    if (!read.ok) return read;
    const found = findBatch(read.value, argument(words, 0));
    if (!found.ok) return found;
    const batch = found.value;
    const psbt = await desk.journal.blob(batch.psbt);
    if (!psbt.ok) return psbt;
    const transaction = batch.signed === null ? null : await desk.journal.blob(batch.signed.transaction);
    if (transaction !== null && !transaction.ok) return transaction;
    const files: string[] = [];
    if (words.flag('export')) {
      const copies = [{ name: 'unsigned.psbt', bytes: psbt.value }];
      if (batch.signed !== null) {
        const signed = await desk.journal.blob(batch.signed.signedPsbt);
        if (!signed.ok) return signed;
        copies.push({ name: 'signed.psbt', bytes: signed.value });
      }
      if (transaction !== null) {
        copies.push({ name: 'transaction.hex', bytes: Buffer.from(`${toHex(transaction.value)}\n`) });
      }
      for (const { name, bytes } of copies) {
        const written = await exportFile(desk, batch.id, name, bytes);
        if (!written.ok) return written;
        files.push(written.value);
      }
    }
    const raw = transaction === null ? null : toHex(transaction.value);
    return ok({
      schema: 'countersign.batch-show/1',
      exit: 'OK',
      data: {
        batch: batchData(batch),
        psbt: Buffer.from(psbt.value).toString('base64'),
        ...(raw === null ? {} : { transaction: raw }),
        files,
      },
      text: [
        ...batchLines(batch, destinationsOf(read.value, desk.config.network), context),
        ...(raw !== null && words.flag('raw') ? ['', `  transaction ${raw}`] : []),
        ...files.map((file) => `  wrote ${file}`),
      ],
    });
  });

function batchLines(batch: BatchRecord, destinations: Destinations, { style }: VerbContext): string[] {
  const pairs: [string, string][] = [
    ['  kind', batch.kind === 'consolidation' ? 'consolidation: it pays nobody' : batch.kind],
    ['  state', batch.state === 'SENT' ? `SENT: ${UNANSWERED}` : batch.state],
    ['  planned', `${formatTime(batch.plannedAt)} by ${batch.initiator}, journal entry ${batch.plannedSeq}`],
    ['  leaves', formatAmount(batch.spend)],
    ['  fee', formatAmount(batch.fee)],
    ['  PSBT', `SHA-256 ${batch.psbt}`],
    ...(batch.parts.length < 2 ? [] : [['  parts', batch.parts.join(', ')] as [string, string]]),
    ...batch.approvals.map(({ person, at, validUntil }): [string, string] => [
      '  approved',
      `${person} at ${formatTime(at)}, valid until ${formatTime(validUntil)}`,
    ]),
    ...(batch.reservedAt === null ? [] : [['  reserved', formatTime(batch.reservedAt)] as [string, string]]),
    ...(batch.signed === null
      ? []
      : [['  signed', `${formatTime(batch.signed.at)}, txid ${batch.signed.txid}`] as [string, string]]),
    ...(batch.reason === null ? [] : [['  reason', printable(batch.reason)] as [string, string]]),
  ];
  const rows = batch.requests.map((request) => [
    printable(request.id),
    request.amount,
    nameInBook(destinations, request),
    groupedAddress(request.address),
    printable(request.label ?? ''),
    printable(request.reference ?? ''),
  ]);
  const columns = [
    { title: 'request' },
    { title: 'sat', align: 'right' as const },
    { title: 'to' },
    { title: 'address' },
    { title: 'label' },
    { title: 'reference' },
  ];
  return [
    style.bold(`Batch ${batch.id}`),
    ...fields(pairs, style.dim),
    '',
    ...table(columns, rows, style).map((line) => `  ${line}`),
    '',
    ...batch.inputs.map((outpoint) => `  spends ${outpoint}`),
  ];
}

function batchData(batch: BatchRecord): Record<string, unknown> {
  return {
    id: batch.id,
    kind: batch.kind,
    state: batch.state,
    planned_at: formatTime(batch.plannedAt),
    initiator: batch.initiator,
    spend: batch.spend,
    fee: batch.fee,
    psbt_sha256: batch.psbt,
    requests: batch.requests,
    inputs: batch.inputs,
    parts: batch.parts,
    approvals: batch.approvals.map(({ person, at, validUntil }) => ({
      person,
      at: formatTime(at),
      valid_until: formatTime(validUntil),
    })),
    ...(batch.reservedAt === null ? {} : { reserved_at: formatTime(batch.reservedAt) }),
    ...(batch.signed === null ? {} : { signed_at: formatTime(batch.signed.at), txid: batch.signed.txid }),
    ...(batch.reason === null ? {} : { reason: batch.reason }),
  };
}
