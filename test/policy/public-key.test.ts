import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parsePublicKey } from '../../src/policy/public-key.js';
import { exampleValue, leaves } from './documents-support.js';

const KEYS = leaves(exampleValue())
  .filter(({ path }) => path.startsWith('roles.'))
  .map(({ value }) => String(value));

const field = (value: Buffer | string): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const line = (type: string, ...fields: Buffer[]): string => `${type} ${Buffer.concat(fields).toString('base64')}`;
const ED = 'ssh-ed25519';
const point = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]);

const refusal = (text: string): string => {
  const key = parsePublicKey(text);
  return key.ok ? 'accepted' : `${key.error.tag} ${key.error.message}`;
};

describe('parsePublicKey', () => {
  it('reads the four kinds, with and without a comment', () => {
    expect(new Set(KEYS.map((key) => key.split(' ')[0])).size).toBe(4);
    for (const key of KEYS) {
      const [type = '', base64 = '', ...comment] = key.split(' ');
      expect(parsePublicKey(key)).toMatchObject({ ok: true, value: { type, base64, comment: comment.join(' ') } });
      expect(parsePublicKey(`${type} ${base64}`)).toMatchObject({ ok: true, value: { comment: '' } });
    }
  });

  const hasKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;
  it.skipIf(!hasKeygen)('names a key as ssh-keygen -l does (skipped where OpenSSH is not installed)', () => {
    for (const key of KEYS) {
      const named = execFileSync('ssh-keygen', ['-l', '-f', '-'], { input: `${key}\n` })
        .toString()
        .split(' ')[1];
      expect(parsePublicKey(key)).toMatchObject({ ok: true, value: { fingerprint: named } });
    }
  });

  it.each([
    ['nothing', '', 'is not a public key'],
    ['a word', 'ssh-ed25519', 'is not a public key'],
    ['an abbreviated key', 'ssh-ed25519 AAAA...a', 'is not a public key'],
    ['a private key', '-----BEGIN OPENSSH', 'private keys have no place'],
    ['an RSA key', line('ssh-rsa', field('ssh-rsa'), field('e'), field('n')), 'RSA keys are not accepted'],
    ['a DSA key', line('ssh-dss', field('ssh-dss')), 'are not accepted'],
    ['a certificate', line('ssh-ed25519-cert-v01@openssh.com', field('x')), 'are not accepted'],
    ['another curve', line('ecdsa-sha2-nistp384', field('x')), 'are not accepted'],
    ['two spaces', `ssh-ed25519  ${line(ED, field(ED), field(Buffer.alloc(32))).split(' ')[1]}`, 'is not a public key'],
    ['another type inside', line(ED, field('ssh-rsa'), field(Buffer.alloc(32))), 'does not hold a key'],
    ['31 bytes', line(ED, field(ED), field(Buffer.alloc(31))), 'does not hold a key'],
    ['33 bytes', line(ED, field(ED), field(Buffer.alloc(33))), 'does not hold a key'],
    ['more fields', line(ED, field(ED), field(Buffer.alloc(32)), field('x')), 'does not hold a key'],
    ['bytes left over', line(ED, field(ED), field(Buffer.alloc(32)), Buffer.from('abc')), 'does not hold a key'],
    ['a length that is too long', line(ED, field(ED), Buffer.from('ffffffff', 'hex')), 'does not hold a key'],
    [
      'base64 without its padding',
      line(ED, field(ED), field(Buffer.alloc(32)), Buffer.from('a')).replace(/=+$/, ''),
      'does not hold a key',
    ],
    [
      'a compressed point',
      line(
        'ecdsa-sha2-nistp256',
        field('ecdsa-sha2-nistp256'),
        field('nistp256'),
        field(Buffer.concat([Buffer.from([2]), Buffer.alloc(32)])),
      ),
      'does not hold a key',
    ],
    [
      'another curve inside',
      line('ecdsa-sha2-nistp256', field('ecdsa-sha2-nistp256'), field('nistp384'), field(point)),
      'does not hold a key',
    ],
    [
      'a key for websites',
      line(
        'sk-ssh-ed25519@openssh.com',
        field('sk-ssh-ed25519@openssh.com'),
        field(Buffer.alloc(32)),
        field('https://x'),
      ),
      'does not hold a key',
    ],
    ['a comment with an escape', `${line(ED, field(ED), field(Buffer.alloc(32)))} a\u001b[2K`, 'U+001B'],
  ])('refuses %s', (_name, text, message) => {
    expect(refusal(text)).toContain(message);
  });

  const [SK_ED, EC, SK_EC] = [
    'sk-ssh-ed25519@openssh.com',
    'ecdsa-sha2-nistp256',
    'sk-ecdsa-sha2-nistp256@openssh.com',
  ];
  const seed = Buffer.alloc(32, 7);
  const key = (type: string, ...fields: (Buffer | string)[]) => line(type, field(type), ...fields.map(field));
  const pointOf = (first: number, length: number) => Buffer.concat([Buffer.from([first]), Buffer.alloc(length - 1, 1)]);

  it.each([
    ['an Ed25519 key', key(ED, seed)],
    ['an Ed25519 key of a token', key(SK_ED, seed, 'ssh:')],
    ['an Ed25519 key of a token, for a purpose', key(SK_ED, seed, 'ssh:treasury')],
    ['a P-256 key', key(EC, 'nistp256', point)],
    ['a P-256 key of a token', key(SK_EC, 'nistp256', point, 'ssh:')],
  ])('accepts %s', (_, text) => {
    expect(refusal(text)).toBe('accepted');
  });

  it.each([
    ['a token key without an application', key(SK_ED, seed)],
    ['a token key with a field too many', key(SK_ED, seed, 'ssh:', 'x')],
    ['a token key of 31 bytes', key(SK_ED, seed.subarray(1), 'ssh:')],
    ['a token key of 33 bytes', key(SK_ED, Buffer.alloc(33), 'ssh:')],
    ['an application that only ends like one', key(SK_ED, seed, 'https://x/ssh:y')],
    ['an application with a space', key(SK_ED, seed, 'ssh:a b')],
    ['an application with a line after it', key(SK_ED, seed, 'ssh:a\n')],
    ['a P-256 key without a point', key(EC, 'nistp256')],
    ['a P-256 key with a field too many', key(EC, 'nistp256', point, 'ssh:')],
    ['a point that is a byte short', key(EC, 'nistp256', pointOf(4, 64))],
    ['a point that is a byte long', key(EC, 'nistp256', pointOf(4, 66))],
    ['a point of another form', key(EC, 'nistp256', pointOf(6, 65))],
    ['a token key on another curve', key(SK_EC, 'nistp384', point, 'ssh:')],
    ['a token key with a compressed point', key(SK_EC, 'nistp256', pointOf(2, 33), 'ssh:')],
    ['a token key on P-256 without an application', key(SK_EC, 'nistp256', point)],
    ['a token key on P-256 for websites', key(SK_EC, 'nistp256', point, 'https://x')],
    ['a token key on P-256 with a field too many', key(SK_EC, 'nistp256', point, 'ssh:', 'x')],
    ['no key at all inside', line(ED, field(ED))],
    ['nothing inside', 'ssh-ed25519 AAAA'],
    ['a last field that is cut by a byte', line(ED, field(ED), field(seed).subarray(0, 35))],
    ['a last field that claims one byte more', line(ED, field(ED), Buffer.from('00000021', 'hex'), seed)],
    ['one byte after the key', line(ED, field(ED), field(seed), Buffer.from([0]))],
    ['one letter more than whole base64', `${key(ED, seed)}A`],
  ])('refuses %s', (_, text) => {
    expect(refusal(text)).toMatch(/^E_FIELD_TYPE the base64 text does not hold a key of the type /);
  });

  it('takes an empty field for a field', () => {
    expect(refusal(line(ED, field(ED), field(seed), field('')))).toContain('does not hold a key');
  });

  it.each([
    ['nothing', 'copy the line of the .pub file: "ssh-ed25519 AAAA... comment"'],
    ['ssh-dss AAAA', 'make one: ssh-keygen -t ed25519'],
    [
      'ssh-ed25519 AAAA',
      'copy the line of the .pub file again: it was cut or changed, or its type does not belong to it',
    ],
  ])('says what to do about %s', (text, remedy) => {
    expect(parsePublicKey(text)).toMatchObject({ ok: false, error: { remedy } });
  });

  it('names the kinds that it takes where it refuses another', () => {
    expect(refusal('ssh-dss AAAA')).toBe(
      'E_FIELD_TYPE keys of the type "ssh-dss" are not accepted, but ssh-ed25519, sk-ssh-ed25519@openssh.com, ecdsa-sha2-nistp256, sk-ecdsa-sha2-nistp256@openssh.com are',
    );
  });
});
