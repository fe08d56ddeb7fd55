import type { AppInfo } from './types.js';

/** BOLOS "get app and version": CLA b0, INS 01, no data. */
export const GET_APP_AND_VERSION = Uint8Array.of(0xb0, 0x01, 0x00, 0x00, 0x00);

/**
 * The answer to "get app and version" without its status word: format 1, then name, version and flags, each after its
 * length. Null where it is anything else, or where name or version hold more than printable ASCII.
 */
export function parseAppInfo(data: Uint8Array): AppInfo | null {
  if (data[0] !== 1) return null;
  const name = field(data, 1);
  const version = name === null ? null : field(data, name.next);
  if (name === null || version === null) return null;
  return { name: name.text, version: version.text };
}

function field(data: Uint8Array, at: number): { readonly text: string; readonly next: number } | null {
  const length = data[at];
  if (length === undefined || data.length < at + 1 + length) return null;
  const text = Buffer.from(data.subarray(at + 1, at + 1 + length)).toString('latin1');
  return /^[\x20-\x7e]+$/.test(text) ? { text, next: at + 1 + length } : null;
}
