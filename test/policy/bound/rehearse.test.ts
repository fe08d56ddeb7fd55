import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/domain/bytes.js';
import { sumSats } from '../../../src/domain/sats.js';
import { PAYABLE_KINDS, scriptKind } from '../../../src/domain/script.js';
import { judged, rehearse } from '../../../src/policy/bound/rehearse.js';
import { addressOf, FIRST_HEIGHT, inputOf, scriptNamed, spendOf } from '../../../src/policy/bound/scene.js';
import type { Move } from '../../../src/policy/bound/types.js';
import { evaluate } from '../../../src/policy/evaluate.js';
import type { LoadedBook } from '../../../src/policy/types.js';
import { runs } from '../../runs.js';
import { ONE_PAYEE } from '../bound-brute.js';
import { btc, codes, DAY, HOUR, loaded, NOW, P0, type PolicyChange, summary } from '../fixture.js';

const ALL = ['alice', 'bob', 'carol', 'erin'];

const moves = (...spends: readonly (readonly [hour: number, amount: bigint])[]): Move[] =>
  spends.map(([hour, spend]) => ({ at: NOW + hour * HOUR, spend }));

function played(
  change: PolicyChange,
  schedule: readonly Move[],
  { people = ALL, book = null as LoadedBook | null, bookGrows = true, balance = null as bigint | null } = {},
) {
  const assumed = { policy: loaded(change), people: new Set(people), book, bookGrows };
  const { steps, allowed } = rehearse(assumed, schedule, balance);
  return { allowed, verdicts: steps.map(({ verdict }) => summary(verdict)), steps };
}

const paid = ({ steps }: ReturnType<typeof played>) =>
  steps.map(({ input }) => input.requests.map(({ amount, script }) => [toHex(script), amount] as const));

/** Without limits but those that a test sets. */
const FREE: PolicyChange = {
  limits: { batch: null, output: null, rolling: { '1h': null, '24h': null, '7d': null }, signedUnconfirmed: null },
  destinations: { defaultCap24h: null, caps24h: new Map() },
};
const capped = (cap: bigint | null, caps24h: ReadonlyMap<string, bigint | null> = new Map()): PolicyChange => ({
  ...FREE,
  destinations: { defaultCap24h: cap, caps24h },
});

