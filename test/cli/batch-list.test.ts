import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { READ_WHOLE } from '../../src/adapters/read-lines.js';
import { ok } from '../../src/domain/result.js';
import { formatTime } from '../../src/domain/time.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { rawExec, tamper } from '../adapters/journal-folder.js';
import { blobNames, bytesOf, outpoint, story } from '../journal/story.js';
import { NOON, removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

/** Writes entries that no command wrote; the journal takes them, and an audit would not. */
async function write(s: Session, bodies: readonly EntryBody[]): Promise<void> {
  const opened = await (await s.composition()).openWorkspace();
  if (!opened.ok) throw new Error(opened.error.message);
  const done = await opened.value.journal.transact(async (tx) => {
    for (const body of bodies) {
      for (const name of 'batch' in body ? blobNames(body.batch) : []) tx.keep(bytesOf(name));
      tx.append(body);
    }
    return ok(undefined);
  });
  await opened.value.journal.close();
  if (!done.ok) throw new Error(done.error.message);
}
const planned = (n: number): EntryBody => story.planned(`batch-${n}`, { inputs: [outpoint(n)] });
const idsOf = (stdout: string): string[] => stdout.match(/batch-[0-9]+(?= )/g) ?? [];
const range = (from: number, to: number, step = 1): string[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, n) => `batch-${from + n * step}`);

describe('a long list', () => {
  let s: Session;
  beforeAll(async () => {
    s = await stage();
    // 130 batches, one a minute; of the first 30 all are abandoned but every tenth.
    for (let n = 1; n <= 130; n += 1) {
      s.now = formatTime(Date.parse(NOON) / 1000 + n * 60);
      await write(s, [planned(n), ...(n <= 30 && n % 10 !== 0 ? [story.abandoned(`batch-${n}`)] : [])]);
    }
  });

  it('shows the newest 100 and what has not ended before them, and says what it leaves out', async () => {
    const { stdout } = await s.expect(0, 'batch', 'list');
    expect(idsOf(stdout)).toEqual([...range(10, 30, 10), ...range(31, 130)]);
    expect(stdout).toContain(
      'Not shown: 27 older batches that have ended, before the newest 100; --all shows every batch',
    );
  });

  it('has all of them with --all, and in JSON', async () => {
    const { stdout } = await s.expect(0, 'batch', 'list', '--all');
    expect(idsOf(stdout)).toEqual(range(1, 130));
    expect(stdout).not.toContain('Not shown');
    const { total, batches } = await s.json(0, 'batch', 'list');
    expect([total, batches.map(({ id }: { id: string }) => id)]).toEqual([130, range(1, 130)]);
    // Beside JSON people see what they see without it.
    const beside = await s.expect(0, 'batch', 'list', '--json');
    expect(idsOf(beside.stderr)).toHaveLength(103);
    expect(beside.stderr).toContain('Not shown: 27');
    expect(idsOf((await s.expect(0, 'batch', 'list', '--json', '--all')).stderr)).toHaveLength(130);
  });

  it.each<[string[], string[]]>([
    [['--last', '2'], range(129, 130)],
    [['--last', '130'], range(1, 130)],
    [['--last', '131'], range(1, 130)],
    [['--state', 'abandoned', '--last', '3'], range(27, 29)],
    [['--state', 'ABANDONED', 'SIGNED'], range(1, 30).filter((id) => !id.endsWith('0'))],
    [['--from', '2026-06-01T14:08:00Z'], range(128, 130)],
    [['--from', '2026-06-01T14:08:01Z'], range(129, 130)],
    [
      ['--from', '2026-06-01T12:00:00Z', '--state', 'DRAFT', '--last', '101'],
      ['batch-30', ...range(31, 130)],
    ],
  ])('shows with %j what was asked for', async (options, due) => {
    expect(idsOf((await s.expect(0, 'batch', 'list', ...options)).stdout)).toEqual(due);
    const { total, batches } = await s.json(0, 'batch', 'list', ...options);
    expect([total, batches.map(({ id }: { id: string }) => id)]).toEqual([130, due]);
  });

  it.each([
    ['--last', '0'],
    ['--state', 'SIGNED'],
    ['--from', '2026-06-02T00:00:00Z'],
  ])('says where there is none: %s %s', async (...options) => {
    expect((await s.expect(0, 'batch', 'list', ...options)).stdout).toContain(
      'None of the 130 batches is one of these.',
    );
    expect(await s.json(0, 'batch', 'list', ...options)).toMatchObject({ total: 130, batches: [] });
  });

  it.each([
    [['--state', 'DONE'], 'the states are DRAFT, RESERVED'],
    [['--from', 'yesterday'], 'write it in UTC'],
    [['--last', '-1'], 'give a whole number'],
    [['--last', '1000001'], 'from 0 to 1000000'],
    [['--last', '5', '--all'], 'leave one of the two out'],
  ])('refuses %j', async (options, remedy) => {
    const { faults } = await s.json(2, 'batch', 'list', ...options);
    expect(faults[0].remedy).toContain(remedy);
  });
});

