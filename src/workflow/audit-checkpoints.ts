import type { VerifiedSignature } from '../approval/note.js';
import type { VerifierKey } from '../approval/note-key.js';
import { equalBytes } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ownValue, parsedJson } from '../domain/json-difference.js';
import { err, ok, type Result } from '../domain/result.js';
import { namedBlobs } from '../journal/blobs.js';
import { decodeBody } from '../journal/body-schema.js';
import { type Checkpoint, journalOrigin } from '../journal/checkpoint.js';
import { Frontier, type Hash } from '../journal/merkle.js';
import type { Journal, RawEntry, RawJournal } from '../journal/port.js';
import {
  type JournalRemains,
  namedAgainst,
  namedBreak,
  namedEnd,
  namedRoot,
  type Tampering,
  tamperingFault,
  withoutOwnHalts,
} from '../journal/tampering.js';
import { openCheckpoint, readCheckpoint, type SignedCheckpoint } from './checkpoint-files.js';
import { otherOrigin } from './checkpoints.js';
import { readExport } from './export-tiles.js';
import type { Files } from './ports.js';

/** The rows of a journal that opens, which verified each of them. */
export async function rowsOf(journal: Pick<Journal, 'written' | 'blobNames'>): Promise<Result<RawJournal, Fault>> {
  const rows: RawEntry[] = [];
  for await (const { entry, text } of journal.written()) {
    const { seq, at, prev, hash } = entry;
    rows.push({ seq, at, prev, text, hash });
  }
  const blobs = await journal.blobNames();
  return blobs.ok ? ok({ rows, blobs: blobs.value }) : blobs;
}

/** Rows as they stand, and how many documents no row names. */
export function remainsOf({ rows, blobs }: RawJournal): JournalRemains {
  const named = new Set<string>();
  for (const { text } of rows) {
    const body = decodeBody(text);
    if (body.ok) for (const name of namedBlobs(body.value)) named.add(name);
  }
  return { rows, leftovers: blobs.filter((name) => !named.has(name)).length };
}

/** What a journal is held against: checkpoints, and entries that lead to one of them. */
export interface Held {
  /** From the smallest. */
  readonly checkpoints: readonly SignedCheckpoint[];
  /** Whose signatures were verified, for each checkpoint; empty where nobody's keys were given. */
  readonly signed: readonly (readonly VerifiedSignature[])[];
  /** Of the largest checkpoint; null where no export was given. */
  readonly copy: readonly RawEntry[] | null;
}

/** Reads checkpoints and an export, before anything of the journal is looked at. */
export async function readHeld(
  files: Files,
  named: readonly string[],
  trusted: readonly VerifierKey[],
  folder: string | null,
): Promise<Result<Held, Fault>> {
  const read: SignedCheckpoint[] = [];
  for (const file of named) {
    const checkpoint = await readCheckpoint(files, file);
    if (!checkpoint.ok) return checkpoint;
    read.push(checkpoint.value);
  }
  const checkpoints = read.sort((a, b) => a.checkpoint.size - b.checkpoint.size);
  const signed: (readonly VerifiedSignature[])[] = [];
  for (const one of trusted.length === 0 ? [] : checkpoints) {
    const opened = openCheckpoint(one, trusted);
    if (!opened.ok) return opened;
    signed.push(opened.value);
  }
  const largest = checkpoints.at(-1);
  if (folder === null || largest === undefined) return ok({ checkpoints, signed, copy: null });
  const copy = await readExport(files, folder, largest.checkpoint);
  return copy.ok ? ok({ checkpoints, signed, copy: copy.value }) : copy;
}

/**
 * Whether a journal begins with every checkpoint, and by name what was done to it where it does not. The rows are taken as
 * they stand in the store. E_CHECKPOINT_ORIGIN for a checkpoint of another journal.
 */
export function checkHeld(remains: JournalRemains, { checkpoints, copy }: Held): Result<void, Fault> {
  const origin = originOfRows(remains.rows);
  for (const { checkpoint } of checkpoints) {
    // An opening that was edited in place is told by the chain.
    if (origin !== null && checkpoint.origin !== origin && namedBreak(remains.rows.slice(0, 1)) === null) {
      return otherOrigin(checkpoint.origin, origin);
    }
  }
  const heads = checkpoints.map(({ checkpoint }) => checkpoint);
  const found = named(remains, heads, copy);
  if (found === null) return ok(undefined);
  const rows = withoutOwnHalts(remains.rows);
  return err(tamperingFault(named({ ...remains, rows }, heads, copy) ?? found));
}

function originOfRows([first]: readonly RawEntry[]): string | null {
  if (first === undefined) return null;
  const network = ownValue(parsedJson(Buffer.from(first.text)), 'network');
  return typeof network === 'string' ? journalOrigin(network, first.hash) : null;
}

function named(
  remains: JournalRemains,
  checkpoints: readonly Checkpoint[],
  copy: readonly RawEntry[] | null,
): Tampering | null {
  const { rows } = remains;
  const against = copy === null ? null : namedAgainst(remains, copy);
  if (against !== null) return against;
  const broken = namedBreak(rows);
  if (broken !== null) return broken;
  const roots = rootsAt(rows, checkpoints);
  const holds = ({ size, root }: Checkpoint): boolean => {
    const own = roots.get(size);
    return own !== undefined && equalBytes(own, root);
  };
  const wrong = checkpoints.find((one) => one.size <= rows.length && !holds(one));
  if (wrong !== undefined) {
    const from = checkpoints.filter((one) => one.size < wrong.size && holds(one)).at(-1)?.size ?? 0;
    const isSignedToo = checkpoints.some((one) => one.size >= wrong.size && holds(one));
    return namedRoot(from, wrong.size, isSignedToo);
  }
  const beyond = checkpoints.at(-1);
  return beyond !== undefined && beyond.size > rows.length ? namedEnd(remains, beyond.size) : null;
}

/** The roots that the rows have at the sizes of the checkpoints. */
function rootsAt(rows: readonly RawEntry[], checkpoints: readonly Checkpoint[]): ReadonlyMap<number, Hash> {
  const sizes = new Set(checkpoints.map(({ size }) => size));
  const roots = new Map<number, Hash>();
  const frontier = new Frontier();
  if (sizes.has(0)) roots.set(0, frontier.root());
  for (const { hash } of rows) {
    frontier.append(new Uint8Array(Buffer.from(hash, 'hex')));
    if (sizes.has(frontier.size)) roots.set(frontier.size, frontier.root());
  }
  return roots;
}
