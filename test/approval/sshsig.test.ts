import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOfLine } from '../../src/approval/people.js';
import { verifySshsig } from '../../src/approval/sshsig.js';
import { APPROVAL_NAMESPACE } from '../../src/approval/statement.js';
import { concatBytes, wireString } from '../../src/approval/wire.js';
import { utf8 } from '../../src/domain/bytes.js';
import {
  armor,
  blobOf,
  makeToken,
  mpint,
  publicLine,
  type SigParts,
  signParts,
  softSign,
  TOKEN_TYPES,
  type TokenType,
} from './soft-token.js';

const vector = (name: string): string => readFileSync(`test/vectors/sshsig/${name}`, 'utf8');
const message = new Uint8Array(readFileSync('test/vectors/sshsig/message.txt'));
const check = (armored: string, over = message) => verifySshsig(armored, over, APPROVAL_NAMESPACE);
const tagOf = (result: ReturnType<typeof verifySshsig>): string => (result.ok ? 'ok' : result.error.tag);
const tokens = new Map(TOKEN_TYPES.map((type) => [type, makeToken(type)]));
function token(type: TokenType) {
  const found = tokens.get(type);
  if (found === undefined) throw new Error(type);
  return found;
}

describe('signatures by ssh-keygen and by tokens', () => {
  it.each([
    ['alice', 'alice-sha256.sig', false],
    ['alice', 'alice-sha512.sig', false],
    ['bob', 'bob-sha256.sig', false],
    ['bob', 'bob-sha512.sig', false],
    ['carol', 'carol-touched.sig', true],
    ['carol', 'carol-untouched.sig', false],
    ['dave', 'dave-touched.sig', true],
    ['dave', 'dave-untouched.sig', false],
  ])('%s: %s verifies, touch %s', (who, file, touch) => {
    const verified = check(vector(file));
    expect(verified).toEqual({ ok: true, value: { publicKey: keyOfLine(vector(`${who}.pub`)), touch } });
  });

  it.each(['alice-sha512.sig', 'bob-sha256.sig', 'carol-touched.sig', 'dave-touched.sig'])(
    '%s fails over a text that differs in one bit',
    (file) => {
      const other = Uint8Array.from(message);
      other[5] = (other[5] ?? 0) ^ 1;
      expect(tagOf(check(vector(file), other))).toBe('E_SSHSIG_INVALID');
    },
  );

  it('refuses a signature for git', () => {
    const result = check(vector('alice-git.sig'));
    expect(tagOf(result)).toBe('E_SSHSIG_NAMESPACE');
    expect(result.ok ? '' : result.error.message).toContain('"git"');
  });

  it.each([
    ['eve-rsa.sig', 'ssh-rsa'],
    ['mallory-p384.sig', 'ecdsa-sha2-nistp384'],
  ])('refuses %s and says that its key is %s', (file, type) => {
    const result = check(vector(file));
    expect(tagOf(result)).toBe('E_SSHSIG_FORM');
    expect(result.ok ? '' : result.error.message).toContain(type);
  });
});

describe('armour', () => {
  const good = vector('alice-sha512.sig');

  it('takes line ends of Windows and spaces around it', () => {
    expect(check(`\r\n${good.replaceAll('\n', '\r\n')}  `).ok).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['no header', good.replace('-----BEGIN SSH SIGNATURE-----\n', '')],
    ['no footer', good.replace('-----END SSH SIGNATURE-----', '')],
    ['an empty body', '-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----'],
    ['a stray character', good.replace('U1NI', 'U1N!')],
    ['a space in a line', good.replace('U1NI', 'U1N I')],
    ['text after it', `${good}more`],
    ['two of them', good + good],
    ['an indefinite length', good.replace('-----END', `${'A'.repeat(20_000)}\n-----END`)],
  ])('refuses %s', (_, text) => {
    expect(tagOf(check(text))).toBe('E_SSHSIG_FORM');
  });

  it('refuses a second spelling of the last bits of base64', () => {
    const namespace = 'two-spare-bytes';
    const padded = softSign(token('ssh-ed25519'), message, { namespace });
    const spare = padded.replace(/([A-Za-z0-9+/])(=+)\n/, (_, last: string, pad: string) => {
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
      return `${alphabet[alphabet.indexOf(last) + 1]}${pad}\n`;
    });
    expect(spare).not.toBe(padded);
    expect(verifySshsig(padded, message, namespace).ok).toBe(true);
    expect(tagOf(verifySshsig(spare, message, namespace))).toBe('E_SSHSIG_FORM');
  });
});

