import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatNote, parseNote, signNote } from '../../src/approval/note.js';
import { parseSignerKey } from '../../src/approval/note-key.js';
import { sha256, toHex, utf8 } from '../../src/domain/bytes.js';
import { canonicalJson } from '../../src/domain/canonical-json.js';
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
function signedAnew(
  s: Session,
  change: (records: string[], documents: Record<string, string>) => string[],
  key = keyOf(s),
): string[] {
  const bundle: Bundle = JSON.parse(readFileSync(s.path('all.evidence'), 'utf8'));
  const records = change(bundle.records, bundle.blobs);
  const tree = new Frontier();
  for (const record of records) tree.append(sha256(utf8(`\0${record}`)));
  const origin = bundle.checkpoint.split('\n')[0] ?? '';
  const text = formatCheckpoint({ origin, size: records.length, root: tree.root(), extensions: [] });
  const checkpoint = formatNote({ text, signatures: [signNote(key, text, 0)] });
  const blobs = Object.fromEntries(
    Object.entries(bundle.blobs).filter(([name]) => records.some((record) => record.includes(name))),
  );
  s.write('own.evidence', JSON.stringify({ ...bundle, records, blobs, checkpoint }));
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
let planned = '';
beforeAll(async () => {
  s = await stage();
  planned = await s.ready('withdrawals.csv');
  await s.expect(0, 'batch', 'sign', planned);
  await bundled(s);
}, 60_000);

describe('a bundle that whoever holds the key of the journal made by hand', () => {
  it('holds where nothing in it was changed', async () => {
    const { document_signatures } = await s.json(0, ...signedAnew(s, (records) => records));
    expect(document_signatures).toBe(6);
    const { stdout } = await s.expect(0, 'audit', 'verify', '--bundle', 'own.evidence', '--trust', 'journal.key.pub');
    expect(stdout).toContain('6 signatures verified');
  });

  it('is refused where nobody of the policy planned', async () => {
    const { faults } = await s.json(
      13,
      ...signedAnew(s, (records) => {
        const end = records.findIndex((record) => record.includes('"kind":"batch.verdict"')) + 1;
        return linked(records.slice(0, end).map((one) => one.replace('"initiator":"alice"', '"initiator":"zoe"')));
      }),
    );
    expect(faults[0].message).toContain('its batch was planned by somebody else: "zoe" is nobody in the roles');
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
      'approvers[2] is "erin", and the verdict counts nothing',
    ],
    [
      'a reservation on nobody\u2019s word',
      (record) =>
        record.includes('"kind":"batch.reserved"')
          ? record.replace('"approvers":["bob","carol"]', '"approvers":[]')
          : record,
      'and the verdict counts "bob"',
    ],
    [
      'a plan that says less than its PSBT spends',
      (record) =>
        record.includes('"kind":"batch.planned"') ? record.replace(/"spend":"\d+"/, '"spend":"400003119"') : record,
      'spend is "400003119", and has to be',
    ],
    [
      'a plan that pays another sum',
      (record) =>
        record.includes('"kind":"batch.planned"')
          ? record.replace('"amount":"250000000"', '"amount":"25000000"')
          : record,
      'and has to be "250000000"',
    ],
    [
      'another initiator, who would have approved their own batch',
      (record) =>
        record.includes('"kind":"batch.planned"') ? record.replace('"initiator":"alice"', '"initiator":"bob"') : record,
      'another initiator',
    ],
    [
      'a verdict that its document does not give',
      (record) =>
        record.includes('"kind":"batch.verdict"') && record.includes('"stage":"plan"')
          ? record.replace('"decision":"NEED"', '"decision":"ALLOW"')
          : record,
      'its document says something else: decision is "ALLOW"',
    ],
    [
      'a step that is not legal',
      (record) => {
        const body = `"body":{"batch":"${planned}","by":"alice","kind":"batch.abandoned","reason":"x"},`;
        return record.includes('"kind":"batch.reserved"') ? record.replace(/"body":.*,(?="prev")/, body) : record;
      },
      'is ABANDONED',
    ],
    [
      'a device asked after an approval had run out',
      (record) =>
        record.includes('"kind":"batch.sent"')
          ? record.replace(/^\{"at":"[^"]*"/, '{"at":"2026-06-01T23:00:00Z"')
          : record,
      'goes out without a verdict of that moment',
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

  // biome-ignore lint/suspicious/noExplicitAny: a verdict is changed as somebody with an editor would.
  const judgedAs = (change: (verdict: any) => void) => (records: string[], documents: Record<string, string>) => {
    const again = records.map((record) => {
      const name = /"stage":"sign","verdict":"([0-9a-f]{64})"/.exec(record)?.[1] ?? '';
      const kept = documents[name];
      if (kept === undefined) return record;
      const verdict = JSON.parse(Buffer.from(kept, 'base64').toString());
      change(verdict);
      const document = utf8(canonicalJson(verdict));
      const other = toHex(sha256(document));
      documents[other] = Buffer.from(document).toString('base64');
      return record.replace(name, other);
    });
    return linked(again.map((record) => record.replace('"approvers":["bob","carol"]', '"approvers":["bob"]')));
  };

  it.each([
    ['on the word of one where the policy asks for two', {}, 'the word of 1, and the policy asks for 2'],
    ['by the tier of a smaller sum', { basis: '700000000' }, 'by less than the batch spends'],
    ['by the tier of a larger sum', { basis: '1000000001' }, 'the word of 1, and the policy asks for 3'],
    ['of a verdict without a quorum', null, 'and the verdict counts nothing'],
  ])('is refused with a reservation %s, though its verdict says so', async (_, quorum, message) => {
    const change = judgedAs((verdict) => {
      verdict.quorum = quorum === null ? undefined : { ...verdict.quorum, approved: ['bob'], ...quorum };
      if (quorum === null) delete verdict.quorum;
    });
    const { faults } = await s.json(13, ...signedAnew(s, change));
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

describe('what people said against batches, and for and against halts', () => {
  const THREE = ['bob', 'carol', 'erin'];
  let t: Session;
  beforeAll(async () => {
    t = await stage();
    const [rejected, withdrawn] = [await t.planOne('withdrawals.csv'), await t.planOne('second.csv')];
    await t.expect(0, 'batch', 'reject', rejected, '--reason', 'nobody asked', '--key', 'keys/dave');
    await t.approve(withdrawn, 'carol');
    await t.expect(0, 'batch', 'withdraw', withdrawn, '--key', 'keys/carol');
    await t.expect(0, 'halt', 'raise', '--reason', 'look into it', '--scope', 'initiator:dave', '--key', 'keys/frank');
    t.wait(86_400 - 3600);
    for (const person of THREE)
      await t.expect(person === 'erin' ? 12 : 11, 'halt', 'resume', '--key', `keys/${person}`);
    t.wait(3600);
    await t.expect(0, 'halt', 'resume');
    await t.expect(0, 'audit', 'key', 'journal.key');
    await t.expect(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key');
    const all = ['--from', '2026-04-01T00:00:00Z', '--to', '2026-06-03T00:00:00Z'];
    await t.expect(0, 'audit', 'bundle', 'all.evidence', ...all, '--checkpoint', 'c-1');
  }, 60_000);

  it('is proven, and counted', async () => {
    const proven = await t.json(0, ...signedAnew(t, (records) => records));
    expect(proven).toMatchObject({ approvals: 1, objections: 2, halts: 1, resumes: 3 });
  });

  it('is proven of a halt that was raised before the period and ended in it', async () => {
    const late = ['--from', '2026-06-02T00:00:00Z', '--to', '2026-06-03T00:00:00Z', '--checkpoint', 'c-1'];
    await t.expect(0, 'audit', 'bundle', 'late.evidence', ...late);
    const proven = await t.json(0, 'audit', 'verify', '--bundle', 'late.evidence', '--trust', 'journal.key.pub');
    expect(proven).toMatchObject({ entries: 4, batches: [], halts: 1, resumes: 3, objections: 0 });
  });

  const edited = (kind: string, from: string | RegExp, to: string) => (records: string[]) =>
    records.map((record) => (record.includes(`"kind":"${kind}"`) ? record.replace(from, to) : record));

  it.each<[string, (records: string[]) => string[], string]>([
    ['a no of somebody else', edited('batch.rejected', '"person":"dave"', '"person":"bob"'), 'and not bob'],
    ['a no for another reason', edited('batch.rejected', 'nobody asked', 'too early'), 'another reason'],
    [
      'a no without its signature',
      edited('batch.rejected', /"signature":"[^"]*"/, '"signature":"x"'),
      'said against it',
    ],
    ['a withdrawal by another key', edited('batch.withdrawn', '"person":"carol"', '"person":"dave"'), 'and not dave'],
    ['a halt of somebody else', edited('halt.raised', '"person":"frank"', '"person":"bob"'), 'person is "bob"'],
    ['a halt of less than was signed', edited('halt.raised', 'initiator:dave', 'initiator:bob'), 'scope is'],
    ['a halt for another reason', edited('halt.raised', 'look into it', 'a test'), 'reason is "a test"'],
    [
      'a word of somebody who did not give it',
      edited('halt.resume-approved', '"person":"erin"', '"person":"alice"'),
      'was signed by erin',
    ],
    [
      'an end on the word of others',
      edited('halt.resumed', '"approvers":["bob","carol","erin"]', '"approvers":["bob","carol"]'),
      'approvers[2] is nothing',
    ],
    [
      'an end without the last word for it',
      (records) => {
        const kept = records.filter((record) => !/"kind":"halt.resume-approved","person":"erin"/.test(record));
        return kept.map((record, seq) => record.replace(/"seq":\d+\}$/, `"seq":${seq}}`));
      },
      'without the quorum',
    ],
    [
      'an end before its delay',
      edited('halt.resumed', /^\{"at":"2026-06-02T12:00:00Z"/, '{"at":"2026-06-02T11:59:59Z"'),
      'before the delay',
    ],
  ])('is refused with %s', async (_, change, message) => {
    const argv = signedAnew(t, (records) => linked(change(records)));
    expect(JSON.parse(t.read('own.evidence')).records).not.toEqual(JSON.parse(t.read('all.evidence')).records);
    const { faults } = await t.json(13, ...argv);
    expect(faults[0]).toMatchObject({ tag: 'E_EVIDENCE_INVALID', message: expect.stringContaining(message) });
  });

  it.each<[string, (records: string[]) => string[], string]>([
    [
      'whose entries do not follow one another',
      (records) =>
        records.map((record, n) => (n === 5 ? record.replace(/"prev":"[^"]*"/, `"prev":"${'1'.repeat(64)}"`) : record)),
      'does not name the hash of the entry before it',
    ],
    [
      'in which time goes back',
      (records) =>
        linked(
          records.map((record, n) =>
            n === 5 ? record.replace(/^\{"at":"[^"]*"/, '{"at":"2026-06-01T23:00:00Z"') : record,
          ),
        ),
      'lies before that of entry 5',
    ],
  ])('is refused in a bundle %s', async (_, change, message) => {
    const { faults } = await t.json(13, ...signedAnew(t, change));
    expect(faults[0].message).toContain(message);
  });
});
