import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entryHash, NO_ENTRY } from '../../src/journal/chain.js';
import { tamper } from '../adapters/journal-folder.js';
import { removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

interface Row {
  readonly seq: number;
  readonly at: string;
  readonly prev: string;
  readonly body: string;
  readonly hash: string;
}
const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const insert = ({ seq, at, prev, body, hash }: Row): string =>
  `INSERT INTO entries VALUES (${seq}, ${[at, prev, body, hash].map(quote).join(', ')})`;

function rowsOf(path: string): Row[] {
  const db = new Database(path);
  const rows = db.prepare('SELECT * FROM entries ORDER BY seq').all() as Row[];
  db.close();
  return rows;
}
/** Another row in its place, its hash left as it was. */
const changed = (row: Row): Row => ({ ...row, body: row.body.replace('"reason":"', '"reason":"not ') });
const rehashed = (row: Row): Row => ({ ...row, hash: entryHash({ ...row, body: JSON.parse(row.body) }) });
/** All rows numbered, linked and hashed anew. */
function relinked(rows: readonly Row[]): Row[] {
  const linked: Row[] = [];
  for (const [seq, row] of rows.entries())
    linked.push(rehashed({ ...row, seq, prev: linked.at(-1)?.hash ?? NO_ENTRY }));
  return linked;
}
const without = (rows: readonly Row[], at: number): Row[] => rows.filter((_, index) => index !== at);
const row = (rows: readonly Row[], at: number): Row => {
  const found = rows[at];
  if (found === undefined) throw new Error(`no row ${at}`);
  return found;
};

/** The entries that may be tampered with are those from here on: coins frozen and released, each by a word of its own. */
const PLACE = 9;
let honest: Session;
let size = 0;
let early = 0;

beforeAll(async () => {
  honest = await stage();
  await honest.expect(0, 'audit', 'key', 'journal.key');
  await honest.expect(0, 'audit', 'key', 'erin.key', '--witness', 'erin');
  await freeze(honest, 0, 2);
  early = await signed(honest, 'early');
  await freeze(honest, 2, 8);
  copyFileSync(honest.path('journal.sqlite'), honest.path('older'));
  await freeze(honest, 8, 10);
  await honest.planOne('second.csv');
  size = await signed(honest, 'late');
  await honest.expect(0, 'audit', 'export', '--tiles', 'export', '--checkpoint', 'late.cosigned');
}, 120_000);

async function freeze(s: Session, from: number, to: number): Promise<void> {
  const { coins } = await s.json(0, 'vault', 'coins');
  for (let n = from; n < to; n += 1) {
    s.wait(1);
    await s.expect(0, 'coins', 'freeze', coins[n].outpoint, '--reason', `r${n}`, '--as', 'alice');
  }
}
async function signed(s: Session, name: string): Promise<number> {
  const made = await s.json(
    0,
    'audit',
    'checkpoint',
    name,
    '--key',
    'journal.key',
    ...(name === 'late' ? ['--old', 'early'] : []),
  );
  await s.expect(0, 'audit', 'witness', name, '--key', 'erin.key', '--state', 'erin.json', '--log', 'journal.key.pub');
  return made.size;
}
/** The honest workspace as it is now, in a folder of its own. */
async function copy(): Promise<Session> {
  const s = await stage();
  s.now = honest.now;
  for (const name of ['journal.sqlite-wal', 'journal.sqlite-shm']) rmSync(s.path(name), { force: true });
  for (const name of [
    'journal.sqlite',
    'journal.key',
    'early.cosigned',
    'late.cosigned',
    'erin.key.pub',
    'journal.key.pub',
  ]) {
    writeFileSync(s.path(name), readFileSync(honest.path(name)));
  }
  return s;
}
async function written(change: (rows: readonly Row[]) => readonly Row[]): Promise<Session> {
  const s = await copy();
  const path = s.path('journal.sqlite');
  // Whoever rewrites entries leaves nothing beside them that tells of the old ones.
  tamper(path, ...['DELETE FROM batch_lines', 'DELETE FROM entries', ...change(rowsOf(path)).map(insert)]);
  return s;
}
const AGAINST = ['audit', 'verify', '--checkpoint', 'late.cosigned', '--trust', 'erin.key.pub', '--read-only'];
const tiles = (): string[] => ['--tiles', honest.path('export')];

/** "TAG INDEX" of the first fault. */
async function nameOf(s: Session, ...argv: string[]): Promise<string> {
  const { faults } = await s.json(13, ...argv);
  expect(faults[0].remedy).toMatch(/stop signing/);
  return `${faults[0].tag} ${/^entry ([0-9]+) of the journal: /.exec(faults[0].message)?.[1]}`;
}

describe('a journal that nobody touched', () => {
  it('holds against both checkpoints, with and without the export', async () => {
    const s = await copy();
    await s.expect(0, ...AGAINST);
    const both = ['audit', 'verify', '--checkpoint', 'late.cosigned', 'early.cosigned', '--trust', 'erin.key.pub'];
    const report = await s.json(0, ...both, ...tiles());
    expect(report.checkpoints).toEqual([
      {
        file: 'early.cosigned',
        size: early,
        signed_by: [{ name: 'erin', at: expect.any(String) }],
        compared_entry_by_entry: false,
      },
      { file: 'late.cosigned', size, signed_by: [{ name: 'erin', at: honest.now }], compared_entry_by_entry: true },
    ]);
    await freeze(s, 10, 12);
    await s.expect(0, ...both, ...tiles());
    expect((await s.expect(0, ...AGAINST)).stdout).toContain('erin');
  });
});

describe('rows that were changed and left unlinked', () => {
  const cases: [string, (rows: readonly Row[]) => readonly Row[], string][] = [
    ['edited', (rows) => rows.map((one, at) => (at === PLACE ? changed(one) : one)), 'E_JOURNAL_EDITED'],
    [
      'edited, with a hash of its own',
      (rows) => rows.map((one, at) => (at === PLACE ? rehashed(changed(one)) : one)),
      'E_JOURNAL_EDITED',
    ],
    [
      'swapped with the next one',
      (rows) =>
        rows.map((one) => ({ ...one, seq: one.seq === PLACE ? PLACE + 1 : one.seq === PLACE + 1 ? PLACE : one.seq })),
      'E_JOURNAL_SWAPPED',
    ],
    [
      'swapped with one further on',
      (rows) =>
        rows.map((one) => ({ ...one, seq: one.seq === PLACE ? PLACE + 4 : one.seq === PLACE + 4 ? PLACE : one.seq })),
      'E_JOURNAL_SWAPPED',
    ],
    [
      'inserted',
      (rows) => {
        const added = rehashed({ ...changed(row(rows, PLACE)), prev: row(rows, PLACE - 1).hash });
        return [...rows.slice(0, PLACE), added, ...rows.slice(PLACE).map((one) => ({ ...one, seq: one.seq + 1 }))];
      },
      'E_JOURNAL_INSERTED',
    ],
    [
      'inserted, with no hash that fits',
      (rows) => [
        ...rows.slice(0, PLACE),
        changed(row(rows, PLACE)),
        ...rows.slice(PLACE).map((one) => ({ ...one, seq: one.seq + 1 })),
      ],
      'E_JOURNAL_INSERTED',
    ],
    ['removed', (rows) => without(rows, PLACE), 'E_JOURNAL_REMOVED'],
    [
      'removed, and the others moved up',
      (rows) => without(rows, PLACE).map((one, seq) => ({ ...one, seq })),
      'E_JOURNAL_REMOVED',
    ],
    ['inserted before the first', (rows) => [{ ...row(rows, 0), seq: -1 }, ...rows], 'E_JOURNAL_INSERTED'],
    [
      'edited in the opening',
      (rows) => rows.map((one, at) => (at === 0 ? { ...one, at: '2020-01-01T00:00:00Z' } : one)),
      'E_JOURNAL_EDITED',
    ],
  ];

  it.each(cases)(
    '%s: by name and place, from the chain alone, with a checkpoint, and with the export',
    async (name, change, tag) => {
      const s = await written(change);
      const index = /first|opening/.test(name) ? 0 : PLACE;
      expect(await nameOf(s, ...AGAINST)).toBe(`${tag} ${index}`);
      expect(await nameOf(s, ...AGAINST, ...tiles())).toBe(`${tag} ${index}`);
      const { faults } = await s.json(13, 'audit', 'verify');
      expect(faults.map((one: { tag: string }) => one.tag)).toEqual(['E_JOURNAL_TAMPERED', tag]);
      expect((await s.expect(13, 'audit', 'verify')).stderr).toContain('everything stands still');
    },
  );
});

describe('a chain that was made anew, every hash of which fits', () => {
  const cases: [string, (rows: readonly Row[]) => readonly Row[], RegExp, number?][] = [
    ['over an edited entry', (rows) => rows.map((one, at) => (at === PLACE ? changed(one) : one)), /edited/],
    // One coin fewer is frozen then, which a later verdict says otherwise.
    ['over a removed one', (rows) => without(rows, PLACE), /removed/, 13],
    [
      'over an inserted one',
      (rows) => {
        const frozen = JSON.parse(row(rows, PLACE).body);
        const added = { ...row(rows, PLACE), body: JSON.stringify({ ...frozen, outpoint: `${'ab'.repeat(32)}:0` }) };
        return [...rows.slice(0, PLACE), { ...added, body: canonical(added.body) }, ...rows.slice(PLACE)];
      },
      /inserted/,
    ],
    [
      'over two that were swapped',
      (rows) =>
        rows.map((one, at) => {
          if (at !== PLACE && at !== PLACE + 1) return one;
          return { ...one, body: row(rows, at === PLACE ? PLACE + 1 : PLACE).body };
        }),
      /swapped/,
    ],
  ];
  const canonical = (text: string): string => {
    const body = JSON.parse(text);
    return JSON.stringify(Object.fromEntries(Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1))));
  };

  it.each(cases)(
    '%s: rewritten, at its place with the export, between two checkpoints without',
    async (_, change, words, alone = 0) => {
      const s = await written((rows) => relinked(change(rows)));
      await s.expect(alone, 'audit', 'verify', '--read-only');
      expect(await nameOf(s, ...AGAINST, ...tiles())).toBe(`E_JOURNAL_REWRITTEN ${PLACE}`);
      const { faults } = await s.json(13, ...AGAINST, ...tiles());
      expect(faults[0].message).toMatch(words);
      const [late = '', ...rest] = AGAINST.slice(3);
      const between = ['audit', 'verify', '--checkpoint', late, 'early.cosigned', ...rest];
      const short = rowsOf(s.path('journal.sqlite')).length < size;
      if (!short) expect(await nameOf(s, ...between)).toBe(`E_JOURNAL_REWRITTEN ${early}`);
      else expect(await nameOf(s, ...between)).toMatch(/^E_JOURNAL_(TRUNCATED|RESTORED) /);
    },
  );

  it('from its first entry: it is another journal', async () => {
    const s = await written((rows) =>
      relinked(rows.map((one, at) => (at === 0 ? { ...one, at: '2026-03-31T09:00:00Z' } : one))),
    );
    const { faults } = await s.json(13, ...AGAINST);
    expect(faults[0].tag).toBe('E_CHECKPOINT_ORIGIN');
  });
});

