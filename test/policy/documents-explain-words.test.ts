import { describe, expect, it } from 'vitest';
import { explainPolicy } from '../../src/policy/explain.js';
import { exampleValue, leaves } from './documents-support.js';
import { btc, loaded, P0, type PolicyChange } from './fixture.js';

// Sentences that depend on a value: each with the value beside which the other one stands.

/** That of the other tests of documents: it protects nothing. */
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK1C6yQEl2RFKBpUqG3f09IPP2rHqUsiKMu3j8jknDkU alice';
const roles = new Map(
  [...P0.roles].map(([role, people]) => [role, new Map([...people.keys()].map((name) => [name, [KEY]]))]),
);

const explained = (change: PolicyChange) => explainPolicy(loaded({ roles, ...change }));
const sentences = (change: PolicyChange = {}): readonly string[] =>
  explained(change).flatMap((section) => section.sentences);
const says = (change: PolicyChange, sentence: string): boolean => sentences(change).includes(sentence);

const list = { id: 'ofac', pinnedBy: 'compliance', maxAge: 3600, maxShrinkBp: 10 };
const screening = (lists: readonly (typeof list)[], inputsHops: number): PolicyChange => ({
  screening: { lists, inputsHops },
});
const tiers = (upTo: bigint | null): PolicyChange => ({
  approvals: { tiers: [...P0.approvals.tiers.slice(0, 2), { upTo, from: ['officers'], m: 4, touchRequired: false }] },
});
const HOPS =
  'A coin that comes from a listed script is not spent, nor is one of which nothing tells where it comes from.';
const TOO_FAR = 'No data reach further back than 1 hop, so this policy lets nothing leave.';

describe('what a policy says', () => {
  it.each<[sentence: string, where: PolicyChange, not: PolicyChange]>([
    ['There is no version before it.', {}, { prev: `sha256:${'1'.repeat(64)}` }],
    [
      `It replaces the version with the digest sha256:${'1'.repeat(64)}.`,
      { prev: `sha256:${'1'.repeat(64)}` },
      { prev: `sha256:${'2'.repeat(64)}` },
    ],
    ['The role compliance has 1 person: erin.', {}, { roles: new Map([...roles, ['compliance', new Map()]]) }],
    ['The role auditors has 2 people: frank and grace.', {}, { roles: new Map([...roles, ['auditors', new Map()]]) }],
    [
      'Payments to one address may stand as one output of exactly their sum.',
      { transaction: { mergeOutputs: true } },
      {},
    ],
    ['Each payment that was asked for is an output of its own.', {}, { transaction: { mergeOutputs: true } }],
    [
      'No day of the week is open, though hours from 07:00 to 19:00 UTC are named.',
      { hours: { days: [] } },
      { hours: { days: ['mon'] } },
    ],
    [
      'Coins may leave on Monday, from 07:00 up to but not including 19:00 UTC.',
      { hours: { days: ['mon'] } },
      { hours: { days: [] } },
    ],
    ['No screening list is in use.', {}, screening([list], 0)],
    [HOPS, screening([list], 1), screening([list], 0)],
    [HOPS, screening([list], 1), screening([], 1)],
    [HOPS, screening([list], 1), screening([list], 2)],
    [TOO_FAR, screening([list], 2), screening([list], 1)],
    [TOO_FAR, screening([list], 2), screening([], 2)],
    [
      'One of them is enough all the same: a halt never waits for a second word.',
      { halt: { raise: { from: ['officers'], m: 2 } } },
      { halt: { raise: { from: ['officers'], m: 1 } } },
    ],
    ['No number of denials raises it.', {}, { halt: { denials: { count: 3, within: 60 } } }],
    ['3 denials within 1 minute raise it as well.', { halt: { denials: { count: 3, within: 60 } } }, {}],
    [
      'A destination is paid only if its entry in the book holds a proof that its owner controls it (BIP322).',
      { destinations: { proof: 'required' } },
      { destinations: { proof: 'none' } },
    ],
    ['No proof is asked for that the owner of a destination controls it.', {}, { destinations: { proof: 'required' } }],
    ['No limit is counted in blocks.', {}, { limits: { rollingBlocks: new Map([[6, btc('1')]]) } }],
    [
      'In any 6 blocks, 100000000 sat (1.00000000 BTC) may leave.',
      { limits: { rollingBlocks: new Map([[6, btc('1')]]) } },
      {},
    ],
    ['There is no limit on all that ever leaves.', {}, { limits: { lifetime: btc('1') } }],
    ['There is no limit on all that ever leaves.', { limits: { lifetime: null } }, { limits: { lifetime: 0n } }],
    [
      'All that ever leaves may sum up to 100000000 sat (1.00000000 BTC).',
      { limits: { lifetime: btc('1') } },
      { limits: { lifetime: null } },
    ],
    ['No number of approvals lets more than 6000000000 sat (60.00000000 BTC) leave.', tiers(btc('60')), tiers(null)],
    [
      'A batch that repeats a payment of the last 24 hours, the same amount to the same destination, needs one person more.',
      { approvals: { duplicateGuard: 'approve' } },
      { approvals: { duplicateGuard: 'warn' } },
    ],
    [
      'A batch that repeats a payment of the last 24 hours, the same amount to the same destination, brings a warning and no more.',
      {},
      { approvals: { duplicateGuard: 'approve' } },
    ],
  ])('%s', (sentence, where, not) => {
    expect(says(where, sentence)).toBe(true);
    expect(says(not, sentence)).toBe(false);
  });

  it('as many sentences of hops and of a second word as there is something to say', () => {
    const of = (title: string, change: PolicyChange) =>
      explained(change).find((section) => section.title === title)?.sentences.length;
    expect(of('Screening', screening([], 0))).toBe(3);
    expect(of('Screening', screening([list], 0))).toBe(3);
    expect(of('Screening', screening([list], 1))).toBe(4);
    expect(of('Stopping everything', {})).toBe(5);
    expect(of('Who has to approve', tiers(null))).toBe(5);
    expect(of('Who has to approve', { approvals: { tiers: [] } })).toBe(2);
    expect(of('How much may leave', {})).toBe(10);
    expect(of('How much may leave', { limits: { rollingBlocks: new Map([[6, btc('1')]]) } })).toBe(10);
  });

  it('of fields that a policy has, each in one section', () => {
    const fields = explained({}).flatMap((section) => section.fields);
    expect(new Set(fields).size).toBe(fields.length);
    const top = leaves(exampleValue()).map(({ path }) => path.split(/[.[]/)[0] ?? '');
    for (const field of fields) expect(top).toContain(field);
  });

  it('no empty sentence', () => {
    for (const change of [{}, screening([], 0), screening([list], 1)]) expect(sentences(change)).not.toContain('');
  });
});
