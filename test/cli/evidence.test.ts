import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvText } from '../../src/cli/render/csv.js';
import { sha256Hex } from '../../src/domain/bytes.js';
import { entryRecord } from '../../src/journal/chain.js';
import { formatEvidence, parseEvidence } from '../../src/journal/evidence-file.js';
import { MerkleTree } from '../../src/journal/merkle-tree.js';
import { closedRanges } from '../../src/journal/multi-proof.js';
import { A, B, cosigner, multisigStage, removeMultisig } from './multisig-session.js';
import { NOON, removeAll, SEED, type Session, stage } from './session.js';

afterAll(removeAll);
afterAll(removeMultisig);

const DAY = ['--from', '2026-06-01T12:00:00Z', '--to', '2026-06-02T00:00:00Z'];

/** A day with two batches, one signed, one left as it was planned; and a checkpoint over it. */
async function day(): Promise<{ s: Session; signed: string; planned: string }> {
  const s = await stage();
  const signed = await s.ready('withdrawals.csv');
  await s.expect(0, 'batch', 'sign', signed);
  const planned = await s.planOne('second.csv');
  await s.expect(0, 'audit', 'key', 'journal.key');
  await s.expect(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key');
  return { s, signed, planned };
}

let s: Session;
let signed: string;
let planned: string;
beforeAll(async () => {
  ({ s, signed, planned } = await day());
  await s.expect(0, 'audit', 'bundle', 'june.evidence', ...DAY, '--checkpoint', 'c-1');
}, 60_000);

const verify = (file: string) => ['audit', 'verify', '--bundle', file, '--trust', 'journal.key.pub'] as const;

/** The bundle with something else in it. */
// biome-ignore lint/suspicious/noExplicitAny: the bundle is changed as somebody with an editor would.
function forged(name: string, change: (bundle: any) => void): string {
  const bundle = JSON.parse(readFileSync(s.path('june.evidence'), 'utf8'));
  change(bundle);
  writeFileSync(s.path(name), JSON.stringify(bundle));
  return name;
}

describe('a bundle of evidence', () => {
  it('takes a checkpoint that was made for a witness, with its proof before it', async () => {
    await s.expect(0, 'audit', 'checkpoint', 'for-witness', '--key', 'journal.key', '--old', 'c-1');
    expect(s.read('for-witness')).toMatch(/^old /);
    await s.expect(0, 'audit', 'bundle', 'asked.evidence', ...DAY, '--checkpoint', 'for-witness');
    await s.expect(0, ...verify('asked.evidence'));
    await s.expect(0, 'audit', 'verify', '--checkpoint', 'for-witness', '--trust', 'journal.key.pub');
  });

  it('is not made of a proof of one entry, and trust in nothing is no check', async () => {
    await s.expect(0, 'audit', 'prove', '0', '--checkpoint', 'c-1', '--out', 'entry-0');
    const words = ['audit', 'bundle', 'no.evidence', ...DAY, '--checkpoint', 'entry-0'];
    expect(await s.faultOf(2, ...words)).toBe('E_CHECKPOINT_FORM');
    expect(await s.faultOf(2, 'audit', 'verify', '--trust', 'journal.key.pub')).toBe('E_USAGE');
  });

  it('proves a day on a machine that has nothing else', async () => {
    const elsewhere = await stage({ until: 'nothing' });
    for (const name of ['june.evidence', 'journal.key.pub']) elsewhere.write(name, readFileSync(s.path(name)));
    const proven = await elsewhere.json(0, ...verify('june.evidence'));
    expect(proven).toMatchObject({ approvals: 2, signatures: 1, not_carried: 1 });
    expect(proven.entries).toBeGreaterThan(6);
    expect(proven.batches).toMatchObject([
      {
        id: signed,
        approvers: ['bob', 'carol'],
        decision: 'ALLOW',
        last: 'batch.signed',
        txid: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      { id: planned, approvers: [], txid: null },
    ]);
    const { stdout } = await elsewhere.expect(0, ...verify('june.evidence'));
    expect(stdout).toContain('none left out');
    expect(stdout).toContain('Quoted, and not proven here');
    expect(stdout).toMatch(/nothing from before the period is missing: .* newer policy or book/);
    expect(proven).toMatchObject({ objections: 0, halts: 0, resumes: 0, period_over: false });
    expect(stdout).toContain('nothing shows that the period was over');
  });

  it('holds the days before a batch was signed, where only the signing falls into the period', async () => {
    const t = await stage();
    const id = await t.ready('withdrawals.csv');
    t.wait(600);
    await t.expect(0, 'batch', 'sign', id);
    await t.expect(0, 'audit', 'key', 'journal.key');
    await t.expect(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key');
    await t.expect(
      0,
      'audit',
      'bundle',
      'late.evidence',
      '--from',
      '2026-06-01T12:05:00Z',
      '--to',
      '2026-06-02T00:00:00Z',
      '--checkpoint',
      'c-1',
    );
    expect((await t.json(0, ...verify('late.evidence'))).batches).toMatchObject([
      { id, approvers: ['bob', 'carol'], last: 'batch.signed' },
    ]);
  });

  it('of a time between the steps of a batch holds, and tells of that batch only where a step of it is in the period', async () => {
    const t = await stage();
    const id = await t.planOne('withdrawals.csv');
    for (const person of ['bob', 'carol']) {
      t.wait(60);
      await t.approve(id, person);
    }
    t.wait(60);
    await t.expect(0, 'batch', 'sign', id);
    await t.expect(0, 'audit', 'key', 'journal.key');
    await t.expect(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key');
    const periods = [
      ['12:00:30', '12:00:45', { entries: 0, batches: [], approvals: 0, period_over: true }],
      ['12:00:30', '12:01:30', { entries: 1, batches: [{ id, approvers: ['bob'], txid: null }], period_over: true }],
      ['12:02:30', '12:02:45', { entries: 0, batches: [], documents: 5, period_over: true }],
      ['12:03:01', '12:04:00', { entries: 0, batches: [], signatures: 0, period_over: false }],
    ] as const;
    for (const [from, to, proven] of periods) {
      const between = ['--from', `2026-06-01T${from}Z`, '--to', `2026-06-01T${to}Z`, '--checkpoint', 'c-1'];
      await t.expect(0, 'audit', 'bundle', `${from}.evidence`, ...between);
      expect(await t.json(0, ...verify(`${from}.evidence`))).toMatchObject(proven);
      rmSync(t.path(`${from}.evidence`));
    }
  });

  it('holds a batch that takes the place of one from before the period, and tells of what is in it', async () => {
    const t = await stage();
    const first = await t.ready('withdrawals.csv');
    await t.expect(0, 'batch', 'sign', first);
    t.wait(3600);
    const bumped = ['batch', 'bump', first, '--feerate', '40', '--as', 'alice', '--seed', SEED];
    const second = (await t.json(0, ...bumped)).batches[0].id;
    await t.expect(0, 'audit', 'key', 'journal.key');
    await t.expect(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key');
    const between = ['--from', '2026-06-01T13:00:00Z', '--to', '2026-06-01T14:00:00Z', '--checkpoint', 'c-1'];
    await t.expect(0, 'audit', 'bundle', 'bump.evidence', ...between);
    expect(await t.json(0, ...verify('bump.evidence'))).toMatchObject({ approvals: 2, batches: [{ id: second }] });
  });

  it.each([
    ['a second before its end', '2026-06-01T23:59:59Z', false],
    ['at its end', '2026-06-02T00:00:00Z', true],
  ])('is of a period that was over if a trusted witness looked %s', async (_, at, over) => {
    const t = await stage();
    await t.expect(0, 'audit', 'key', 'journal.key');
    await t.expect(0, 'audit', 'key', 'erin.key', '--witness', 'erin.example/witness');
    await t.expect(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key');
    t.now = at;
    const looks = ['--key', 'erin.key', '--state', 'erin.json', '--log', 'journal.key.pub', '--out', 'c-2'];
    await t.expect(0, 'audit', 'witness', 'c-1', ...looks);
    await t.expect(0, 'audit', 'bundle', 'june.evidence', ...DAY, '--checkpoint', 'c-2');
    expect(await t.json(0, ...verify('june.evidence'), 'erin.key.pub')).toMatchObject({ period_over: over });
    expect(await t.json(0, ...verify('june.evidence'))).toMatchObject({ period_over: false });
  });

  it('holds the parts of several signers, and what each of them signed', async () => {
    const t = await multisigStage('registered');
    t.now = NOON;
    const id = await t.ready('withdrawals.csv');
    for (const fingerprint of [A, B]) {
      t.signer = () => cosigner(fingerprint);
      await t.expect(0, 'batch', 'sign', id, '--signer', fingerprint);
    }
    await t.expect(0, 'audit', 'key', 'journal.key');
    await t.expect(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key');
    await t.expect(0, 'audit', 'bundle', 'june.evidence', ...DAY, '--checkpoint', 'c-1');
    const proven = await t.json(0, ...verify('june.evidence'));
    expect(proven).toMatchObject({ approvals: 2, batches: [{ id, last: 'batch.signed' }] });
    expect(proven.signatures).toBeGreaterThan(1);
  });

  it('of a time in which nothing happened proves just that', async () => {
    await s.expect(
      0,
      'audit',
      'bundle',
      'quiet.evidence',
      '--from',
      '2026-05-30T00:00:00Z',
      '--to',
      '2026-05-31T00:00:00Z',
      '--checkpoint',
      'c-1',
    );
    expect(await s.json(0, ...verify('quiet.evidence'))).toMatchObject({ entries: 0, batches: [] });
  });

  it.each([
    [
      'an entry that was edited',
      (b: Bundle) => {
        b.records[3] = b.records[3]?.replace('2026', '2025') ?? '';
      },
      'E_EVIDENCE_INVALID',
    ],
    [
      'an entry left out',
      (b: Bundle) => {
        b.records.splice(-2, 1);
      },
      'E_EVIDENCE_INVALID',
    ],
    [
      'an entry twice',
      (b: Bundle) => {
        b.records.push(b.records.at(-1) ?? '');
      },
      'E_EVIDENCE_INVALID',
    ],
    [
      'a hash of the proof changed',
      (b: Bundle) => {
        b.proof[0] = Buffer.alloc(32).toString('base64');
      },
      'E_EVIDENCE_INVALID',
    ],
    [
      'a document missing',
      (b: Bundle) => {
        delete b.blobs[Object.keys(b.blobs)[0] ?? ''];
      },
      'E_EVIDENCE_INVALID',
    ],
    [
      'a document more',
      (b: Bundle) => {
        b.blobs[sha256Hex('more')] = Buffer.from('more').toString('base64');
      },
      'E_EVIDENCE_INVALID',
    ],
    [
      'a document with other bytes',
      (b: Bundle) => {
        b.blobs[Object.keys(b.blobs)[0] ?? ''] = 'AAAA';
      },
      'E_EVIDENCE_FORM',
    ],
    [
      'another schema',
      (b: Bundle) => {
        b.schema = 'countersign.evidence/2';
      },
      'E_EVIDENCE_FORM',
    ],
    [
      'a field more',
      (b: Bundle) => {
        Object.assign(b, { note: 'trust me' });
      },
      'E_EVIDENCE_FORM',
    ],
    [
      'a checkpoint that says another root',
      (b: Bundle) => {
        b.checkpoint = b.checkpoint.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`);
      },
      'E_NOTE_SIGNATURE',
    ],
  ])('with %s is refused', async (_, change, tag) => {
    const file = forged('forged.evidence', change);
    const code = tag === 'E_EVIDENCE_FORM' ? 2 : 13;
    expect(await s.faultOf(code, ...verify(file))).toBe(tag);
  });

  it('from which an entry of the period was withheld is refused, though its proof is a good one', async () => {
    const opened = await (await s.composition()).openWorkspace();
    if (!opened.ok) throw new Error(opened.error.message);
    const { journal } = opened.value;
    const read = parseEvidence(readFileSync(s.path('june.evidence')), 'june.evidence');
    if (!read.ok) throw new Error(read.error.message);
    const size = Number(read.value.checkpoint.split('\n')[1]);
    const entries = read.value.entries.filter(({ body }) => body.kind !== 'batch.reserved');
    expect(entries.length).toBe(read.value.entries.length - 1);
    const tree = new MerkleTree(size, (level, from, count) => journal.treeHashes(level, from, count));
    const proof = await tree.roots(
      closedRanges(
        entries.map(({ seq }) => seq),
        size,
      ),
    );
    await journal.close();
    if (!proof.ok) throw new Error(proof.error.message);
    s.write('withheld.evidence', formatEvidence({ ...read.value, entries, proof: proof.value }, entryRecord));
    const { faults } = await s.json(13, ...verify('withheld.evidence'));
    expect(faults[0]).toMatchObject({
      tag: 'E_EVIDENCE_INVALID',
      message: expect.stringContaining('lie between its neighbours'),
    });
  });

  it('is worth nothing without a key that is trusted', async () => {
    await s.expect(0, 'audit', 'key', 'other.key', '--witness', 'other.example');
    const code = (await s.run('audit', 'verify', '--bundle', 'june.evidence', '--trust', 'other.key.pub')).code;
    expect(code).toBe(13);
  });

  it.each([
    [['--to', '2026-06-02T00:00:00Z', '--checkpoint', 'c-1'], 'a beginning and a later end'],
    [
      ['--from', '2026-06-02T00:00:00Z', '--to', '2026-06-01T00:00:00Z', '--checkpoint', 'c-1'],
      'a beginning and a later end',
    ],
    [['--from', 'yesterday', '--to', '2026-06-01T00:00:00Z', '--checkpoint', 'c-1'], 'is not a time'],
    [[...DAY], '--checkpoint is missing'],
  ])('is not made with %j', async (more, message) => {
    const { faults } = await s.json(2, 'audit', 'bundle', 'x.evidence', ...more);
    expect(faults[0].message).toContain(message);
  });

  it('is not made from a checkpoint that is older than the end of its period', async () => {
    const t = await stage();
    await t.expect(0, 'audit', 'key', 'journal.key');
    await t.expect(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key');
    await t.planOne('withdrawals.csv');
    const { faults } = await t.json(2, 'audit', 'bundle', 'x.evidence', ...DAY, '--checkpoint', 'c-1');
    expect(faults[0]).toMatchObject({ tag: 'E_USAGE', remedy: expect.stringContaining('newer one') });
  });
});

interface Bundle {
  schema: string;
  from: string;
  checkpoint: string;
  records: string[];
  proof: string[];
  blobs: Record<string, string>;
}

describe('audit payments', () => {
  it('lists each payment with what became of it, for people, as JSON and as CSV', async () => {
    const { payments } = await s.json(0, 'audit', 'payments');
    expect(payments.filter((row: { batch: string }) => row.batch === signed)[0]).toMatchObject({
      state: 'SIGNED',
      approvers: ['bob', 'carol'],
      initiator: 'alice',
      signed_at: '2026-06-01T12:00:00Z',
    });
    expect(payments.filter((row: { batch: string }) => row.batch === planned)[0]).toMatchObject({
      state: 'DRAFT',
      txid: '',
    });
    const { stdout } = await s.expect(0, 'audit', 'payments');
    expect(stdout.split('\n').filter((line) => line.includes(signed))).not.toEqual([]);
    await s.expect(0, 'audit', 'payments', '--csv', 'all.csv');
    const lines = s.read('all.csv').split('\r\n');
    expect(lines[0]).toContain('"amount_sat"');
    expect(lines.length).toBe(payments.length + 2);
  });

  it('of a period leaves out what was planned before and at its end', async () => {
    const at = ['--from', '2026-06-01T12:00:00Z', '--to', '2026-06-01T12:00:01Z'];
    expect((await s.json(0, 'audit', 'payments', ...at)).payments.length).toBeGreaterThan(0);
    const none = await s.json(0, 'audit', 'payments', '--from', '2026-06-01T12:00:01Z');
    expect(none.payments).toEqual([]);
    expect((await s.json(0, 'audit', 'payments', '--to', '2026-06-01T12:00:00Z')).payments).toEqual([]);
    expect((await s.expect(0, 'audit', 'payments', '--to', '2026-06-01T12:00:00Z')).stdout).toContain('no payment');
  });

  it('never overwrites a file', async () => {
    s.write('taken.csv', 'mine');
    expect((await s.run('audit', 'payments', '--csv', 'taken.csv')).code).not.toBe(0);
    expect(s.read('taken.csv')).toBe('mine');
  });
});

describe('a cell of the CSV', () => {
  it('of any column begins with no sign that a spreadsheet computes, and says all that it said', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', ' ', '"', ',', ';', 'a', '1', '\uff1d'), {
          maxLength: 6,
        }),
        (characters) => {
          const cell = characters.join('');
          const [, ...lines] = csvText(['t'], [[cell]]).split('"t"\r\n');
          const written = lines.join('').slice(1, -3).replaceAll('""', '"');
          expect(written.replace(/^'/, '')).toBe(cell);
          expect(written.trimStart()).not.toMatch(/^[=+\-@\uff1d]/);
          expect(written).not.toMatch(/^[\t\r\n]/);
        },
      ),
    );
  });

  it.each([
    ['=1+1', `"'=1+1"`],
    ['+49', `"'+49"`],
    ['-1', `"'-1"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    ['\t=1', `"'\t=1"`],
    ['\r=1', `"'\r=1"`],
    ['\n=1', `"'\n=1"`],
    [' =1+1', `"' =1+1"`],
    ['\u00a0\u200b+1', `"'\u00a0\u200b+1"`],
    ['\u3000\uff1d1+1', `"'\u3000\uff1d1+1"`],
    ['\uff0b1', `"'\uff0b1"`],
    ['\uff0d1', `"'\uff0d1"`],
    ['\uff20SUM(A1)', `"'\uff20SUM(A1)"`],
    ['\u22121', `"'\u22121"`],
    [' a = b', '" a = b"'],
    ['1-1', '"1-1"'],
    ["'=1", `"''=1"`],
    ['a "quoted" word, and more', '"a ""quoted"" word, and more"'],
    ['a=1', '"a=1"'],
    ['', '""'],
  ])('%j is written as %s', (cell, text) => {
    expect(csvText(['t'], [[cell]])).toBe(`"t"\r\n${text}\r\n`);
  });
});
