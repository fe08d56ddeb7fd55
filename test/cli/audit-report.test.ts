import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/program.js';
import { spanText } from '../../src/cli/render/span.js';
import { visibleWidth } from '../../src/cli/render/text.js';
import { putIntoForce, TIGHTER, writeSigned } from '../workflow/lifecycle.js';
import { chainSays, replacement, shown } from './replace-session.js';
import { csv, removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

const JUNE = ['--from', '2026-06-01T12:00:00Z', '--to', '2026-07-01T00:00:00Z'];

let s: Session;
let first: string;
let bumped: string;
let frozen: string;
// biome-ignore lint/suspicious/noExplicitAny: the tests look into the documented object.
let june: any;

/** A day on which much happens, told in the order of the journal. */
beforeAll(async () => {
  s = await stage();
  first = await s.planOne('withdrawals.csv', '--feerate', '5');
  await s.approve(first, 'bob', 'carol');
  await s.expect(0, 'batch', 'sign', first);
  // More than one output may carry.
  s.write('much.csv', csv([['m-1', 'warm-1', '6000000000']]));
  await s.expect(10, 'batch', 'plan', 'much.csv', '--as', 'dave');
  bumped = await replacement(s, 'bump', first, '--feerate', '9');
  await s.approve(bumped, 'bob', 'carol');
  await s.expect(0, 'batch', 'sign', bumped);
  const second = await s.planOne('second.csv');
  await s.approve(second, 'bob', 'dave');
  await s.expect(0, 'batch', 'withdraw', second, '--key', 'keys/bob');
  frozen = (await s.json(0, 'vault', 'coins')).coins.at(-1).outpoint;
  await s.expect(0, 'coins', 'freeze', frozen, '--reason', 'its origin is looked into', '--as', 'erin');
  const { txid, inputs } = await shown(s, bumped);
  await chainSays(s, 7, { confirmed: [txid ?? ''], spent: inputs });
  await writeSigned(s, 'next.yaml', 'policy.yaml', { edit: TIGHTER });
  await putIntoForce(s, 'next.yaml');
  await s.expect(0, 'halt', 'raise', '--reason', 'a drill', '--key', 'keys/carol');
  s.now = '2026-07-03T12:00:00Z';
  june = await s.json(0, 'audit', 'report', ...JUNE);
}, 120_000);

describe('audit report', () => {
  it('says what was paid, by destination, with fees and replacements', async () => {
    const { batch } = await s.json(0, 'batch', 'show', bumped);
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const kind = (name: string) => june.flows.kinds.find((one: any) => one.kind === name).passages;
    expect(kind('withdrawal')).toMatchObject({
      planned: { batches: 4 },
      signed: { batches: 2, paid: '1430000000' },
      confirmed: { batches: 1, requests: 4, paid: '715000000', fee: batch.fee },
      undone: { batches: 0, paid: '0' },
    });
    expect(june.flows.replacements).toMatchObject({ signed: { batches: 1 }, confirmed: { batches: 1 } });
    expect(june.flows.endings).toMatchObject({ abandoned: 1, replaced: 1, unknown: 0 });
    expect(june.flows.payees.map(({ destination, confirmed }: Payee) => [destination, confirmed.amount])).toEqual([
      ['custodian', '300000000'],
      ['legacy', '40000000'],
      ['settle', '125000000'],
      ['warm-1', '250000000'],
    ]);
    expect(june.first_payments[0]).toMatchObject({ batch: first, since: '2026-04-01T09:00:00Z', age: 5_281_200 });
  });

  it('names the borders by number, hash and the root that a checkpoint of that size signs', async () => {
    const { entries } = await s.json(0, 'audit', 'log');
    const last = entries.at(-1);
    expect(june.end).toMatchObject({ size: entries.length, head: { seq: last.seq, hash: last.hash, at: last.at } });
    expect(june.begin.head.hash).toBe(entries[june.begin.size - 1].hash);
    expect(june.entries).toBe(june.end.size - june.begin.size);
    await s.expect(0, 'audit', 'key', 'journal.key');
    expect((await s.json(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key')).root).toBe(june.end.root);
  });

  it('says who asked, who agreed, and what came of it', () => {
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const person = (name: string) => june.people.people.find((one: any) => one.person === name);
    expect(person('alice')).toMatchObject({ planned: { batches: 3 }, signed: { batches: 2 }, given: 0 });
    expect(person('bob')).toMatchObject({ given: 3, used: 2, withdrawn: 1, expired: 0 });
    expect(person('dave')).toMatchObject({ planned: { batches: 1 }, given: 1, used: 0, expired: 1 });
    expect(person('carol')).toMatchObject({ given: 2, used: 2, halts_raised: 1 });
    expect(person('frank')).toMatchObject({ documents: 1 });
    expect(june.people.own_group.map(({ batch, approvers }: OwnGroup) => [batch, approvers])).toEqual([
      [first, ['bob', 'carol']],
      [bumped, ['bob', 'carol']],
    ]);
    expect(june.denials).toMatchObject({
      verdicts: { plan: 1, sign: 0 },
      codes: [{ code: 'LIMIT_OUTPUT', verdicts: 1, initiators: { dave: 1 } }],
    });
  });

  it('says which policies were in force, what changed, and the halts with their length', () => {
    expect(june.policies).toMatchObject([
      { version: 1, change: null, in_force_to: '2026-06-01T13:10:00Z', signers: ['frank', 'grace'] },
      { version: 2, change: 'tightening', tightens: ['limits.batch'], loosens: [], notice: 0, in_force_to: null },
    ]);
    expect(june.halts).toMatchObject({
      raised: 1,
      resumed: 0,
      halts: [
        { by: 'carol', source: 'person', scope: 'all', resumed_at: null, length: 29 * 86_400 + 10 * 3600 + 3000 },
      ],
    });
    expect(june.eyes).toMatchObject([{ kind: 'frozen', text: `erin froze ${frozen}: its origin is looked into` }]);
  });

  it('measures limits as the verdict did that took the most', async () => {
    const { batch } = await s.json(0, 'batch', 'show', bumped);
    const peak = (limit: string) =>
      june.limits.find((one: { limit: string; policy: number }) => one.limit === limit && one.policy === 1);
    expect(peak('limits.rolling.24h')).toMatchObject({
      measured: batch.spend,
      cap: '20000000000',
      share_bp: '357',
      at: '2026-06-01T12:00:00Z',
    });
    // A batch and its replacement are one: only one of them can confirm.
    expect(peak('limits.batches_24h')).toMatchObject({ measured: '1', cap: '6', share_bp: '1666' });
  });

  it('is the same later, whatever comes after the period, and shared out by the second', async () => {
    const t = await stage();
    const id = await t.planOne('withdrawals.csv');
    const period = ['--from', '2026-06-01T11:00:00Z', '--to', '2026-06-01T12:00:01Z'];
    t.now = '2026-06-01T12:00:01Z';
    const before = await t.json(0, 'audit', 'report', ...period);
    await t.expect(0, 'batch', 'abandon', id, '--reason', 'not needed', '--as', 'alice');
    t.now = '2026-06-08T00:00:00Z';
    expect(await t.json(0, 'audit', 'report', ...period)).toEqual(before);
    expect(before.period).toMatchObject({ until: '2026-06-01T12:00:01Z', over: true });
    const after = await t.json(0, 'audit', 'report', '--from', '2026-06-01T12:00:01Z');
    expect(after.flows.endings.abandoned).toBe(1);
    expect(after.opening).toEqual(before.closing);
    expect(after.begin).toEqual(before.end);
    expect(after.period).toMatchObject({ to: null, over: false });
  });

  it('says of a period that is not over how far it has come', async () => {
    const { stdout } = await s.expect(0, 'audit', 'report', '--from', JUNE[1] ?? '', '--to', '2026-08-01T00:00:00Z');
    expect(stdout).toContain('It is not over: this is the state of 2026-07-03T12:00:00Z.');
    expect(stdout).toContain('no proof of it');
  });

  it('of a journal with nothing but its first entry, and of a period before it, says just that', async () => {
    const t = await stage({ until: 'init' });
    const whole = await t.json(0, 'audit', 'report');
    expect(whole).toMatchObject({ vault: null, entries: 1, policies: [], limits: [], begin: { size: 0, head: null } });
    const early = ['audit', 'report', '--to', '2026-01-01T00:00:00Z'];
    expect(await t.json(0, ...early)).toMatchObject({ entries: 0, network: null, end: { size: 0 } });
    expect((await t.expect(0, ...early)).stdout).toContain('nobody was paid');
  });

  it.each([
    [['--from', '2026-06-02T00:00:00Z', '--to', '2026-06-01T00:00:00Z'], 'a beginning and a later end'],
    [['--from', '2026-06-02T00:00:00Z', '--to', '2026-06-02T00:00:00Z'], 'a beginning and a later end'],
    [['--from', 'yesterday'], 'is not a time'],
    [['--to', '2026-06-31T00:00:00Z'], 'is not a time'],
  ])('is refused with %j', async (more, message) => {
    for (const verb of ['report', 'payments']) {
      const { faults } = await s.json(2, 'audit', verb, ...more);
      expect(faults[0]).toMatchObject({ tag: 'E_USAGE', message: expect.stringContaining(message) });
    }
  });

  it('changes nothing, halted as it is, and writes a file that it never overwrites', async () => {
    await s.expect(0, 'audit', 'report', ...JUNE, '--out', 'june.md');
    const page = s.read('june.md');
    expect(page).toMatch(/^# Report of demo-cold on testnet3\n\n```text\n/);
    expect(page).toContain('\n## Denials\n');
    expect(Math.max(...page.split('\n').map(visibleWidth))).toBeLessThanOrEqual(100);
    s.write('taken.md', 'mine');
    expect(await s.faultOf(2, 'audit', 'report', '--out', 'taken.md')).toBe('E_FILE_EXISTS');
    expect(s.read('taken.md')).toBe('mine');
    await s.untouched(() => s.expect(0, 'audit', 'report', ...JUNE));
  });

  it('fits a terminal of 80 columns but for what has no space in it, and leaves no word out', async () => {
    const wide = (await s.expect(0, 'audit', 'report', ...JUNE)).stdout;
    let narrow = '';
    const stdout = (text: string): void => {
      narrow += text;
    };
    const io = { stdout, stderr: () => undefined, colors: false, rewrites: false, width: 80 };
    await runCommandLine(['audit', 'report', ...JUNE], () => s.composition(), io);
    const words = (text: string) => text.split(/\s+/).sort();
    expect(words(narrow)).toEqual(words(wide));
    const over = narrow.split('\n').filter((line) => visibleWidth(line) > 80);
    expect(over.filter((line) => !/\S{64}/.test(line))).toEqual([]);
    expect(narrow).not.toMatch(/ $/m);
  });

  it('shows what came from outside in a block of its file that no text of it closes', async () => {
    const t = await stage();
    const { coins } = await t.json(0, 'vault', 'coins');
    await t.expect(0, 'coins', 'freeze', coins[0].outpoint, '--reason', '```` **forged**', '--as', 'erin');
    await t.expect(0, 'audit', 'report', '--out', 'r.md');
    const blocks = t.read('r.md').split(/^`{5}(?:text)?$/m);
    expect(blocks.filter((_, index) => index % 2 === 1).join('\n')).toContain('```` **forged**');
    expect(blocks.filter((_, index) => index % 2 === 0).join('\n')).not.toContain('forged');
  });
});

interface Payee {
  readonly destination: string;
  readonly confirmed: { readonly amount: string };
}

interface OwnGroup {
  readonly batch: string;
  readonly approvers: readonly string[];
}

describe('a length of time', () => {
  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [3599, '59 min 59 s'],
    [3600, '1 h'],
    [86_399, '23 h 59 min'],
    [86_400, '1 d'],
    [90_061, '1 d 1 h'],
  ])('%d s is %s', (seconds, text) => {
    expect(spanText(seconds)).toBe(text);
  });
});
