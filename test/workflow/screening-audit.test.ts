import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { pinStatement, SCREENING_NAMESPACE } from '../../src/approval/screening-pin.js';
import { utf8 } from '../../src/domain/bytes.js';
import { parseTime } from '../../src/domain/time.js';
import { readTextList } from '../../src/policy/screening/list.js';
import { screeningSet } from '../../src/policy/screening/set.js';
import { removeAll, type Session } from '../cli/session.js';
import { type Body, forge, newest } from './forged-journal.js';
import { LIST, lines, MORNING, NOBODY, STRANGERS, screened, takeIn } from './screening-support.js';

afterAll(removeAll);

type ListBody = Body<'screening.imported'>;
const LATER = '2026-06-01T07:00:00Z';

/** The next list, as an honest program would write it, with some of it changed. */
async function forged(s: Session, text: string, person: string, change: Partial<ListBody> = {}): Promise<void> {
  const before = await newest(s, 'screening.imported');
  const digest = createHash('sha256').update(text).digest('hex');
  const issuedAt = change.issuedAt ?? LATER;
  const statement = pinStatement({ list: LIST, digest, issuedAt: parseTime(issuedAt) ?? 0 });
  const list = readTextList(text, 'testnet3');
  await forge(s, (keep) => [
    {
      ...before,
      document: keep(utf8(text)),
      set: keep(screeningSet(list)),
      issuedAt,
      scripts: list.scripts.length,
      unusable: list.unusable.length,
      pin: { person, signature: s.sign(person, statement, { namespace: SCREENING_NAMESPACE }) },
      before: before.set,
      removed: 0,
      ...change,
    },
  ]);
}

async function problem(s: Session): Promise<string> {
  const { faults } = await s.json(13, 'audit', 'verify');
  expect(faults[0].tag).toBe('E_JOURNAL_TAMPERED');
  return faults[0].message;
}

const started = async (): Promise<Session> => {
  const s = await screened();
  await takeIn(s, lines(...STRANGERS), { issuedAt: MORNING });
  return s;
};

describe('audit verify finds a screening list', () => {
  it('in order where it is', async () => {
    const s = await started();
    await forged(s, lines(...STRANGERS, NOBODY), 'erin');
    await s.expect(0, 'audit', 'verify');
  });

  it.each<[string, string, string, Partial<ListBody>, string]>([
    ['that somebody of another role signed', lines(...STRANGERS), 'alice', {}, 'alice is not in the role compliance'],
    ['that a stranger signed', lines(...STRANGERS), 'mallory', {}, 'is not in the role compliance'],
    ['without an entry that can be used', '# none\n', 'erin', { scripts: 1 }, 'lists no script of this network'],
    ['from the future', lines(...STRANGERS), 'erin', { issuedAt: '2027-01-01T00:00:00Z' }, 'and it is'],
    ['that lacks too much', lines(STRANGERS[0] ?? ''), 'erin', { removed: 0 }, 'lacks 2 of the 3 scripts'],
    ['that it numbers otherwise', lines(...STRANGERS), 'erin', { scripts: 4 }, 'scripts is 4, and has to be 3'],
    ['whose lines it does not count', lines(...STRANGERS, 'x'), 'erin', { unusable: 0 }, 'unusable is 0'],
    ['in the name of another', lines(...STRANGERS), 'erin', { issuer: 'OFAC' }, 'issuer is "OFAC"'],
    ['that names scripts of the vault that it has not', lines(...STRANGERS), 'erin', { own: ['51'] }, 'its own is not'],
  ])('%s', async (_, text, person, change, message) => {
    const s = await started();
    await forged(s, text, person, change);
    expect(await problem(s)).toContain(message);
  });

  it('whose scripts were left out of what verdicts read', async () => {
    const s = await started();
    const text = lines(...STRANGERS, NOBODY);
    const before = await newest(s, 'screening.imported');
    const less = screeningSet(readTextList(lines(...STRANGERS), 'testnet3'));
    expect(createHash('sha256').update(less).digest('hex')).toBe(before.set);
    await forged(s, text, 'erin', { set: before.set });
    expect(await problem(s)).toMatch(/set is "[0-9a-f]+", and has to be/);
  });

  it('that holds an address of the vault and does not say so', async () => {
    const s = await started();
    const { address } = await s.json(0, 'vault', 'address', '3');
    await forged(s, lines(...STRANGERS, address), 'erin');
    expect(await problem(s)).toContain('its own is not what the list holds of the vault');
  });
});

describe('the journal refuses a list', () => {
  it.each<[string, Partial<ListBody>, string]>([
    ['that is not newer', { issuedAt: MORNING }, 'is in force already'],
    ['that was compared with another one', { before: 'ab'.repeat(32) }, 'was compared with another list'],
    ['signed under another policy', { under: 'ab'.repeat(32) }, 'under another policy'],
  ])('%s', async (_, change, message) => {
    const s = await started();
    await expect(forged(s, lines(...STRANGERS, NOBODY), 'erin', change)).rejects.toThrow(message);
  });
});

describe('a batch is not judged by a screening list', () => {
  it('that somebody wrote into the journal without the people who pin lists', async () => {
    const s = await started();
    await forged(s, lines(NOBODY), 'alice');
    const { faults } = await s.json(13, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice');
    expect(faults[0]).toMatchObject({ tag: 'E_JOURNAL_TAMPERED' });
    expect(faults[0].message).toContain('alice is not in the role compliance');
  });

  it('but one that was followed by a proper one has no say any more', async () => {
    const s = await started();
    await forged(s, lines(NOBODY), 'alice');
    await forged(s, lines(...STRANGERS, NOBODY), 'erin', { issuedAt: '2026-06-01T09:00:00Z' });
    await s.expect(0, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--seed', '11'.repeat(32));
  });
});