describe('a schedule that is rehearsed', () => {
  it('spends exactly what it says, batch after batch, and ends at the first that is not allowed', () => {
    const good = played({}, moves([0, btc('50')], [1, btc('30')]));
    expect(good).toMatchObject({ allowed: true, verdicts: ['ALLOW', 'ALLOW'] });
    expect(good.steps.map(({ verdict, batch }) => [batch, verdict.spend])).toEqual([
      ['batch-1', btc('50')],
      ['batch-2', btc('30')],
    ]);
    const bad = played({}, moves([0, btc('50')], [0, btc('71')], [1, btc('1')]));
    expect(bad.allowed).toBe(false);
    expect(bad.verdicts).toEqual(['ALLOW', 'DENY LIMIT_1H']);
    expect(played({}, [])).toMatchObject({ allowed: true, steps: [] });
  });

  it('each batch is judged after those before it, confirmed at their moments and as many blocks apart as windows are long', () => {
    const { steps } = played(
      { limits: { rollingBlocks: new Map([[144, btc('60')]]) } },
      moves([0, btc('50')], [1, btc('50')]),
    );
    expect(steps.map(({ verdict }) => verdict.decision)).toEqual(['ALLOW', 'ALLOW']);
    const [first, second] = steps.map(({ input }) => input.state);
    expect(first?.spends).toEqual([]);
    expect(second?.spends).toMatchObject([
      { batch: 'batch-1', spend: btc('50'), confirmed: { at: NOW, height: FIRST_HEIGHT } },
    ]);
    expect(second?.tip.height).toBe(FIRST_HEIGHT + 144);
    const plain = played({}, moves([0, btc('1')], [1, btc('1')])).steps[1];
    expect(plain?.input.state.tip.height).toBe(FIRST_HEIGHT + 6);
  });

  it('has as many coins as it needs above the floor, or those that are there', () => {
    const balances = (balance: bigint | null) =>
      played({}, moves([0, btc('50')], [1, btc('30')]), { balance }).steps.map(
        ({ input }) => input.state.confirmedBalance,
      );
    expect(balances(null)).toEqual([btc('1080'), btc('1030')]);
    expect(balances(btc('2000'))).toEqual([btc('2000'), btc('1950')]);
    expect(played({}, moves([0, btc('50')], [1, btc('30')]), { balance: btc('1079') }).verdicts).toEqual([
      'ALLOW',
      'DENY RESERVE_FLOOR',
    ]);
  });

  it('is approved by its people, or by those that a batch names, and asked for by somebody else', () => {
    const [one, two] = played({}, [
      { at: NOW, spend: btc('1') },
      { at: NOW, spend: btc('1'), approvedBy: ['alice', 'bob'] },
    ]).steps;
    const approvers = (step: typeof one) => step?.input.state.approvals.map(({ person }) => person);
    expect(approvers(one)).toEqual(ALL);
    expect(approvers(two)).toEqual(['alice', 'bob']);
    expect(ALL).not.toContain(one?.input.state.initiator);
    expect(played({}, moves([0, btc('1')]), { people: ['alice'] }).verdicts).toEqual(['NEED APPROVALS_MISSING']);
  });

  it('of everybody: one asks and does not approve, whoever makes it pass', () => {
    const roles = new Map([
      ['officers', new Map(['alice', 'bob', 'carol'].map((name) => [name, [`ssh-ed25519 ${name}`]]))],
      ['compliance', new Map([['erin', ['ssh-ed25519 erin']]])],
    ]);
    const tiers = [{ upTo: null, from: ['officers', 'compliance'], m: 3, include: 'compliance', touchRequired: false }];
    const { steps, allowed } = played({ roles, approvals: { tiers } }, moves([0, btc('1')]), { people: ALL });
    expect(allowed).toBe(true);
    expect(steps[0]?.input.state.initiator).toBe('alice');
    const four = [{ ...tiers[0], upTo: null, from: ['officers', 'compliance'], m: 4, touchRequired: false }];
    expect(played({ roles, approvals: { tiers: four } }, moves([0, btc('1')]), { people: ALL }).allowed).toBe(false);
  });

  it('of everybody: whoever is needed to approve does not ask', () => {
    const roles = new Map([
      ['compliance', new Map([['erin', ['ssh-ed25519 erin']]])],
      ['officers', new Map(['alice', 'bob'].map((name) => [name, [`ssh-ed25519 ${name}`]]))],
    ]);
    const tiers = [{ upTo: null, from: ['officers', 'compliance'], m: 2, include: 'compliance', touchRequired: false }];
    const people = ['alice', 'bob', 'erin'];
    const { steps, allowed } = played({ roles, approvals: { tiers } }, moves([0, btc('1')]), { people });
    expect(allowed).toBe(true);
    expect(steps[0]?.input.state.initiator).toBe('alice');
  });

  it('nobody at all can ask for nothing', () => {
    const policy = loaded({ roles: new Map() });
    const scene = inputScene();
    expect(() => judged('batch-1', { ...scene, policy }, new Set())).toThrow('a policy names people');
  });
});