describe.each(TOKEN_TYPES)('%s', (type) => {
  it.each(['sha256', 'sha512'] as const)('verifies with %s', (hash) => {
    const result = check(softSign(token(type), message, { hash, flags: 5 }));
    expect(result).toEqual({ ok: true, value: { publicKey: publicLine(token(type)), touch: type.startsWith('sk-') } });
  });

  const spoilt: [string, string, (good: SigParts) => Partial<SigParts>][] = [
    ['another magic', 'E_SSHSIG_FORM', () => ({ magic: utf8('SSHSIH') })],
    ['version 0', 'E_SSHSIG_FORM', () => ({ version: 0 })],
    ['version 2', 'E_SSHSIG_FORM', () => ({ version: 2 })],
    ['a reserved field that is not empty', 'E_SSHSIG_FORM', () => ({ reserved: utf8('x') })],
    ['hash sha1', 'E_SSHSIG_FORM', () => ({ hash: utf8('sha1') })],
    ['another hash than was signed', 'E_SSHSIG_INVALID', () => ({ hash: utf8('sha256') })],
    ['a byte after it', 'E_SSHSIG_FORM', () => ({ tail: Uint8Array.of(0) })],
    ['a byte after the inner signature', 'E_SSHSIG_FORM', () => ({ innerTail: Uint8Array.of(0) })],
    [
      'a key with a byte after it',
      'E_SSHSIG_FORM',
      (p) => ({ publicBlob: concatBytes(p.publicBlob, Uint8Array.of(0)) }),
    ],
    ['a key without its last byte', 'E_SSHSIG_FORM', (p) => ({ publicBlob: p.publicBlob.slice(0, -1) })],
    ['the key of somebody else', 'E_SSHSIG_INVALID', () => ({ publicBlob: makeToken(type).publicBlob })],
    ['a signature of another type', 'E_SSHSIG_FORM', () => ({ type: 'ssh-rsa' })],
    ['a namespace with a suffix', 'E_SSHSIG_NAMESPACE', () => ({ namespace: utf8(`${APPROVAL_NAMESPACE}x`) })],
    ['an empty namespace', 'E_SSHSIG_NAMESPACE', () => ({ namespace: new Uint8Array(0) })],
  ];
  it.each(spoilt)('refuses %s with %s', (_, tag, spoil) => {
    expect(tagOf(check(softSign(token(type), message, {}, spoil)))).toBe(tag);
  });

  it('refuses a change of any one bit of the blob', () => {
    const blob = blobOf(token(type), signParts(token(type), message));
    fc.assert(
      fc.property(fc.nat(blob.length * 8 - 1), (bit) => {
        const flipped = Uint8Array.from(blob);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(check(armor(flipped)).ok).toBe(false);
      }),
    );
  });

  it('refuses a blob that is cut off anywhere', () => {
    const blob = blobOf(token(type), signParts(token(type), message));
    for (let length = 0; length < blob.length; length += 1) {
      expect(tagOf(check(armor(blob.subarray(0, length))))).toBe('E_SSHSIG_FORM');
    }
  });
});

