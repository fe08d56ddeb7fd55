import type { VerifiedSignature } from '../approval/note.js';
import type { VerifierKey } from '../approval/note-key.js';
import { equalBytes, trustedHex, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { type Network, parseNetwork } from '../domain/network.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime } from '../domain/time.js';
import type { Checkpoint } from '../journal/checkpoint.js';
import type { Entry } from '../journal/entries.js';
import { type Evidence, parseEvidence } from '../journal/evidence-file.js';
import { rootOfSome } from '../journal/multi-proof.js';
import { openCheckpoint, signedCheckpoint } from './checkpoint-files.js';
import { carriedBlobs, withKin } from './evidence.js';
import { EvidenceJudge, type ProvenBatch, type ProvenWords } from './evidence-judge.js';
import type { Documents } from './ports.js';

export interface ProvenEvidence {
  readonly evidence: Evidence;
  readonly checkpoint: Checkpoint;
  readonly signed: readonly VerifiedSignature[];
  readonly inPeriod: number;
  /** Whether an entry behind the period, or the time of a witness, shows that it was over when the checkpoint was signed. */
  readonly isOver: boolean;
  readonly proven: Readonly<ProvenWords>;
  /** Under policies and books. */
  readonly documentSignatures: number;
  readonly batches: readonly ProvenBatch[];
  /** Documents that are named and not carried, by the kind of their entry. */
  readonly left: number;
}

/**
 * Proves a bundle with nothing but the keys of those who signed its checkpoint: every entry lies in that tree, none of the
 * period is left out, every document is the one that is named, every policy and book is in its place and signed by those who
 * may, every plan is what its PSBT does, every step of a batch is legal, everything that a person said is signed by a key of
 * theirs over this batch or halt, nothing was reserved or sent without a quorum, no halt ended without one, every transaction is
 * the planned one with valid signatures. Verdicts are not judged again, nor is what rests on coins: that takes the journal.
 * E_EVIDENCE_FORM, E_EVIDENCE_INVALID, and what readers of checkpoints say.
 */
export async function verifyEvidence(
  bytes: Uint8Array,
  file: string,
  trusted: readonly VerifierKey[],
  documents: Documents,
): Promise<Result<ProvenEvidence, Fault>> {
  const read = parseEvidence(bytes, file);
  if (!read.ok) return read;
  const evidence = read.value;
  const signed = signedCheckpoint(utf8(evidence.checkpoint), file);
  if (!signed.ok) return signed;
  const { checkpoint } = signed.value;
  const opened = openCheckpoint(signed.value, trusted);
  if (!opened.ok) return opened;
  const placed = checkPlaces(evidence, checkpoint) ?? checkPeriod(evidence, checkpoint) ?? checkBlobs(evidence);
  if (placed !== null) return invalid(file, placed);
  const network = networkOf(evidence);
  if (!network.ok) return network;
  const judge = new EvidenceJudge(evidence, documents, network.value);
  const within = batchesWithin(evidence);
  const told = withKin(within, entriesByBatch(evidence));
  let previous: Entry | null = null;
  for (const entry of evidence.entries) {
    const { seq, at, body } = entry;
    // The neighbours of the period show that nothing is missing between them. What they say is not of the period.
    const isJudged = at < evidence.to && (!('batch' in body) || told.has(body.batch));
    const problem = linkProblem(previous, entry) ?? (isJudged ? await judge.take(entry) : null);
    if (problem !== null) return invalid(file, `entry ${seq}, ${body.kind}: ${problem}`);
    previous = entry;
  }
  const inPeriod = evidence.entries.filter((entry) => isWithin(entry, evidence)).length;
  const left = evidence.entries.filter(({ body }) => isUncarried(body)).length;
  return ok({
    evidence,
    checkpoint,
    signed: opened.value,
    inPeriod,
    isOver: isOver(evidence, opened.value),
    proven: judge.proven,
    documentSignatures: judge.documentSignatures,
    batches: judge.batches(within),
    left,
  });
}

const isUncarried = ({ kind }: Entry['body']): boolean => kind === 'coins.imported' || kind === 'screening.imported';
const isWithin = ({ at }: Entry, { from, to }: Evidence): boolean => at >= from && at < to;

function isOver({ entries, to }: Evidence, signed: readonly VerifiedSignature[]): boolean {
  return entries.some(({ at }) => at >= to) || signed.some(({ at }) => at !== null && formatTime(at) >= to);
}

function batchesWithin(evidence: Evidence): ReadonlySet<string> {
  const within = evidence.entries.filter((entry) => isWithin(entry, evidence));
  return new Set(within.flatMap(({ body }) => ('batch' in body ? [body.batch] : [])));
}

/** Without the neighbour behind the period, whose batch may name others that nothing is told of. */
function entriesByBatch({ entries, to }: Evidence): (batch: string) => readonly Entry[] {
  const found = new Map<string, Entry[]>();
  for (const entry of entries) {
    if (!('batch' in entry.body) || entry.at >= to) continue;
    const { batch } = entry.body;
    const known = found.get(batch);
    if (known === undefined) found.set(batch, [entry]);
    else known.push(entry);
  }
  return (batch) => found.get(batch) ?? [];
}

/** That an entry follows the one before it in the bundle, whatever lies between them in the journal. */
function linkProblem(previous: Entry | null, { seq, at, prev }: Entry): string | null {
  if (previous === null) return null;
  if (at < previous.at) return `its time ${at} lies before that of entry ${previous.seq}, ${previous.at}`;
  return seq !== previous.seq + 1 || prev === previous.hash ? null : 'it does not name the hash of the entry before it';
}

function checkPlaces({ entries, proof }: Evidence, { size, root }: Checkpoint): string | null {
  const leaves = entries.map(({ hash }) => trustedHex(hash));
  const seqs = entries.map(({ seq }) => seq);
  const made = rootOfSome(leaves, seqs, size, proof);
  return made !== null && equalBytes(made, root) ? null : 'its entries do not lead to the root of its checkpoint';
}

/** Numbers without a gap from the entry before the period to the one behind it: nothing in between was withheld. */
function checkPeriod(evidence: Evidence, { size }: Checkpoint): string | null {
  const within = evidence.entries.filter((entry) => isWithin(entry, evidence));
  const before = evidence.entries.filter(({ at }) => at < evidence.from).at(-1)?.seq ?? -1;
  const after = evidence.entries.find(({ at }) => at >= evidence.to)?.seq ?? size;
  const due = after - before - 1;
  if (within.length === due && within.every(({ seq }, index) => seq === before + 1 + index)) return null;
  return `it has ${within.length} entries of its period, and ${due} lie between its neighbours`;
}

function checkBlobs({ entries, blobs }: Evidence): string | null {
  const named = new Set(entries.flatMap(({ body }) => carriedBlobs(body)));
  const missing = [...named].find((name) => !blobs.has(name));
  if (missing !== undefined) return `document ${missing} is missing`;
  const stray = [...blobs.keys()].find((name) => !named.has(name));
  return stray === undefined ? null : `no entry names document ${stray}`;
}

function invalid(file: string, why: string): Result<never, Fault> {
  return fail('E_EVIDENCE_INVALID', why, {
    where: { file },
    remedy: 'believe nothing of this file; ask for a new bundle, and for the journal',
  });
}

/** E_EVIDENCE_INVALID where the opening of the journal is missing. */
function networkOf({ entries }: Evidence): Result<Network, Fault> {
  const opening = entries.find(({ body }) => body.kind === 'journal.opened')?.body;
  return opening?.kind === 'journal.opened'
    ? parseNetwork(opening.network)
    : fail('E_EVIDENCE_INVALID', 'the entry that opened the journal is missing');
}