describe('whom it pays', () => {
  it('as many destinations as caps ask for, each to its cap, where there may be any number', () => {
    const found = played(capped(btc('20')), moves([0, btc('50')]));
    expect(found.allowed).toBe(true);
    const [payments = []] = paid(found);
    expect(payments).toHaveLength(3);
    expect(new Set(payments.map(([script]) => script)).size).toBe(3);
    expect(payments.slice(0, 2).map(([, amount]) => amount)).toEqual([btc('20'), btc('20')]);
    expect(sumSats(payments.map(([, amount]) => amount)) + (found.steps[0]?.input.facts.fee ?? 0n)).toBe(btc('50'));
  });

  it('pays nobody more than the cap of 24 hours, and the same again when they have passed', () => {
    const book = { book: ONE_PAYEE, bookGrows: false };
    const twice = (hours: number) => played(capped(btc('20')), moves([0, btc('15')], [hours, btc('15')]), book);
    expect(twice(24).allowed).toBe(true);
    const early = paid(twice(2)).map((payments) => payments[0]?.[1]);
    expect(early[0]).toBe(btc('15') - 200n);
    expect(early[1]).toBe(btc('5') + 200n);
    expect(twice(2).verdicts[1]).toMatch(/^DENY FEE/);
  });

  it('those with larger caps of their own first, and never more than an output may carry', () => {
    const caps = new Map<string, bigint | null>([
      ['small', btc('5')],
      ['large', btc('30')],
    ]);
    const large = paid(played(capped(btc('20'), caps), moves([0, btc('50')])))[0]?.map(([, amount]) => amount);
    expect(large).toEqual([btc('30'), btc('20') - 200n]);
    const output: PolicyChange = { ...capped(null), limits: { ...FREE.limits, output: btc('8') } };
    expect(paid(played(output, moves([0, btc('20')])))[0]?.map(([, amount]) => amount)).toEqual([
      btc('8'),
      btc('8'),
      btc('4') - 200n,
    ]);
    const first = (...own: [string, bigint | null][]) =>
      paid(played(capped(btc('20'), new Map(own)), moves([0, btc('50')])))[0]?.map(([, amount]) => amount);
    expect(first(['a', btc('5')], ['b', btc('30')], ['c', btc('6')])).toEqual([btc('30'), btc('20') - 200n]);
    expect(first(['a', btc('30')], ['b', btc('40')])).toEqual([btc('40'), btc('10') - 200n]);
    expect(first(['a', btc('30')], ['b', null])).toEqual([btc('50') - 200n]);
    expect(first(['a', null], ['b', btc('30')])).toEqual([btc('50') - 200n]);
    const unlimited = capped(btc('20'), new Map([['free', null]]));
    expect(paid(played(unlimited, moves([0, btc('50')])))[0]?.map(([, amount]) => amount)).toEqual([btc('50') - 200n]);
  });

  it('puts into the fee what no further output may carry, at a size that the rate allows', () => {
    const one: PolicyChange = {
      ...FREE,
      limits: { ...FREE.limits, output: btc('1'), outputsPerBatch: 1 },
      fees: { ...P0.fees, maxBpOfExternal: 10_000, maxAbs: null, max24h: null },
    };
    const found = played(one, moves([0, btc('1') + 400_000n]));
    expect(found.verdicts).toEqual(['ALLOW']);
    expect(found.steps[0]?.input.facts).toMatchObject({ fee: 400_000n, vsize: 1334n, external: btc('1') });
    expect(played({}, moves([0, btc('1')])).steps[0]?.input.facts).toMatchObject({ fee: 200n, vsize: 200n });
    const free: PolicyChange = { fees: { ...P0.fees, maxRate: 0n, minRate: 0n } };
    expect(played(free, moves([0, btc('1')])).steps[0]?.input.facts).toMatchObject({ fee: 0n, vsize: 200n });
  });

  it('repeats no payment where that would ask for one person more', () => {
    const guard: PolicyChange = { ...FREE, approvals: { duplicateGuard: 'approve' } };
    const found = played(guard, moves([0, btc('1')], [1, btc('1')], [25, btc('1')]), { people: ['alice', 'bob'] });
    expect(found.verdicts).toEqual(['ALLOW', 'ALLOW', 'ALLOW']);
    const amounts = paid(found).map((payments) => payments[0]?.[1]);
    expect(amounts).toEqual([btc('1') - 200n, btc('1') - 201n, btc('1') - 200n]);
    const later = played(guard, moves([0, btc('1')], [24, btc('1')]), { people: ['alice', 'bob'] });
    expect(paid(later).map((payments) => payments[0]?.[1])).toEqual([btc('1') - 200n, btc('1') - 200n]);
    const free = played(FREE, moves([0, btc('1')], [1, btc('1')]), { people: ['alice', 'bob'] });
    expect(paid(free).map((payments) => payments[0]?.[1])).toEqual([btc('1') - 200n, btc('1') - 200n]);
  });

  it('the destinations of the book, by their scripts and of age', () => {
    const [step] = played({}, moves([0, btc('1')]), { book: ONE_PAYEE, bookGrows: false }).steps;
    const known = [...(step?.input.state.destinations.values() ?? [])];
    expect(known).toMatchObject([{ id: 'payee', proven: true, since: NOW - P0.destinations.young.untilAge }]);
    const [payee] = ONE_PAYEE.entries;
    expect(known[0]?.script).toBe(toHex(payee?.kind === 'address' ? payee.script : new Uint8Array()));
    expect(step?.input.requests.map(({ script }) => toHex(script))).toEqual([known[0]?.script]);
  });

  it('of any caps and amounts: what is allowed in all is allowed step by step, and nobody gets more than the cap', () => {
    const amount = fc.bigInt(1_000_000n, btc('40'));
    const schedule = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), amount), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.bigInt(btc('1'), btc('30')), schedule, (cap, drawn) => {
        const sorted = [...drawn].sort(([a], [b]) => a - b);
        const found = played(capped(cap), moves(...sorted));
        expect(found.verdicts).toEqual(sorted.map(() => 'ALLOW'));
        expect(found.steps.map(({ verdict }) => verdict.spend)).toEqual(sorted.map(([, spend]) => spend));
        const got = new Map<string, bigint>();
        for (const [script, sats] of paid(found).flat()) got.set(script, (got.get(script) ?? 0n) + sats);
        for (const sats of got.values()) expect(sats <= cap).toBe(true);
      }),
      { numRuns: runs(40) },
    );
  });
});

