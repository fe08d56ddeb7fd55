import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { concatBytes, wireString } from '../../src/approval/wire.js';
import { sha256, utf8 } from '../../src/domain/bytes.js';

/** Makes SSHSIGs of every kind in software, FIDO2 ones included, and any way in which one can be wrong. */
export type TokenType =
  | 'ssh-ed25519'
  | 'sk-ssh-ed25519@openssh.com'
  | 'ecdsa-sha2-nistp256'
  | 'sk-ecdsa-sha2-nistp256@openssh.com';

export const TOKEN_TYPES: readonly TokenType[] = [
  'ssh-ed25519',
  'sk-ssh-ed25519@openssh.com',
  'ecdsa-sha2-nistp256',
  'sk-ecdsa-sha2-nistp256@openssh.com',
];

export interface Token {
  readonly type: TokenType;
  readonly privateKey: KeyObject;
  readonly publicBlob: Uint8Array;
}

const APPLICATION = utf8('ssh:');
const isSk = (type: TokenType): boolean => type.startsWith('sk-');
const isEd = (type: TokenType): boolean => type.includes('ed25519');
const fromUrl = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'base64url'));

export function makeToken(type: TokenType): Token {
  const { privateKey } = isEd(type)
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  const point = isEd(type)
    ? [wireString(fromUrl(jwk.x))]
    : [wireString(utf8('nistp256')), wireString(concatBytes(Uint8Array.of(4), fromUrl(jwk.x), fromUrl(jwk.y)))];
  const application = isSk(type) ? [wireString(APPLICATION)] : [];
  return { type, privateKey, publicBlob: concatBytes(wireString(utf8(type)), ...point, ...application) };
}

export const publicLine = (token: Token): string => `${token.type} ${Buffer.from(token.publicBlob).toString('base64')}`;

export interface SigParts {
  readonly magic: Uint8Array;
  readonly version: number;
  readonly publicBlob: Uint8Array;
  readonly namespace: Uint8Array;
  readonly reserved: Uint8Array;
  readonly hash: Uint8Array;
  /** Type name of the signature. */
  readonly type: string;
  /** Ed25519: 64 bytes. ECDSA: the two mpints. */
  readonly raw: Uint8Array;
  readonly flags: number;
  readonly counter: number;
  /** Appended to the inner signature, and to the whole. */
  readonly innerTail: Uint8Array;
  readonly tail: Uint8Array;
}

const NOTHING = new Uint8Array(0);

export function uint32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

/** A number as an mpint: no spare zeros, one where the top bit is set. */
export function mpint(digits: Uint8Array): Uint8Array {
  const start = digits.findIndex((byte) => byte !== 0);
  const trimmed = start < 0 ? NOTHING : digits.subarray(start);
  return wireString((trimmed[0] ?? 0) >= 0x80 ? concatBytes(Uint8Array.of(0), trimmed) : trimmed);
}

export interface SignOptions {
  readonly namespace?: string;
  readonly hash?: 'sha256' | 'sha512';
  readonly flags?: number;
}

/** The parts of a good signature, to be armoured as they are or spoilt first. */
export function signParts(token: Token, message: Uint8Array, options: SignOptions = {}): SigParts {
  const { namespace = 'countersign-approve@v1', hash = 'sha512', flags = 1 } = options;
  const counter = 7;
  const digest = new Uint8Array(createHash(hash).update(message).digest());
  const fields = [utf8(namespace), NOTHING, utf8(hash), digest].map(wireString);
  const signed = concatBytes(utf8('SSHSIG'), ...fields);
  const over = isSk(token.type)
    ? concatBytes(sha256(APPLICATION), Uint8Array.of(flags), uint32(counter), sha256(signed))
    : signed;
  const raw = isEd(token.type)
    ? new Uint8Array(sign(null, over, token.privateKey))
    : new Uint8Array(sign('sha256', over, { key: token.privateKey, dsaEncoding: 'ieee-p1363' }));
  return {
    magic: utf8('SSHSIG'),
    version: 1,
    publicBlob: token.publicBlob,
    namespace: utf8(namespace),
    reserved: NOTHING,
    hash: utf8(hash),
    type: token.type,
    raw: isEd(token.type) ? raw : concatBytes(mpint(raw.subarray(0, 32)), mpint(raw.subarray(32))),
    flags,
    counter,
    innerTail: NOTHING,
    tail: NOTHING,
  };
}

export function blobOf(token: Token, parts: SigParts): Uint8Array {
  const attested = isSk(token.type) ? [Uint8Array.of(parts.flags), uint32(parts.counter)] : [];
  const inner = concatBytes(wireString(utf8(parts.type)), wireString(parts.raw), ...attested, parts.innerTail);
  const fields = [parts.publicBlob, parts.namespace, parts.reserved, parts.hash, inner].map(wireString);
  return concatBytes(parts.magic, uint32(parts.version), ...fields, parts.tail);
}

export function armor(blob: Uint8Array): string {
  const lines =
    Buffer.from(blob)
      .toString('base64')
      .match(/.{1,70}/g) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n');
}

/** An armoured signature, some of its parts replaced before they are put together. */
export function softSign(
  token: Token,
  message: Uint8Array,
  options: SignOptions = {},
  spoilt: Partial<SigParts> | ((good: SigParts) => Partial<SigParts>) = {},
): string {
  const good = signParts(token, message, options);
  return armor(blobOf(token, { ...good, ...(typeof spoilt === 'function' ? spoilt(good) : spoilt) }));
}
