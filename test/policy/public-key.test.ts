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
});