function inputScene(change: PolicyChange = {}) {
  const policy = loaded(change);
  const script = scriptNamed('a destination', 'p2wpkh');
  return {
    policy,
    at: NOW,
    name: 'batch-1',
    payments: [{ script, amount: btc('1') }],
    fee: 1000n,
    vsize: 200n,
    destinations: [{ id: 'one', label: 'one', script: toHex(script), since: NOW - 400 * DAY }],
    spends: [],
    approvedBy: ['alice', 'bob'],
    initiator: 'grace',
    balance: btc('5000'),
    tip: FIRST_HEIGHT,
  };
}

describe('a batch that is well formed in everything', () => {
  it('is allowed, with nothing to remark', () => {
    const verdict = evaluate(inputOf(inputScene()));
    expect(verdict.findings.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
    expect(verdict.spend).toBe(btc('1') + 1000n);
  });

  it('whatever else the policy asks for: lists, confirmations, versions, touched keys', () => {
    const list = { id: 'ofac', pinnedBy: 'compliance', maxAge: 1, maxShrinkBp: 0 };
    for (const change of [
      { screening: { lists: [list, { ...list, id: 'eu' }], inputsHops: 0 } },
      { inputs: { minConfirmations: 1000 } },
      { transaction: { versions: [1] } },
    ] satisfies PolicyChange[]) {
      const verdict = evaluate(inputOf(inputScene(change)));
      expect(verdict.findings.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
    }
    const touched = P0.approvals.tiers.map((tier) => ({ ...tier, touchRequired: true }));
    const keys = new Map(['alice', 'bob'].map((name) => [name, ['sk-ssh-ed25519@openssh.com k']]));
    const change = { roles: new Map([...P0.roles, ['officers', keys]]), approvals: { tiers: touched } };
    expect(evaluate(inputOf(inputScene(change))).decision).toBe('ALLOW');
    expect(summary(evaluate(inputOf(inputScene({ approvals: { tiers: touched } }))))).toMatch(/^NEED/);
  });

  it('has change only where its coin would else be too small to be spent', () => {
    const small = {
      ...inputScene(),
      payments: [{ ...inputScene().payments[0], script: scriptNamed('a destination', 'p2wpkh'), amount: 1000n }],
      fee: 200n,
    };
    const input = inputOf(small);
    expect(input.facts.outputs.map(({ isChange, value }) => [isChange, value])).toEqual([
      [false, 1000n],
      [true, 10_000n],
    ]);
    expect(input.facts).toMatchObject({ spend: 1200n, external: 1000n, fee: 200n });
    expect(input.facts.inputs[0]?.value).toBe(11_200n);
    expect(evaluate(input).decision).toBe('ALLOW');
    const least = { ...small, payments: [{ script: scriptNamed('a destination', 'p2wpkh'), amount: 9800n }] };
    expect(inputOf(least).facts.outputs).toHaveLength(1);
    const none = inputOf({ ...small, policy: loaded({ change: { maxOutputs: 0 } }) });
    expect(codes(evaluate(none), 'deny')).toContain('INPUT_DUST');
    expect(spendOf(input, 'batch-9')).toMatchObject({
      batch: 'batch-9',
      spend: 1200n,
      fee: 200n,
      outputs: [{ amount: 1000n }],
      confirmed: { at: NOW, height: FIRST_HEIGHT },
    });
  });

  it("pays scripts of every kind, nobody's and each another's", () => {
    for (const kind of PAYABLE_KINDS) {
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) expect(scriptKind(scriptNamed(name, kind))).toBe(kind);
      expect(scriptNamed('a', kind)).not.toEqual(scriptNamed('b', kind));
      expect(scriptNamed('a', kind)).toEqual(scriptNamed('a', kind));
      expect(addressOf(scriptNamed('a', kind), P0)).toMatch(/^(bc1|1|3)/);
    }
    expect(addressOf(new Uint8Array([0x6a]), P0)).toBe('6a');
  });
});
