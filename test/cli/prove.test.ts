import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

let s: Session;
beforeAll(async () => {
  s = await stage();
  await s.expect(0, 'audit', 'key', 'journal.key');
  await s.expect(0, 'audit', 'key', 'erin.key', '--witness', 'erin');
  await s.expect(0, 'audit', 'checkpoint', 'one', '--key', 'journal.key');
  await s.expect(0, ...['audit', 'witness', 'one', '--key', 'erin.key', '--state', 'e', '--log', 'journal.key.pub']);
  await s.planOne('second.csv');
  await s.expect(0, 'audit', 'checkpoint', 'two', '--key', 'journal.key');
});
const prove = (...argv: string[]): string[] => ['audit', 'prove', ...argv];
const check = (file: string, ...more: string[]): string[] => [
  ...['audit', 'verify', '--proof', file, '--workspace', 'nowhere'],
  ...more,
];
const TRUST = ['--trust', 'erin.key.pub', 'journal.key.pub'];

describe('a proof of an entry', () => {
  it('is checked for every entry of a checkpoint without the journal, and says what the entry says', async () => {
    const { entries } = await s.json(0, 'audit', 'log');
    const size = Number(s.read('one').split('\n')[1]);
    for (let seq = 0; seq < size; seq += 1) {
      const out = `entry-${seq}`;
      await s.expect(0, ...prove(`${seq}`, '--checkpoint', 'one.cosigned', '--out', out));
      const verified = await s.json(0, ...check(out, ...TRUST));
      const { hash: _, ...record } = entries[seq];
      expect(verified).toMatchObject({ seq, size, entry: record });
      expect(verified.signed_by.map(({ name }: { name: string }) => name)).toEqual([verified.origin, 'erin']);
      expect(verified.signed_by[1].at).toBe(s.now);
    }
    const { stdout } = await s.expect(0, ...check('entry-0', '--trust', 'erin.key.pub'));
    expect(stdout).toContain('journal.opened');
  });

  it('refuses an entry that came later, a checkpoint of another journal, and half a question', async () => {
    const size = s.read('one').split('\n')[1] ?? '';
    const out = ['--out', 'x'];
    expect(await s.faultOf(2, ...prove(size, '--checkpoint', 'one', ...out))).toBe('E_USAGE');
    s.write('elsewhere', s.read('one').replace('testnet3', 'main'));
    expect(await s.faultOf(13, ...prove('0', '--checkpoint', 'elsewhere', ...out))).toBe('E_CHECKPOINT_ORIGIN');
    s.write('larger', s.read('two').replace(/\n[0-9]+\n/, '\n100000\n'));
    expect(await s.faultOf(13, ...prove('0', '--checkpoint', 'larger', ...out))).toBe('E_JOURNAL_TRUNCATED');
    s.write('smaller', s.read('two').replace(/\n[0-9]+\n/, '\n3\n'));
    expect(await s.faultOf(13, ...prove('0', '--checkpoint', 'smaller', ...out))).toBe('E_JOURNAL_REWRITTEN');
    for (const argv of [
      ['--checkpoint', 'one', ...out],
      ['0', '--old', 'one', '--checkpoint', 'two', ...out],
      ['0', ...out],
      ['0', '--checkpoint', 'one'],
      ['-1', '--checkpoint', 'one', ...out],
      ['1e1', '--checkpoint', 'one', ...out],
    ]) {
      expect([argv, await s.faultOf(2, ...prove(...argv))]).toEqual([argv, 'E_USAGE']);
    }
    expect(existsSync(s.path('x'))).toBe(false);
  });

  it('does not hold after any change of it, and not without a trusted signature', async () => {
    await s.expect(0, ...prove('5', '--checkpoint', 'one.cosigned', '--out', 'proof'));
    const text = s.read('proof');
    const tagAfter = async (changed: string, trust: readonly string[] = TRUST): Promise<string> => {
      s.write('changed', changed);
      const { code } = await s.run(...check('changed', ...trust));
      return s.faultOf(code, ...check('changed', ...trust));
    };
    const record = /^extra (\S+)$/m.exec(text)?.[1] ?? '';
    const other = Buffer.from(Buffer.from(record, 'base64').toString().replace('"seq":5', '"seq":6')).toString(
      'base64',
    );
    expect(other).not.toBe(record);
    expect(await tagAfter(text.replace(record, other))).toBe('E_PROOF_INVALID');
    expect(await tagAfter(text.replace('index 5', 'index 4'))).toBe('E_PROOF_INVALID');
    const hashes = text.split('\n').slice(3, text.split('\n').indexOf(''));
    expect(hashes).toHaveLength(2);
    for (const hash of hashes) {
      expect(await tagAfter(text.replace(`${hash}\n`, ''))).toBe('E_PROOF_INVALID');
      expect(await tagAfter(text.replace(hash, Buffer.alloc(32, 1).toString('base64')))).toBe('E_PROOF_INVALID');
      expect(await tagAfter(text.replace(hash, hash.slice(1)))).toBe('E_PROOF_FORM');
    }
    expect(await tagAfter(text.replace(`extra ${record}\n`, ''))).toBe('E_PROOF_FORM');
    expect(await tagAfter(text.replace('extra ', 'extra !'))).toBe('E_PROOF_FORM');
    expect(await tagAfter(text.replace('\n\n', '\n'))).toBe('E_PROOF_FORM');
    expect(await tagAfter('x')).toBe('E_PROOF_FORM');
    expect(await tagAfter(text.replace(/\n[0-9]+\n/, '\n9\n'))).toBe('E_NOTE_SIGNATURE');
    expect(await tagAfter(text, [])).toBe('E_NOTE_UNTRUSTED');
    await s.expect(0, 'audit', 'key', 'stranger.key', '--witness', 'erin');
    expect(await tagAfter(text, ['--trust', 'stranger.key.pub'])).toBe('E_NOTE_UNTRUSTED');
    expect(await tagAfter(text, ['--trust', 'coins.json'])).toBe('E_NOTE_KEY');
  });
});

describe('a proof of growth', () => {
  it('is checked with the older checkpoint, and with no other', async () => {
    await s.expect(0, ...prove('--old', 'one', '--checkpoint', 'two', '--out', 'growth'));
    const verified = await s.json(0, ...check('growth', '--old', 'one', ...TRUST));
    expect(verified).toMatchObject({
      old: Number(s.read('one').split('\n')[1]),
      size: Number(s.read('two').split('\n')[1]),
    });
    expect(await s.faultOf(2, ...check('growth', ...TRUST))).toBe('E_USAGE');
    expect(await s.faultOf(13, ...check('growth', '--old', 'two', ...TRUST))).toBe('E_PROOF_INVALID');
    const [hash = ''] = s.read('growth').split('\n').slice(1);
    s.write('broken', s.read('growth').replace(hash, Buffer.alloc(32, 1).toString('base64')));
    expect(await s.faultOf(13, ...check('broken', '--old', 'one', ...TRUST))).toBe('E_PROOF_INVALID');
    s.write('untrue', s.read('one').replace(/\n[0-9]+\n/, '\n2\n'));
    expect(await s.faultOf(13, ...check('growth', '--old', 'untrue', ...TRUST))).toBe('E_NOTE_SIGNATURE');
    const swapped = prove('--old', 'two', '--checkpoint', 'one', '--out', 'x');
    expect(await s.faultOf(2, ...swapped)).toBe('E_USAGE');
  });
});
