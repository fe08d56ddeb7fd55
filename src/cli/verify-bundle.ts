import { ok } from '../domain/result.js';
import { formatAmount, parseSats } from '../domain/sats.js';
import { formatTime } from '../domain/time.js';
import { readVerifierKeys } from '../workflow/checkpoint-files.js';
import { type ProvenBatch, verifyEvidence } from '../workflow/verify-evidence.js';
import type { VerbContext, VerbResult, Words } from './command.js';
import { fields, table } from './render/table.js';
import { plural, printable } from './render/text.js';

/** `audit verify --bundle`: evidence of a period with the keys of those who are trusted; no workspace. */
export async function verifyBundleFile(words: Words, file: string, context: VerbContext): Promise<VerbResult> {
  const { files, documents } = context.compose;
  const trusted = await readVerifierKeys(files, words.list('trust'));
  if (!trusted.ok) return trusted;
  const bytes = await files.read(file);
  if (!bytes.ok) return bytes;
  const proven = await verifyEvidence(bytes.value, file, trusted.value, documents);
  if (!proven.ok) return proven;
  const { evidence, checkpoint, signed, inPeriod, approvals, documentSignatures, signatures, batches, left } =
    proven.value;
  const signers = signed.map(({ key, at }) => ({ name: key.name, ...(at === null ? {} : { at: formatTime(at) }) }));
  const by = signers.map(({ name, at }) => (at === undefined ? name : `${name} at ${at}`)).join(', ');
  const { style } = context;
  const columns = [
    { title: 'batch' },
    { title: 'leaves', align: 'right' as const },
    { title: 'verdict' },
    { title: 'approved by' },
    { title: 'newest entry' },
    { title: 'txid' },
  ];
  return ok({
    schema: 'countersign.audit-verify-bundle/1',
    exit: 'OK',
    data: {
      origin: checkpoint.origin,
      size: checkpoint.size,
      signed_by: signers,
      from: evidence.from,
      to: evidence.to,
      entries: inPeriod,
      documents: evidence.blobs.size,
      not_carried: left,
      document_signatures: documentSignatures,
      approvals,
      signatures,
      batches: batches.map((batch) => ({ ...batch })),
    },
    text: [
      `${style.good('verified')}  ${file}: what the journal says of ${evidence.from} to ${evidence.to}`,
      ...fields(
        [
          ['  journal', `${checkpoint.origin}, its first ${plural(checkpoint.size, 'entry', 'entries')}`],
          ['  signed by', by],
          ['  entries', `${inPeriod} of the period, none left out, each in the tree that was signed`],
          ['  documents', `${evidence.blobs.size}, each equal to the hash that names it`],
          [
            '  policies',
            `each version and each book in its place, ${plural(documentSignatures, 'signature')} verified`,
          ],
          ['  approvals', `${approvals}, each signed over its batch by a key of its policy`],
          ['  signatures', `${signatures}, each over the transaction that was planned`],
        ],
        style,
      ),
      ...(batches.length === 0 ? [] : ['', ...table(columns, batches.map(cellsOf), style).map((line) => `  ${line}`)]),
      '',
      `  Not carried: ${plural(left, 'coin snapshot or screening list', 'coin snapshots and screening lists')}. Verdicts are quoted, not judged again: that takes the journal (audit verify).`,
    ],
  });
}

function cellsOf({ id, spend, decision, approvers, last, txid }: ProvenBatch): string[] {
  const sats = parseSats(spend);
  return [
    id,
    sats.ok ? formatAmount(sats.value) : spend,
    decision ?? '',
    printable(approvers.join(', ')),
    last,
    txid ?? '',
  ];
}
