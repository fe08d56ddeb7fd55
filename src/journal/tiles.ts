import { TILE_WIDTH } from './merkle-tree.js';

/** A file of c2sp.org/tlog-tiles: so many hashes of a level, or the entries under those of level 0. */
export interface Tile {
  readonly level: number;
  readonly n: number;
  /** 256, or 1 to 255 in a partial tile. */
  readonly width: number;
}

/** The tiles of a tree, level by level: the full ones, and the partial one at its right edge. */
export function tilesOf(size: number): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let [level, count] = [0, size]; count > 0; [level, count] = [level + 1, Math.floor(count / TILE_WIDTH)]) {
    tiles.push(...tilesOfLevel(level, count));
  }
  return tiles;
}

/** The tiles of one level that has so many hashes. */
export function tilesOfLevel(level: number, count: number): readonly Tile[] {
  const full = Math.floor(count / TILE_WIDTH);
  const tiles = Array.from({ length: full }, (_, n) => ({ level, n, width: TILE_WIDTH }));
  const rest = count % TILE_WIDTH;
  return rest === 0 ? tiles : [...tiles, { level, n: full, width: rest }];
}

/** Its path under the prefix of the log: tile/0/x001/x234/067, with .p/W where it is partial. */
export function tilePath(tile: Tile): string {
  return `tile/${tile.level}/${placePath(tile)}`;
}

/**
 * Where the entries of a tile of level 0 are. `wide` is countersign's own, for entries of more than 65,535 bytes, which the
 * form of the specification cannot hold: the same with lengths of four bytes, at another address as it asks.
 */
export function bundlePath(tile: Tile, form: BundleForm): string {
  return `tile/${form === 'wide' ? 'wide-entries' : 'entries'}/${placePath(tile)}`;
}

/** The number in groups of three digits, all but the last with an x before them. */
function placePath({ n, width }: Tile): string {
  const groups = [`${n % 1000}`.padStart(3, '0')];
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${`${rest % 1000}`.padStart(3, '0')}`);
  }
  return `${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

export type BundleForm = 'standard' | 'wide';
const LENGTH_BYTES: Readonly<Record<BundleForm, number>> = { standard: 2, wide: 4 };
const MOST_STANDARD = 65_535;

/** The form in which these entries can be kept. */
export function bundleForm(records: readonly Uint8Array[]): BundleForm {
  return records.every(({ length }) => length <= MOST_STANDARD) ? 'standard' : 'wide';
}

/** Entries one behind the other, each with its length before it, big-endian. */
export function encodeBundle(records: readonly Uint8Array[], form: BundleForm): Uint8Array {
  const size = LENGTH_BYTES[form];
  const parts = records.flatMap((record) => {
    const length = Buffer.alloc(size);
    length.writeUIntBE(record.length, 0, size);
    return [length, record];
  });
  return new Uint8Array(Buffer.concat(parts));
}

/** The entries of a bundle; null where it is cut off or something follows. */
export function decodeBundle(bytes: Uint8Array, form: BundleForm): readonly Uint8Array[] | null {
  const size = LENGTH_BYTES[form];
  const records: Uint8Array[] = [];
  let at = 0;
  while (at + size <= bytes.length) {
    const end = at + size + Buffer.from(bytes.subarray(at, at + size)).readUIntBE(0, size);
    if (end > bytes.length) return null;
    records.push(bytes.subarray(at + size, end));
    at = end;
  }
  return at === bytes.length ? records : null;
}
