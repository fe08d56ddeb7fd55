import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicKeyOf, signWithSshKeygen } from '../../src/adapters/ssh-keygen.js';
import { verifySshsig } from '../../src/approval/sshsig.js';
import { APPROVAL_NAMESPACE } from '../../src/approval/statement.js';
import { utf8 } from '../../src/domain/bytes.js';
import { makeToken, publicLine, softSign, TOKEN_TYPES } from '../approval/soft-token.js';

// Skipped where OpenSSH is not installed: the committed vectors and the soft tokens still hold the verifier then.
const present = spawnSync('ssh-keygen', ['-?']).error === undefined;
const folder = mkdtempSync(join(tmpdir(), 'countersign-ssh-'));
afterAll(() => rmSync(folder, { recursive: true }));
const message = utf8('{"schema":"countersign.approval/1"}');
const tagOf = (result: { ok: boolean; error?: { tag: string } }): string =>
  result.ok ? 'ok' : (result.error?.tag ?? '');

describe.skipIf(!present)('with the ssh-keygen of this machine', () => {
  const make = (name: string, ...args: string[]) =>
    spawnSync('ssh-keygen', ['-q', ...args, '-N', '', '-C', 'test', '-f', join(folder, name)]);
  beforeAll(() => {
    make('ed', '-t', 'ed25519');
    make('ec', '-t', 'ecdsa', '-b', '256');
    make('rsa', '-t', 'rsa', '-b', '2048');
    make('with space; $(x)', '-t', 'ed25519');
  });

  it.each(['ed', 'ec', 'with space; $(x)'])(
    'signs with %j what the verifier accepts for its public key',
    async (name) => {
      const keyFile = join(folder, name);
      const armored = await signWithSshKeygen({ keyFile, namespace: APPROVAL_NAMESPACE, message });
      const publicKey = await publicKeyOf(keyFile);
      if (!armored.ok || !publicKey.ok) throw new Error('did not sign');
      expect(verifySshsig(armored.value, message, APPROVAL_NAMESPACE)).toEqual({
        ok: true,
        value: { publicKey: publicKey.value, touch: false },
      });
    },
  );

  it.each(TOKEN_TYPES)('agrees with ssh-keygen -Y verify on %s, good and spoilt', (type) => {
    const token = makeToken(type);
    const allowed = join(folder, 'allowed');
    writeFileSync(allowed, `somebody ${publicLine(token)}\n`);
    const verdicts = [message, utf8('something else')].map((over) => {
      const armored = softSign(token, message);
      writeFileSync(join(folder, 'sig'), armored);
      const args = [
        '-Y',
        'verify',
        '-f',
        allowed,
        '-I',
        'somebody',
        '-n',
        APPROVAL_NAMESPACE,
        '-s',
        join(folder, 'sig'),
      ];
      const { status } = spawnSync('ssh-keygen', args, { input: over });
      return { theirs: status === 0, ours: verifySshsig(armored, over, APPROVAL_NAMESPACE).ok };
    });
    expect(verdicts).toEqual([
      { theirs: true, ours: true },
      { theirs: false, ours: false },
    ]);
  });

  it('passes on what ssh-keygen says, and answers E_SSH_KEYGEN where it does not sign', async () => {
    const keyFile = join(folder, 'broken');
    writeFileSync(keyFile, 'not a key\n', { mode: 0o600 });
    const heard: string[] = [];
    const result = await signWithSshKeygen({
      keyFile,
      namespace: 'x@y',
      message,
      onNotice: (text) => heard.push(text),
    });
    expect(tagOf(result)).toBe('E_SSH_KEYGEN');
    expect(heard.join('')).not.toBe('');
    expect(result.ok ? '' : result.error.message).toContain(keyFile);
  });

  it('says what to do about a key that others can read', async () => {
    const keyFile = join(folder, 'open');
    writeFileSync(keyFile, readFileSync(join(folder, 'ed')));
    chmodSync(keyFile, 0o644);
    const result = await signWithSshKeygen({ keyFile, namespace: 'x@y', message });
    expect(result).toMatchObject({
      ok: false,
      error: { tag: 'E_SSH_KEYGEN', remedy: expect.stringContaining('chmod 600') },
    });
  });

  it('survives a program that never reads its input', async () => {
    const big = new Uint8Array(1 << 20);
    writeFileSync(join(folder, 'nokey'), 'x', { mode: 0o600 });
    expect(tagOf(await signWithSshKeygen({ keyFile: join(folder, 'nokey'), namespace: 'x@y', message: big }))).toBe(
      'E_SSH_KEYGEN',
    );
  });
});

describe('without it', () => {
  const keyFile = join(folder, 'any');
  beforeAll(() => writeFileSync(keyFile, 'x'));

  it('answers E_SSH_KEYGEN with a remedy where the program is missing', async () => {
    const result = await signWithSshKeygen({ keyFile, namespace: 'x@y', message, program: 'no-such-ssh-keygen' });
    expect(result).toMatchObject({
      ok: false,
      error: { tag: 'E_SSH_KEYGEN', remedy: expect.stringContaining('OpenSSH') },
    });
  });

  it.each(['nowhere', 'a\0b'])('answers E_SSH_KEY for the key file %j before it starts anything', async (name) => {
    const result = await signWithSshKeygen({ keyFile: join(folder, name), namespace: 'x@y', message });
    expect(tagOf(result)).toBe('E_SSH_KEY');
  });
});

describe('publicKeyOf', () => {
  it('reads KEY.pub of KEY and KEY.pub itself, without the comment', async () => {
    const token = makeToken('ssh-ed25519');
    writeFileSync(join(folder, 'k.pub'), `${publicLine(token)} somebody@somewhere\n`);
    expect(await publicKeyOf(join(folder, 'k'))).toEqual({ ok: true, value: publicLine(token) });
    expect(await publicKeyOf(join(folder, 'k.pub'))).toEqual({ ok: true, value: publicLine(token) });
  });

  it('answers E_SSH_KEY with the command that writes a missing public half', async () => {
    const result = await publicKeyOf(join(folder, 'none'));
    expect(result).toMatchObject({
      ok: false,
      error: { tag: 'E_SSH_KEY', remedy: expect.stringContaining('ssh-keygen -y -f') },
    });
  });

  it.each([
    ['ssh-rsa AAAA', 'of type ssh-rsa'],
    ['hello', 'not an SSH public key'],
    ['', 'not an SSH public key'],
    ['ssh-ed25519', 'not an SSH public key'],
    ['ssh-ed25519 A!A', 'not an SSH public key'],
  ])('refuses %j as %s, and does not repeat what the file holds', async (text, words) => {
    writeFileSync(join(folder, 'odd.pub'), text);
    const result = await publicKeyOf(join(folder, 'odd'));
    expect(tagOf(result)).toBe('E_SSH_KEY');
    expect(result.ok ? '' : result.error.message).toContain(words);
  });
});
