import { describe, expect, it } from 'vitest';
import { documents } from '../../../src/documents.js';
import { utf8 } from '../../../src/domain/bytes.js';
import { evaluate } from '../../../src/policy/evaluate.js';
import { quarantineOf } from '../../../src/policy/screening/hits.js';
import { listedScript, notEmpty, readTextList } from '../../../src/policy/screening/list.js';
import { readScreeningSet } from '../../../src/policy/screening/set.js';
import type { ScreeningState } from '../../../src/policy/types.js';
import {
  ADDRESSES,
  btc,
  type Case,
  change,
  codes,
  findingOf,
  HOUR,
  inputOf,
  judge,
  loaded,
  NOW,
  type PolicyChange,
  scriptOf,
  someScript,
} from '../fixture.js';
import { batchUnder, FROM, LIST, listed, of, POLICY, STRANGER } from './support.js';

const under = (more: Partial<ScreeningState> = {}, entries: readonly string[] = [STRANGER], rest: Partial<Case> = {}) =>
  judge({ policy: POLICY, ...rest, state: { screening: listed(entries, more), ...rest.state } });
const outcome = (verdict: ReturnType<typeof judge>, code: string, subject?: string) =>
  findingOf(verdict, code, subject).outcome;
const named = (...lists: Partial<typeof LIST>[]): PolicyChange => ({
  screening: { lists: lists.map((one) => ({ ...LIST, ...one })), inputsHops: 0 },
});

describe('the age of a list', () => {
  it.each([
    ['of the second', 0, 'pass', '3600'],
    ['at the limit', 3600, 'pass', '0'],
    ['one second over it', 3601, 'deny', '0'],
  ])('%s', (_, age, due, headroom) => {
    const verdict = under({ issuedAt: NOW - age });
    expect(findingOf(verdict, 'DATA_STALE', 'ofac')).toMatchObject({
      outcome: due,
      measured: `${age}`,
      limit: '3600',
      headroom,
      rule: 'screening.lists[0].max_age',
    });
    expect('remedy' in findingOf(verdict, 'DATA_STALE', 'ofac')).toBe(due === 'deny');
  });

  it('is none where its issuer is ahead of this clock, up to two minutes', () => {
    expect(codes(under({ issuedAt: NOW + 120 }), 'deny')).toEqual([]);
    expect(findingOf(under({ issuedAt: NOW + 120 }), 'DATA_STALE', 'ofac').measured).toBe('0');
    expect(codes(under({ issuedAt: NOW + 121 }), 'deny')).toEqual(['DATA_INVALID']);
    expect(findingOf(under({ issuedAt: NOW + 121 }), 'DATA_INVALID').text).toContain('which is to come');
  });

  it('does not matter from when on it has expired by its own word', () => {
    expect(outcome(under({ expiresAt: NOW + 1 }), 'DATA_STALE', 'ofac')).toBe('pass');
    expect(outcome(under({ expiresAt: NOW }), 'DATA_STALE', 'ofac')).toBe('deny');
    expect(findingOf(under({ expiresAt: NOW }), 'DATA_STALE', 'ofac').text).toContain('expired by its own word');
    expect(findingOf(under({ issuedAt: NOW - 3601 }), 'DATA_STALE', 'ofac').text).toContain('1 h are tolerated');
  });
});

