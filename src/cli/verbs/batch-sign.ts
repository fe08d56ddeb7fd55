import { toHex } from '../../domain/bytes.js';
import { type Fault, fault } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import type { BatchRecord, HaltRecord } from '../../journal/state.js';
import type { FinalTransaction } from '../../psbt/types.js';
import type { Desk } from '../../workflow/ports.js';
import { type RefusedWhen, type SignEvents, signBatch } from '../../workflow/sign-batch.js';
import type { Report, Verb, VerbContext, VerbResult } from '../command.js';
import { exportFile } from '../export-file.js';
import { previewLines, progressLine } from '../render/device.js';
import type { Style } from '../render/style.js';
import { plural, printable } from '../render/text.js';
import { reasonsOfVerdict, verdictExit, verdictJson } from '../render/verdict.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const id = argument(words, 0);
    const options = { device: words.text('device') ?? desk.config.device, record: words.text('record') ?? null };
    const signed = await context.compose.interruptible((signal) => {
      signal.addEventListener('abort', () => context.notice(INTERRUPTED));
      return signBatch(desk, context.compose, id, { ...options, signal }, events(context));
    });
    if (!signed.ok) return withState(desk, id, signed.error);
    const { style } = context;
    if (signed.value.kind === 'refused') {
      const { verdict, when, review } = signed.value;
      return ok({
        schema: 'countersign.batch-sign/1',
        exit: verdictExit(verdict),
        data: { batch: id, signed: false, verdict: verdictJson(verdict) },
        text: [...reasonsOfVerdict(verdict, style), refusedLine(review.batch, when)],
      });
    }
    const { final, signatures, unkept, heldBy, closing } = signed.value;
    if (heldBy.length > 0) return ok(heldReport(id, final, signatures, heldBy, style));
    const hex = toHex(final.transaction);
    const psbtFile = await exportFile(desk, id, 'signed.psbt', final.psbt);
    const rawFile = await exportFile(desk, id, 'transaction.hex', Buffer.from(`${hex}\n`));
    if (unkept !== null) {
      return withState(desk, id, signedWithoutJournal(id, final, unkept, [psbtFile, rawFile]));
    }
    if (!psbtFile.ok) return withState(desk, id, signedWithoutFile(id, final.txid, psbtFile.error));
    if (!rawFile.ok) return withState(desk, id, signedWithoutFile(id, final.txid, rawFile.error));
    return ok({
      schema: 'countersign.batch-sign/1',
      exit: 'OK',
      data: {
        batch: id,
        signed: true,
        txid: final.txid,
        signatures,
        weight: final.weight,
        transaction: hex,
        files: [psbtFile.value, rawFile.value],
        ...(closing === null ? {} : { closing: { tag: closing.tag, message: closing.message } }),
      },
      text: [
        `${style.good('proven')}  ${plural(signatures, 'signature')}, each for an expected key and input, over countersign's own sighash`,
        `${style.good('equal')}   the final transaction was parsed again and pays what was planned (${Math.ceil(final.weight / 4)} vB)`,
        `txid    ${final.txid}`,
        `files   ${psbtFile.value}`,
        `        ${rawFile.value}`,
        ...(closing === null ? [] : [`${style.warn('note')}    after it had signed: ${printable(closing.message)}`]),
      ],
    });
  });

/** The journal keeps what was signed; no file and no output of this program has it before the halt ends. */
function heldReport(
  id: string,
  { txid }: FinalTransaction,
  signatures: number,
  heldBy: readonly HaltRecord[],
  style: Style,
): Report {
  return {
    schema: 'countersign.batch-sign/1',
    exit: 'HALTED',
    data: { batch: id, signed: true, held: true, halts: heldBy.map((halt) => halt.id), txid, signatures },
    text: [
      `${style.bad('HALTED')}  while the device signed, ${heldBy.map((halt) => halt.id).join(' and ')} was raised`,
      `batch ${id} is SIGNED and held: it counts as spent, the journal keeps the transaction, and it is not released`,
      `txid    ${txid}`,
      `once the halt has ended: countersign batch show ${id} --export`,
    ],
  };
}

