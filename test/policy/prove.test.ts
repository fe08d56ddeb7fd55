import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import { sumSats } from '../../src/domain/sats.js';
import { formatTime } from '../../src/domain/time.js';
import { evaluate } from '../../src/policy/evaluate.js';
import { propertyText, prove } from '../../src/policy/prove/prove.js';
import type { Answer, Property } from '../../src/policy/prove/types.js';
import type { LoadedPolicy } from '../../src/policy/types.js';
import { btc, DAY, HOUR, loaded, P0, type PolicyChange } from './fixture.js';

function ask(property: Property, policy: LoadedPolicy = loaded()): Answer {
  const found = prove(policy, property);
  if (!found.ok) throw new Error(`${found.error.tag}: ${found.error.message}`);
  return found.value;
}

/** The steps of a counterexample, each of which evaluate allows when it is asked again here. */
function broken(answer: Answer) {
  if (answer.outcome !== 'refuted') throw new Error(`${answer.outcome}, not refuted`);
  expect(answer.steps.length).toBeGreaterThan(0);
  for (const { input } of answer.steps) expect(evaluate(input).decision).toBe('ALLOW');
  return answer.steps;
}

const outflow = (seconds: number, amount: string): Property => ({
  kind: 'max-outflow',
  seconds,
  amount: btc(amount),
  book: null,
});

describe('max-outflow', () => {
  it.each([
    [HOUR, '120', 'LIMIT_1H'],
    [DAY, '200', 'LIMIT_24H'],
    [7 * DAY, '500', 'LIMIT_7D'],
  ])('of %d s is proven at the limit and refuted one below', (seconds, limit, code) => {
    const held = ask(outflow(seconds, limit));
    expect(held).toMatchObject({ outcome: 'proven' });
    expect(held.outcome === 'proven' && held.argument[0]?.by.map((one) => one.code)).toEqual([code]);
    expect(ask(outflow(seconds, `${BigInt(limit) + 1n}`)).outcome).toBe('proven');
    const steps = broken(ask({ kind: 'max-outflow', seconds, amount: btc(limit) - 1n, book: null }));
    expect(sumSats(steps.map(({ verdict }) => verdict.spend))).toBe(btc(limit));
    const [first, last] = [steps[0]?.input.now ?? 0, steps.at(-1)?.input.now ?? 0];
    expect(last - first).toBeLessThan(seconds);
  });

  it('is about any window, not only those of the policy', () => {
    expect(ask(outflow(2 * HOUR, '200')).outcome).toBe('proven');
    expect(sumSats(broken(ask(outflow(2 * HOUR, '199'))).map(({ verdict }) => verdict.spend))).toBe(btc('200'));
    expect(ask(outflow(14 * DAY, '1000')).outcome).toBe('proven');
    expect(broken(ask(outflow(15 * DAY, '1000'))).length).toBeGreaterThan(10);
  });

  it('of a policy without limits: one batch', () => {
    const none = {
      batch: null,
      output: null,
      rolling: { '1h': null, '24h': null, '7d': null },
      signedUnconfirmed: null,
    };
    const free = loaded({ limits: none, destinations: { defaultCap24h: null } });
    expect(broken(ask(outflow(DAY, '1000000'), free))).toHaveLength(1);
    expect(ask(outflow(DAY, '21000000'), free).outcome).toBe('proven');
  });

  it('of a policy that lets nothing out: 0 is proven', () => {
    expect(ask(outflow(DAY, '0'), loaded({ hours: { days: [] } })).outcome).toBe('proven');
  });
});