describe('a journal whose end is another one', () => {
  it('truncated: what its entries kept is still there', async () => {
    const s = await copy();
    tamper(s.path('journal.sqlite'), `DELETE FROM entries WHERE seq >= ${size - 2}`);
    for (const more of [[], tiles()])
      expect(await nameOf(s, ...AGAINST, ...more)).toBe(`E_JOURNAL_TRUNCATED ${size - 2}`);
  });

  it('restored: an older copy of the file', async () => {
    const s = await copy();
    copyFileSync(honest.path('older'), s.path('journal.sqlite'));
    const entries = rowsOf(honest.path('older')).length;
    for (const more of [[], tiles()])
      expect(await nameOf(s, ...AGAINST, ...more)).toBe(`E_JOURNAL_RESTORED ${entries}`);
    await s.expect(0, 'audit', 'verify', '--checkpoint', 'early.cosigned', '--trust', 'erin.key.pub');
  });

  it('forked: an older copy that went on by itself', async () => {
    const s = await copy();
    copyFileSync(honest.path('older'), s.path('journal.sqlite'));
    const entries = rowsOf(honest.path('older')).length;
    await freeze(s, 12, 20);
    expect(await nameOf(s, ...AGAINST, ...tiles())).toBe(`E_JOURNAL_FORKED ${entries}`);
    expect(await nameOf(s, ...AGAINST)).toBe('E_JOURNAL_REWRITTEN 0');
    // Its own key signs what it became: then two checkpoints of one journal contradict each other.
    await s.expect(0, 'audit', 'checkpoint', 'forked', '--key', 'journal.key');
    const both = [
      'audit',
      'verify',
      '--checkpoint',
      'forked',
      'late.cosigned',
      '--trust',
      'erin.key.pub',
      'journal.key.pub',
    ];
    expect(await nameOf(s, ...both, '--read-only')).toBe('E_JOURNAL_FORKED 0');
  });
});

