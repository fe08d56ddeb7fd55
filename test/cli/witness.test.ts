import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EntryBody } from '../../src/journal/entries.js';
import { tamper } from '../adapters/journal-folder.js';
import { outpoint } from '../journal/story.js';
import { forge } from '../workflow/forged-journal.js';
import { removeAll, type Session, stage } from './session.js';

const frozen = (n: number): EntryBody => ({ kind: 'coin.frozen', outpoint: outpoint(n), reason: 'r', by: 'alice' });

afterAll(removeAll);

/** A workspace with the key of its journal, and with an auditor's key beside it. */
async function witnessed(): Promise<Session> {
  const s = await stage();
  await s.expect(0, 'audit', 'key', 'journal.key');
  await s.expect(0, 'audit', 'key', 'erin.key', '--witness', 'erin.example/witness');
  return s;
}
const checkpoint = (s: Session, out: string, ...more: string[]) =>
  s.expect(0, 'audit', 'checkpoint', out, '--key', 'journal.key', ...more);
const witness = (file: string, ...more: string[]): string[] => [
  ...['audit', 'witness', file, '--key', 'erin.key', '--state', 'erin.json'],
  ...more,
];
const LOG = ['--log', 'journal.key.pub'];

/** Two more entries. */
async function goOn(s: Session): Promise<void> {
  const { coins } = await s.json(0, 'vault', 'coins');
  await s.expect(0, 'coins', 'freeze', coins[0].outpoint, '--reason', 'r', '--as', 'alice');
  await s.expect(0, 'coins', 'unfreeze', coins[0].outpoint, '--reason', 'r', '--as', 'alice');
}

describe('audit key', () => {
  it('writes a key that its owner alone can read, and its verifier key beside it', async () => {
    const s = await witnessed();
    for (const name of ['journal.key', 'erin.key']) {
      expect(statSync(s.path(name)).mode & 0o777).toBe(0o600);
      expect(s.read(name)).toMatch(/^PRIVATE\+KEY\+\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*\n$/);
      expect(s.read(`${name}.pub`)).toMatch(/^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n$/);
    }
    const [first] = (await s.json(0, 'audit', 'log')).entries;
    expect(s.read('journal.key.pub')).toContain(`countersign/testnet3/${first.hash}+`);
  });

  it('finishes one that was begun by a process that was killed, and no other', async () => {
    const s = await witnessed();
    for (const [name, ...more] of [
      ['journal.key'],
      ['erin.key', '--witness', s.read('erin.key').split('+')[2] ?? ''],
    ]) {
      const [secret, published] = [s.read(name ?? ''), s.read(`${name}.pub`)];
      rmSync(s.path(`${name}.pub`));
      expect(await s.faultOf(2, 'audit', 'key', name ?? '', '--witness', 'somebody-else')).toBe('E_FILE_EXISTS');
      expect((await s.json(0, 'audit', 'key', name ?? '', ...more)).verifier).toBe(published.trim());
      expect([s.read(name ?? ''), s.read(`${name}.pub`)]).toEqual([secret, published]);
    }
  });

  it('never overwrites one, and takes no name that a note cannot hold', async () => {
    const s = await witnessed();
    await s.untouched(async () => {
      expect(await s.faultOf(2, 'audit', 'key', 'journal.key')).toBe('E_FILE_EXISTS');
      for (const name of ['a b', 'a+b', 'ä', '']) {
        expect(await s.faultOf(2, 'audit', 'key', 'new.key', '--witness', name)).toBe('E_USAGE');
      }
      s.write('x', 'no key');
      expect(await s.faultOf(2, 'audit', 'key', 'x')).toBe('E_FILE_EXISTS');
      rmSync(s.path('x'));
      s.write('half.key.pub', 'x');
      expect(await s.faultOf(2, 'audit', 'key', 'half.key')).toBe('E_FILE_EXISTS');
      rmSync(s.path('half.key.pub'));
    });
    expect(existsSync(s.path('half.key'))).toBe(false);
  });
});

