import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { pinStatement } from '../../src/approval/screening-pin.js';
import { verifySshsig } from '../../src/approval/sshsig.js';
import { parseTime } from '../../src/domain/time.js';
import { addressOf, removeAll, type Session, stage } from '../cli/session.js';
import { putIntoForce, writeSigned } from './lifecycle.js';
import {
  LIST,
  lines,
  MORNING,
  NOBODY,
  type PinOptions,
  pinned,
  STRANGERS,
  screened,
  screeningPolicy,
  takeIn,
  withSources,
} from './screening-support.js';

afterAll(removeAll);

const HOT = addressOf('warm-1');
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Plans the demo's withdrawals, and says what the policy thinks of the one batch. */
async function codesOf(s: Session, code: 0 | 10 | 12, ...more: string[]): Promise<readonly string[]> {
  const planned = await s.json(code, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice', ...more);
  return planned.batches.flatMap((batch: { verdict: { findings: { outcome: string; code: string }[] } }) =>
    batch.verdict.findings.filter(({ outcome }) => outcome === 'deny').map((finding) => finding.code),
  );
}

async function refused(s: Session, exit: number, text: string, options: PinOptions = {}): Promise<{ tag: string }> {
  const words = await pinned(s, text, options);
  return s.untouched(async () => (await s.json(exit, ...words)).faults[0]);
}

describe('screening sign', () => {
  it('signs the digest of the bytes, the id and the date, in a namespace of its own and without a workspace', async () => {
    const s = await stage({ until: 'nothing' });
    const text = lines('# fetched', STRANGERS[0] ?? '');
    s.write('list.txt', text);
    const words = ['screening', 'sign', LIST, 'list.txt', '--issued-at', MORNING];
    const done = await s.json(0, ...words, '--key', 'keys/erin', '--as', 'erin');
    expect(done).toMatchObject({ digest: `sha256:${hash(text)}`, network: 'testnet3', scripts: 1, unusable: [] });
    const statement = pinStatement({ list: LIST, digest: hash(text), issuedAt: parseTime(MORNING) ?? 0 });
    expect((await s.json(0, ...words, '--statement')).statement).toBe(statement);
    const said = Buffer.from(statement);
    expect(verifySshsig(s.read('list.txt.erin.sig'), said, 'countersign-screening@v1').ok).toBe(true);
    expect(verifySshsig(s.read('list.txt.erin.sig'), said, 'countersign-book@v1').ok).toBe(false);
  });

  it.each<[string, string, readonly string[], number, string]>([
    ['an empty list', '# nothing\n', ['--issued-at', MORNING], 14, 'E_SCREENING_EMPTY'],
    ['plain text without a date', lines(HOT), [], 14, 'E_SCREENING_TIME'],
    ['a date in words', lines(HOT), ['--issued-at', 'today'], 2, 'E_USAGE'],
    ['a document that is cut off', '{"schema": "countersign.screening/1",', [], 2, 'E_PARSE'],
  ])('refuses %s', async (_, text, more, code, tag) => {
    const s = await stage({ until: 'nothing' });
    s.write('list.txt', text);
    const words = ['screening', 'sign', LIST, 'list.txt', '--key', 'keys/erin', '--as', 'erin', ...more];
    expect(await s.faultOf(code, ...words)).toBe(tag);
  });
});

describe('screening import', () => {
  it('keeps the lines that cannot be used, and screens against the others (N-03)', async () => {
    const s = await screened();
    const text = lines('# extracted', '', 'TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq', HOT, ' not an address ');
    const done = await takeIn(s, text);
    expect(done).toMatchObject({ list: LIST, scripts: 1, pinned_by: 'erin', issued_at: MORNING, own_listed: [] });
    expect(done.unusable.map(({ line, tag }: { line: number; tag: string }) => [line, tag])).toEqual([
      [3, 'E_ADDRESS_FORM'],
      [5, 'E_ADDRESS_FORM'],
    ]);
    const { lists } = await s.json(0, 'screening', 'show');
    expect(lists[0]).toMatchObject({ list: LIST, state: 'current', scripts: 1, stale_from: '2026-06-03T06:00:01Z' });
    expect(lists[0].unusable).toEqual([
      { line: 3, tag: 'E_ADDRESS_FORM' },
      { line: 5, tag: 'E_ADDRESS_FORM' },
    ]);
    expect(await codesOf(s, 10)).toEqual(['DEST_SANCTIONED']);
    await s.expect(0, 'audit', 'verify');
  });

  it('denies before there is a list, and no more once one is there', async () => {
    const s = await screened();
    expect(await codesOf(s, 10)).toEqual(['DATA_MISSING']);
    await takeIn(s, lines(...STRANGERS));
    expect(await codesOf(s, 0)).toEqual([]);
    await s.expect(0, 'audit', 'verify');
  });

  it.each<[string, number, string, PinOptions]>([
    ['by an officer', 10, 'E_SCREENING_SIGNER', { person: 'alice' }],
    ['by a stranger', 10, 'E_SCREENING_SIGNER', { person: 'mallory' }],
    ['from the future', 14, 'E_SCREENING_TIME', { issuedAt: '2026-06-01T12:02:01Z' }],
    ['that the policy does not name', 2, 'E_SCREENING_UNKNOWN', { list: 'other' }],
  ])('refuses a list %s', async (_, exit, tag, options) => {
    const s = await screened();
    expect((await refused(s, exit, lines(...STRANGERS), options)).tag).toBe(tag);
  });

  it('takes a list that is issued 120 s ahead, as far as clocks may differ', async () => {
    await takeIn(await screened(), lines(...STRANGERS), { issuedAt: '2026-06-01T12:02:00Z' });
  });

  it('refuses a list of nobody, one that was changed or cut off, and one with another date (N-05)', async () => {
    const s = await screened();
    const words = await pinned(s, lines(...STRANGERS));
    const fault = (...argv: string[]) => s.untouched(() => s.json(13, ...argv)).then(({ faults }) => faults[0].tag);
    s.write('list.txt', lines(...STRANGERS).slice(0, -10));
    expect(await fault(...words)).toBe('E_SCREENING_PIN');
    s.write('list.txt', lines(...STRANGERS));
    expect(await fault(...words.slice(0, -1), '2026-06-01T11:59:59Z')).toBe('E_SCREENING_PIN');
    s.write('bare.txt', lines(...STRANGERS));
    expect(await s.faultOf(11, 'screening', 'import', LIST, 'bare.txt', '--issued-at', MORNING)).toBe(
      'E_SCREENING_UNSIGNED',
    );
    await s.expect(0, 'screening', 'import', LIST, 'bare.txt', '--issued-at', MORNING, '--pin', 'list.txt.erin.sig');
  });

  it('refuses an empty list, also where somebody signs it elsewhere', async () => {
    const s = await screened();
    s.write('list.txt', '# nothing today\n');
    const statement = pinStatement({
      list: LIST,
      digest: hash('# nothing today\n'),
      issuedAt: parseTime(MORNING) ?? 0,
    });
    s.write('list.txt.erin.sig', s.sign('erin', statement, { namespace: 'countersign-screening@v1' }));
    const words = ['screening', 'import', LIST, 'list.txt', '--issued-at', MORNING];
    expect(await s.untouched(() => s.faultOf(14, ...words))).toBe('E_SCREENING_EMPTY');
  });

  it('takes only what is newer than the list in force', async () => {
    const s = await screened();
    await takeIn(s, lines(...STRANGERS), { issuedAt: MORNING });
    const older = { file: 'b.txt', issuedAt: '2026-06-01T05:59:59Z' };
    expect((await refused(s, 13, lines(...STRANGERS), older)).tag).toBe('E_SCREENING_ROLLBACK');
    expect((await refused(s, 13, lines(...STRANGERS, NOBODY), { file: 'c.txt' })).tag).toBe('E_SCREENING_ROLLBACK');
    expect((await refused(s, 2, lines(...STRANGERS), { file: 'd.txt' })).tag).toBe('E_USAGE');
    const same = await takeIn(s, lines(...STRANGERS), { file: 'e.txt', issuedAt: '2026-06-01T06:00:01Z' });
    expect(same).toMatchObject({ before: 3, removed: 0 });
    await s.expect(0, 'audit', 'verify');
  });

  it('lets no more go at a time than the policy says, whatever comes in their place (N-06)', async () => {
    const s = await screened();
    const script = (index: number): string => `0014${index.toString(16).padStart(40, '0')}`;
    const twenty = Array.from({ length: 20 }, (_, index) => script(index));
    const later = (minute: number) => ({ file: `${minute}.txt`, issuedAt: `2026-06-01T07:${minute}:00Z` });
    await takeIn(s, lines(...twenty));
    const three = lines(...twenty.slice(3), script(100), script(101), script(102));
    expect((await refused(s, 10, three, later(10))).tag).toBe('E_SCREENING_SHRINK');
    expect(await takeIn(s, lines(...twenty.slice(2)), later(11))).toMatchObject({ before: 20, removed: 2 });
    expect((await refused(s, 10, lines(...twenty.slice(4)), later(12))).tag).toBe('E_SCREENING_SHRINK');
    await s.expect(0, 'audit', 'verify');
  });

  it('a tighter policy judges the list in force at once', async () => {
    const s = await screened();
    const ten = Array.from({ length: 10 }, (_, index) => `0014${index.toString(16).padStart(40, '0')}`);
    await takeIn(s, lines(...ten));
    await takeIn(s, lines(...ten.slice(1)), { file: 'b.txt', issuedAt: '2026-06-01T07:00:00Z' });
    expect(await codesOf(s, 0)).toEqual([]);
    const edit = (text: string): string => text.replace('max_shrink_bp: 1000', 'max_shrink_bp: 999');
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit });
    await putIntoForce(s, 'p2.yaml');
    expect(await s.run('batch', 'check', (await s.json(0, 'batch', 'list')).batches[0].id, '--json')).toMatchObject({
      code: 10,
      stdout: expect.stringContaining('"DATA_INVALID"'),
    });
    await s.expect(0, 'audit', 'verify');
  });

  it('needs a vault and a policy', async () => {
    const s = await stage({ until: 'init' });
    const words = await pinned(s, lines(...STRANGERS));
    expect(await s.faultOf(14, ...words)).toBe('E_VAULT_MISSING');
    const named = await stage({ until: 'vault' });
    expect(await named.faultOf(14, ...(await pinned(named, lines(...STRANGERS))))).toBe('E_POLICY_MISSING');
  });

  it('takes a document of countersign.screening/1, which dates itself and names its issuer', async () => {
    const s = await screened();
    const document = (more: object = {}) =>
      JSON.stringify({
        schema: 'countersign.screening/1',
        id: LIST,
        issuer: 'Exchange B, incident desk',
        issued_at: MORNING,
        expires_at: '2026-06-01T18:00:00Z',
        entries: [{ address: HOT, reason: 'incident 7' }, { script: NOBODY }, { address: 'nowhere' }],
        ...more,
      });
    expect((await refused(s, 2, document({ id: 'other' }), { issuedAt: null })).tag).toBe('E_SCREENING_UNKNOWN');
    const done = await takeIn(s, document(), { file: 'peers.json', issuedAt: null });
    expect(done).toMatchObject({ issuer: 'Exchange B, incident desk', stale_from: '2026-06-01T18:00:00Z', scripts: 2 });
    expect(done.unusable).toHaveLength(1);
    expect(await codesOf(s, 10)).toEqual(['DEST_SANCTIONED']);
    s.now = '2026-06-01T18:00:00Z';
    expect((await s.json(10, 'screening', 'check', HOT)).doubts).toHaveLength(1);
    await s.expect(0, 'audit', 'verify');
  });
});