describe('a list that is there', () => {
  it('is worth something: entries, somebody of its role, and most of what the one before had', () => {
    expect(outcome(under(), 'DATA_INVALID')).toBe('pass');
    expect(findingOf(under({}, []), 'DATA_INVALID').text).toContain('is empty, which is not to be clean');
    expect(findingOf(under({ pinnedBy: 'alice' }), 'DATA_INVALID')).toMatchObject({
      rule: 'screening.lists[0].sha256_pinned_by',
      text: expect.stringContaining('alice, who is not in the role compliance'),
    });
    const lost = (removed: number) => outcome(under({ before: { scripts: 10, removed } }), 'DATA_INVALID');
    expect([lost(1), lost(2)]).toEqual(['pass', 'deny']);
    expect(findingOf(under({ before: { scripts: 10, removed: 2 } }), 'DATA_INVALID').rule).toBe(
      'screening.lists[0].max_shrink_bp',
    );
  });

  it('of a role that the policy does not have is pinned by nobody', () => {
    const verdict = judge({ policy: named({ pinnedBy: 'wizards' }), state: { screening: listed([STRANGER]) } });
    expect(outcome(verdict, 'DATA_INVALID')).toBe('deny');
  });

  it('is asked by its place among several, and one that is not there is missing', () => {
    const policy = named({}, { id: 'eu' });
    const verdict = judge({ policy, state: { screening: listed([STRANGER]) } });
    expect(findingOf(verdict, 'DATA_MISSING')).toMatchObject({
      outcome: 'deny',
      subject: 'eu',
      rule: 'screening.lists[1]',
    });
    expect(codes(verdict, 'deny')).toEqual(['DATA_MISSING']);
    const both = new Map([...listed([STRANGER]), ...[...listed([STRANGER])].map(([, list]) => ['eu', list] as const)]);
    const content = (change: PolicyChange) =>
      findingOf(judge({ policy: change, state: { screening: both } }), 'DATA_MISSING').text;
    expect(content(policy)).toBe('Each screening list that the policy asks for is there.');
    expect(content(named({}))).toBe('The screening list that the policy asks for is there.');
    expect(content(named())).toBe('The policy asks for no screening list.');
  });
});

describe('how far coins are followed', () => {
  const hops = (inputsHops: number, lists = [LIST]) =>
    findingOf(
      judge({ policy: { screening: { lists, inputsHops } }, state: { screening: listed([STRANGER]) } }),
      'DATA_MISSING',
    );

  it('is one transaction back, and a policy that asks for more is not answered with less', () => {
    expect(hops(1).outcome).toBe('pass');
    expect(hops(2)).toMatchObject({
      outcome: 'deny',
      subject: 'inputs_hops',
      measured: '1',
      limit: '2',
      unit: 'count',
    });
    expect(hops(2, []).outcome).toBe('pass');
  });

  it('says of what the policy does not ask that it was not asked', () => {
    const text = (code: string, change: PolicyChange) =>
      findingOf(judge({ policy: change, state: { screening: listed([STRANGER]) } }), code).text;
    for (const code of ['INPUT_TAINTED', 'INPUT_UNSCREENED']) {
      expect(text(code, named({}))).toBe('The policy does not ask where coins come from.');
      expect(text(code, { screening: { lists: [], inputsHops: 1 } })).toBe(
        'The policy does not ask where coins come from.',
      );
      expect(text(code, POLICY)).not.toContain('does not ask');
    }
    expect(text('DEST_SANCTIONED', {})).toBe('No payment is screened: the policy names no list.');
    expect(text('DEST_SANCTIONED', POLICY)).toBe('No payment goes to a script of a screening list.');
    expect(text('OWN_LISTED', {})).toBe('No script of the vault is screened: the policy names no list.');
    expect(text('OWN_LISTED', POLICY)).toBe('No script of the vault is known to be on a screening list.');
  });
});

