import { describe, expect, it } from 'vitest';
import { bound } from '../../../src/policy/bound/bound.js';
import { evaluate } from '../../../src/policy/evaluate.js';
import { proveRefines } from '../../../src/policy/prove/refines.js';
import type { PolicyDocument } from '../../../src/policy/types.js';
import { codes, HOUR, loaded, type PolicyChange } from '../fixture.js';

type Named = PolicyDocument['screening']['lists'][number];
const list = (change: Partial<Named> = {}): Named => ({
  id: 'ofac',
  pinnedBy: 'compliance',
  maxAge: 48 * HOUR,
  maxShrinkBp: 1000,
  ...change,
});
const screening = (lists: readonly Named[], inputsHops = 1): PolicyChange => ({ screening: { lists, inputsHops } });

describe('prove refines', () => {
  it.each<[string, PolicyChange, PolicyChange, string]>([
    ['an older list', screening([list()]), screening([list({ maxAge: 49 * HOUR })]), 'DATA_STALE'],
    ['a list that lost more', screening([list()]), screening([list({ maxShrinkBp: 1001 })]), 'DATA_INVALID'],
    ['a list of other people', screening([list()]), screening([list({ pinnedBy: 'officers' })]), 'DATA_INVALID'],
    ['no list', screening([list()]), screening([]), 'DATA_MISSING'],
    ['coins from anywhere', screening([list()]), screening([list()], 0), 'INPUT_UNSCREENED'],
  ])('finds a batch where the new policy takes %s', (_, before, after, code) => {
    const answer = proveRefines(loaded(before), loaded(after));
    if (answer.outcome !== 'refuted') throw new Error(answer.outcome);
    const [step] = answer.steps;
    if (step === undefined) throw new Error('a counterexample has a batch');
    expect(step.verdict.decision).toBe('ALLOW');
    expect(codes(evaluate({ ...step.input, policy: loaded(before) }), 'deny')).toContain(code);
  });

  it('proves what asks for more', () => {
    expect(proveRefines(loaded(screening([list()], 0)), loaded(screening([list()]))).outcome).toBe('proven');
    expect(proveRefines(loaded(screening([list()])), loaded(screening([list({ maxAge: HOUR })]))).outcome).toBe(
      'proven',
    );
  });
});

describe('bound', () => {
  const of = (change: PolicyChange) =>
    bound({ policy: loaded(change), compromised: new Set(['alice', 'bob']), book: null, balance: null });

  it('is the same with lists, which only deny, and is still reached by a schedule that is allowed', () => {
    expect(of(screening([list()])).lines).toEqual(of({}).lines);
  });

  it('is nothing where the policy asks further back than data reach, and says who can sign lists', () => {
    const { lines } = of(screening([list()], 2));
    expect(lines.find(({ span }) => span === '24 h')?.by[0]?.binding.code).toBe('DATA_MISSING');
    const power = of(screening([list({ pinnedBy: 'officers' })])).powers.find(({ field }) =>
      field.startsWith('screening'),
    );
    expect(power).toMatchObject({ able: true, text: expect.stringMatching(/^They can sign the screening list ofac/) });
  });
});
