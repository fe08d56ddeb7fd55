import { toHex } from '../../domain/bytes.js';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import type { BatchRecord } from '../../journal/state.js';
import type { FinalTransaction } from '../../psbt/types.js';
import { type RefusedWhen, type SignEvents, signBatch } from '../../workflow/sign-batch.js';
import type { Verb, VerbContext } from '../command.js';
import { exportFile } from '../export-file.js';
import { previewLines, progressLine } from '../render/device.js';
import { plural, printable } from '../render/text.js';
import { decisionExit, reasonsOfVerdict, verdictJson } from '../render/verdict.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const id = argument(words, 0);
    const options = { device: words.text('device') ?? desk.config.device, record: words.text('record') ?? null };
    const signed = await signBatch(desk, context.compose.openDevice, id, options, events(context));
    if (!signed.ok) return signed;
    const { style } = context;
    if (signed.value.kind === 'refused') {
      const { verdict, when, review } = signed.value;
      return ok({
        schema: 'countersign.batch-sign/1',
        exit: decisionExit(verdict.decision),
        data: { batch: id, signed: false, verdict: verdictJson(verdict) },
        text: [...reasonsOfVerdict(verdict, style), refusedLine(review.batch, when)],
      });
    }
    const { final, signatures, unkept, closing } = signed.value;
    const hex = toHex(final.transaction);
    const psbtFile = await exportFile(desk, id, 'signed.psbt', final.psbt);
    const rawFile = await exportFile(desk, id, 'transaction.hex', Buffer.from(`${hex}\n`));
    if (unkept !== null) return signedWithoutJournal(id, final, unkept, [psbtFile, rawFile]);
    if (!psbtFile.ok) return signedWithoutFile(id, final.txid, psbtFile.error);
    if (!rawFile.ok) return signedWithoutFile(id, final.txid, rawFile.error);
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
function signedWithoutFile(id: string, txid: string, { tag, message, where }: Fault): Result<never, Fault> {
  return fail(tag, `batch ${id} is signed, txid ${txid}, and the journal keeps it; but ${message}`, {
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
): Result<never, Fault> {
  const written = files.flatMap((file) => (file.ok ? [file.value] : []));
  const kept =
    written.length === files.length
      ? `it is in ${written.join(' and ')}`
      : `its files could not be written either; this is the transaction: ${toHex(transaction)}`;
  return fail(tag, `batch ${id} is signed, txid ${txid}, but the journal could not keep it: ${message}; ${kept}`, {
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