describe('a coin', () => {
  const coin = (sources: { scripts: readonly string[]; untold: number } | null, more: object = {}) =>
    under({}, [FROM], { batch: { inputs: [{ sources, ...more }] } });

  it('is tainted by each listed script that it comes from, by its address where it has one', () => {
    const verdict = coin({ scripts: [FROM, STRANGER], untold: 0 });
    expect(codes(verdict, 'deny')).toEqual(['INPUT_TAINTED']);
    expect(findingOf(verdict, 'INPUT_TAINTED').text).toMatch(/comes from bc1q\w+, which is on the screening list ofac/);
    const odd = under({}, ['51'], { batch: { inputs: [{ sources: { scripts: ['51'], untold: 0 } }] } });
    expect(findingOf(odd, 'INPUT_TAINTED').text).toContain('comes from script 51, which');
    expect(outcome(coin({ scripts: [STRANGER], untold: 0 }), 'INPUT_TAINTED')).toBe('pass');
  });

  it('is unscreened by as many scripts as nothing tells', () => {
    expect(findingOf(coin({ scripts: [], untold: 2 }), 'INPUT_UNSCREENED')).toMatchObject({
      outcome: 'deny',
      measured: '2',
      limit: '0',
    });
    expect(findingOf(coin(null), 'INPUT_UNSCREENED')).toMatchObject({ outcome: 'deny', measured: '1' });
    expect(codes(coin({ scripts: [FROM], untold: 1 }), 'deny')).toEqual(['INPUT_TAINTED', 'INPUT_UNSCREENED']);
    expect(outcome(coin({ scripts: [], untold: 0 }), 'INPUT_UNSCREENED')).toBe('pass');
  });
});

describe('a coin of which the policy does not ask', () => {
  it('is kept back by nothing, whatever is known of it', () => {
    const hidden = { sources: null };
    for (const change of [named({}), { screening: { lists: [], inputsHops: 1 } }]) {
      expect(codes(under({}, [FROM], { policy: change, batch: { inputs: [hidden] } }), 'deny')).toEqual([]);
      const { document } = loaded(change);
      expect(quarantineOf(null, document, listed([FROM]))).toEqual([]);
      expect(quarantineOf({ scripts: [FROM], untold: 1 }, document, listed([FROM]))).toEqual([]);
    }
  });
});

describe('scripts of the vault on a list', () => {
  const own = someScript('receive coin 0');
  const back = someScript('change 42');
  const hex = (script: Uint8Array) => Buffer.from(script).toString('hex');

  it('stop the batch: those of its coins, its change, and all others that are known', () => {
    const subjects = (entries: readonly string[], more: Partial<ScreeningState> = {}) =>
      under(more, entries, { batch: { change: [change(btc('1'))] } })
        .findings.filter(({ code, outcome: one }) => code === 'OWN_LISTED' && one === 'deny')
        .map(({ subject }) => subject);
    expect(subjects([STRANGER])).toEqual([]);
    expect(subjects([hex(own)])).toEqual([`ofac ${hex(own)}`]);
    expect(subjects([hex(back)])).toEqual([`ofac ${hex(back)}`]);
    expect(subjects([STRANGER], { own: ['51'] })).toEqual(['ofac 51']);
    expect(subjects([hex(own)], { own: [hex(own)] })).toEqual([`ofac ${hex(own)}`]);
    expect(subjects([of('A')])).toEqual([]);
  });

  it('are named by address, or by script', () => {
    const text = (script: string) => findingOf(under({ own: [script] }), 'OWN_LISTED').text;
    expect(text(hex(own))).toMatch(/^bc1q\w+, a script of the vault itself/);
    expect(text('51')).toMatch(/^Script 51, a script of the vault itself/);
  });

  it('foreign coins are none of them', () => {
    const foreign = { origin: null, script: scriptOf(ADDRESSES.E), coin: null };
    const verdict = evaluate(
      inputOf({ policy: POLICY, batch: { inputs: [foreign] }, state: { screening: listed([of('E')]) } }),
    );
    expect(outcome(verdict, 'OWN_LISTED')).toBe('pass');
  });
});

describe('the verdict on two payments', () => {
  it('names each that is listed', () => {
    const verdict = evaluate(batchUnder(listed([of('A'), of('B')])));
    const subjects = verdict.findings.filter(({ code }) => code === 'DEST_SANCTIONED').map(({ subject }) => subject);
    expect(subjects.sort()).toEqual([ADDRESSES.A, ADDRESSES.B].sort());
  });
});

