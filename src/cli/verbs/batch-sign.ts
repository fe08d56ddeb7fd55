import { toHex } from '../../domain/bytes.js';
import { type Fault, fault } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import type { BatchRecord, BatchState, HaltRecord } from '../../journal/state.js';
import type { FinalTransaction } from '../../psbt/types.js';
import { signingKeys } from '../../vault/signing-keys.js';
import type { Desk } from '../../workflow/ports.js';
import { type RefusedWhen, signBatch } from '../../workflow/sign-batch.js';
import type { SignEvents } from '../../workflow/sign-events.js';
import type { SignedPart, SignedWhole } from '../../workflow/sign-part.js';
import type { Report, Verb, VerbContext, VerbResult } from '../command.js';
import { exportFile, exportFinal } from '../export-file.js';
import { presenceOf } from '../presence.js';
import { previewLines, progressLine } from '../render/device.js';
import {
  finalData,
  finalLines,
  heldData,
  heldLines,
  heldWholeLines,
  partData,
  partLines,
  partName,
} from '../render/parts.js';
import type { Style } from '../render/style.js';
import { plural, printable } from '../render/text.js';
import { reasonsOfVerdict, verdictExit, verdictJson } from '../render/verdict.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const id = argument(words, 0);
    const presence = presenceOf(words, context);
    if (!presence.ok) return presence;
    const options = {
      device: words.text('device') ?? desk.config.device,
      presence: presence.value,
      record: words.text('record') ?? null,
      signer: words.text('signer') ?? null,
    };
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
    if (signed.value.kind === 'part') return partReport(desk, signed.value, style);
    const { final, signatures, unkept, heldBy, closing } = signed.value;
    if (heldBy.length > 0) return ok(heldReport(id, final, signatures, heldBy, style));
    const files = await exportFinal(desk, id, final);
    if (unkept !== null) return withState(desk, id, signedWithoutJournal(signed.value, unkept, files));
    const [failed] = files.flatMap((file) => (file.ok ? [] : [file.error]));
    if (failed !== undefined) return withState(desk, id, signedWithoutFile(id, final.txid, failed));
    return ok({
      schema: 'countersign.batch-sign/1',
      exit: 'OK',
      data: {
        batch: id,
        signed: true,
        ...finalData(final, files),
        signatures,
        ...(closing === null ? {} : { closing: { tag: closing.tag, message: closing.message } }),
      },
      text: [
        ...finalLines(final, signatures, files, style),
        ...closingLines(closing, style),
        `next    countersign batch broadcast ${id}`,
      ],
    });
  });

/** One cosigner has signed; the file is for the next one. */
async function partReport(desk: Desk, part: SignedPart, style: Style): Promise<VerbResult> {
  const { review, signer, signers, signatures, unkept, heldBy, closing, psbt } = part;
  const { id } = review.batch;
  const { vault } = review.situation;
  if (heldBy.length > 0) {
    return ok({
      schema: 'countersign.batch-sign/1',
      exit: 'HALTED',
      data: { batch: id, signed: false, ...heldData(heldBy), signer, signatures, signed_by: signers },
      text: [
        ...heldLines(heldBy, style),
        `batch ${id} is PARTIAL and held: the journal keeps the signatures of ${signer}, no file does, and no further device is asked`,
      ],
    });
  }
  const file = await exportFile(desk, id, partName(signers), psbt);
  if (unkept !== null) return withState(desk, id, partWithoutJournal(part, unkept, file));
  if (!file.ok) return withState(desk, id, partWithoutFile(part, file.error));
  const left = [...new Set(signingKeys(vault).map(({ fingerprint }) => fingerprint))].filter(
    (one) => !signers.includes(one),
  );
  return ok({
    schema: 'countersign.batch-sign/1',
    exit: 'OK',
    data: {
      batch: id,
      signed: false,
      ...partData({ signers, left, vault }),
      signer,
      signatures,
      files: [file.value],
      ...(closing === null ? {} : { closing: { tag: closing.tag, message: closing.message } }),
    },
    text: [
      `${style.good('proven')}  ${plural(signatures, 'signature')} by ${signer}, one for every input and key, over countersign's own sighash`,
      ...partLines({ id, signers, left, vault }, file.value, style),
      ...closingLines(closing, style),
    ],
  });
}