describe('FIDO2', () => {
  it.each(TOKEN_TYPES.filter((type) => type.startsWith('sk-')))('%s: flags and counter are signed', (type) => {
    const raise = softSign(token(type), message, { flags: 0 }, { flags: 1 });
    const count = softSign(token(type), message, {}, { counter: 8 });
    expect([tagOf(check(raise)), tagOf(check(count))]).toEqual(['E_SSHSIG_INVALID', 'E_SSHSIG_INVALID']);
  });

  it('takes user verification without user presence for no touch', () => {
    const result = check(softSign(token('sk-ssh-ed25519@openssh.com'), message, { flags: 4 }));
    expect(result).toMatchObject({ ok: true, value: { touch: false } });
  });
});

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
const bytes32 = (value: bigint): Uint8Array =>
  new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse());

describe('Ed25519 malleability', () => {
  it('refuses S + L, the second spelling of the same signature', () => {
    const parts = signParts(token('ssh-ed25519'), message);
    const s = littleEndian(parts.raw.subarray(32));
    expect(s < L).toBe(true);
    const raw = concatBytes(parts.raw.subarray(0, 32), bytes32(s + L));
    expect(tagOf(check(armor(blobOf(token('ssh-ed25519'), { ...parts, raw }))))).toBe('E_SSHSIG_INVALID');
  });

  it('refuses the key of small order under which R = identity and S = 0 fit every message', () => {
    const identity = bytes32(1n);
    const publicBlob = concatBytes(wireString(utf8('ssh-ed25519')), wireString(identity));
    const forged = softSign(
      token('ssh-ed25519'),
      message,
      {},
      { publicBlob, raw: concatBytes(identity, new Uint8Array(32)) },
    );
    expect(tagOf(check(forged))).toBe('E_SSHSIG_FORM');
  });
});

describe('ECDSA numbers', () => {
  const ecdsa = (r: Uint8Array, s: Uint8Array) => ({ raw: concatBytes(r, s) });
  const one = mpint(Uint8Array.of(1));
  it.each([
    ['zero r', mpint(new Uint8Array(32)), one],
    ['an empty s', one, wireString(new Uint8Array(0))],
    ['a negative r', wireString(Uint8Array.of(0x80)), one],
    ['a leading zero that no sign needs', wireString(Uint8Array.of(0, 1)), one],
    ['33 bytes', wireString(new Uint8Array(33).fill(0x11)), one],
    ['one number alone', one, new Uint8Array(0)],
  ])('refuses %s as malformed', (_, r, s) => {
    expect(tagOf(check(softSign(token('ecdsa-sha2-nistp256'), message, {}, ecdsa(r, s))))).toBe('E_SSHSIG_FORM');
  });

  it('refuses numbers beyond the group order', () => {
    const most = mpint(new Uint8Array(32).fill(0xff));
    expect(tagOf(check(softSign(token('ecdsa-sha2-nistp256'), message, {}, ecdsa(most, most))))).toBe(
      'E_SSHSIG_INVALID',
    );
  });

  it('refuses a point that is not on the curve, and a compressed one', () => {
    const name = wireString(utf8('ecdsa-sha2-nistp256'));
    const curve = wireString(utf8('nistp256'));
    for (const point of [concatBytes(Uint8Array.of(4), new Uint8Array(64).fill(1)), new Uint8Array(33).fill(2)]) {
      const spoil = { publicBlob: concatBytes(name, curve, wireString(point)) };
      expect(tagOf(check(softSign(token('ecdsa-sha2-nistp256'), message, {}, spoil)))).toBe('E_SSHSIG_FORM');
    }
  });
});

describe('any input', () => {
  it('gives a refusal and never an exception', () => {
    const prefixed = fc
      .uint8Array({ maxLength: 300 })
      .map((tail) => armor(concatBytes(utf8('SSHSIG'), Uint8Array.of(0, 0, 0, 1), tail)));
    const any = fc.oneof(fc.string({ maxLength: 400 }), fc.uint8Array({ maxLength: 300 }).map(armor), prefixed);
    fc.assert(
      fc.property(any, fc.uint8Array({ maxLength: 50 }), (armored, over) => {
        expect(verifySshsig(armored, over, APPROVAL_NAMESPACE).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
