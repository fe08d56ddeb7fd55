import { formatNote, signNote } from '../approval/note.js';
import type { SignerKey } from '../approval/note-key.js';
import { equalBytes } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { type Checkpoint, formatCheckpoint, originOf } from '../journal/checkpoint.js';
import type { Hash } from '../journal/merkle.js';
import { MerkleTree } from '../journal/merkle-tree.js';
import { formatConsistency } from '../journal/proof-file.js';
import type { JournalState } from '../journal/state.js';
import type { Desk } from './ports.js';

/** The tree of the journal as of its newest entry, and what it is called. */
export interface JournalTree {
  readonly origin: string;
  readonly tree: MerkleTree;
  readonly state: JournalState;
}

export async function journalTree({ journal }: Pick<Desk, 'journal'>): Promise<Result<JournalTree, Fault>> {
  const read = await journal.read();
  if (!read.ok) return read;
  const state = read.value;
  const origin = originOf(state);
  if (origin === null || state.head === null) throw new Error('a journal was opened without an entry');
  const tree = new MerkleTree(state.head.seq + 1, (level, from, count) => journal.treeHashes(level, from, count));
  return ok({ origin, tree, state });
}

export interface MadeCheckpoint {
  readonly checkpoint: Checkpoint;
  /** The file: a signed note, or what a witness is asked with where an older checkpoint was named. */
  readonly text: string;
  /** The size from which its proof begins; null without a proof. */
  readonly old: number | null;
}

/**
 * Signs the journal as it is now. With an older checkpoint the file proves that the journal still begins with it; where it
 * does not, nothing is signed. The root is made from the entries and not from the hashes kept beside them. Nothing is written to the journal: a checkpoint is about it and no part of it.
 * E_CHECKPOINT_ORIGIN for a key of another name, E_JOURNAL_TAMPERED, E_JOURNAL_TRUNCATED and E_JOURNAL_REWRITTEN against the older one.
 */
export async function makeCheckpoint(
  desk: Desk,
  key: SignerKey,
  older: Checkpoint | number | null,
): Promise<Result<MadeCheckpoint, Fault>> {
  const opened = await journalTree(desk);
  if (!opened.ok) return opened;
  const { origin, tree } = opened.value;
  const suits = suitsLog(key, origin);
  if (!suits.ok) return suits;
  const root = await tree.root();
  if (!root.ok) return root;
  const whole = await isOfEntries(desk, tree.size, root.value);
  if (!whole.ok) return whole;
  const checkpoint = { origin, size: tree.size, root: root.value, extensions: [] };
  const text = formatCheckpoint(checkpoint);
  const note = formatNote({ text, signatures: [signNote(key, text, desk.ports.clock())] });
  if (older === null) return ok({ checkpoint, text: note, old: null });
  const stands = await beginsWith(opened.value, older);
  if (!stands.ok) return stands;
  const proof = await tree.consistency(stands.value);
  if (!proof.ok) return proof;
  const file = formatConsistency({ kind: 'consistency', old: stands.value, proof: proof.value, checkpoint: note });
  return ok({ checkpoint, text: file, old: stands.value });
}

/**
 * What is signed is made from the entries alone. The hashes above them are rows that somebody else may have written: a root
 * from those would be the signature of this journal under entries that it does not have.
 */
async function isOfEntries({ journal }: Desk, size: number, kept: Hash): Promise<Result<void, Fault>> {
  const leaves = new MerkleTree(size, async (level, from, count) =>
    level === 0 ? journal.treeHashes(0, from, count) : ok([]),
  );
  const root = await leaves.root();
  if (!root.ok) return root;
  if (equalBytes(root.value, kept)) return ok(undefined);
  return fail('E_JOURNAL_TAMPERED', 'the tree that the journal keeps is not that of its entries: nothing is signed', {
    remedy: 'stop signing; countersign audit verify says which of its hashes somebody wrote',
  });
}

function suitsLog({ verifier }: SignerKey, origin: string): Result<void, Fault> {
  if (verifier.kind !== 'log') {
    return fail('E_NOTE_KEY', `the key of ${verifier.name} is one of a witness, and signs no checkpoints of its own`, {
      remedy: 'make a key of this journal: countersign audit key FILE',
    });
  }
  if (verifier.name === origin) return ok(undefined);
  return fail('E_CHECKPOINT_ORIGIN', `the key is that of ${verifier.name}, and this journal is ${origin}`, {
    remedy: 'give the key that was made in this workspace, or make one: countersign audit key FILE',
  });
}

async function beginsWith(journal: JournalTree, older: Checkpoint | number): Promise<Result<number, Fault>> {
  if (typeof older !== 'number') {
    const holds = await holdsCheckpoint(journal, older);
    return holds.ok ? ok(older.size) : holds;
  }
  return older <= journal.tree.size ? ok(older) : tooShort(journal.tree.size, older);
}

/** Whether the journal begins with what a checkpoint says. E_CHECKPOINT_ORIGIN, E_JOURNAL_TRUNCATED, E_JOURNAL_REWRITTEN. */
export async function holdsCheckpoint(
  { origin, tree }: JournalTree,
  checkpoint: Checkpoint,
): Promise<Result<void, Fault>> {
  if (checkpoint.origin !== origin) return otherOrigin(checkpoint.origin, origin);
  if (checkpoint.size > tree.size) return tooShort(tree.size, checkpoint.size);
  const root = await tree.root(checkpoint.size);
  if (!root.ok) return root;
  if (equalBytes(root.value, checkpoint.root)) return ok(undefined);
  return fail(
    'E_JOURNAL_REWRITTEN',
    `the first ${checkpoint.size} entries of the journal are not those of the checkpoint`,
    { remedy: 'stop signing; countersign audit verify --checkpoint FILE says what was done to it' },
  );
}

export function otherOrigin(named: string, own: string): Result<never, Fault> {
  return fail('E_CHECKPOINT_ORIGIN', `the checkpoint is of ${named}, and this journal is ${own}`, {
    remedy:
      'give a checkpoint of this journal; if this one was made here, the journal was put in the place of another one: stop signing',
  });
}

function tooShort(own: number, due: number): Result<never, Fault> {
  return fail('E_JOURNAL_TRUNCATED', `the journal has ${own} entries, and the checkpoint was made of ${due}`, {
    remedy: 'stop signing; countersign audit verify --checkpoint FILE says what was done to it',
  });
}
