import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatNote, parseNote, signNote } from '../../src/approval/note.js';
import { parseSignerKey } from '../../src/approval/note-key.js';
import { sha256, toHex, utf8 } from '../../src/domain/bytes.js';
import { formatCheckpoint } from '../../src/journal/checkpoint.js';
import { Frontier } from '../../src/journal/merkle.js';
import { removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

/** The whole of April to June: every entry is in it, so that it needs no hashes of what lies between. */
const ALL = ['--from', '2026-04-01T00:00:00Z', '--to', '2026-06-02T00:00:00Z'];

interface Bundle {
  checkpoint: string;
  records: string[];
  proof: string[];
  blobs: Record<string, string>;
}

async function bundled(s: Session): Promise<void> {
  await s.expect(0, 'audit', 'key', 'journal.key');
  await s.expect(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key');
  await s.expect(0, 'audit', 'bundle', 'all.evidence', ...ALL, '--checkpoint', 'c-1');
}

const keyOf = (s: Session) => {
  const key = parseSignerKey(s.read('journal.key'), 'journal.key');
  if (!key.ok) throw new Error(key.error.message);
  return key.value;
};

/** A bundle as the holder of the journal's key can make one: records of their own, in a tree that they signed. */
function signedAnew(s: Session, change: (records: string[]) => string[], key = keyOf(s)): string[] {
  const bundle: Bundle = JSON.parse(readFileSync(s.path('all.evidence'), 'utf8'));
  const records = change(bundle.records);
  const tree = new Frontier();
  for (const record of records) tree.append(sha256(utf8(`\0${record}`)));
  const origin = bundle.checkpoint.split('\n')[0] ?? '';
  const text = formatCheckpoint({ origin, size: records.length, root: tree.root(), extensions: [] });
  const checkpoint = formatNote({ text, signatures: [signNote(key, text, 0)] });
  s.write('own.evidence', JSON.stringify({ ...bundle, records, checkpoint }));
  return ['audit', 'verify', '--bundle', 'own.evidence', '--trust', 'journal.key.pub'];
}

/** Links entries again after one of them was changed. */
function linked(records: readonly string[]): string[] {
  let prev = '0'.repeat(64);
  return records.map((record) => {
    const text = record.replace(/"prev":"[0-9a-f]{64}"/, `"prev":"${prev}"`);
    prev = toHex(sha256(utf8(`\0${text}`)));
    return text;
  });
}

let s: Session;
beforeAll(async () => {
  s = await stage();
  await s.expect(0, 'batch', 'sign', await s.ready('withdrawals.csv'));
  await bundled(s);
}, 60_000);

describe('a bundle that whoever holds the key of the journal made by hand', () => {
  it('holds where nothing in it was changed', async () => {
    const { document_signatures } = await s.json(0, ...signedAnew(s, (records) => records));
    expect(document_signatures).toBe(6);
    const { stdout } = await s.expect(0, 'audit', 'verify', '--bundle', 'own.evidence', '--trust', 'journal.key.pub');
    expect(stdout).toContain('6 signatures verified');
  });

  it.each<[string, (record: string) => string, string]>([
    [
      'a policy that one of its people did not sign',
      (record) =>
        record.includes('"kind":"policy.activated"')
          ? record.replace(/,\{"person":"grace","signature":"[^"]*"\}/, '')
          : record,
      'has to be signed by',
    ],
    [
      'a book with the signatures of another version',
      (record) => (record.includes('"kind":"book.changed"') ? record.replace('"version":2', '"version":3') : record),
      'book.changed: ',
    ],
    [
      'a reservation on the word of somebody who never gave it',
      (record) =>
        record.includes('"kind":"batch.reserved"')
          ? record.replace('"approvers":["bob","carol"]', '"approvers":["bob","carol","erin"]')
          : record,
      'it goes on upon the word of erin, who has no approval that stands',
    ],
    [
      'a device asked after an approval had run out',
      (record) =>
        record.includes('"kind":"batch.sent"')
          ? record.replace(/^\{"at":"[^"]*"/, '{"at":"2026-06-01T23:00:00Z"')
          : record,
      'it goes on upon the word of bob',
    ],
  ])('is refused with %s', async (_, change, message) => {
    let isChanged = false;
    const argv = signedAnew(s, (records) =>
      linked(
        records.map((record) => {
          const other = change(record);
          isChanged ||= other !== record;
          return other;
        }),
      ),
    );
    expect(isChanged).toBe(true);
    const { faults } = await s.json(13, ...argv);
    expect(faults[0]).toMatchObject({ tag: 'E_EVIDENCE_INVALID', message: expect.stringContaining(message) });
  });

  it.each<[string, (record: string) => string]>([
    ['a key twice', (record) => record.replace('"kind":', '"kind":"batch.abandoned","kind":')],
    ['a space', (record) => `${record} `],
    ['a number spelled otherwise', (record) => record.replace(/"seq":(\d+)\}$/, '"seq":$1.0}')],
    ['its keys in another order', (record) => record.replace(/^\{("at":"[^"]*"),(.*)\}$/, '{$2,$1}')],
    ['a letter spelled as an escape', (record) => record.replace('"body"', '"bod\\u0079"')],
    ['a field more', (record) => record.replace(/\}$/, ',"zzz":1}')],
  ])('is refused with %s in a record, though it was signed so', async (_, change) => {
    const last = (records: string[]) =>
      records.map((record, n) => (n === records.length - 1 ? change(record) : record));
    const argv = signedAnew(s, last);
    expect(JSON.parse(s.read('own.evidence')).records).not.toEqual(JSON.parse(s.read('all.evidence')).records);
    expect(await s.faultOf(2, ...argv)).toBe('E_EVIDENCE_FORM');
  });

  it('says nothing of another journal, though the auditor trusts the keys of both', async () => {
    const other = await stage({ until: 'nothing' });
    await other.expect(0, 'init', '.', '--network', 'main');
    await other.expect(0, 'audit', 'key', 'journal.key');
    s.write('other.key.pub', other.read('journal.key.pub'));
    const argv = [...signedAnew(s, (records) => records, keyOf(other)), 'other.key.pub'];
    expect(await s.faultOf(13, ...argv)).toBe('E_NOTE_UNTRUSTED');
    const note = parseNote(utf8(JSON.parse(s.read('own.evidence')).checkpoint), 'own');
    if (!note.ok) throw new Error(note.error.message);
    s.write('own', formatNote(note.value));
    const trust = ['--trust', 'journal.key.pub', 'other.key.pub'];
    expect(await s.faultOf(13, 'audit', 'verify', '--checkpoint', 'own', ...trust)).toBe('E_NOTE_UNTRUSTED');
    await s.expect(0, 'audit', 'prove', '0', '--checkpoint', 'c-1', '--out', 'first');
    s.write('first', s.read('first').replace(s.read('c-1'), s.read('own')));
    expect(await s.faultOf(13, 'audit', 'verify', '--proof', 'first', ...trust)).toBe('E_NOTE_UNTRUSTED');
  });
});

describe('a bundle with an approval that was taken back', () => {
  it('does not name who took it back among those who approved', async () => {
    const t = await stage();
    const id = await t.ready('withdrawals.csv');
    await t.expect(0, 'batch', 'withdraw', id, '--key', 'keys/carol');
    await bundled(t);
    const proven = await t.json(0, 'audit', 'verify', '--bundle', 'all.evidence', '--trust', 'journal.key.pub');
    expect(proven.batches).toMatchObject([{ id, approvers: ['bob'], last: 'batch.withdrawn' }]);
  });
});