describe('lists as they are written', () => {
  it('a script without a prefix is as long as that of an address', () => {
    const read = (text: string) => listedScript(text, 'main');
    expect(read('a'.repeat(44))).toEqual({ ok: true, value: 'a'.repeat(44) });
    expect(read('a'.repeat(42)).ok).toBe(false);
    expect(read(`script:${'a'.repeat(42)}`)).toEqual({ ok: true, value: 'a'.repeat(42) });
    expect(read(`script:${'a'.repeat(41)}`).ok).toBe(false);
    expect(read('script:').ok).toBe(false);
    expect(read(`script:${'ab'.repeat(10_000)}`).ok).toBe(true);
    expect(read(`script:${'ab'.repeat(10_001)}`).ok).toBe(false);
    expect(read(`x${'a'.repeat(44)}`).ok).toBe(false);
    expect(read(`${'a'.repeat(44)}x`).ok).toBe(false);
  });

  it('an empty one says why it is', () => {
    const why = (text: string) => {
      const result = notEmpty(readTextList(text, 'main'), 'list.txt');
      return result.ok ? null : result.error.message;
    };
    expect(why('')).toContain('it has no entries at all');
    expect(why('\nnowhere\nnothing\n')).toMatch(/none of its 2 entries can be used; the first, line 2: /);
    expect(why(`nowhere\n${ADDRESSES.A}\n`)).toBeNull();
    expect(notEmpty(readTextList('', 'main'), 'list.txt')).toMatchObject({
      error: { where: { file: 'list.txt' }, remedy: expect.stringContaining('an empty list is not a clean one') },
    });
  });

  it.each([
    '{"scripts":{},"unusable":[]}',
    '{"scripts":[],"unusable":{}}',
    '{"unusable":[]}',
    '"text"',
    '1',
    '{"scripts":[],"unusable":[null]}',
    '{"scripts":[],"unusable":[1]}',
    '{"scripts":[],"unusable":[{"tag":"x"}]}',
    '{"scripts":[],"unusable":[{"line":"1","tag":"x"}]}',
    '{"scripts":[],"unusable":[{"line":1,"tag":2}]}',
    '{"scripts":["51",1],"unusable":[]}',
    '{"scripts":[],"unusable":[{"line":1,"tag":"x"},{}]}',
  ])('%s is not what the journal keeps', (text) => {
    expect(readScreeningSet(utf8(text))).toBeNull();
  });

  it('what the journal keeps may have no entries, and lines that could not be used', () => {
    expect(readScreeningSet(utf8('{"scripts":[],"unusable":[{"line":1,"tag":"x"}]}'))).toEqual({
      scripts: new Set(),
      unusable: [{ line: 1, tag: 'x' }],
    });
  });

  it('a document says which entry is wrong, and expires after it was issued', () => {
    const whole = { schema: 'countersign.screening/1', id: 'p', issuer: 'B', issued_at: '2026-06-01T06:00:00Z' };
    const read = (more: object) =>
      documents.screening(utf8(JSON.stringify({ ...whole, ...more }, null, 1)), 'p.json', 'main');
    const messages = (more: object) => {
      const list = read(more);
      return list.ok ? [] : list.error.map(({ message }) => message);
    };
    expect(messages({ entries: [{}] })).toEqual([expect.stringContaining('neither address nor script is given')]);
    expect(messages({ entries: [{ address: ADDRESSES.A, script: '51' }] })).toEqual([
      expect.stringContaining('both address and script are given'),
    ]);
    expect(messages({ entries: [{ reason: 'x' }] })).toHaveLength(1);
    expect(messages({ entries: [], expires_at: '2026-06-01T06:00:00Z' })).toEqual([
      'expires_at: 2026-06-01T06:00:00Z is not after issued_at, 2026-06-01T06:00:00Z',
    ]);
    expect(read({ entries: [], expires_at: '2026-06-01T06:00:01Z' })).toMatchObject({
      value: { stated: { issuedAt: NOW - 6 * HOUR, expiresAt: NOW - 6 * HOUR + 1 }, scripts: [], unusable: [] },
    });
    expect(read({ entries: [] })).toMatchObject({ value: { stated: { expiresAt: null } } });
  });
});
