import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import type { DestinationAge, Halt, PolicyState } from '../../src/policy/types.js';
import { ADDRESSES, BOOK, findingOf, judge, NOW, pay, scriptOf, summary } from './fixture.js';

// What stops a batch whoever approves it: halts, a no, and destinations that nobody has proven.

const halt = (change: Partial<Halt> = {}): Halt => ({
  id: 'halt-1',
  scope: { kind: 'all' },
  script: null,
  names: [],
  since: NOW - 60,
  reason: 'a test',
  source: 'person',
  ...change,
});
const under = (...halts: Halt[]) => judge({ state: { halts, initiator: 'ivan' } });

describe('a halt', () => {
  const destination = (id: string, change: Partial<Halt> = {}) =>
    halt({ scope: { kind: 'destination', id }, ...change });
  const ofA = toHex(scriptOf(ADDRESSES.A));

  it.each<[string, Halt, boolean]>([
    ['of everything', halt(), true],
    ['of who asks', halt({ scope: { kind: 'initiator', person: 'ivan' } }), true],
    ['of somebody else', halt({ scope: { kind: 'initiator', person: 'alice' } }), false],
    ['of the destination by its script', destination('old-name', { script: ofA }), true],
    ['of the destination by its name', destination('warm-1', { names: ['warm-1'] }), true],
    ['of the destination by one of its names', destination('x', { names: ['x', 'warm-1'], script: '51' }), true],
    [
      'of another destination',
      destination('settle', { names: ['settle'], script: toHex(scriptOf(ADDRESSES.B)) }),
      false,
    ],
    ['of a destination without a name', destination('', { names: [] }), false],
  ])('%s: stops it %s', (_, one, stops) => {
    expect(summary(under(one))).toBe(stops ? 'DENY HALTED' : 'ALLOW');
  });

  it('stops a batch of which one of the payments is concerned, and one that pays a stranger only where it is', () => {
    const two = { pay: [pay('B', '1'), pay('A', '1')] };
    const halts = [destination('warm-1', { names: ['warm-1'] })];
    expect(summary(judge({ batch: two, state: { halts } }))).toBe('DENY HALTED');
    const stranger = { pay: [pay('X', '1')] };
    expect(summary(judge({ batch: stranger, state: { halts } }))).toBe('DENY DEST_NOT_ALLOWED');
    const unnamed = [destination('', { names: [''] })];
    expect(summary(judge({ batch: stranger, state: { halts: unnamed } }))).toBe('DENY DEST_NOT_ALLOWED HALTED');
  });

  it('is told with what it stops, since when and on whose word', () => {
    const text = (change: Partial<Halt>) => findingOf(under(halt(change)), 'HALTED').text;
    expect(text({})).toBe('A halt stops everything since 2026-06-01T11:59:00Z: "a test".');
    expect(text({ source: 'unverified' })).toMatch(/\(unverified: one officer can clear it\)\.$/);
    expect(text({ source: 'automatic' })).toMatch(/\(raised by the program itself\)\.$/);
    const both = under(halt(), halt({ id: 'halt-2' })).findings.filter(({ code }) => code === 'HALTED');
    expect(both.map(({ subject }) => subject)).toEqual(['halt-1', 'halt-2']);
  });

  it('that does not concern the batch is counted', () => {
    const other = halt({ scope: { kind: 'initiator', person: 'alice' } });
    expect(findingOf(under(), 'HALTED').text).toBe('No halt stands.');
    expect(findingOf(under(other), 'HALTED').text).toBe('1 halt of something else stands; none concerns this batch.');
    expect(findingOf(under(other, other), 'HALTED').text).toMatch(/^2 halts of something else/);
    expect(under(other, halt()).findings.filter(({ code }) => code === 'HALTED')).toHaveLength(1);
  });
});

describe('a no', () => {
  const objected = (...objections: PolicyState['objections']) => judge({ state: { objections } });
  const no = { kind: 'rejected', person: 'alice', at: NOW - 60 } as const;
  const back = { kind: 'withdrawn', person: 'bob', at: NOW - 30 } as const;

  it('is a rejection or an approval that was taken back, each for itself', () => {
    expect(summary(objected())).toBe('ALLOW');
    expect(summary(objected(no))).toBe('DENY REJECTED');
    expect(summary(objected(back))).toBe('DENY APPROVAL_WITHDRAWN');
    expect(summary(objected(no, back))).toBe('DENY APPROVAL_WITHDRAWN REJECTED');
    expect(findingOf(objected(no), 'APPROVAL_WITHDRAWN').outcome).toBe('pass');
    expect(findingOf(objected(no, back), 'REJECTED').text).toBe('alice rejected the batch at 2026-06-01T11:59:00Z.');
    expect(findingOf(objected(no, back), 'APPROVAL_WITHDRAWN').text).toBe(
      'bob took the approval of the batch back at 2026-06-01T11:59:30Z.',
    );
  });
});

describe('proof of control', () => {
  const entry = BOOK.get(toHex(scriptOf(ADDRESSES.A)));
  if (entry === undefined) throw new Error('the book has warm-1');
  const proven = (one: DestinationAge): PolicyState['destinations'] => new Map([...BOOK, [one.script, one]]);
  const asked = (proof: 'required' | 'none', destinations = BOOK, batch = {}) =>
    judge({ policy: { destinations: { proof } }, batch, state: { destinations } });

  it('is asked of every destination that the book holds, where the policy requires it', () => {
    expect(summary(asked('required'))).toBe('DENY BOOK_PROOF');
    expect(summary(asked('required', proven({ ...entry, proven: true })))).toBe('ALLOW');
    expect(summary(asked('none'))).toBe('ALLOW');
    expect(findingOf(asked('none'), 'BOOK_PROOF').text).toBe('The policy asks for no proofs.');
    expect(findingOf(asked('required', proven({ ...entry, proven: true })), 'BOOK_PROOF').text).toBe(
      'Every listed destination of the batch has a proof of control.',
    );
  });

  it('is not asked of what the book does not hold, which is denied for that', () => {
    expect(summary(asked('required', BOOK, { pay: [pay('X', '1')] }))).toBe('DENY DEST_NOT_ALLOWED');
    const one = proven({ ...entry, proven: true });
    const found = asked('required', one, { pay: [pay('A', '1'), pay('B', '1')] }).findings;
    expect(found.filter(({ code }) => code === 'BOOK_PROOF').map(({ subject }) => subject)).toEqual(['settle']);
  });
});
