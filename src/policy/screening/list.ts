import { decodeAddress } from '../../domain/address.js';
import { type Hex, toHex } from '../../domain/bytes.js';
import { type Fault, type FaultTag, fail } from '../../domain/fault.js';
import type { Network } from '../../domain/network.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type { UnixSeconds } from '../../domain/time.js';

/** An entry that stands in a list and cannot be hit: what it says is no script of this network. */
export interface UnusableLine {
  /** Counts from 1. */
  readonly line: number;
  readonly tag: FaultTag;
  /** One sentence, for people; the journal keeps line and tag. */
  readonly reason: string;
}

/** A screening list as its file has it, whatever its form. */
export interface ScreeningList {
  /** What a document of countersign.screening/1 says of itself; plain text says none of it. */
  readonly stated: {
    readonly id: string;
    readonly issuer: string;
    readonly issuedAt: UnixSeconds;
    readonly expiresAt: UnixSeconds | null;
  } | null;
  /** Scripts in hex, each once, sorted: the order of a list means nothing. */
  readonly scripts: readonly Hex[];
  readonly unusable: readonly UnusableLine[];
}

/** The longest script that consensus lets anybody spend is 10,000 bytes. */
const SCRIPT_FORM = /^(?:script:)?((?:[0-9a-fA-F]{2}){1,10000})$/;
/** Below it lies every address in base58; above it every script that an address can stand for, in hex. */
const SHORTEST_BARE = 44;

/** The script that an entry stands for: an address of the network, or the script itself in hex. */
export function listedScript(text: string, network: Network): Result<Hex, Fault> {
  const hex = SCRIPT_FORM.exec(text)?.[1];
  if (hex !== undefined && (text.length >= SHORTEST_BARE || text.startsWith('script:'))) return ok(hex.toLowerCase());
  const decoded = decodeAddress(text, network);
  return decoded.ok ? ok(toHex(decoded.value.script)) : decoded;
}

/** Collects the entries of a list, those that cannot be used with their lines. */
export class ListBuilder {
  readonly #scripts = new Set<Hex>();
  readonly #unusable: UnusableLine[] = [];

  constructor(readonly network: Network) {}

  add(text: string, line: number): void {
    const script = listedScript(text, this.network);
    if (script.ok) this.#scripts.add(script.value);
    else this.#unusable.push({ line, tag: script.error.tag, reason: script.error.message });
  }

  finish(stated: ScreeningList['stated']): ScreeningList {
    return { stated, scripts: [...this.#scripts].sort(), unusable: this.#unusable };
  }
}

/**
 * Reads a list of plain text: an address or a script in hex on each line, what follows # is a comment. A line that is
 * neither is counted and kept; it never stops the others from being used.
 */
export function readTextList(text: string, network: Network): ScreeningList {
  const builder = new ListBuilder(network);
  for (const [index, line] of text.split('\n').entries()) {
    const entry = (line.split('#', 1)[0] ?? '').trim();
    if (entry !== '') builder.add(entry, index + 1);
  }
  return builder.finish(null);
}

/** An empty list says nothing, and never that everything is clean. */
export function notEmpty({ scripts, unusable }: ScreeningList, file: string): Result<void, Fault> {
  if (scripts.length > 0) return ok(undefined);
  const [first] = unusable;
  const why =
    first === undefined
      ? 'it has no entries at all'
      : `none of its ${unusable.length} entries can be used; the first, line ${first.line}: ${first.reason}`;
  return fail('E_SCREENING_EMPTY', `${quoted(file, 200)} lists no script of this network: ${why}`, {
    where: { file },
    remedy: 'fetch it again, and compare its size with that of the list before: an empty list is not a clean one',
  });
}