describe('the halt upon tampering', () => {
  const HALTS = AGAINST.filter((word) => word !== '--read-only');

  it('is raised once where the journal can be written, and does not change what is found', async () => {
    const s = await copy();
    copyFileSync(honest.path('older'), s.path('journal.sqlite'));
    const entries = rowsOf(honest.path('older')).length;
    await s.untouched(() => s.expect(13, ...AGAINST));
    const first = await s.json(13, ...HALTS);
    expect(first.halt).toEqual({ kind: 'raised', halt: `halt-${entries}` });
    expect(await s.json(12, 'halt', 'status')).toMatchObject({ halts: [{ trigger: 'ledger_tamper', scope: 'all' }] });
    for (const more of [[], tiles()]) {
      const again = await s.json(13, ...HALTS, ...more);
      expect(again.faults[0].tag).toBe('E_JOURNAL_RESTORED');
      expect(again.faults[0].message).toContain(`entry ${entries} `);
    }
    expect((await s.json(13, ...HALTS)).halt).toEqual({ kind: 'known', halt: `halt-${entries}` });
    expect((await s.expect(13, ...HALTS)).stderr).toContain(`halt-${entries} was raised for it before`);
    await s.expect(0, 'audit', 'verify', '--read-only');
  });

  it('is not raised upon a checkpoint that nobody trusted has signed, a head that was typed, or a file that is none', async () => {
    const s = await copy();
    copyFileSync(honest.path('older'), s.path('journal.sqlite'));
    await s.untouched(async () => {
      const bare = await s.json(13, 'audit', 'verify', '--checkpoint', 'late.cosigned');
      expect([bare.faults[0].tag, bare.halt]).toEqual(['E_JOURNAL_RESTORED', undefined]);
      expect(await s.faultOf(13, 'audit', 'verify', '--head', `0:${'ab'.repeat(32)}`)).toBe('E_JOURNAL_TAMPERED');
      s.write('changed', s.read('late.cosigned').replace(`\n${size}\n`, `\n${size + 1}\n`));
      const trust = ['--trust', 'erin.key.pub'];
      expect(await s.faultOf(13, 'audit', 'verify', '--checkpoint', 'changed', ...trust)).toBe('E_NOTE_SIGNATURE');
      s.write('elsewhere', s.read('late.cosigned').replace('testnet3', 'main'));
      expect(await s.faultOf(13, 'audit', 'verify', '--checkpoint', 'elsewhere')).toBe('E_CHECKPOINT_ORIGIN');
      expect(await s.faultOf(2, 'audit', 'verify', '--checkpoint', 'coins.json')).toBe('E_NOTE_FORM');
      for (const name of ['changed', 'elsewhere']) rmSync(s.path(name));
    });
  });
});

