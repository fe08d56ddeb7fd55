import { describe, expect, it } from 'vitest';
import { sumSats } from '../../../src/domain/sats.js';
import { evaluate } from '../../../src/policy/evaluate.js';
import { NOT_ENFORCED } from '../../../src/policy/not-enforced.js';
import { propertyText, prove } from '../../../src/policy/prove/prove.js';
import { parts, Stage, spent } from '../../../src/policy/prove/stage.js';
import type { Answer, Property } from '../../../src/policy/prove/types.js';
import { ONE_PAYEE } from '../bound-brute.js';
import { btc, DAY, HOUR, loaded, P0, type PolicyChange } from '../fixture.js';

// What proofs say, and on which rules they rest: a reader has nothing else to check them by.

function ask(property: Property, change: PolicyChange = {}): Answer {
  const found = prove(loaded(change), property);
  if (!found.ok) throw new Error(`${found.error.tag}: ${found.error.message}`);
  return found.value;
}

/** "text [CODE field, CODE field]" of each step of a proof. */
function argument(answer: Answer): readonly string[] {
  if (answer.outcome !== 'proven') throw new Error(`${answer.outcome}, not proven`);
  return answer.argument.map(
    ({ text, by }) => `${text} [${by.map(({ code, field }) => `${code} ${field}`).join(', ')}]`,
  );
}

function refuted(answer: Answer) {
  if (answer.outcome !== 'refuted') throw new Error(`${answer.outcome}, not refuted`);
  for (const { input } of answer.steps) expect(evaluate(input).decision).toBe('ALLOW');
  return answer;
}

const tier = (upTo: string | null, m: number, from: readonly string[] = ['officers'], include?: string) => ({
  upTo: upTo === null ? null : btc(upTo),
  from,
  m,
  touchRequired: false,
  ...(include === undefined ? {} : { include }),
});
const tiers = (...list: ReturnType<typeof tier>[]): PolicyChange => ({ approvals: { tiers: list } });

describe('outflow', () => {
  const outflow = (seconds: number, amount: bigint, book: typeof ONE_PAYEE | null = null): Property => ({
    kind: 'max-outflow',
    seconds,
    amount,
    book,
  });

  it('rests on the windows that cover the time, each as often as it is needed', () => {
    expect(argument(ask(outflow(DAY, btc('200'))))).toEqual([
      'the open time of any 1 day is covered by 1 x limits.rolling.24h, which let through 20000000000 sat (200.00000000 BTC) together [LIMIT_24H limits.rolling.24h]',
      'what is signed and unconfirmed counts in every window as now, so on the chain no more can arrive than was let through []',
    ]);
    const two = argument(ask(outflow(8 * DAY, btc('700'))))[0];
    expect(two).toMatch(
      /1 x limits\.rolling\.7d and 1 x limits\.rolling\.24h|1 x limits\.rolling\.24h and 1 x limits\.rolling\.7d/,
    );
    expect(argument(ask(outflow(DAY, 0n), { hours: { days: [] } }))[0]).toContain('covered by 1 x hours, ');
  });

  it('is bounded by all coins that there will be', () => {
    const none = {
      batch: null,
      output: null,
      rolling: { '1h': null, '24h': null, '7d': null },
      signedUnconfirmed: null,
    };
    const free: PolicyChange = { limits: none, destinations: { defaultCap24h: null } };
    const all = 21_000_000n * btc('1');
    expect(argument(ask(outflow(DAY, all), free))).toEqual(['there will never be more than 21,000,000 BTC []']);
    const one = refuted(ask(outflow(DAY, all - 1n), free));
    expect(one.steps.map(({ verdict }) => verdict.spend)).toEqual([all]);
    expect(refuted(ask(outflow(DAY, 0n), free)).steps[0]?.verdict.spend).toBe(746n);
    expect(refuted(ask(outflow(DAY, 745n), free)).steps[0]?.verdict.spend).toBe(746n);
    expect(refuted(ask(outflow(DAY, 746n), free)).steps[0]?.verdict.spend).toBe(747n);
  });

  it('is refuted by no more batches than it takes', () => {
    const found = refuted(ask(outflow(DAY, btc('100'))));
    const total = sumSats(found.steps.map(({ verdict }) => verdict.spend));
    const last = found.steps.at(-1)?.verdict.spend ?? 0n;
    expect(total > btc('100')).toBe(true);
    expect(total - last <= btc('100')).toBe(true);
    expect(found.story[0]).toMatch(
      /^within 1 day \d+ batches take .* more than 10000000000 sat \(100\.00000000 BTC\)$/,
    );
  });

  it('is open where a schedule has more batches than are rehearsed', () => {
    const many: PolicyChange = {
      limits: { batch: 1000n, batches24h: 1000 },
      inputs: { minValue: 0n },
    };
    const long = ask(outflow(DAY, 500_000n), many);
    expect(long.outcome).toBe('open');
    expect(long.outcome === 'open' && long.story.join(' ')).toContain('too many to rehearse');
  });

  it('of a book that is closed is what its destinations may get', () => {
    const one: PolicyChange = {
      destinations: { defaultCap24h: btc('20'), bookSign: { from: ['officers'], m: 9 } },
      fees: { ...P0.fees, maxAbs: 1000n, maxBpOfExternal: 10_000 },
    };
    const held = argument(ask(outflow(DAY, btc('21'), ONE_PAYEE), one))[0];
    expect(held).toContain('[DEST_CAP destinations.default_cap_24h]');
    expect(ask(outflow(DAY, btc('21')), one).outcome).toBe('refuted');
  });
});

