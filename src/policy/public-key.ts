import { createHash } from 'node:crypto';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { checkLabel, quoted } from '../domain/safe-text.js';

/** The kinds of key whose signatures countersign verifies. The sk- kinds are FIDO2 keys: somebody has to touch them. */
export const KEY_TYPES = [
  'ssh-ed25519',
  'sk-ssh-ed25519@openssh.com',
  'ecdsa-sha2-nistp256',
  'sk-ecdsa-sha2-nistp256@openssh.com',
] as const;
export type KeyType = (typeof KEY_TYPES)[number];

export interface PublicKey {
  readonly type: KeyType;
  /** The key in base64, as OpenSSH writes it; what makes two keys the same. */
  readonly base64: string;
  readonly comment: string;
  /** "SHA256:" and 43 characters, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

const KEY_AND_COMMENT = '([A-Za-z0-9+/]+={0,2})(?: (.*))?$';
const LINE = new RegExp(`^(\\S+) ${KEY_AND_COMMENT}`);
/** The form of a line with a type that is known. */
export const PUBLIC_KEY_LINE = new RegExp(`^(?:${KEY_TYPES.join('|').replaceAll('.', '\\.')}) ${KEY_AND_COMMENT}`);

/**
 * Reads a public key as OpenSSH writes it in one line, "type base64 [comment]", and the wire format inside it (RFC 4253
 * section 6.6, RFC 5656, RFC 8709, OpenSSH PROTOCOL.u2f): all of its fields, and nothing after them.
 */
export function parsePublicKey(line: string): Result<PublicKey, Fault> {
  const [, word = '', base64 = '', comment = ''] = LINE.exec(line) ?? [];
  if (word === '') {
    return fail('E_FIELD_TYPE', `${quoted(line, 40)} is not a public key in one line`, {
      remedy: 'copy the line of the .pub file: "ssh-ed25519 AAAA... comment"',
    });
  }
  const type = KEY_TYPES.find((known) => known === word);
  if (type === undefined) return fail('E_FIELD_TYPE', unsupported(word), { remedy: 'make one: ssh-keygen -t ed25519' });
  const bytes = Buffer.from(base64, 'base64');
  // Buffer skips what is not base64 and forgives missing padding; only a text that it gives back is one spelling.
  if (bytes.toString('base64') !== base64 || !hasFields(bytes, type)) {
    return fail('E_FIELD_TYPE', `the base64 text does not hold a key of the type ${type}`, {
      remedy: 'copy the line of the .pub file again: it was cut or changed, or its type does not belong to it',
    });
  }
  const label = checkLabel(comment, 'comment of the key');
  if (!label.ok) return label;
  const fingerprint = createHash('sha256').update(bytes).digest('base64').replaceAll('=', '');
  return ok({ type, base64, comment, fingerprint: `SHA256:${fingerprint}` });
}

function unsupported(type: string): string {
  if (type.startsWith('-----')) return 'this is not a public key; private keys have no place in a policy';
  if (type === 'ssh-rsa') return 'RSA keys are not accepted: their strength hangs on a length that no line shows';
  return `keys of the type ${quoted(type, 40)} are not accepted, but ${KEY_TYPES.join(', ')} are`;
}

const CURVE = 'nistp256';

function hasFields(bytes: Uint8Array, type: KeyType): boolean {
  const fields = wireStrings(bytes);
  if (fields === null || textOf(fields[0]) !== type) return false;
  const [, first, second, third] = fields;
  switch (type) {
    case 'ssh-ed25519':
      return fields.length === 2 && first?.length === 32;
    case 'sk-ssh-ed25519@openssh.com':
      return fields.length === 3 && first?.length === 32 && isApplication(second);
    case 'ecdsa-sha2-nistp256':
      return fields.length === 3 && textOf(first) === CURVE && isPoint(second);
    case 'sk-ecdsa-sha2-nistp256@openssh.com':
      return fields.length === 4 && textOf(first) === CURVE && isPoint(second) && isApplication(third);
  }
}

/** An uncompressed point of P-256; whether it lies on the curve is the verifier's question. */
function isPoint(bytes: Uint8Array | undefined): boolean {
  return bytes?.length === 65 && bytes[0] === 4;
}

/** The FIDO2 application (relying party) that the key belongs to: "ssh:" or "ssh:" and a name. */
function isApplication(bytes: Uint8Array | undefined): boolean {
  return /^ssh:[\x21-\x7e]*$/.test(textOf(bytes));
}

function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('latin1');
}

/** The strings of an SSH wire format (RFC 4251 section 5): each after its length in four bytes; null if one is cut. */
function wireStrings(bytes: Uint8Array): readonly Uint8Array[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    if (bytes.length - offset < 4) return null;
    const length = view.getUint32(offset);
    if (length > bytes.length - offset - 4) return null;
    strings.push(bytes.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  return strings;
}