describe('needs-role', () => {
  const needs = (over: bigint, role = 'compliance'): Property => ({ kind: 'needs-role', over, role });

  it('is proven at the bound of the tier below and refuted one below that', () => {
    expect(ask(needs(btc('50'))).outcome).toBe('proven');
    const [step] = broken(ask(needs(btc('50') - 1n)));
    expect(step?.verdict.spend).toBe(btc('50'));
    expect(step?.input.state.approvals.map(({ person }) => person)).not.toContain('erin');
  });

  it('holds of nobody where nothing so large can leave', () => {
    expect(ask(needs(btc('100'), 'auditors')).outcome).toBe('proven');
    expect(ask(needs(btc('100') - 1n, 'auditors')).outcome).toBe('refuted');
  });

  it('finds the way over earlier batches into a tier that does not ask for the role', () => {
    const tiers = [
      { upTo: btc('20'), from: ['compliance', 'officers'], m: 2, include: 'compliance', touchRequired: false },
      { upTo: null, from: ['officers'], m: 2, touchRequired: false },
    ];
    const odd = loaded({ approvals: { tiers }, limits: { batch: btc('15') } });
    const steps = broken(ask(needs(btc('10')), odd));
    expect(steps.length).toBeGreaterThan(1);
    expect(steps.at(-1)?.input.state.approvals.map(({ person }) => person)).not.toContain('erin');
  });

  it('does not call proven what the fee of a consolidation may reach, below every payment', () => {
    const officers = { from: ['officers'], m: 2, touchRequired: false };
    const both = { from: ['officers', 'compliance'], m: 3, include: 'compliance', touchRequired: false };
    const tiers = [
      { ...officers, upTo: 500n },
      { ...both, upTo: null },
    ];
    const found = ask(needs(100n), loaded({ approvals: { tiers } }));
    expect(found.outcome).toBe('open');
  });

  it('does not know every role', () => {
    const found = prove(loaded(), needs(0n, 'wizards'));
    expect(found.ok === false && found.error.tag).toBe('E_USAGE');
  });
});

describe('separation', () => {
  const alone = (change: PolicyChange = {}): PolicyChange => ({
    approvals: { tiers: [{ upTo: null, from: ['officers', 'compliance'], m: 1, touchRequired: false }] },
    destinations: { bookSign: { from: ['officers', 'compliance'], m: 1 } },
    ...change,
  });

  it('is proven where every tier asks for two', () => {
    expect(ask({ kind: 'separation' }).outcome).toBe('proven');
    expect(
      ask({ kind: 'separation' }, loaded({ destinations: { bookSign: { from: ['officers'], m: 1 } } })).outcome,
    ).toBe('proven');
  });

  it('is refuted where one person may do both, within the caps for young destinations', () => {
    const [step] = broken(ask({ kind: 'separation' }, loaded(alone())));
    const [entry] = [...(step?.input.state.destinations.values() ?? [])];
    expect(step?.input.state.approvals).toHaveLength(1);
    expect((step?.input.now ?? 0) - (entry?.since ?? 0)).toBe(P0.destinations.cooldown);
    expect(step?.verdict.spend).toBeLessThanOrEqual(btc('5.001'));
  });

  it('waits until a destination is of age where young ones get nothing', () => {
    const young = { ...P0.destinations.young, each24h: 0n };
    const [step] = broken(
      ask({ kind: 'separation' }, loaded(alone({ destinations: { young, bookSign: { from: ['officers'], m: 1 } } }))),
    );
    const [entry] = [...(step?.input.state.destinations.values() ?? [])];
    expect((step?.input.now ?? 0) - (entry?.since ?? 0)).toBe(P0.destinations.young.untilAge);
  });
});

describe('outside-book', () => {
  it('is proven of every policy, with the rules that carry it', () => {
    const found = ask({ kind: 'outside-book' });
    expect(found.outcome === 'proven' && found.argument.flatMap(({ by }) => by.map(({ code }) => code))).toEqual([
      'DEST_NOT_ALLOWED',
      'CHANGE_UNPROVEN',
      'SELF_RECEIVE',
    ]);
  });
});