describe('a role', () => {
  const needs = (over: bigint, role = 'compliance'): Property => ({ kind: 'needs-role', over, role });

  it('is needed by the tiers above, of which each is named', () => {
    expect(argument(ask(needs(btc('50'))))).toEqual([
      expect.stringMatching(
        /^approvals\.tiers\[2\] asks for 4 .*; without compliance only alice, bob, carol and dave count \[APPROVALS_MISSING approvals\.tiers\[2\]\]$/,
      ),
    ]);
    const two = argument(ask(needs(btc('1')), tiers(tier('10', 1, ['compliance']), tier(null, 1, ['compliance']))));
    expect(two).toEqual([
      expect.stringMatching(/^approvals\.tiers\[0\] .* without compliance nobody counts \[/),
      expect.stringMatching(/^approvals\.tiers\[1\] .* without compliance nobody counts \[/),
    ]);
  });

  it('and above the last tier nothing leaves', () => {
    expect(argument(ask(needs(btc('10')), tiers(tier('10', 2), tier('20', 1, ['compliance']))))).toEqual([
      expect.stringMatching(/^approvals\.tiers\[1\]/),
      'above the last tier nothing may leave [APPROVALS_NO_TIER approvals.tiers[1].up_to]',
    ]);
    expect(argument(ask(needs(btc('20')), tiers(tier('10', 2), tier('20', 1, ['officers']))))).toEqual([
      'no batch spends more than 2000000000 sat (20.00000000 BTC), whoever approves [APPROVALS_NO_TIER approvals.tiers[1].up_to]',
    ]);
  });

  it('is needed by nothing where no batch is so large', () => {
    expect(argument(ask(needs(btc('100'), 'auditors')))).toEqual([
      'no batch spends more than 10000000000 sat (100.00000000 BTC), whoever approves [LIMIT_BATCH limits.batch]',
    ]);
  });

  it('is not needed: one batch of one satoshi more, at the least payment and at the end of the tier below', () => {
    const spend = (property: Property, change: PolicyChange) =>
      refuted(ask(property, change)).steps.at(-1)?.verdict.spend;
    const officers = tiers(tier(null, 2));
    expect(spend(needs(btc('3')), officers)).toBe(btc('3') + 1n);
    expect(spend(needs(0n), officers)).toBe(746n);
    expect(spend(needs(746n), officers)).toBe(747n);
    expect(spend(needs(btc('1')), tiers(tier('10', 1, ['compliance']), tier(null, 2)))).toBe(btc('10') + 1n);
    const story = refuted(ask(needs(btc('3')), officers)).story[0];
    expect(story).toBe(
      'a batch of more than 300000000 sat (3.00000000 BTC) is allowed in approvals.tiers[0] without anybody of compliance',
    );
  });

  it('is not needed of a batch that earlier ones lift into a tier without it', () => {
    const odd: PolicyChange = {
      ...tiers(tier('20', 2, ['officers', 'compliance'], 'compliance'), tier(null, 2)),
      limits: { batch: btc('15') },
    };
    const { steps } = refuted(ask(needs(btc('10')), odd));
    const spends = steps.map(({ verdict }) => verdict.spend);
    expect(sumSats(spends) > btc('20')).toBe(true);
    expect(spends.at(-1)).toBeGreaterThan(btc('10'));
    expect(steps.at(-1)?.input.state.approvals.map(({ person }) => person)).not.toContain('erin');
  });

  it('is said to be needed where such a tier is never reached', () => {
    const odd: PolicyChange = {
      ...tiers(tier('20', 2, ['officers', 'compliance'], 'compliance'), tier(null, 2)),
      limits: { batch: btc('15'), rolling: { ...P0.limits.rolling, '24h': btc('20') } },
    };
    expect(argument(ask(needs(btc('10')), odd))).toContain('approvals.tiers[1] is never reached by such a batch []');
  });

  it('is left open where schedules do not lead there, and below the smallest payment', () => {
    const small = ask(needs(100n), tiers(tier('0.000005', 2), tier(null, 3, ['officers', 'compliance'], 'compliance')));
    expect(small).toMatchObject({
      outcome: 'open',
      story: [expect.stringContaining('ends below the smallest payment')],
    });
  });

  it('has to be one of the policy', () => {
    const found = prove(loaded(), needs(0n, 'wizards'));
    expect(found.ok === false && found.error).toMatchObject({
      tag: 'E_USAGE',
      message: 'policies/cold.yaml has no role wizards',
      remedy: 'its roles are officers, compliance, auditors',
    });
  });
});

describe('separation', () => {
  const alone: PolicyChange = {
    ...tiers(tier(null, 1, ['officers', 'compliance'])),
    destinations: { bookSign: { from: ['officers', 'compliance'], m: 1 } },
  };

  it('names for everybody what they lack', () => {
    const found = argument(ask({ kind: 'separation' }));
    expect(found.slice(0, 7)).toEqual(
      ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'].map(
        (person) => `${person} cannot pay alone [APPROVALS_MISSING approvals.tiers[0]]`,
      ),
    );
    expect(found).toHaveLength(NOT_ENFORCED.some(({ field }) => field === 'destinations.book_sign') ? 8 : 7);
    const payers = argument(
      ask({ kind: 'separation' }, { ...alone, destinations: { bookSign: { from: ['officers'], m: 2 } } }),
    );
    expect(payers[0]).toMatch(/^alice can pay alone, and cannot add \[DEST_NOT_ALLOWED destinations\.book_sign\]$/);
  });

  it('of a policy that is shut rests on what shuts it', () => {
    expect(argument(ask({ kind: 'separation' }, { limits: { batches24h: 0 } }))).toEqual([
      'limits.batches_24h: it is 0, so nothing may leave [LIMIT_BATCH_COUNT limits.batches_24h]',
    ]);
    expect(argument(ask({ kind: 'outside-book' }, { limits: { batches24h: 0 } }))).toEqual([
      'limits.batches_24h: it is 0, so nothing may leave [LIMIT_BATCH_COUNT limits.batches_24h]',
    ]);
  });

  it('is refuted with the most that the one person gets, and how long it takes', () => {
    const found = refuted(ask({ kind: 'separation' }, alone));
    expect(found.story).toEqual([
      'alice alone can sign the book; 3 days after an address was added, alice alone can approve 499999800 sat (4.99999800 BTC) to it',
    ]);
    expect(found.steps[0]?.verdict.spend).toBe(btc('5'));
    const none = { ...P0.destinations.young, each24h: 0n };
    const later = refuted(
      ask({ kind: 'separation' }, { ...alone, destinations: { bookSign: { from: ['officers'], m: 1 }, young: none } }),
    );
    expect(later.story[0]).toContain('30 days after an address was added');
    expect(later.steps[0]?.verdict.spend).toBe(btc('50'));
    const free = { ...P0.destinations.young, each24h: null, all24h: null };
    const soon = refuted(
      ask({ kind: 'separation' }, { ...alone, destinations: { bookSign: { from: ['officers'], m: 1 }, young: free } }),
    );
    expect(soon.steps[0]?.verdict.spend).toBe(btc('50'));
    const together = { ...P0.destinations.young, each24h: btc('7'), all24h: btc('4') };
    const least = refuted(
      ask(
        { kind: 'separation' },
        { ...alone, destinations: { bookSign: { from: ['officers'], m: 1 }, young: together } },
      ),
    );
    expect(least.steps[0]?.verdict.spend).toBe(btc('4'));
  });

  it('is left open where other rules let no payment pass', () => {
    const found = ask({ kind: 'separation' }, { ...alone, limits: { output: 100n } });
    expect(found).toMatchObject({ outcome: 'open' });
  });
});

describe('a version that allows nothing more', () => {
  const refines = (before: PolicyChange, after: PolicyChange): Answer =>
    ask({ kind: 'refines', before: loaded(before) }, after);

  it('names every change, and why it does not loosen', () => {
    const found = argument(refines({}, { limits: { batch: btc('99') }, version: 8 }));
    expect(found[0]).toBe('no field is looser than before []');
    expect(found).toContainEqual(expect.stringMatching(/^limits\.batch: tightening, /));
  });

  it('is refuted with what the old one says of the batch', () => {
    const found = refuted(refines({}, { limits: { batch: btc('101') } }));
    expect(found.story).toEqual([
      'policies/cold.yaml allows a batch of which policies/cold.yaml says DENY (LIMIT_BATCH)',
    ]);
    const approvers = refuted(
      refines({}, { approvals: { tiers: P0.approvals.tiers.map((one) => ({ ...one, m: one.m - 1 })) } }),
    );
    expect(approvers.story[0]).toContain('says NEED (APPROVALS_MISSING)');
  });

  it('is left open with every change that loosens, and only these', () => {
    const found = refines(
      { limits: { signedUnconfirmed: btc('200') } },
      { limits: { signedUnconfirmed: btc('201'), batch: btc('99') } },
    );
    if (found.outcome !== 'open') throw new Error(found.outcome);
    expect(found.story).toHaveLength(2);
    expect(found.story[1]).toMatch(/^limits\.signed_unconfirmed: /);
  });
});

it.each<[Property, string]>([
  [{ kind: 'outside-book' }, 'no allowed batch pays an address that the book does not hold'],
  [{ kind: 'separation' }, 'no single person can both add an address and have it paid'],
  [
    { kind: 'needs-role', over: btc('1'), role: 'compliance' },
    'every batch that spends more than 100000000 sat (1.00000000 BTC) needs somebody of compliance',
  ],
  [{ kind: 'refines', before: loaded() }, 'no batch is allowed that policies/cold.yaml did not allow'],
])('a property is a sentence: %#', (property, text) => {
  expect(propertyText(property)).toBe(text);
});

describe('the batch that probes start from', () => {
  it('is the least that is relayed, to a destination of age, approved by all but whoever is missed least', () => {
    const stage = new Stage(loaded());
    const input = stage.batch({});
    expect(evaluate(input).decision).toBe('ALLOW');
    expect(input.facts.spend).toBe(746n);
    expect(input.state.initiator).toBe('alice');
    expect(input.state.approvals).toHaveLength(6);
    const three = new Map([
      ['officers', new Map(['a', 'b'].map((name) => [name, ['k']]))],
      ['others', new Map([['c', ['k']]])],
    ]);
    const missed = new Stage(loaded({ roles: three, ...tiers(tier(null, 2)) }));
    expect(missed.batch({}).state.initiator).toBe('c');
    expect(new Stage(loaded({ hours: { days: [] } })).works).toBe(false);
  });

  it('is as large as batch, output and cap let it be, or as it is told', () => {
    const largest = (change: PolicyChange, most?: bigint) => new Stage(loaded(change)).largest(most);
    expect(largest({})).toBe(btc('50'));
    expect(largest({ limits: { output: btc('200') } })).toBe(btc('80'));
    expect(largest({ limits: { batch: btc('7') } })).toBe(btc('7'));
    expect(largest({}, btc('3'))).toBe(btc('3'));
    const none = {
      batch: null,
      output: null,
      rolling: { '1h': null, '24h': null, '7d': null },
      signedUnconfirmed: null,
    };
    expect(largest({ limits: none, destinations: { defaultCap24h: null } })).toBe(746n);
  });

  it('is cut into parts that make up the whole, a hundred at most', () => {
    expect(parts(10n, 4n)).toEqual([4n, 4n, 2n]);
    expect(parts(8n, 4n)).toEqual([4n, 4n]);
    expect(parts(0n, 4n)).toEqual([]);
    expect(parts(8n, 0n)).toEqual([]);
    expect(parts(1000n, 1n)).toHaveLength(100);
  });

  it('comes after batches of two hours ago, each with a coin of its own', () => {
    const stage = new Stage(loaded());
    expect(spent(stage, { spend: 5n })).toEqual({
      batch: 'earlier',
      spend: 5n,
      fee: 0n,
      outputs: [],
      inputs: ['earlier:0'],
      reservedAt: stage.at - 2 * HOUR,
      confirmed: { at: stage.at - 2 * HOUR, height: 1 },
    });
    expect(spent(stage, {}, 'other').inputs).toEqual(['other:0']);
  });
});
