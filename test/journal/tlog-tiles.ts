import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { leafOf, mth } from './merkle-rfc.js';

/**
 * A reader of c2sp.org/tlog-tiles written from the specification and RFC 6962 alone: it sees the folder and nothing of the
 * program, and takes the entries, every tile and the root for true only where they follow from each other.
 */
const hash = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/** "<N> ... encoded into zero-padded 3-digit path elements. All but the last path element MUST begin with an x." */
export function encoded(n: number): string {
  const digits = `${n}`.padStart(Math.ceil(`${n}`.length / 3) * 3, '0');
  const groups = digits.match(/.{3}/g) ?? [];
  return groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/');
}

export interface ReadLog {
  readonly origin: string;
  readonly entries: readonly Buffer[];
  readonly root: Buffer;
  /** Every file of the specification that the size calls for. */
  readonly files: readonly string[];
}

export function readLog(folder: string): ReadLog {
  const [origin = '', sizeLine = '', rootLine = ''] = readFileSync(`${folder}/checkpoint`, 'utf8').split('\n');
  const size = Number(sizeLine);
  const files: string[] = ['checkpoint'];
  const file = (path: string): Buffer => {
    files.push(path);
    return readFileSync(`${folder}/${path}`);
  };

  const entries: Buffer[] = [];
  const levels: Buffer[][] = [];
  for (let level = 0; Math.floor(size / 256 ** level) > 0; level += 1) {
    const width = Math.floor(size / 256 ** level);
    const hashes: Buffer[] = [];
    for (let n = 0; n * 256 < width; n += 1) {
      const due = Math.min(256, width - n * 256);
      const suffix = due === 256 ? '' : `.p/${due}`;
      const tile = file(`tile/${level}/${encoded(n)}${suffix}`);
      if (tile.length !== due * 32)
        throw new Error(`tile ${level}/${n} has ${tile.length} bytes, and ${due} hashes are due`);
      for (let at = 0; at < due; at += 1) hashes.push(tile.subarray(at * 32, at * 32 + 32));
      if (level === 0) entries.push(...bundle(file(`tile/entries/${encoded(n)}${suffix}`), due));
    }
    levels.push(hashes);
  }
  for (const [at, entry] of entries.entries()) {
    if (!leafOf(entry).equals(levels[0]?.[at] ?? Buffer.of())) throw new Error(`entry ${at} is not under its leaf`);
  }
  // "Each hash in a tile is the Merkle Tree Hash of a full tile at the level below."
  for (const [level, hashes] of levels.entries()) {
    for (const [n, node] of level === 0 ? [] : hashes.entries()) {
      const below = levels[level - 1]?.slice(n * 256, n * 256 + 256) ?? [];
      if (!mth(below).equals(node)) throw new Error(`hash ${n} of level ${level} is not that of its tile`);
    }
  }
  const root = Buffer.from(rootLine, 'base64');
  if (!mth(levels[0] ?? []).equals(root)) throw new Error('the tiles do not lead to the root of the checkpoint');
  return { origin, entries, root, files };
}

/** "Sequences of big-endian uint16 length-prefixed log entries." */
function bundle(bytes: Buffer, due: number): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    entries.push(bytes.subarray(at + 2, end));
    if (end > bytes.length) throw new Error('a bundle is cut off');
    at = end;
  }
  if (entries.length !== due) throw new Error(`a bundle has ${entries.length} entries, and ${due} are due`);
  return entries;
}

/** The root by an inclusion proof whose hashes are taken from tiles alone: the leaf, and what stands beside its path. */
export function rootThrough(folder: string, index: number, size: number): Buffer {
  const leaf = (n: number): Buffer => {
    const [tile, rest] = [Math.floor(n / 256), size - Math.floor(n / 256) * 256];
    const name = `${folder}/tile/0/${encoded(tile)}${rest >= 256 ? '' : `.p/${rest}`}`;
    if (!existsSync(name)) throw new Error(`${name} is missing`);
    return readFileSync(name).subarray((n % 256) * 32, (n % 256) * 32 + 32);
  };
  const range = (from: number, to: number): Buffer => mth(Array.from({ length: to - from }, (_, n) => leaf(from + n)));
  const through = (from: number, to: number): Buffer => {
    if (to - from === 1) return leaf(from);
    let k = 1;
    while (k * 2 < to - from) k *= 2;
    const [left, right] =
      index < from + k
        ? [through(from, from + k), range(from + k, to)]
        : [range(from, from + k), through(from + k, to)];
    return hash(Buffer.concat([Buffer.of(1), left, right]));
  };
  return through(0, size);
}