describe('an own address on a list (N-09)', () => {
  it('stops every batch, also one that has nothing to do with it', async () => {
    const s = await screened();
    const { address } = await s.json(0, 'vault', 'address', '900');
    const done = await s.json(12, ...(await pinned(s, lines(address))));
    expect(done.own_listed).toEqual([address]);
    expect(done.halt).toMatchObject({ kind: 'raised' });
    expect(await codesOf(s, 12)).toEqual(['HALTED', 'OWN_LISTED']);
    expect((await s.expect(0, 'screening', 'show')).stdout).toContain(`ALARM: it holds ${address}`);
    await s.expect(0, 'audit', 'verify');
  });
});

describe('screening check', () => {
  it('says what is listed, and that nothing is only where the lists are there and current', async () => {
    const s = await screened();
    const check = (exit: number, ...words: string[]) => s.json(exit, 'screening', 'check', ...words);
    expect((await check(14, HOT)).doubts).toEqual([`no list ${LIST} has been taken in`]);
    await takeIn(s, lines(HOT));
    const found = await check(10, STRANGERS[0] ?? '', HOT.toUpperCase());
    expect(found.addresses.map(({ on }: { on: string[] }) => on)).toEqual([[], [LIST]]);
    await check(0, STRANGERS[1] ?? '');
    expect((await s.json(2, 'screening', 'check', 'nowhere')).faults[0].tag).toBe('E_ADDRESS_FORM');
    s.now = '2026-06-03T06:00:00Z';
    await check(0, STRANGERS[1] ?? '');
    s.now = '2026-06-03T06:00:01Z';
    await check(14, STRANGERS[1] ?? '');
  });

  it('has nothing to ask where the policy names no list', async () => {
    const s = await stage();
    expect((await s.json(14, 'screening', 'check', HOT)).doubts).toEqual([
      'the policy in force names no screening list',
    ]);
    expect((await s.json(0, 'screening', 'show')).lists).toEqual([]);
  });
});

