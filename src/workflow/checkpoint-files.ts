import { type Note, openNote, parseNote, type VerifiedSignature } from '../approval/note.js';
import { parseSignerKey, parseVerifierKey, type SignerKey, type VerifierKey } from '../approval/note-key.js';
import { utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { type Checkpoint, parseCheckpoint } from '../journal/checkpoint.js';
import { parseProofFile } from '../journal/proof-file.js';
import type { Files } from './ports.js';

/** A checkpoint with its signatures, none of them verified yet. */
export interface SignedCheckpoint {
  readonly note: Note;
  readonly checkpoint: Checkpoint;
  /** What messages call it. */
  readonly file: string;
}

/**
 * A checkpoint, or the one in what `audit checkpoint --old` wrote, which has a proof in front of it: that is for a witness, and
 * says nothing here. E_FILE_MISSING, E_NOTE_FORM, E_CHECKPOINT_FORM, E_PROOF_FORM.
 */
export async function readCheckpoint(files: Files, file: string): Promise<Result<SignedCheckpoint, Fault>> {
  const bytes = await files.read(file);
  if (!bytes.ok) return bytes;
  const carried = parseProofFile(bytes.value, file);
  if (!carried.ok) return carried;
  return signedCheckpoint(carried.value?.kind === 'consistency' ? utf8(carried.value.checkpoint) : bytes.value, file);
}

export function signedCheckpoint(bytes: Uint8Array, file: string): Result<SignedCheckpoint, Fault> {
  const note = parseNote(bytes, file);
  if (!note.ok) return note;
  const checkpoint = parseCheckpoint(note.value.text, file);
  return checkpoint.ok ? ok({ note: note.value, checkpoint: checkpoint.value, file }) : checkpoint;
}

/**
 * Which of the trusted keys have signed a checkpoint. A log signs for itself alone: its key is named like its journal, so the
 * key of one journal says nothing of another, though an auditor trusts both. E_NOTE_SIGNATURE, E_NOTE_UNTRUSTED.
 */
export function openCheckpoint(
  { note, checkpoint, file }: SignedCheckpoint,
  trusted: readonly VerifierKey[],
): Result<readonly VerifiedSignature[], Fault> {
  const entitled = trusted.filter(({ kind, name }) => kind === 'witness' || name === checkpoint.origin);
  return openNote(note, entitled, file);
}

export async function readSignerKey(files: Files, file: string): Promise<Result<SignerKey, Fault>> {
  const bytes = await files.read(file);
  return bytes.ok ? parseSignerKey(Buffer.from(bytes.value).toString('utf8'), file) : bytes;
}

const LOOKS_LIKE_A_KEY = /^[^+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/;

/** Verifier keys as a command line names them: each the key itself, or a file with keys, one a line. */
export async function readVerifierKeys(
  files: Files,
  named: readonly string[],
): Promise<Result<readonly VerifierKey[], Fault>> {
  const keys: VerifierKey[] = [];
  for (const name of named) {
    const texts = LOOKS_LIKE_A_KEY.test(name) ? ok([name]) : await linesOf(files, name);
    if (!texts.ok) return texts;
    for (const text of texts.value) {
      const key = parseVerifierKey(text);
      if (!key.ok) return key;
      keys.push(key.value);
    }
  }
  return ok(keys);
}

async function linesOf(files: Files, file: string): Promise<Result<readonly string[], Fault>> {
  const bytes = await files.read(file);
  if (!bytes.ok) return bytes;
  const lines = Buffer.from(bytes.value)
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (lines.length > 0) return ok(lines);
  return fail('E_NOTE_KEY', `${file}: it holds no verifier key`, {
    remedy: 'give the file FILE.pub that countersign audit key wrote, or the key itself',
    where: { file },
  });
}