describe('an export that is held against a journal', () => {
  it('is refused without the checkpoint that it leads to, and an older checkpoint without a proof', async () => {
    const s = await copy();
    await s.untouched(async () => {
      expect(await s.faultOf(2, 'audit', 'verify', ...tiles())).toBe('E_USAGE');
      expect(await s.faultOf(2, 'audit', 'verify', '--old', 'early.cosigned')).toBe('E_USAGE');
    });
  });

  it('is refused where it does not lead to the checkpoint, or is not whole', async () => {
    const s = await copy();
    const against = (folder: string, checkpoint = 'late.cosigned') => [
      ...['audit', 'verify', '--checkpoint', checkpoint, '--trust', 'erin.key.pub', '--tiles', folder],
    ];
    await s.expect(0, 'audit', 'export', '--tiles', 'own', '--checkpoint', 'late.cosigned');
    await s.expect(0, ...against('own'));
    expect(await s.faultOf(2, ...against('own', 'early.cosigned'))).toBe('E_FILE_MISSING');
    const bundle = `own/tile/entries/000.p/${size}`;
    const bytes = readFileSync(s.path(bundle));
    for (const broken of [
      bytes.subarray(0, -1),
      Buffer.concat([bytes, Buffer.of(0)]),
      Buffer.from(bytes).fill(0x20, 10, 11),
    ]) {
      s.write(bundle, broken);
      expect(await s.faultOf(13, ...against('own'))).toBe('E_PROOF_INVALID');
    }
    rmSync(s.path(bundle));
    expect(await s.faultOf(2, ...against('own'))).toBe('E_FILE_MISSING');
  });
});
