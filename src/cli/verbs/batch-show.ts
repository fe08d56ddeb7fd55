import { groupedAddress } from '../../domain/address.js';
import { toHex } from '../../domain/bytes.js';
import { fail } from '../../domain/fault.js';
import { formatFeeRate } from '../../domain/feerate.js';
import type { Network } from '../../domain/network.js';
import { ok } from '../../domain/result.js';
import { formatAmount } from '../../domain/sats.js';
import { formatTime } from '../../domain/time.js';
import type { BatchRecord, HaltRecord, JournalState, ObjectionRecord } from '../../journal/state.js';
import type { Destinations } from '../../policy/counterparties.js';
import type { Verdict } from '../../policy/types.js';
import { reviewBatch } from '../../workflow/approve-batch.js';
import { destinationsOf } from '../../workflow/destinations.js';
import { feerateLines, feerateOfPlan } from '../../workflow/feerate-record.js';
import { haltsHolding } from '../../workflow/halt-scene.js';
import type { Desk } from '../../workflow/ports.js';
import { findBatch } from '../../workflow/situation.js';
import type { Verb, VerbContext } from '../command.js';
import { exportFile } from '../export-file.js';
import { feerateData } from '../render/feerate.js';
import { fields, table } from '../render/table.js';
import { printable } from '../render/text.js';
import { decisionWord, nameInBook } from '../render/verdict.js';
import { argument, withWorkspace } from '../with-workspace.js';
import { tiesData, UNANSWERED } from './batch-list.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const read = await desk.journal.read();
    if (!read.ok) return read;
    const found = findBatch(read.value, argument(words, 0));
    if (!found.ok) return found;
    const batch = found.value;
    const heldBy = heldByHalts(read.value, desk.config.network, batch);
    const [halt] = heldBy;
    if (halt !== undefined && (words.flag('export') || words.flag('raw'))) {
      return fail('E_HALTED', `batch ${batch.id} is signed and held by ${halt.id}: its transaction is not released`, {
        remedy: 'countersign halt status says who can resume it, and from when on',
      });
    }
    const psbt = await desk.journal.blob(batch.psbt);
    if (!psbt.ok) return psbt;
    const transaction =
      batch.signed === null || heldBy.length > 0 ? null : await desk.journal.blob(batch.signed.transaction);
    if (transaction !== null && !transaction.ok) return transaction;
    const plan = await desk.journal.blob(batch.plan);
    if (!plan.ok) return plan;
    const feerate = feerateOfPlan(plan.value);
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
    const judged = await judgedNow(desk, batch);
    const raw = transaction === null ? null : toHex(transaction.value);
    return ok({
      schema: 'countersign.batch-show/1',
      exit: 'OK',
      data: {
        batch: {
          ...batchData(batch, heldBy, judged),
          ...(feerate === null ? {} : feerateData(feerate.rate, feerate.from)),
        },
        psbt: Buffer.from(psbt.value).toString('base64'),
        ...(raw === null ? {} : { transaction: raw }),
        files,
      },
      text: [
        ...batchLines(batch, heldBy, judged, feerate, destinationsOf(read.value, desk.config.network), context),
        ...(raw !== null && words.flag('raw') ? ['', `  transaction ${raw}`] : []),
        ...files.map((file) => `  wrote ${file}`),
      ],
    });
  });

/**
 * What the policy says of a batch that can still be approved, and so whose approvals count. Null for any other, and where it
 * cannot be judged: `batch check` says why.
 */
async function judgedNow(desk: Desk, { id, state }: BatchRecord): Promise<Verdict | null> {
  if (state !== 'DRAFT' && state !== 'RELEASED') return null;
  const review = await reviewBatch(desk, id);
  return review.ok ? review.value.assessment.verdict : null;
}

const counts = ({ quorum }: Verdict, person: string): boolean => quorum?.approved.includes(person) === true;

/** A transaction that is not yet on the chain is not handed out while a halt stands against it. */
function heldByHalts(state: JournalState, network: Network, batch: BatchRecord): readonly HaltRecord[] {
  return batch.state === 'SIGNED' ? haltsHolding(state, network, batch) : [];
}

function objectionText({ kind, reason }: ObjectionRecord): string {
  return kind === 'rejected' ? `rejected: ${printable(reason ?? '')}` : 'took the approval back';
}

function feerateFields(feerate: ReturnType<typeof feerateOfPlan>): [string, string][] {
  if (feerate === null) return [];
  const { rate, from } = feerate;
  const lines = from === null ? [formatFeeRate(rate)] : feerateLines(rate, from);
  return lines.map((line, index) => [index === 0 ? '  feerate' : '', printable(line.trim())]);
}