describe('rows that somebody changed', () => {
  const change: [string, (id: string) => string, RegExp][] = [
    [
      'a state',
      (id) =>
        `UPDATE batch_lines SET state = 'CONFIRMED', line = replace(line, '"SIGNED"', '"CONFIRMED"') WHERE line LIKE '%${id}%'`,
      /that of batch (\S+) was changed: line\.state is "CONFIRMED", and the entries give "SIGNED"/,
    ],
    [
      'a column',
      (id) => `UPDATE batch_lines SET at = 1 WHERE line LIKE '%${id}%'`,
      /that of batch (\S+) was changed: at is 1,/,
    ],
    [
      'a space',
      (id) => `UPDATE batch_lines SET line = line || ' ' WHERE line LIKE '%${id}%'`,
      /that of batch (\S+) was written in another way/,
    ],
    ['a row less', (id) => `DELETE FROM batch_lines WHERE line LIKE '%${id}%'`, /that of batch (\S+) was removed/],
    [
      'a row more',
      (id) => `INSERT INTO batch_lines SELECT 3, 3, at, state, line FROM batch_lines WHERE line LIKE '%${id}%'`,
      /that of a batch .* was added, which entry 3 did not plan/,
    ],
    [
      'a row before the others',
      () => "INSERT INTO batch_lines VALUES (-2, 0, 0, 'DRAFT', 'x')",
      /that of a batch "x" was added, which entry -2 did not plan/,
    ],
    [
      'another number of them',
      () => `UPDATE batch_lines SET line = replace(line, '"batches":1', '"batches":2') WHERE planned = -1`,
      /the row that says how many they are/,
    ],
    [
      'another entry',
      () =>
        `UPDATE batch_lines SET line = replace(line, '"seq":', '"seq":9'), changed = 9 || changed WHERE planned = -1`,
      /names entry 9\d+, which is not there/,
    ],
    [
      'another hash',
      () =>
        `UPDATE batch_lines SET line = '{"batches":1,"hash":"${'00'.repeat(32)}","seq":' || changed || '}' WHERE planned = -1`,
      /names entry \d+, which has another hash/,
    ],
    [
      'no entry',
      () => `UPDATE batch_lines SET line = '{}' WHERE planned = -1`,
      /the row that says of which entry they are/,
    ],
  ];

  it.each(change)('%s: audit verify names it, and halts', async (_, statement, words) => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await s.expect(0, 'batch', 'sign', id);
    await s.expect(0, 'audit', 'verify');
    tamper(s.path('journal.sqlite'), statement(id));
    const found = await s.json(13, 'audit', 'verify', '--read-only');
    expect(found.faults).toEqual([
      expect.objectContaining({ tag: 'E_JOURNAL_LINES', message: expect.stringMatching(words) }),
    ]);
    const named = words.exec(found.faults[0].message)?.[1];
    if (named !== undefined) expect(named).toBe(id);
    expect((await s.expect(13, 'audit', 'verify')).stderr).toContain('halt-');
    // Nothing is decided by the rows: the halt stands, and what was signed is there.
    await s.expect(12, 'halt', 'status');
    expect(await s.stateOf(id)).toBe('SIGNED');
  });

  /** So many entries that a list is made of the rows alone. */
  const long = (s: Session) => write(s, Array.from({ length: READ_WHOLE }, story.frozen));

  it('that are no rows of a batch are not shown: exit code 13', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await long(s);
    tamper(s.path('journal.sqlite'), `UPDATE batch_lines SET line = '{"id":"${id}"}' WHERE planned > 0`);
    const { faults } = await s.json(13, 'batch', 'list');
    expect(faults[0]).toMatchObject({ tag: 'E_JOURNAL_LINES', remedy: expect.stringContaining('audit verify') });
  });

  it('show no control characters on a terminal', async () => {
    const s = await stage();
    await s.ready('withdrawals.csv');
    await long(s);
    rawExec(
      s.path('journal.sqlite'),
      `UPDATE batch_lines SET line = replace(line, '"initiator":"alice"', '"initiator":"al\\u001b[2Jice"') WHERE planned > 0`,
    );
    const { stdout } = await s.expect(0, 'batch', 'list');
    expect(stdout).not.toContain(String.fromCharCode(27));
    expect(stdout).toContain('al\\u{1b}[2Jice');
  });

  it('are left out of account by a copy, which derives them anew', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await long(s);
    tamper(
      s.path('journal.sqlite'),
      "UPDATE batch_lines SET state = 'SIGNED', line = replace(line, 'DRAFT', 'SIGNED') WHERE planned > 0",
    );
    const listed = async () => (await s.json(0, 'batch', 'list')).batches[0].state;
    expect([await listed(), await s.stateOf(id)]).toEqual(['SIGNED', 'DRAFT']);
    await s.expect(0, 'journal', 'copy', 'copy.sqlite');
    s.write('countersign.yaml', s.read('countersign.yaml').replace('journal: journal.sqlite', 'journal: copy.sqlite'));
    expect([await listed(), await s.stateOf(id)]).toEqual(['DRAFT', 'DRAFT']);
    await s.expect(0, 'audit', 'verify');
  });
});
