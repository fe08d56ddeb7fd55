import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { Hash, TreeHead } from './merkle.js';
import type { JournalState } from './state.js';

/** What a log says of itself in the text of a signed note (c2sp.org/tlog-checkpoint): so many entries, with this root. */
export interface Checkpoint extends TreeHead {
  /** Which log: no two journals have the same. */
  readonly origin: string;
  /** Further lines; countersign writes none and goes by none. */
  readonly extensions: readonly string[];
}

/**
 * The origin of a journal: its network and the hash of its first entry, whose nonce makes it unlike any other's. Null before
 * there is an entry.
 */
export function originOf({ origin, network }: Pick<JournalState, 'origin' | 'network'>): string | null {
  return origin === null || network === null ? null : journalOrigin(network, origin);
}

export function journalOrigin(network: string, first: Hex): string {
  return `countersign/${network}/${first}`;
}

export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, `${size}`, Buffer.from(root).toString('base64'), ...extensions, ''].join('\n');
}

/** The text of a note as a checkpoint. E_CHECKPOINT_FORM. */
export function parseCheckpoint(text: string, file: string): Result<Checkpoint, Fault> {
  const [origin = '', sizeText = '', rootText = '', ...rest] = text.split('\n');
  const end = rest.pop();
  const size = wholeSize(sizeText);
  const root = parseHash(rootText);
  if (origin === '' || size === null || root === null || end !== '' || rest.includes('')) {
    return fail('E_CHECKPOINT_FORM', `${file}: its text is not origin, size, root hash and a line end`, {
      remedy: 'give a checkpoint that countersign audit checkpoint or audit witness wrote',
      where: { file },
    });
  }
  return ok({ origin, size, root, extensions: rest });
}

/** A size or an index in its one spelling; null for any other text. */
export function wholeSize(text: string): number | null {
  const size = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(size) ? size : null;
}

/** 32 bytes in base64, in its one spelling; null for any other text. */
export function parseHash(text: string): Hash | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 32 && bytes.toString('base64') === text ? new Uint8Array(bytes) : null;
}
