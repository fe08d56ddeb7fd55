import { formatNote } from '../approval/note.js';
import { equalBytes, sha256, toHex, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { entryRecord } from '../journal/chain.js';
import type { Checkpoint } from '../journal/checkpoint.js';
import { Frontier } from '../journal/merkle.js';
import { MerkleTree, TILE_WIDTH } from '../journal/merkle-tree.js';
import type { RawEntry } from '../journal/port.js';
import {
  type BundleForm,
  bundleForm,
  bundlePath,
  decodeBundle,
  encodeBundle,
  type Tile,
  tilePath,
  tilesOf,
  tilesOfLevel,
} from '../journal/tiles.js';
import { readCheckpoint, type SignedCheckpoint } from './checkpoint-files.js';
import { holdsCheckpoint, journalTree } from './checkpoints.js';
import type { Desk, Files } from './ports.js';

export interface ExportedTiles {
  readonly checkpoint: Checkpoint;
  readonly tiles: number;
  readonly bundles: number;
  /** How many files were not there yet. */
  readonly written: number;
  /** Paths of bundles that hold an entry of more than 65,535 bytes, and are in countersign's own form therefore. */
  readonly wide: readonly string[];
}

/**
 * Writes the tree of a checkpoint as the static files of c2sp.org/tlog-tiles: hash tiles, entry bundles and, when all of
 * them are there, the checkpoint. A file that is there already has to say the same; one that says otherwise ends the export
 * (E_FILE_EXISTS), as does a folder that holds a newer export, or another journal's (E_CHECKPOINT_ORIGIN).
 */
export async function exportTiles(
  desk: Desk,
  folder: string,
  signed: SignedCheckpoint,
  progress: (done: number, total: number) => void,
): Promise<Result<ExportedTiles, Fault>> {
  const { checkpoint, note } = signed;
  const { files } = desk.ports;
  const opened = await journalTree(desk);
  if (!opened.ok) return opened;
  const holds = await holdsCheckpoint(opened.value, checkpoint);
  if (!holds.ok) return holds;
  const before = await publishedBefore(files, folder, checkpoint);
  if (!before.ok) return before;
  const writer = new FolderWriter(files, folder);
  const { journal } = desk;
  const tree = new MerkleTree(checkpoint.size, (level, from, count) => journal.treeHashes(level, from, count));
  const tiles = tilesOf(checkpoint.size);
  for (const tile of tiles) {
    const hashes = await tree.hashes(tile.level, tile.n * TILE_WIDTH, tile.width);
    if (!hashes.ok) return hashes;
    const written = await writer.write(tilePath(tile), new Uint8Array(Buffer.concat(hashes.value)));
    if (!written.ok) return written;
  }
  const wide: string[] = [];
  const bundles = tilesOfLevel(0, checkpoint.size);
  const [...due] = bundles;
  let records: Uint8Array[] = [];
  for await (const entry of journal.entries()) {
    const [tile] = due;
    if (tile === undefined) break;
    records.push(entryRecord(entry));
    if (records.length < tile.width) continue;
    const form = bundleForm(records);
    const path = bundlePath(tile, form);
    if (form === 'wide') wide.push(path);
    const written = await writer.write(path, encodeBundle(records, form));
    if (!written.ok) return written;
    records = [];
    due.shift();
    progress(bundles.length - due.length, bundles.length);
  }
  const published = await files.replace(`${folder}/checkpoint`, utf8(formatNote(note)), before.value);
  if (!published.ok) return published;
  return ok({ checkpoint, tiles: tiles.length, bundles: bundles.length, written: writer.written, wide });
}

/** The checkpoint file of an earlier export, which must be of no later state of the same journal; null where none is there. */
async function publishedBefore(
  files: Files,
  folder: string,
  { origin, size }: Checkpoint,
): Promise<Result<Uint8Array | null, Fault>> {
  const file = `${folder}/checkpoint`;
  if (!(await files.exists(file))) return ok(null);
  const bytes = await files.read(file);
  if (!bytes.ok) return bytes;
  const earlier = await readCheckpoint(files, file);
  if (!earlier.ok) return earlier;
  const { checkpoint } = earlier.value;
  if (checkpoint.origin !== origin) {
    return fail('E_CHECKPOINT_ORIGIN', `${file}: the folder holds an export of ${checkpoint.origin}`, {
      remedy: 'give each journal a folder of its own',
      where: { file },
    });
  }
  if (checkpoint.size <= size) return ok(bytes.value);
  return fail(
    'E_FILE_EXISTS',
    `${file}: the folder holds an export of ${checkpoint.size} entries, and this one is of ${size}`,
    {
      remedy: 'export a newer checkpoint, or give another folder',
      where: { file },
    },
  );
}

/** Files that never change: each is written once, whole. */
class FolderWriter {
  written = 0;
  readonly #made = new Set<string>();

  constructor(
    readonly files: Files,
    readonly folder: string,
  ) {}

  async write(path: string, bytes: Uint8Array): Promise<Result<void, Fault>> {
    const file = `${this.folder}/${path}`;
    if (await this.files.exists(file)) {
      const present = await this.files.read(file);
      // What differs is told in the words of whoever writes files.
      if (present.ok && equalBytes(present.value, bytes)) return ok(undefined);
    }
    const parent = file.slice(0, file.lastIndexOf('/'));
    if (!this.#made.has(parent)) {
      const made = await this.files.makeFolder(parent);
      if (!made.ok) return made;
      this.#made.add(parent);
    }
    this.written += 1;
    return this.files.writeNew(file, bytes);
  }
}

/**
 * The entries that an export holds of a checkpoint. They are believed because they lead to its root, and for no other
 * reason. E_FILE_MISSING, and E_PROOF_INVALID where they lead to another one.
 */
export async function readExport(
  files: Files,
  folder: string,
  { size, root }: Checkpoint,
): Promise<Result<readonly RawEntry[], Fault>> {
  const frontier = new Frontier();
  const entries: RawEntry[] = [];
  for (const tile of tilesOfLevel(0, size)) {
    const records = await readBundle(files, folder, tile);
    if (!records.ok) return records;
    for (const record of records.value) {
      const hash = sha256(Buffer.concat([Buffer.of(0), record]));
      frontier.append(hash);
      const entry = rawEntry(record, toHex(hash));
      if (entry === null) return otherRoot(folder);
      entries.push(entry);
    }
  }
  return equalBytes(frontier.root(), root) ? ok(entries) : otherRoot(folder);
}

function otherRoot(folder: string): Result<never, Fault> {
  return fail('E_PROOF_INVALID', `${folder}: its entries are not those that the checkpoint was made of`, {
    remedy: 'give the export that was made together with this checkpoint, as it was',
    where: { file: folder },
  });
}

const FORMS: readonly BundleForm[] = ['standard', 'wide'];

async function readBundle(files: Files, folder: string, tile: Tile): Promise<Result<readonly Uint8Array[], Fault>> {
  // A partial bundle may have been taken away once the full one was there.
  for (const width of tile.width === TILE_WIDTH ? [TILE_WIDTH] : [tile.width, TILE_WIDTH]) {
    for (const form of FORMS) {
      const file = `${folder}/${bundlePath({ ...tile, width }, form)}`;
      if (!(await files.exists(file))) continue;
      const bytes = await files.read(file);
      if (!bytes.ok) return bytes;
      const records = decodeBundle(bytes.value, form);
      return records === null || records.length < tile.width ? otherRoot(folder) : ok(records.slice(0, tile.width));
    }
  }
  const file = `${folder}/${bundlePath(tile, 'standard')}`;
  return fail('E_FILE_MISSING', 'the file is missing', {
    remedy: 'give the whole folder that countersign audit export wrote',
    where: { file },
  });
}

/** The fields of a record, which is canonical: its last three members can stand nowhere else. */
function rawEntry(record: Uint8Array, hash: string): RawEntry | null {
  const [, at, text, prev, seq] =
    /^\{"at":"([^"]*)","body":(.*),"prev":"([0-9a-f]{64})","seq":(0|[1-9][0-9]*)\}$/s.exec(
      Buffer.from(record).toString('utf8'),
    ) ?? [];
  if (at === undefined || text === undefined || prev === undefined || seq === undefined) return null;
  return { seq: Number(seq), at, prev, text, hash };
}
