import { type Hex, utf8 } from '../../domain/bytes.js';
import { canonicalJson } from '../../domain/canonical-json.js';
import type { ScreeningList } from './list.js';

/**
 * What the journal keeps of a list beside its bytes: the scripts that were read from it, and the lines that could not be
 * read. Decoding 100,000 addresses takes more than a second, reading this a few hundredths of one; `audit verify` decodes
 * them again.
 */
export function screeningSet({ scripts, unusable }: ScreeningList): Uint8Array {
  const lines = unusable.map(({ line, tag }) => ({ line, tag }));
  return utf8(canonicalJson({ schema: 'countersign.screening-set/1', scripts, unusable: lines }));
}

/** A line that could not be used, as the journal keeps it. */
export interface KeptLine {
  readonly line: number;
  readonly tag: string;
}

/** Reads what screeningSet wrote, from a journal that vouches for the bytes. */
export function readScreeningSet(bytes: Uint8Array): {
  readonly scripts: ReadonlySet<Hex>;
  readonly unusable: readonly KeptLine[];
} | null {
  const read: unknown = parsed(bytes);
  if (typeof read !== 'object' || read === null || !('scripts' in read) || !('unusable' in read)) return null;
  const { scripts, unusable } = read;
  if (!Array.isArray(scripts) || !Array.isArray(unusable)) return null;
  if (!scripts.every((script) => typeof script === 'string') || !unusable.every(isKeptLine)) return null;
  return { scripts: new Set(scripts), unusable };
}

function isKeptLine(value: unknown): value is KeptLine {
  if (typeof value !== 'object' || value === null || !('line' in value) || !('tag' in value)) return false;
  return typeof value.line === 'number' && typeof value.tag === 'string';
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    // JSON has no other way of saying that a text is none.
    return null;
  }
}
