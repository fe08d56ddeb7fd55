import { createPublicKey, sign, verify } from 'node:crypto';
import { type Hex, toHex, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { UnixSeconds } from '../domain/time.js';
import { isKeyName, type SignerKey, strictBase64, type VerifierKey } from './note-key.js';
import { concatBytes } from './wire.js';

/** A text with signatures under it (c2sp.org/signed-note). `text` ends with a newline and is what is signed. */
export interface Note {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** Four bytes: which key of that name. */
  readonly id: Hex;
  readonly signature: Uint8Array;
}

/** A signature that a trusted key has made. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** When a witness looked; null of a log. */
  readonly at: UnixSeconds | null;
}

/** Far more than a checkpoint with all its witnesses takes. */
const MOST_BYTES = 65_536;
const MOST_SIGNATURES = 100;
/** What a time may be at most in seconds: that of the year 9999. */
const LAST_SECOND = 253_402_300_799n;

/** Reads a note and verifies nothing of it. E_NOTE_FORM. */
export function parseNote(bytes: Uint8Array, file: string): Result<Note, Fault> {
  if (bytes.length > MOST_BYTES) return form(file, `it is larger than ${MOST_BYTES} bytes`);
  const content = Buffer.from(bytes).toString('utf8');
  if (!Buffer.from(content, 'utf8').equals(bytes)) return form(file, 'it is not UTF-8');
  // The control characters themselves are what is looked for.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the format forbids exactly these.
  if (/[\u0000-\u0009\u000b-\u001f]/.test(content)) return form(file, 'it holds a control character');
  const split = content.lastIndexOf('\n\n');
  if (split < 0 || !content.endsWith('\n')) return form(file, 'no empty line stands before its signatures');
  const lines = content.slice(split + 2, -1).split('\n');
  if (lines.length > MOST_SIGNATURES) return form(file, `it has more than ${MOST_SIGNATURES} signatures`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const [, name = '', encoded = ''] = /^— (\S+) (\S+)$/u.exec(line) ?? [];
    const blob = strictBase64(encoded);
    if (name === '' || name.includes('+') || blob === null || blob.length < 5) {
      return form(file, `${JSON.stringify(line.slice(0, 80))} is not a signature line`);
    }
    signatures.push({ name, id: toHex(blob.subarray(0, 4)), signature: blob.subarray(4) });
  }
  return ok({ text: content.slice(0, split + 1), signatures });
}

function form(file: string, why: string): Result<never, Fault> {
  return fail('E_NOTE_FORM', `${file}: not a signed note: ${why}`, {
    remedy: 'give the file as countersign audit checkpoint or audit witness wrote it, unchanged',
    where: { file },
  });
}

export function formatNote({ text, signatures }: Note): string {
  const lines = signatures.map(({ name, id, signature }) => {
    const blob = Buffer.concat([Buffer.from(id, 'hex'), signature]);
    return `— ${name} ${blob.toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** The signature of a key under a text: of a log over the text, of a witness over the text and the moment. */
export function signNote({ verifier, privateKey }: SignerKey, text: string, now: UnixSeconds): NoteSignature {
  const { name, kind, id } = verifier;
  if (kind === 'log') return { name, id, signature: new Uint8Array(sign(null, utf8(text), privateKey)) };
  const signature = sign(null, cosigned(BigInt(now), text), privateKey);
  return { name, id, signature: concatBytes(timeBytes(BigInt(now)), signature) };
}

/** What a witness signs (c2sp.org/tlog-cosignature, cosignature/v1). */
function cosigned(time: bigint, text: string): Uint8Array {
  return utf8(`cosignature/v1\ntime ${time}\n${text}`);
}

function timeBytes(time: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(time);
  return bytes;
}

/** The note with one more signature, in the place of an older one of the same key. */
export function withSignature(note: Note, added: NoteSignature): Note {
  const others = note.signatures.filter(({ name, id }) => name !== added.name || id !== added.id);
  return { text: note.text, signatures: [...others, added] };
}

/**
 * Which of the trusted keys have signed. Signatures of other keys are passed over, as the format asks; one of a trusted key
 * that does not verify refuses the whole note. E_NOTE_SIGNATURE; E_NOTE_UNTRUSTED where no trusted key has signed.
 */
export function openNote(
  note: Note,
  trusted: readonly VerifierKey[],
  file: string,
): Result<readonly VerifiedSignature[], Fault> {
  const verified: VerifiedSignature[] = [];
  for (const signature of note.signatures) {
    const key = trusted.find(({ name, id }) => name === signature.name && id === signature.id);
    if (key === undefined || verified.some((one) => one.key === key)) continue;
    const at = verifiedAt(key, note.text, signature.signature);
    if (at === undefined) {
      return fail('E_NOTE_SIGNATURE', `${file}: the signature of ${key.name} does not verify`, {
        remedy: 'believe nothing of this file: it was changed after it was signed, or never signed by that key',
        where: { file },
      });
    }
    verified.push({ key, at });
  }
  if (verified.length > 0) return ok(verified);
  const names = [...new Set(note.signatures.map(({ name }) => name))].filter(isKeyName);
  return fail(
    'E_NOTE_UNTRUSTED',
    `${file}: none of the trusted keys has signed it; it is signed by ${names.join(', ')}`,
    {
      remedy: 'give the verifier key that you have from the signer in person (--trust KEY), or ask for its signature',
      where: { file },
    },
  );
}

/** The time that a witness signed, null for a log, undefined where the signature does not verify. */
function verifiedAt(key: VerifierKey, text: string, signature: Uint8Array): UnixSeconds | null | undefined {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key.publicKey).toString('base64url') };
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  if (key.kind === 'log') {
    return signature.length === 64 && verify(null, utf8(text), publicKey, signature) ? null : undefined;
  }
  if (signature.length !== 72) return undefined;
  const time = Buffer.from(signature).readBigUInt64BE(0);
  const valid = time <= LAST_SECOND && verify(null, cosigned(time, text), publicKey, signature.subarray(8));
  return valid ? Number(time) : undefined;
}
