import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { equalBytes, type Hex, sha256, toHex, trustedHex, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { isSoundEd25519Key } from './ed25519.js';
import { concatBytes } from './wire.js';

/**
 * What a key signs: a log its own checkpoints (type 0x01 of c2sp.org/signed-note), a witness those of others with the time
 * of its looking (type 0x04, c2sp.org/tlog-cosignature). Both are Ed25519.
 */
export type NoteKeyKind = 'log' | 'witness';

const TYPE_BYTES: Readonly<Record<NoteKeyKind, number>> = { log: 0x01, witness: 0x04 };

/** A key by which signatures under notes are verified. */
export interface VerifierKey {
  readonly name: string;
  readonly kind: NoteKeyKind;
  /** The first four bytes of SHA-256(name, newline, type byte, key): names the key in signature lines. */
  readonly id: Hex;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** NAME+ID+BASE64, as it is handed around. */
  readonly text: string;
}

export interface SignerKey {
  readonly verifier: VerifierKey;
  readonly privateKey: KeyObject;
}

/** Names are printed and compared by people, so only what every terminal shows; the format itself forbids spaces and plus. */
const NAME = /^[\x21-\x2a\x2c-\x7e]{1,200}$/;

export function isKeyName(name: string): boolean {
  return NAME.test(name);
}

function verifierKey(name: string, kind: NoteKeyKind, publicKey: Uint8Array): VerifierKey {
  const typed = concatBytes(Uint8Array.of(TYPE_BYTES[kind]), publicKey);
  const id = toHex(sha256(concatBytes(utf8(`${name}\n`), typed)).subarray(0, 4));
  return { name, kind, id, publicKey, text: `${name}+${id}+${Buffer.from(typed).toString('base64')}` };
}

/** NAME+ID+BASE64. E_NOTE_KEY for any other text, another algorithm, a wrong id or a key of small order. */
export function parseVerifierKey(text: string): Result<VerifierKey, Fault> {
  const [name = '', id, encoded = '', ...more] = text.trim().split(/\+(.*?)\+(.*)/s);
  const typed = strictBase64(encoded);
  if (!isKeyName(name) || id === undefined || typed === null || typed.length !== 33 || more.join('') !== '') {
    return notKey(text, 'it is not NAME+ID+BASE64');
  }
  const kind = kindOf(typed[0]);
  if (kind === null) return notKey(text, 'it is neither an Ed25519 key of a log (0x01) nor one of a witness (0x04)');
  const publicKey = typed.subarray(1);
  if (!isSoundEd25519Key(publicKey)) return notKey(text, 'its key proves nothing: it is of small order');
  const key = verifierKey(name, kind, publicKey);
  return key.id === id ? ok(key) : notKey(text, `its id is ${id}, and the key's is ${key.id}`);
}

function notKey(text: string, why: string): Result<never, Fault> {
  return fail('E_NOTE_KEY', `${JSON.stringify(text.trim().slice(0, 120))} is not a verifier key: ${why}`, {
    remedy: 'give the line that countersign audit key printed, whole and unchanged',
  });
}

function kindOf(byte: number | undefined): NoteKeyKind | null {
  if (byte === TYPE_BYTES.log) return 'log';
  return byte === TYPE_BYTES.witness ? 'witness' : null;
}

/** Base64 in its one spelling (Buffer skips what is not base64 and ignores spare bits); null for any other. */
export function strictBase64(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : null;
}

const PREFIX = 'PRIVATE+KEY+';

/** The signing key of a seed of 32 random bytes, and the line that keeps it: PRIVATE+KEY+NAME+ID+BASE64. */
export function makeSignerKey(name: string, kind: NoteKeyKind, seed: Hex): { key: SignerKey; text: string } {
  const key = signerOf(name, kind, trustedHex(seed));
  const typed = concatBytes(Uint8Array.of(TYPE_BYTES[kind]), trustedHex(seed));
  return { key, text: `${PREFIX}${name}+${key.verifier.id}+${Buffer.from(typed).toString('base64')}\n` };
}

/** RFC 8410: an Ed25519 seed in PKCS #8 is these bytes and the seed. */
const PKCS8_ED25519 = trustedHex('302e020100300506032b657004220420');

function signerOf(name: string, kind: NoteKeyKind, seed: Uint8Array): SignerKey {
  const der = Buffer.from(concatBytes(PKCS8_ED25519, seed));
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicKey = new Uint8Array(Buffer.from(jwk.x ?? '', 'base64url'));
  return { verifier: verifierKey(name, kind, publicKey), privateKey };
}

/** A line of makeSignerKey. E_NOTE_KEY, without a word of what the file holds. */
export function parseSignerKey(text: string, file: string): Result<SignerKey, Fault> {
  const line = text.trim();
  const [name = '', id, encoded = ''] = line.startsWith(PREFIX)
    ? line.slice(PREFIX.length).split(/\+(.*?)\+(.*)/s)
    : [];
  const typed = strictBase64(encoded);
  const kind = kindOf(typed?.[0]);
  if (!isKeyName(name) || typed?.length !== 33 || kind === null) {
    return fail('E_NOTE_KEY', `${file}: it is not a signing key`, {
      remedy: 'give the file that countersign audit key made',
      where: { file },
    });
  }
  const key = signerOf(name, kind, typed.subarray(1));
  if (key.verifier.id === id) return ok(key);
  return fail('E_NOTE_KEY', `${file}: the id of the key is not that of its name and bytes: the file was changed`, {
    remedy: 'take it from a copy, or make a new key and tell those who trust the old one',
    where: { file },
  });
}

/** Whether both are the same key under the same name. */
export function sameKey(a: VerifierKey, b: VerifierKey): boolean {
  return a.name === b.name && a.id === b.id && equalBytes(a.publicKey, b.publicKey);
}
