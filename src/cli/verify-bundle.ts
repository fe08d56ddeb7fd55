import { ok } from '../domain/result.js';
import { formatAmount, parseSats } from '../domain/sats.js';
import { formatTime } from '../domain/time.js';
import { readVerifierKeys } from '../workflow/checkpoint-files.js';
import type { ProvenBatch } from '../workflow/evidence-judge.js';
import { verifyEvidence } from '../workflow/verify-evidence.js';
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
  const { evidence, checkpoint, signed, inPeriod, isOver, documentSignatures, batches, left } = proven.value;
  const { approvals, objections, halts, resumes, signatures } = proven.value.proven;
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
      period_over: isOver,
      documents: evidence.blobs.size,
      not_carried: left,
      document_signatures: documentSignatures,
      approvals,
      objections,
      halts,
      resumes,
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
          ...(isOver ? [] : [['', style.warn(NOT_OVER)] as const]),
          ['  documents', `${evidence.blobs.size}, each equal to the hash that names it`],
          [
            '  policies',
            `each version and each book in its place, ${plural(documentSignatures, 'signature')} verified`,
          ],
          ['  batches', `${batches.length}, each plan what its PSBT does, every step legal`],
          [
            '  approvals',
            `${approvals}, each over the whole statement of its batch, by a key that the policy of its day lists`,
          ],
          ['  quorums', 'nothing was reserved or sent without the people that the policy asks for that sum'],
          ['  objections', `${objections}, each by a key of who made it`],
          [
            '  halts',
            `${halts} of people and ${resumes} words for an end, each signed; none ended without quorum and delay`,
          ],
          ['  signatures', `${signatures}, each over the transaction that was planned`],
        ],
        style,
      ),
      ...(batches.length === 0 ? [] : ['', ...table(columns, batches.map(cellsOf), style).map((line) => `  ${line}`)]),
      '',
      '  Quoted, and not proven here; audit verify on the journal proves it:',
      `    verdicts: what left before, coins and screening are not in a bundle (${plural(left, 'snapshot or list', 'snapshots and lists')} left out)`,
      '    what the chain says of a transaction; halts of the program or of nobody verifiable; frozen coins; reasons',
      '    that nothing from before the period is missing: about these batches, of halts, or a newer policy or book',
    ],
  });
}

const NOT_OVER =
  'nothing shows that the period was over when that was signed: ask for a bundle with a newer checkpoint';

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