describe('where coins come from (N-07)', () => {
  const LISTED = '00145566778899001122334455667788990011223344';

  async function withCoins(from: Parameters<typeof withSources>[0]): Promise<Session> {
    const s = await screened(1);
    await takeIn(s, lines(LISTED));
    s.write('sources.json', withSources(from));
    await s.expect(0, 'coins', 'import', 'sources.json');
    return s;
  }

  it('coins of which nothing tells it are kept back, and so nothing can be planned', async () => {
    const s = await screened(1);
    await takeIn(s, lines(LISTED));
    const failed = await s.run('batch', 'plan', 'withdrawals.csv', '--as', 'alice');
    expect(failed.code).not.toBe(0);
    expect(failed.stdout + failed.stderr).toContain('come from scripts that nothing tells');
    const { coins } = await s.json(0, 'vault', 'coins');
    expect(coins[0]).toMatchObject({ status: 'quarantined', quarantine: [{ code: 'INPUT_UNSCREENED', untold: 1 }] });
    expect(await s.balance('available')).toBe(0n);
  });

  it('tainted coins are not chosen, and are shown with the reason', async () => {
    const s = await withCoins({ 0: [LISTED], 3: null });
    const { coins } = await s.json(0, 'vault', 'coins');
    const status = (index: number) => coins[index];
    expect(status(0)).toMatchObject({
      status: 'quarantined',
      quarantine: [{ code: 'INPUT_TAINTED', list: LIST, script: LISTED }],
    });
    expect(status(3)).toMatchObject({ status: 'quarantined', quarantine: [{ code: 'INPUT_UNSCREENED' }] });
    expect(status(1).status).toBe('available');
    const id = await s.planOne('withdrawals.csv');
    const { batch } = await s.json(0, 'batch', 'show', id);
    expect(batch.inputs).not.toContain(status(0).outpoint);
    expect(batch.inputs).not.toContain(status(3).outpoint);
    expect((await s.expect(0, 'vault', 'coins')).stdout).toContain(`on the screening list ${LIST}`);
    await s.approve(id, 'bob', 'carol');
    await s.expect(0, 'audit', 'verify');
  });

  it('a coin that a newer list taints denies the batch that holds it, at check and at signing', async () => {
    const s = await withCoins({});
    const id = await s.ready('withdrawals.csv');
    const more = { file: 'b.txt', issuedAt: '2026-06-01T07:00:00Z' };
    await takeIn(s, lines(LISTED, NOBODY), more);
    const { verdict } = await s.json(10, 'batch', 'check', id);
    const codes = verdict.findings
      .filter(({ outcome }: { outcome: string }) => outcome === 'deny')
      .map(({ code }: { code: string }) => code);
    expect(codes).toContain('INPUT_TAINTED');
    expect((await s.run('batch', 'sign', id)).code).toBe(10);
    expect(await s.stateOf(id)).toBe('DRAFT');
    await s.expect(0, 'audit', 'verify');
  });

  it('refuses sources that contradict the transaction that made the coin', async () => {
    const s = await screened(1);
    s.write('sources.json', withSources({ 2: [NOBODY, NOBODY] }));
    expect(await s.untouched(() => s.faultOf(2, 'coins', 'import', 'sources.json'))).toBe('E_SNAPSHOT_SOURCES');
  });

  it('says plainly that it cannot look further back', async () => {
    const s = await stage({ policy: screeningPolicy(2) });
    await takeIn(s, lines(LISTED));
    s.write('sources.json', withSources());
    await s.expect(0, 'coins', 'import', 'sources.json');
    expect(await codesOf(s, 10)).toEqual(['DATA_MISSING']);
    expect((await s.expect(0, 'policy', 'lint', 'policy.yaml')).stdout).toContain('so every batch is denied');
    expect((await s.expect(0, 'policy', 'explain')).stdout).toContain('this policy lets nothing leave');
  });
});

