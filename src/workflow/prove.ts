import { formatNote, type VerifiedSignature } from '../approval/note.js';
import type { VerifierKey } from '../approval/note-key.js';
import { sha256, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { entryOfRecord, entryRecord } from '../journal/chain.js';
import type { Checkpoint } from '../journal/checkpoint.js';
import type { Entry } from '../journal/entries.js';
import { verifyConsistency, verifyInclusion } from '../journal/merkle.js';
import { MerkleTree } from '../journal/merkle-tree.js';
import { formatConsistency, formatInclusion, parseProofFile } from '../journal/proof-file.js';
import { openCheckpoint, type SignedCheckpoint, signedCheckpoint } from './checkpoint-files.js';
import { holdsCheckpoint, journalTree } from './checkpoints.js';
import type { Desk } from './ports.js';

/** An entry with the proof that it is in the tree of a checkpoint, as a file. E_USAGE for an entry that is not in it. */
export async function proveEntry(
  desk: Desk,
  seq: number,
  { note, checkpoint }: SignedCheckpoint,
): Promise<Result<string, Fault>> {
  const opened = await treeOf(desk, checkpoint);
  if (!opened.ok) return opened;
  if (seq >= checkpoint.size) {
    return fail('E_USAGE', `the checkpoint is of ${checkpoint.size} entries, and entry ${seq} came later`, {
      remedy: 'prove it against a newer one: countersign audit checkpoint FILE --key KEY',
    });
  }
  const proof = await opened.value.inclusion(seq);
  if (!proof.ok) return proof;
  for await (const entry of desk.journal.entries(seq)) {
    const record = entryRecord(entry);
    return ok(
      formatInclusion({ kind: 'inclusion', index: seq, proof: proof.value, record, checkpoint: formatNote(note) }),
    );
  }
  throw new Error(`entry ${seq} is in the tree and not in the journal`);
}

/** That the newer checkpoint begins with all of the older one, as a file. */
export async function proveGrowth(
  desk: Desk,
  older: SignedCheckpoint,
  newer: SignedCheckpoint,
): Promise<Result<string, Fault>> {
  if (older.checkpoint.size > newer.checkpoint.size) {
    return fail('E_USAGE', `${older.file} is of more entries than ${newer.file}`, {
      remedy: 'give the older one as --old',
    });
  }
  const begins = await treeOf(desk, older.checkpoint);
  if (!begins.ok) return begins;
  const opened = await treeOf(desk, newer.checkpoint);
  if (!opened.ok) return opened;
  const proof = await opened.value.consistency(older.checkpoint.size);
  if (!proof.ok) return proof;
  const old = older.checkpoint.size;
  return ok(formatConsistency({ kind: 'consistency', old, proof: proof.value, checkpoint: formatNote(newer.note) }));
}

/** The tree of the journal as of a checkpoint that it passes through. */
async function treeOf(desk: Desk, checkpoint: Checkpoint): Promise<Result<MerkleTree, Fault>> {
  const opened = await journalTree(desk);
  if (!opened.ok) return opened;
  const holds = await holdsCheckpoint(opened.value, checkpoint);
  if (!holds.ok) return holds;
  const { journal } = desk;
  return ok(new MerkleTree(checkpoint.size, (level, from, count) => journal.treeHashes(level, from, count)));
}

export interface ProvenEntry {
  readonly kind: 'entry';
  readonly seq: number;
  readonly checkpoint: Checkpoint;
  readonly signed: readonly VerifiedSignature[];
  /** The entry as its record says it: {at, body, prev, seq}. */
  readonly entry: Omit<Entry, 'hash'>;
}

export interface ProvenGrowth {
  readonly kind: 'growth';
  readonly old: number;
  readonly checkpoint: Checkpoint;
  readonly signed: readonly VerifiedSignature[];
}

/**
 * Checks a proof with nothing but the keys of those who signed its checkpoint; a proof of growth also with the older one.
 * E_PROOF_FORM, E_PROOF_INVALID, and what readers of checkpoints say.
 */
export function verifyProof(
  bytes: Uint8Array,
  file: string,
  trusted: readonly VerifierKey[],
  older: SignedCheckpoint | null,
): Result<ProvenEntry | ProvenGrowth, Fault> {
  const read = parseProofFile(bytes, file);
  if (!read.ok) return read;
  if (read.value === null) return noProof(file, 'it is neither a proof of an entry nor one of growth');
  const signed = signedCheckpoint(utf8(read.value.checkpoint), file);
  if (!signed.ok) return signed;
  const { checkpoint } = signed.value;
  const opened = openCheckpoint(signed.value, trusted);
  if (!opened.ok) return opened;
  if (read.value.kind === 'inclusion') {
    const { index: seq, proof, record } = read.value;
    if (record === null) return noProof(file, 'it does not carry the entry');
    const leaf = sha256(Buffer.concat([Buffer.of(0), record]));
    const entry = entryOfRecord(Buffer.from(record).toString('utf8'));
    if (entry?.ok === false) return entry;
    const isIn = verifyInclusion(leaf, seq, checkpoint.size, proof, checkpoint.root);
    if (!isIn || entry === null || entry.value.seq !== seq) {
      return invalid(file, `the entry that it carries is not entry ${seq} of the journal that was signed`);
    }
    const { hash: _, ...said } = entry.value;
    return ok({ kind: 'entry', seq, checkpoint, signed: opened.value, entry: said });
  }
  const { old, proof } = read.value;
  if (older === null) {
    return fail('E_USAGE', `${file} proves growth, and the older checkpoint is not named`, {
      remedy: 'give --old FILE',
    });
  }
  const before = openCheckpoint(older, trusted);
  if (!before.ok) return before;
  const sameLog = older.checkpoint.origin === checkpoint.origin && older.checkpoint.size === old;
  if (!sameLog) return invalid(file, `it does not begin at ${older.file}`);
  if (!verifyConsistency(older.checkpoint, checkpoint, proof)) {
    return invalid(file, `its checkpoint does not begin with the ${old} entries of ${older.file}`);
  }
  return ok({ kind: 'growth', old, checkpoint, signed: opened.value });
}

function noProof(file: string, why: string): Result<never, Fault> {
  return fail('E_PROOF_FORM', `${file}: ${why}`, {
    remedy: 'give the file as countersign audit prove wrote it',
    where: { file },
  });
}

function invalid(file: string, why: string): Result<never, Fault> {
  return fail('E_PROOF_INVALID', `${file}: ${why}`, {
    remedy: 'believe nothing of this file; ask for a new proof, and for the journal',
    where: { file },
  });
}
