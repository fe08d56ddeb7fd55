import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { equalBytes, sha256, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { isSoundEd25519Key } from './ed25519.js';
import { concatBytes, WireReader, wireString } from './wire.js';

/** The kinds of key that may approve. RSA and DSA are left out: nothing here needs them, and each kind is more to get wrong. */
export const SSH_KEY_TYPES = [
  'ssh-ed25519',
  'sk-ssh-ed25519@openssh.com',
  'ecdsa-sha2-nistp256',
  'sk-ecdsa-sha2-nistp256@openssh.com',
] as const;
type SshKeyType = (typeof SSH_KEY_TYPES)[number];

/** Bytes of armour that are looked at: a signature of any kind above takes well under 1 KiB. */
const MAX_ARMOR = 16_384;
const MAGIC = utf8('SSHSIG');
const NOTHING = new Uint8Array(0);
const USER_PRESENT = 0x01;

export interface VerifiedSshsig {
  /** "type base64", as a public key line of OpenSSH begins. */
  readonly publicKey: string;
  /** A FIDO2 key that attests that somebody touched it; false for keys in files, which attest nothing. */
  readonly touch: boolean;
}

/**
 * Verifies an armoured signature of `ssh-keygen -Y sign` over a message (OpenSSH's PROTOCOL.sshsig; FIDO2 keys by
 * PROTOCOL.u2f). Stricter than ssh-keygen: one spelling of armour and numbers, an empty reserved field, no small-order
 * keys. Total: any text gives a result. E_SSHSIG_FORM, E_SSHSIG_NAMESPACE, E_SSHSIG_INVALID.
 */
export function verifySshsig(armored: string, message: Uint8Array, namespace: string): Result<VerifiedSshsig, Fault> {
  const blob = unarmor(armored);
  if (blob === null) {
    return form('it is not an armoured SSH signature', 'give the .sig file that ssh-keygen -Y sign wrote, unchanged');
  }
  const parts = readBlob(blob);
  if (!parts.ok) return parts;
  const { keyBlob, hash, signature } = parts.value;
  if (parts.value.namespace !== namespace) {
    return fail(
      'E_SSHSIG_NAMESPACE',
      `the signature was made for ${JSON.stringify(parts.value.namespace)}, not for ${namespace}`,
      { remedy: `sign with ssh-keygen -Y sign -n ${namespace}` },
    );
  }
  const key = readKey(keyBlob);
  if (!key.ok) return key;

  const digest = new Uint8Array(createHash(hash).update(message).digest());
  const hashName = utf8(hash);
  const signed = concatBytes(
    MAGIC,
    wireString(utf8(namespace)),
    wireString(NOTHING),
    wireString(hashName),
    wireString(digest),
  );
  const touch = verifyWith(key.value, signature, signed);
  if (!touch.ok) return touch;
  const publicKey = `${key.value.type} ${Buffer.from(keyBlob).toString('base64')}`;
  return ok({ publicKey, touch: touch.value });
}

function form(what: string, remedy?: string): Result<never, Fault> {
  return fail('E_SSHSIG_FORM', `not a signature that can count: ${what}`, { remedy });
}

function unarmor(armored: string): Uint8Array | null {
  if (armored.length > MAX_ARMOR) return null;
  const lines = armored.replaceAll('\r\n', '\n').trim().split('\n');
  if (lines.shift() !== '-----BEGIN SSH SIGNATURE-----' || lines.pop() !== '-----END SSH SIGNATURE-----') return null;
  const base64 = lines.join('');
  const bytes = Buffer.from(base64, 'base64');
  // Buffer skips what is not base64 and ignores spare bits; only the one spelling comes out as it went in.
  return bytes.length > 0 && bytes.toString('base64') === base64 ? new Uint8Array(bytes) : null;
}

interface Blob {
  readonly keyBlob: Uint8Array;
  readonly namespace: string;
  readonly hash: 'sha256' | 'sha512';
  readonly signature: Uint8Array;
}

function readBlob(blob: Uint8Array): Result<Blob, Fault> {
  const reader = new WireReader(blob);
  const magic = reader.bytes(MAGIC.length);
  const version = reader.uint32();
  const keyBlob = reader.string();
  const namespace = reader.string();
  const reserved = reader.string();
  const hash = reader.name();
  const signature = reader.string();
  if (magic === null || !equalBytes(magic, MAGIC)) return form('it does not begin with SSHSIG');
  if (version !== 1) return form(`its version is ${version ?? 'cut off'}, and 1 is the only one`);
  if (keyBlob === null || namespace === null || reserved === null || signature === null || !reader.complete) {
    return form('it is cut off, or something follows it');
  }
  if (reserved.length > 0) return form('its reserved field is not empty');
  if (hash !== 'sha256' && hash !== 'sha512') return form(`its hash is ${JSON.stringify(hash)}, not sha256 or sha512`);
  return ok({ keyBlob, namespace: Buffer.from(namespace).toString('latin1'), hash, signature });
}

/** A public key, ready to verify with. `application` is the FIDO2 relying party of an sk- key, null for others. */
interface PublicKey {
  readonly type: SshKeyType;
  readonly curve: 'ed25519' | 'p256';
  readonly key: KeyObject;
  readonly application: Uint8Array | null;
}

function readKey(blob: Uint8Array): Result<PublicKey, Fault> {
  const reader = new WireReader(blob);
  const name = reader.name();
  const type = SSH_KEY_TYPES.find((one) => one === name);
  if (type === undefined) {
    return form(
      `its key is of type ${JSON.stringify(name)}`,
      'approve with an Ed25519 or ECDSA P-256 key, best with one on a FIDO2 token: ssh-keygen -t ed25519-sk',
    );
  }
  const curve = type === 'ssh-ed25519' || type === 'sk-ssh-ed25519@openssh.com' ? 'ed25519' : 'p256';
  const key = curve === 'ed25519' ? readEd25519(reader) : readP256(reader);
  const application = type.startsWith('sk-') ? reader.string() : null;
  if (!reader.complete) return form('its public key is cut off, or something follows it');
  if (key === null) return form('its public key is not a sound point of its curve');
  return ok({ type, curve, key, application });
}

function readEd25519(reader: WireReader): KeyObject | null {
  const point = reader.string();
  if (point === null || !isSoundEd25519Key(point)) return null;
  return importKey({ kty: 'OKP', crv: 'Ed25519', x: base64url(point) });
}

function readP256(reader: WireReader): KeyObject | null {
  const curve = reader.name();
  const point = reader.string();
  if (curve !== 'nistp256' || point?.length !== 65 || point[0] !== 4) return null;
  const [x, y] = [point.subarray(1, 33), point.subarray(33)];
  return importKey({ kty: 'EC', crv: 'P-256', x: base64url(x), y: base64url(y) });
}

/** node:crypto says by an exception alone that a point is not on its curve. */
function importKey(jwk: { kty: string; crv: string; x: string; y?: string }): KeyObject | null {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return null;
  }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

/** Whether the key signed these bytes; the value tells whether a FIDO2 token attests a touch. */
function verifyWith(key: PublicKey, signature: Uint8Array, signed: Uint8Array): Result<boolean, Fault> {
  const reader = new WireReader(signature);
  const type = reader.name();
  const raw = key.curve === 'ed25519' ? reader.string() : readEcdsa(reader.string());
  const token = key.application === null ? null : { flags: reader.byte(), counter: reader.bytes(4) };
  if (type !== key.type || raw === null || raw.length !== 64 || !reader.complete) {
    return form('its signature is malformed, or of another type than its key');
  }
  const over = overBytes(key, token, signed);
  if (over === null) return form('its signature carries no flags and counter');
  const valid =
    key.curve === 'ed25519'
      ? verify(null, over, key.key, raw)
      : verify('sha256', over, { key: key.key, dsaEncoding: 'ieee-p1363' }, raw);
  if (valid) return ok(((token?.flags ?? 0) & USER_PRESENT) !== 0);
  return fail('E_SSHSIG_INVALID', 'the signature does not verify: it is over another text, or was changed', {
    remedy: 'sign the statement as it was printed, without a change, and give the .sig file that belongs to it',
  });
}

/** A FIDO2 token signs hashes of application and message with its flags and counter between them (PROTOCOL.u2f). */
function overBytes(
  { application }: PublicKey,
  token: { readonly flags: number | null; readonly counter: Uint8Array | null } | null,
  signed: Uint8Array,
): Uint8Array | null {
  if (application === null || token === null) return signed;
  const { flags, counter } = token;
  if (flags === null || counter === null) return null;
  return concatBytes(sha256(application), Uint8Array.of(flags), counter, sha256(signed));
}

/** r and s as two mpints (RFC 5656, section 3.1.2), joined to the 64 bytes that node:crypto takes. */
function readEcdsa(inner: Uint8Array | null): Uint8Array | null {
  if (inner === null) return null;
  const reader = new WireReader(inner);
  const r = reader.positiveInteger(32);
  const s = reader.positiveInteger(32);
  return r === null || s === null || !reader.complete ? null : concatBytes(r, s);
}