function batchLines(
  batch: BatchRecord,
  heldBy: readonly HaltRecord[],
  judged: Verdict | null,
  feerate: ReturnType<typeof feerateOfPlan>,
  destinations: Destinations,
  { style }: VerbContext,
): string[] {
  const pairs: [string, string][] = [
    ['  kind', batch.kind === 'withdrawal' ? batch.kind : `${batch.kind}: it pays nobody`],
    ['  state', batch.state === 'SENT' ? `SENT: ${UNANSWERED}` : batch.state],
    ['  planned', `${formatTime(batch.plannedAt)} by ${batch.initiator}, journal entry ${batch.plannedSeq}`],
    ['  leaves', formatAmount(batch.spend)],
    ['  fee', formatAmount(batch.fee)],
    ...feerateFields(feerate),
    ['  PSBT', `SHA-256 ${batch.psbt}`],
    ...(batch.parts.length < 2 ? [] : [['  parts', batch.parts.join(', ')] as [string, string]]),
    ...(batch.replaces === null
      ? []
      : [['  replaces', `${batch.replaces}: only one of the two can confirm`] as [string, string]]),
    ...(batch.replacedBy === null ? [] : [['  replaced by', batch.replacedBy] as [string, string]]),
    ...(batch.childOf === null
      ? []
      : [['  child of', `${batch.childOf}: it spends the change of that one`] as [string, string]]),
    ...batch.approvals.map(({ person, at, validUntil }): [string, string] => [
      '  approved',
      `${person} at ${formatTime(at)}, valid until ${formatTime(validUntil)}${judged === null || counts(judged, person) ? '' : style.warn('; does not count')}`,
    ]),
    ...batch.objections.map((one): [string, string] => [
      '  against it',
      `${one.person} at ${formatTime(one.at)}: ${objectionText(one)}`,
    ]),
    ...(judged === null
      ? []
      : [['  now', `${decisionWord(judged, style)} (countersign batch check ${batch.id})`] as [string, string]]),
    ...heldBy.map(({ id, at }): [string, string] => [
      '  held by',
      `${id} since ${formatTime(at)}: the transaction is not released while it stands`,
    ]),
    ...(batch.reservedAt === null ? [] : [['  reserved', formatTime(batch.reservedAt)] as [string, string]]),
    ...batch.partials.map(({ signer, at, source }): [string, string] => [
      '  signed in part',
      `${formatTime(at)}, by ${signer}${source === 'file' ? ', from a file' : ''}`,
    ]),
    ...(batch.signed === null
      ? []
      : [['  signed', `${formatTime(batch.signed.at)}, txid ${batch.signed.txid}`] as [string, string]]),
    ...(batch.reason === null ? [] : [['  reason', printable(batch.reason)] as [string, string]]),
  ];
  const anyBorne = batch.requests.some(({ feePayer }) => feePayer !== undefined);
  const rows = batch.requests.map((request) => [
    printable(request.id),
    request.amount,
    ...(anyBorne ? [request.feePayer ?? 'vault'] : []),
    nameInBook(destinations, request),
    groupedAddress(request.address),
    printable(request.label ?? ''),
    printable(request.reference ?? ''),
  ]);
  const columns = [
    { title: 'request' },
    { title: 'sat', align: 'right' as const },
    ...(anyBorne ? [{ title: 'fee by' }] : []),
    { title: 'to' },
    { title: 'address' },
    { title: 'label' },
    { title: 'reference' },
  ];
  return [
    style.bold(`Batch ${batch.id}`),
    ...fields(pairs, style),
    '',
    ...table(columns, rows, style).map((line) => `  ${line}`),
    '',
    ...batch.inputs.map((outpoint) => `  spends ${outpoint}`),
  ];
}

function batchData(batch: BatchRecord, heldBy: readonly HaltRecord[], judged: Verdict | null): Record<string, unknown> {
  return {
    id: batch.id,
    kind: batch.kind,
    state: batch.state,
    planned_at: formatTime(batch.plannedAt),
    initiator: batch.initiator,
    spend: batch.spend,
    fee: batch.fee,
    psbt_sha256: batch.psbt,
    requests: batch.requests.map(({ feePayer, ...request }) => ({
      ...request,
      ...(feePayer === undefined ? {} : { fee_payer: feePayer }),
    })),
    inputs: batch.inputs,
    parts: batch.parts,
    ...tiesData(batch),
    approvals: batch.approvals.map(({ person, at, validUntil }) => ({
      person,
      at: formatTime(at),
      valid_until: formatTime(validUntil),
      ...(judged === null ? {} : { counts: counts(judged, person) }),
    })),
    ...(judged === null ? {} : { decision: judged.decision, missing: judged.quorum?.missing ?? 0 }),
    objections: batch.objections.map(({ kind, person, at, reason }) => ({
      kind,
      person,
      at: formatTime(at),
      ...(reason === null ? {} : { reason }),
    })),
    ...(heldBy.length === 0 ? {} : { held_by: heldBy.map(({ id }) => id) }),
    signed_by: batch.partials.map(({ signer }) => signer),
    ...(batch.reservedAt === null ? {} : { reserved_at: formatTime(batch.reservedAt) }),
    ...(batch.signed === null ? {} : { signed_at: formatTime(batch.signed.at), txid: batch.signed.txid }),
    ...(batch.reason === null ? {} : { reason: batch.reason }),
  };
}