describe('refines', () => {
  const refines = (before: PolicyChange, after: PolicyChange): Answer =>
    ask({ kind: 'refines', before: loaded(before) }, loaded(after));

  it('is proven of the same policy and of a tighter one', () => {
    expect(refines({}, {}).outcome).toBe('proven');
    expect(refines({}, { limits: { batch: btc('99') } }).outcome).toBe('proven');
  });

  const { destinations, limits, fees, inputs, change, clock, hours, approvals } = P0;
  const young = destinations.young;
  it.each<[string, PolicyChange, PolicyChange?]>([
    ['batch', { limits: { batch: btc('101') } }],
    ['output', { limits: { output: btc('51') } }],
    ['1h', { limits: { rolling: { ...limits.rolling, '1h': btc('121') } } }],
    ['24h', { limits: { rolling: { ...limits.rolling, '24h': btc('201') } } }],
    ['7d', { limits: { rolling: { ...limits.rolling, '7d': btc('501') } } }],
    ['batches', { limits: { batches24h: 7 } }],
    ['outputs', { limits: { outputsPerBatch: 51 } }],
    ['floor', { limits: { reserveFloor: btc('999') } }],
    ['default cap', { destinations: { defaultCap24h: btc('81') } }],
    [
      'own cap',
      {
        destinations: {
          caps24h: new Map([
            ['warm-1', btc('151')],
            ['elsewhere', null],
          ]),
        },
      },
    ],
    ['cool-down', { destinations: { cooldown: destinations.cooldown - 1 } }],
    ['young each', { destinations: { young: { ...young, each24h: btc('6') } } }],
    ['young together', { destinations: { young: { ...young, all24h: btc('11') } } }],
    ['young until', { destinations: { young: { ...young, untilAge: young.untilAge - 1 } } }],
    ['fee rate', { fees: { maxRate: fees.maxRate + 1000n } }],
    ['fee floor', { fees: { minRate: 0n } }],
    ['fee', { fees: { maxAbs: 1_000_001n } }],
    ['day of fees', { fees: { max24h: 4_000_001n } }],
    ['confirmations', { inputs: { minConfirmations: inputs.minConfirmations - 1 } }],
    ['coins', { inputs: { max: inputs.max + 1 } }],
    ['change outputs', { change: { maxOutputs: 2 } }],
    ['gap', { change: { maxGap: change.maxGap + 1 } }],
    ['clock back', { clock: { maxBack: clock.maxBack + 1 } }],
    ['clock ahead', { clock: { maxAheadOfMtp: clock.maxAheadOfMtp + 1 } }],
    ['snapshot', { clock: { chainSnapshotMaxAge: clock.chainSnapshotMaxAge + 1 } }],
    ['opens earlier', { hours: { from: hours.from - 1 } }],
    ['closes later', { hours: { to: hours.to + 1 } }],
    ['saturdays', { hours: { days: [...hours.days, 'sat'] } }],
    ['expiry', { expiresAt: P0.expiresAt + 8 * DAY }],
    ['repetition', { approvals: { duplicateGuard: 'warn' } }, { approvals: { duplicateGuard: 'approve' } }],
    ['proofs', { destinations: { proof: 'none' } }, { destinations: { proof: 'required' } }],
    ['proofs, left out', {}, { destinations: { proof: 'required' } }],
    ['lifetime', { limits: { lifetime: btc('1001') } }, { limits: { lifetime: btc('1000') } }],
    ['lifetime, left out', {}, { limits: { lifetime: btc('1000') } }],
    ['way to merge', { transaction: { mergeOutputs: true } }],
    ['valid for', { approvals: { validFor: approvals.validFor + 1 } }],
    ['fewer approvals', { approvals: { tiers: approvals.tiers.map((tier) => ({ ...tier, m: tier.m - 1 })) } }],
    [
      'another officer',
      {
        roles: new Map([
          ...P0.roles,
          [
            'compliance',
            new Map([
              ['erin', ['ssh-ed25519 erin']],
              ['mallory', ['ssh-ed25519 m']],
            ]),
          ],
        ]),
      },
    ],
  ])('is refuted of a looser %s', (_, looser, tighter = {}) => {
    const [step] = broken(refines(tighter, looser));
    if (step === undefined) throw new Error('no step');
    expect(evaluate({ ...step.input, policy: loaded(tighter) }).decision).not.toBe('ALLOW');
    expect(refines(looser, tighter).outcome).toBe('proven');
  });

  it('is refuted of a holiday that became a working day', () => {
    const closed = (...closedDates: string[]): PolicyChange => ({ hours: { closedDates } });
    const [step] = broken(refines(closed('2026-06-05'), closed()));
    expect(formatTime(step?.input.now ?? 0).slice(0, 10)).toBe('2026-06-05');
    expect(refines(closed(), closed('2026-06-05')).outcome).toBe('proven');
    expect(refines(closed('2026-12-25'), closed()).outcome).toBe('proven');
  });

  it('does not call proven what is looser and finds nothing', () => {
    // The hour's limit of 120 BTC counts all that is unconfirmed, so neither of the two is ever reached.
    const found = refines({ limits: { signedUnconfirmed: btc('200') } }, { limits: { signedUnconfirmed: btc('201') } });
    expect(found.outcome).toBe('open');
  });

  it('the counterexample pays what the book of its state holds', () => {
    const [step] = broken(refines({}, { limits: { batch: btc('101') } }));
    const known = step?.input.state.destinations;
    for (const { script } of step?.input.requests ?? []) expect(known?.has(toHex(script))).toBe(true);
  });
});

it('every property is a sentence', () => {
  expect(propertyText(outflow(DAY, '200'))).toBe(
    'no interval of 1 day lets more than 20000000000 sat (200.00000000 BTC) through',
  );
  expect(propertyText({ kind: 'separation' })).toContain('no single person');
});