const INTERRUPTED =
  'interrupted: the device is let go, and the journal is told where the batch stands; once more ends the program at once';

/** A fault, and where it leaves the batch: read from the journal, which alone knows. */
async function withState(desk: Desk, id: string, error: Fault): Promise<VerbResult> {
  const read = await desk.journal.read();
  const batch = read.ok ? read.value.batches.get(id) : undefined;
  if (batch === undefined) return err(error);
  return err({ faults: [error], data: { batch: id, state: batch.state }, text: [stateLine(batch)] });
}

function stateLine({ id, state, inputs, signed }: BatchRecord): string {
  const coins = `${plural(inputs.length, 'coin')} ${inputs.length === 1 ? 'stays' : 'stay'} held`;
  switch (state) {
    case 'DRAFT':
      return `batch ${id} is DRAFT: no budget is debited, and nothing was sent to a device`;
    case 'RESERVED':
      return `batch ${id} is RESERVED: its budget is debited; sign it again to go on, or abandon it to have the budget back`;
    case 'RELEASED':
      return `batch ${id} is RELEASED: the budget is given back; it can be signed again while its approvals are valid`;
    case 'SENT':
      return `batch ${id} is SENT: no answer is recorded yet; it counts as spent, and its ${coins}`;
    case 'UNKNOWN':
      return `batch ${id} is UNKNOWN: it counts as spent, and its ${coins}`;
    case 'SIGNED':
    case 'BROADCAST':
    case 'CONFIRMED':
      return `batch ${id} is ${state}: txid ${signed?.txid ?? 'unknown'}`;
    case 'ABANDONED':
      return `batch ${id} is ABANDONED: its coins are free`;
  }
}

function refusedLine({ id, state }: BatchRecord, when: RefusedWhen): string {
  if (when === 'before the device was asked') {
    return `Between the reservation and the device the answer changed: nothing was sent, and the budget is given back. countersign batch check ${id} shows every rule.`;
  }
  const done =
    state === 'RESERVED'
      ? 'Nothing was sent to a device. The budget is debited since an earlier run; to abandon the batch gives it back.'
      : 'Nothing was reserved and nothing was sent to a device.';
  return `${done} countersign batch check ${id} shows every rule.`;
}

/** The transaction exists and is in the journal; only its copy for people could not be written. */
function signedWithoutFile(id: string, txid: string, { tag, message, where }: Fault): Fault {
  return fault(tag, `batch ${id} is signed, txid ${txid}, and the journal keeps it; but ${message}`, {
    where,
    remedy: `make room for the file and write it again: countersign batch show ${id} --export`,
  });
}

/** The transaction exists and only these files have it: the journal says SENT, for good. Nothing may hide that. */
function signedWithoutJournal(
  id: string,
  { txid, transaction }: FinalTransaction,
  { tag, message, where }: Fault,
  files: readonly Result<string, Fault>[],
): Fault {
  const written = files.flatMap((file) => (file.ok ? [file.value] : []));
  const kept =
    written.length === files.length
      ? `it is in ${written.join(' and ')}`
      : `its files could not be written either; this is the transaction: ${toHex(transaction)}`;
  return fault(tag, `batch ${id} is signed, txid ${txid}, but the journal could not keep it: ${message}; ${kept}`, {
    where,
    remedy: `keep the transaction: it is proven and can be broadcast. For the journal ${id} stays SENT: its coins and its budget count as spent, and it is not signed again`,
  });
}

function events({ notice, progress, style }: VerbContext): SignEvents {
  return {
    preview: (_review, preview) => {
      for (const line of previewLines(preview, style)) notice(line);
    },
    reserved: () => notice('reserved: the budget is debited in the journal; now the device is asked'),
    identified: ({ app, fingerprint }, name) =>
      notice(`device: ${name}, app ${app.name} ${app.version}, fingerprint ${fingerprint}, account key is the vault's`),
    progress: (state) => progress(progressLine(state)),
  };
}