const closingLines = (closing: Fault | null, style: Style): string[] =>
  closing === null ? [] : [`${style.warn('note')}    after it had signed: ${printable(closing.message)}`];

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
    data: { batch: id, signed: true, ...heldData(heldBy), txid, signatures },
    text: [...heldLines(heldBy, style), ...heldWholeLines(id, txid)],
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
    case 'PARTIAL':
      return `batch ${id} is PARTIAL: signatures of it exist or may, so it counts as spent, and its ${coins}; further signers can be asked`;
    case 'SENT':
      return `batch ${id} is SENT: no answer is recorded yet; it counts as spent, and its ${coins}`;
    case 'UNKNOWN':
      return `batch ${id} is UNKNOWN: it counts as spent, and its ${coins}`;
    case 'SIGNED':
    case 'BROADCAST':
    case 'CONFIRMED':
      return `batch ${id} is ${state}: txid ${signed?.txid ?? 'unknown'}`;
    case 'REPLACED':
    case 'CONFLICTED':
      return `batch ${id} is ${state}: its coins are spent by another transaction`;
    case 'ABANDONED':
      return `batch ${id} is ABANDONED: its coins are free`;
  }
}

/** States in which signatures of others exist or may: no run gives that budget back. */
const DEBITED_BEFORE: ReadonlySet<BatchState> = new Set(['SENT', 'PARTIAL', 'UNKNOWN']);

function refusedLine({ id, state }: BatchRecord, when: RefusedWhen): string {
  if (when === 'before the device was asked') {
    const budget = DEBITED_BEFORE.has(state) ? 'what was debited before stays so' : 'the budget is given back';
    return `Between the reservation and the device the answer changed: nothing was sent, and ${budget}. countersign batch check ${id} shows every rule.`;
  }
  const done = DEBITED_BEFORE.has(state)
    ? 'Nothing was sent to a device. Others have signed, or may have: the budget stays debited.'
    : state === 'RESERVED'
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

/** The transaction exists and only these files have it: the journal never says SIGNED by itself. Nothing may hide that. */
function signedWithoutJournal(
  { review, final: { txid, transaction } }: SignedWhole,
  { tag, message, where }: Fault,
  files: readonly Result<string, Fault>[],
): Fault {
  const { id } = review.batch;
  const settled = `as soon as the journal can be written: countersign batch combine ${id} FILE`;
  const written = files.flatMap((file) => (file.ok ? [file.value] : []));
  const kept =
    written.length === files.length
      ? `it is in ${written.join(' and ')}`
      : `its files could not be written either; this is the transaction: ${toHex(transaction)}`;
  return fault(tag, `batch ${id} is signed, txid ${txid}, but the journal could not keep it: ${message}; ${kept}`, {
    where,
    remedy: `keep the transaction: it is proven and can be broadcast. For the journal its coins and its budget count as spent, and it learns of it ${settled}`,
  });
}

function partWithoutJournal(
  { review, signer, psbt }: SignedPart,
  { tag, message, where }: Fault,
  file: Result<string, Fault>,
): Fault {
  const { id } = review.batch;
  const kept = file.ok ? `they are in ${file.value}` : `this is the PSBT with them: ${toHex(psbt)}`;
  return fault(
    tag,
    `${signer} has signed batch ${id}, but the journal could not keep the signatures: ${message}; ${kept}`,
    {
      where,
      remedy: `take them in as soon as the journal can be written: countersign batch combine ${id} FILE`,
    },
  );
}

function partWithoutFile({ review, signer }: SignedPart, { tag, message, where }: Fault): Fault {
  const { id } = review.batch;
  return fault(tag, `${signer} has signed batch ${id}, and the journal keeps the signatures; but ${message}`, {
    where,
    remedy: `nothing is lost: ask the next signer, or write the PSBT elsewhere: countersign batch export ${id} --psbt FILE`,
  });
}

function events({ notice, progress, style }: VerbContext): SignEvents {
  return {
    preview: (_review, preview) => {
      for (const line of previewLines(preview, style)) notice(line);
    },
    reserved: (from) =>
      notice(
        from === 'RESERVED'
          ? 'reserved: the budget is debited in the journal; now the device is asked'
          : `${from}: the budget is debited since an earlier run; now this device is asked`,
      ),
    identified: ({ app, fingerprint }, name) =>
      notice(`device: ${name}, app ${app.name} ${app.version}, fingerprint ${fingerprint}, account key is the vault's`),
    progress: (state) => progress(progressLine(state)),
    unplugged: ({ message }, signatures) =>
      notice(
        `${message}; ${plural(signatures, 'signature')} had come. Connect the same device again: it is sent the same bytes, and shows all of them for review again`,
      ),
  };
}
