import { formatNote } from '../approval/note.js';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';
import { namedBlobs } from '../journal/blobs.js';
import { entryRecord } from '../journal/chain.js';
import type { Entry, EntryBody } from '../journal/entries.js';
import { formatEvidence } from '../journal/evidence-file.js';
import { MerkleTree } from '../journal/merkle-tree.js';
import { closedRanges } from '../journal/multi-proof.js';
import type { SignedCheckpoint } from './checkpoint-files.js';
import { holdsCheckpoint, journalTree } from './checkpoints.js';
import type { Desk } from './ports.js';

export interface Period {
  readonly from: UnixSeconds;
  /** Not in it. */
  readonly to: UnixSeconds;
}

export interface MadeEvidence {
  readonly text: string;
  readonly entries: number;
  readonly inPeriod: number;
  readonly documents: number;
}

/**
 * What happened in a period, to be proven elsewhere: its entries and the one on either side, all earlier ones about the same
 * batches and those that they name, every policy, book and halt until then, the documents that they name (coin snapshots left
 * out), and the proof that a checkpoint was signed over all of it. E_USAGE where the period does not lie within the checkpoint.
 */
export async function makeEvidence(
  desk: Desk,
  period: Period,
  { note, checkpoint }: SignedCheckpoint,
  progress: (done: number) => void,
): Promise<Result<MadeEvidence, Fault>> {
  const opened = await journalTree(desk);
  if (!opened.ok) return opened;
  const holds = await holdsCheckpoint(opened.value, checkpoint);
  if (!holds.ok) return holds;
  const [from, to] = [formatTime(period.from), formatTime(period.to)];
  const chosen = await choose(desk, from, to, checkpoint.size, progress);
  if (!chosen.ok) return chosen;
  const { entries, inPeriod } = chosen.value;
  const { journal } = desk;
  const tree = new MerkleTree(checkpoint.size, (level, first, count) => journal.treeHashes(level, first, count));
  const proof = await tree.roots(
    closedRanges(
      entries.map(({ seq }) => seq),
      checkpoint.size,
    ),
  );
  if (!proof.ok) return proof;
  const blobs = new Map<Hex, Uint8Array>();
  for (const name of entries.flatMap(({ body }) => carriedBlobs(body))) {
    if (blobs.has(name)) continue;
    const bytes = await journal.blob(name);
    if (!bytes.ok) return bytes;
    blobs.set(name, bytes.value);
  }
  const text = formatEvidence(
    { from, to, checkpoint: formatNote(note), entries, proof: proof.value, blobs },
    entryRecord,
  );
  return ok({ text, entries: entries.length, inPeriod, documents: blobs.size });
}

/** A snapshot of coins holds every coin of the vault with its transaction: it says more than a period is about. */
export function carriedBlobs(body: EntryBody): readonly Hex[] {
  return body.kind === 'coins.imported' || body.kind === 'screening.imported' ? [] : namedBlobs(body);
}

const GROUND: readonly EntryBody['kind'][] = [
  'journal.opened',
  'vault.imported',
  'policy.activated',
  'book.changed',
  'halt.raised',
  'halt.resume-approved',
  'halt.resumed',
];

/** What a bundle has of the time before its period, whoever it is about. */
function isGround({ kind }: EntryBody): boolean {
  return GROUND.includes(kind);
}

async function choose(
  desk: Desk,
  from: string,
  to: string,
  size: number,
  progress: (done: number) => void,
): Promise<Result<{ readonly entries: readonly Entry[]; readonly inPeriod: number }, Fault>> {
  const ground: Entry[] = [];
  const ofBatch = new Map<string, Entry[]>();
  const within: Entry[] = [];
  const touched = new Set<string>();
  let before: Entry | null = null;
  let after: Entry | null = null;
  for await (const entry of desk.journal.entries()) {
    if (entry.seq >= size) break;
    progress(entry.seq + 1);
    if (entry.at >= to) {
      after = entry;
      break;
    }
    const { body } = entry;
    if ('batch' in body) ofBatch.set(body.batch, [...(ofBatch.get(body.batch) ?? []), entry]);
    if (entry.at >= from) {
      within.push(entry);
      if ('batch' in body) touched.add(body.batch);
      continue;
    }
    before = entry;
    if (isGround(body)) ground.push(entry);
  }
  if (after === null && !(await reaches(desk, size, to))) {
    return fail('E_USAGE', `the checkpoint is of ${size} entries, and the journal has more before ${to}`, {
      remedy: 'prove it against a newer one: countersign audit checkpoint FILE --key KEY',
    });
  }
  const chosen = new Map<number, Entry>();
  const entriesOf = (batch: string) => ofBatch.get(batch) ?? [];
  const earlier = [...withKin(touched, entriesOf)].flatMap(entriesOf);
  for (const entry of [...ground, ...earlier, before, ...within, after])
    if (entry !== null) chosen.set(entry.seq, entry);
  const entries = [...chosen.values()].sort((a, b) => a.seq - b.seq);
  return ok({ entries, inPeriod: within.length });
}

/** Whether nothing of the period came after the checkpoint. */
async function reaches(desk: Desk, size: number, to: string): Promise<boolean> {
  for await (const entry of desk.journal.entries(size)) return entry.at >= to;
  return true;
}

/**
 * The batches that a bundle tells of: those of the period, and those that they name, whose place they take or whose change
 * they spend, without which no step of theirs could be judged.
 */
export function withKin(batches: ReadonlySet<string>, entriesOf: (batch: string) => readonly Entry[]): Set<string> {
  const told = new Set(batches);
  // A set hands out what is added to it while it is walked.
  for (const batch of told) for (const { body } of entriesOf(batch)) for (const kin of kinOf(body)) told.add(kin);
  return told;
}

function kinOf(body: EntryBody): readonly string[] {
  if (body.kind === 'batch.replaced') return [body.by];
  return body.kind === 'batch.planned' ? [body.replaces, body.childOf].filter((name) => name !== undefined) : [];
}