describe('audit checkpoint', () => {
  it('signs no root of hashes that somebody wrote before the entries under them were there', async () => {
    const s = await witnessed();
    // Whoever may add rows can be first: what is there is not made again.
    tamper(s.path('journal.sqlite'), `INSERT INTO subtrees VALUES (1, 0, '${'ab'.repeat(32)}')`);
    await forge(s, () => Array.from({ length: 300 }, (_, n) => frozen(n)));
    expect(await s.faultOf(13, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key')).toBe('E_JOURNAL_TAMPERED');
    expect(existsSync(s.path('c-1'))).toBe(false);
    const { faults } = await s.json(13, 'audit', 'verify');
    expect(faults[0].message).toContain('the hash over entries 0 to 255 is not that of its entries');
  });

  it('takes no file that is there already, whatever the journal has become', async () => {
    const s = await stage();
    await s.expect(0, 'audit', 'key', 'journal.key');
    await checkpoint(s, 'taken');
    const before = s.read('taken');
    await s.planOne('withdrawals.csv');
    expect(await s.faultOf(2, 'audit', 'checkpoint', 'taken', '--key', 'journal.key')).toBe('E_FILE_EXISTS');
    expect(s.read('taken')).toBe(before);
  });

  it('signs the size and the root, and leaves the journal as it is', async () => {
    const s = await witnessed();
    const before = await s.head();
    const made = await s.json(0, 'audit', 'checkpoint', 'one', '--key', 'journal.key');
    expect(await s.head()).toBe(before);
    expect(made.size).toBe(Number(before.split(':')[0]) + 1);
    expect(s.read('one').split('\n').slice(0, 3)).toEqual([made.origin, `${made.size}`, made.root]);
    await checkpoint(s, 'again');
    expect(s.read('again')).toBe(s.read('one'));
  });

  it('is one also with the proof for a witness in front of it', async () => {
    const s = await witnessed();
    await checkpoint(s, 'one');
    await goOn(s);
    await checkpoint(s, 'two', '--old', 'one');
    expect(s.read('two')).toMatch(/^old [0-9]+\n/);
    await s.expect(0, 'audit', 'verify', '--checkpoint', 'two', '--trust', 'journal.key.pub');
    await goOn(s);
    await checkpoint(s, 'three', '--old', 'two');
    await s.expect(0, 'audit', 'prove', '--checkpoint', 'three', '--old', 'two', '--out', 'grown');
    s.write('broken', s.read('two').replace('\n\n', '\nx\n\n'));
    expect(await s.faultOf(2, 'audit', 'verify', '--checkpoint', 'broken')).toBe('E_PROOF_FORM');
  });

  it('refuses a key of a witness, of another journal, and files that are none', async () => {
    const s = await witnessed();
    const other = await stage({ until: 'init' });
    other.now = '2026-06-01T12:00:00Z';
    s.write('coins.key', 'no key');
    await s.untouched(async () => {
      const asked = (key: string, ...more: string[]) =>
        s.faultOf(key === 'other.key' ? 13 : 2, 'audit', 'checkpoint', 'x', '--key', key, ...more);
      expect(await asked('erin.key')).toBe('E_NOTE_KEY');
      expect(await asked('coins.key')).toBe('E_NOTE_KEY');
      expect(await asked('missing.key')).toBe('E_FILE_MISSING');
      expect(await asked('journal.key', '--old', 'coins.json')).toBe('E_NOTE_FORM');
    });
    expect(await s.faultOf(2, 'audit', 'checkpoint', 'x')).toBe('E_USAGE');
    const text = s.read('journal.key').replace('/testnet3/', '/testnet4/');
    s.write('changed.key', text);
    expect(await s.faultOf(2, 'audit', 'checkpoint', 'x', '--key', 'changed.key')).toBe('E_NOTE_KEY');
    await s.expect(0, 'audit', 'key', 'foreign.key', '--witness', 'x');
  });

  it('signs nothing that does not begin with the older one', async () => {
    const s = await witnessed();
    await checkpoint(s, 'one');
    const size = Number(s.read('one').split('\n')[1]);
    const old = (named: string) => s.faultOf(13, 'audit', 'checkpoint', 'x', '--key', 'journal.key', '--old', named);
    expect(await old(`${size + 1}`)).toBe('E_JOURNAL_TRUNCATED');
    s.write('wrong', s.read('one').replace(/^([A-Za-z0-9+/]{43}=)$/m, `${Buffer.alloc(32, 7).toString('base64')}`));
    expect(await old('wrong')).toBe('E_JOURNAL_REWRITTEN');
    s.write('elsewhere', s.read('one').replace('countersign/testnet3', 'countersign/main'));
    expect(await old('elsewhere')).toBe('E_CHECKPOINT_ORIGIN');
    expect(existsSync(s.path('x'))).toBe(false);
    await checkpoint(s, 'x', '--old', `${size}`);
    expect(s.read('x')).toMatch(new RegExp(`^old ${size}\n\ncountersign/`));
  });
});

describe('audit witness', () => {
  it('cosigns what goes on from what it has cosigned, and remembers it first', async () => {
    const s = await witnessed();
    await checkpoint(s, 'one');
    const first = await s.json(0, ...witness('one', ...LOG));
    expect(first).toMatchObject({ file: 'one.cosigned', at: s.now });
    expect(first.before).toBeUndefined();
    expect(s.read('one.cosigned').startsWith(s.read('one'))).toBe(true);
    expect(s.read('one.cosigned')).toContain('\n— erin.example/witness ');
    await goOn(s);
    await checkpoint(s, 'two', '--old', 'one.cosigned');
    expect(s.read('two')).toMatch(new RegExp(`^old ${first.size}\n(\\S{44}\n)+\n`));
    s.wait(60);
    expect(await s.json(0, ...witness('two'))).toMatchObject({ before: first.size, size: first.size + 2 });
    // The same checkpoint again, as after a stick was lost: the same statement, a later time.
    s.wait(60);
    const again = await s.json(0, ...witness('two', '--out', 'two.again'));
    expect(again).toMatchObject({ before: first.size + 2, size: first.size + 2, at: s.now });
    const state = JSON.parse(s.read('erin.json'));
    expect(state.logs).toHaveLength(1);
    expect(state.logs[0].checkpoint).toBe(s.read('two.again'));
  });

  describe('refuses, and neither writes a file nor forgets what it knew:', () => {
    let s: Session;
    let size = 0;
    beforeAll(async () => {
      s = await witnessed();
      await checkpoint(s, 'early');
      await goOn(s);
      await checkpoint(s, 'one');
      size = Number(s.read('one').split('\n')[1]);
      await s.expect(0, ...witness('one', ...LOG));
    });
    const refuse = async (code: number, tag: string, ...argv: string[]): Promise<void> => {
      const faults = await s.untouched(async () => (await s.json(code, ...argv)).faults);
      expect(faults[0].tag).toBe(tag);
      expect(faults[0].remedy).not.toBe('');
    };

    it('an older checkpoint: rollback', () => refuse(13, 'E_WITNESS_ROLLBACK', ...witness('early')));

    it('one without a proof, and one whose proof begins elsewhere', async () => {
      const copy = await twin(s);
      await goOn(copy);
      await checkpoint(copy, 'bare');
      await checkpoint(copy, 'elsewhere', '--old', 'early');
      for (const name of ['bare', 'elsewhere']) {
        s.write(name, copy.read(name));
        await refuse(14, 'E_WITNESS_PROOF', ...witness(name));
      }
    });

    it('one with a proof, by a state file that knows nothing of the journal: the name of it was mistyped', async () => {
      const copy = await twin(s);
      await goOn(copy);
      await checkpoint(copy, 'next', '--old', 'one');
      s.write('next', copy.read('next'));
      const mistyped = ['audit', 'witness', 'next', '--key', 'erin.key', '--state', 'ern.json', ...LOG];
      await refuse(14, 'E_WITNESS_PROOF', ...mistyped);
      expect(existsSync(s.path('ern.json'))).toBe(false);
    });

    it('another journal of the same name that says otherwise: fork, of the same size and of a larger one', async () => {
      const copy = await twin(s);
      // An older copy of the file is put back, and goes on differently: the key signs both.
      tamper(copy.path('journal.sqlite'), `DELETE FROM entries WHERE seq >= ${size - 2}`);
      copy.wait(3600);
      await goOn(copy);
      await checkpoint(copy, 'same-size');
      s.write('same-size', copy.read('same-size'));
      await refuse(13, 'E_WITNESS_FORK', ...witness('same-size'));
      await goOn(copy);
      expect(await copy.faultOf(13, 'audit', 'checkpoint', 'x', '--key', 'journal.key', '--old', 'one')).toBe(
        'E_JOURNAL_REWRITTEN',
      );
      await checkpoint(copy, 'larger', '--old', `${size}`);
      s.write('larger', copy.read('larger'));
      await refuse(13, 'E_WITNESS_FORK', ...witness('larger'));
    });

    it('a bad signature, and none of the log', async () => {
      const text = s.read('one');
      s.write('changed', text.replace(`\n${size}\n`, `\n${size + 1}\n`));
      await refuse(13, 'E_NOTE_SIGNATURE', ...witness('changed'));
      s.write('unsigned', `${text.split('\n').slice(0, 4).join('\n')}\n— nobody AAAAAAA=\n`);
      await refuse(13, 'E_NOTE_UNTRUSTED', ...witness('unsigned'));
    });

    it('another origin, and a journal that it was never told of', async () => {
      const other = await stage({ until: 'vault' });
      const origin = s.read('one').split('\n')[0] ?? '';
      s.write('moved', s.read('one').replaceAll(origin, `${origin}0`));
      await refuse(13, 'E_WITNESS_LOG', ...witness('moved'));
      await refuse(13, 'E_CHECKPOINT_ORIGIN', ...witness('moved', ...LOG));
      expect(await other.head()).not.toBe('');
    });

    it('another key of a journal that it knows', async () => {
      await s.expect(0, 'audit', 'key', 'second.key');
      await refuse(13, 'E_WITNESS_LOG', ...witness('one', '--log', 'second.key.pub', '--out', 'x'));
    });

    it('the key of a log, a proof of an entry, files that are none, and a name that is taken', async () => {
      await refuse(2, 'E_NOTE_KEY', 'audit', 'witness', 'one', '--key', 'journal.key', '--state', 'j', '--out', 'x');
      s.write('entry', 'c2sp.org/tlog-proof@v1\nindex 0\n\nx');
      await refuse(2, 'E_PROOF_FORM', ...witness('entry'));
      await refuse(2, 'E_NOTE_FORM', ...witness('coins.json'));
      await refuse(2, 'E_FILE_EXISTS', ...witness('one'));
      for (const missing of ['--key', '--state']) {
        const argv = witness('one', '--out', 'x');
        argv.splice(argv.indexOf(missing), 2);
        await refuse(2, 'E_USAGE', ...argv);
      }
    });

    it.each([
      ['is no JSON', () => 'x'],
      ['is of another kind', () => '{"schema":"x","logs":[]}'],
      ['has a log without a key', () => '{"schema":"countersign.witness/1","logs":[{"origin":"x"}]}'],
      ['was damaged', (text: string) => text.replace(/\\n[0-9]+\\n/, '\\nx\\n')],
      ['has a checkpoint under another name', (text: string) => text.replace('"origin": "', '"origin": "x')],
    ])('a state file that %s', async (_, change) => {
      const state = s.read('erin.json');
      s.write('erin.json', change(state));
      await refuse(2, 'E_WITNESS_STATE', ...witness('one', '--out', 'x'));
      s.write('erin.json', state);
    });

    it('a state file that another process holds', async () => {
      s.write('erin.json.lock', '');
      const { faults } = await s.json(2, ...witness('one', '--out', 'x'));
      expect(faults[0].message).toContain('erin.json.lock');
      rmSync(s.path('erin.json.lock'));
      expect(existsSync(s.path('x'))).toBe(false);
    });
  });
});

/** The same workspace in another folder, with its keys. */
async function twin(s: Session): Promise<Session> {
  const copy = await stage();
  for (const name of ['journal.sqlite', 'journal.key', 'one', 'early']) {
    writeFileSync(copy.path(name), readFileSync(s.path(name)));
  }
  for (const name of ['journal.sqlite-wal', 'journal.sqlite-shm']) rmSync(copy.path(name), { force: true });
  return copy;
}