describe('the journal of lists', () => {
  it('judges the past by the lists that were in force then, also under another policy', async () => {
    const s = await screened();
    await takeIn(s, lines(...STRANGERS));
    const id = await s.planOne('withdrawals.csv');
    s.wait(60);
    await takeIn(s, lines(...STRANGERS, HOT), { file: 'b.txt', issuedAt: '2026-06-01T12:00:00Z' });
    await s.json(10, 'batch', 'check', id);
    await s.expect(0, 'audit', 'verify');
    s.write('other.yaml', screeningPolicy(0));
    const same = await s.json(0, 'policy', 'backtest', '--policy', 'other.yaml');
    expect(same).toMatchObject({ decisions: 1, changed: [] });
    s.write('older.yaml', screeningPolicy(0).replace('max_age: "48h"', 'max_age: "5h"'));
    const older = await s.json(0, 'policy', 'backtest', '--policy', 'older.yaml');
    expect(older.changed[0].after).toEqual({ decision: 'DENY', codes: ['APPROVALS_MISSING', 'DATA_STALE'] });
  });

  it('simulate asks the lists', async () => {
    const s = await screened();
    await takeIn(s, lines(HOT));
    const { destinations } = await s.json(0, 'policy', 'simulate', '--to', 'warm-1');
    expect(destinations[0].most).toBe('0');
    expect(destinations[0].bound_by.map(({ code }: { code: string }) => code)).toContain('DEST_SANCTIONED');
  });
});
