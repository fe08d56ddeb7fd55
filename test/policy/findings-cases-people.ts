import type { FindingCase } from './findings-cases-form.js';
import {
  ADDRESSES,
  approvedBy,
  btc,
  type Case,
  DAY,
  NOW,
  output,
  P0,
  type Pay,
  pay,
  requestsFor,
  scriptOf,
  spent,
} from './fixture.js';

const APPROVALS = ['APPROVALS_MISSING', 'APPROVAL_EXPIRED', 'APPROVAL_IGNORED', 'APPROVALS_NO_TIER'] as const;
const approved = (names: readonly string[], more: Case = {}): Case => ({
  ...more,
  state: { ...more.state, approvals: approvedBy(...names) },
});
const late = (person: string, ago: number) => ({ person, at: NOW - 600, validUntil: NOW - ago, touch: true });
const TOUCH = P0.approvals.tiers.map((tier) => ({ ...tier, touchRequired: true }));
const repeat = (...batches: string[]) => batches.map((batch) => ({ ...spent(btc('1'), { to: 'A' }), batch }));

const PEOPLE: readonly FindingCase[] = [
  ['approvals: nobody', APPROVALS, approved([])],
  ['approvals: one of two', APPROVALS, approved(['bob'])],
  ['approvals: two of two', APPROVALS, approved(['bob', 'alice'])],
  [
    'approvals: at the bound of the tier',
    APPROVALS,
    approved(['bob', 'alice'], { batch: { pay: [['A', btc('10') - 100_000n]] } }),
  ],
  ['approvals: above it', APPROVALS, approved(['bob', 'alice'], { batch: { pay: [['A', btc('10') - 99_999n]] } })],
  [
    'approvals: of the highest tier',
    APPROVALS,
    approved(['bob', 'alice', 'carol', 'erin'], { batch: { pay: [pay('A', '49'), pay('C', '9')] } }),
  ],
  [
    'approvals: without the role that has to be among them',
    APPROVALS,
    approved(['bob', 'alice', 'carol', 'dave'], { batch: { pay: [pay('A', '49'), pay('C', '9')] } }),
  ],
  [
    'approvals: one of two of the role that has to be among them',
    APPROVALS,
    approved(['bob', 'alice', 'carol', 'erin'], {
      batch: { pay: [pay('A', '49'), pay('C', '9')] },
      policy: {
        roles: new Map([
          ...P0.roles,
          [
            'compliance',
            new Map([
              ['erin', ['k e']],
              ['zoe', ['k z']],
            ]),
          ],
        ]),
      },
    }),
  ],
  ['approvals: of the initiator', APPROVALS, approved(['ivan', 'bob', 'alice'])],
  ['approvals: of somebody the tier does not ask', APPROVALS, approved(['grace', 'frank', 'bob'])],
  ['approvals: not needed of somebody the tier does not ask', APPROVALS, approved(['grace', 'bob', 'alice'])],
  [
    'approvals: no tier reaches so far',
    APPROVALS,
    { policy: { approvals: { tiers: P0.approvals.tiers.slice(0, 1) } }, batch: { pay: [pay('A', '11')] } },
  ],
  [
    'approvals: run out',
    APPROVALS,
    { state: { approvals: [late('carol', 0), late('bob', 30), late('bob', 10), late('bob', 20)] } },
  ],
  [
    'approvals: run out, and given again',
    APPROVALS,
    { state: { approvals: [late('carol', 5), late('bob', 30), ...approvedBy('bob')] } },
  ],
  [
    'approvals: without touch',
    APPROVALS,
    {
      policy: { approvals: { tiers: TOUCH } },
      state: { approvals: approvedBy('alice', 'bob').map((one, index) => ({ ...one, touch: index === 0 })) },
    },
  ],
  [
    'approvals: without touch, and given again with it',
    APPROVALS,
    {
      policy: { approvals: { tiers: TOUCH } },
      state: { approvals: [...approvedBy('bob').map((one) => ({ ...one, touch: false })), ...approvedBy('bob')] },
    },
  ],
  [
    'duplicates: a warning',
    ['POSSIBLE_DUPLICATE', 'APPROVALS_MISSING'],
    approved(['alice', 'bob'], { state: { spends: repeat('z', 'b', 'z') } }),
  ],
  [
    'duplicates: one person more',
    ['POSSIBLE_DUPLICATE', 'APPROVALS_MISSING'],
    approved(['alice', 'bob'], {
      policy: { approvals: { duplicateGuard: 'approve' } },
      state: { spends: repeat('z', 'b') },
    }),
  ],
  [
    'duplicates: none, with a guard',
    ['POSSIBLE_DUPLICATE', 'APPROVALS_MISSING'],
    approved(['alice', 'bob'], { policy: { approvals: { duplicateGuard: 'approve' } } }),
  ],
  [
    'duplicates: a replacement is none',
    ['POSSIBLE_DUPLICATE'],
    { state: { spends: [spent(btc('1'), { to: 'A', unconfirmed: true, inputs: ['coin 0', 'other'] })] } },
  ],
  [
    'duplicates: another amount is none',
    ['POSSIBLE_DUPLICATE'],
    { state: { spends: [spent(btc('1') + 1n, { to: 'A' })] } },
  ],
  [
    'duplicates: a day later is none',
    ['POSSIBLE_DUPLICATE'],
    { state: { spends: [spent(btc('1'), { to: 'A', ago: DAY })] } },
  ],
];

const paidTo = (...payments: Pay[]) =>
  payments.map(([to, value], index) =>
    output(typeof to === 'string' ? scriptOf(ADDRESSES[to]) : to, value, undefined, index),
  );
/** Requests for some payments, and a batch that makes others. */
const asked = (requests: Pay[], payments: Pay[], mergeOutputs = true): Case => ({
  policy: { transaction: { mergeOutputs } },
  batch: { pay: payments, requests: requestsFor(paidTo(...requests)) },
});
const [ONE, TWO, THREE] = [pay('A', '1'), pay('A', '2'), pay('A', '3')];
const OTHER = pay('C', '1');

const REQUESTS: readonly FindingCase[] = [
  ['requests: one for one', ['REQUEST_PSBT_MISMATCH'], asked([ONE, OTHER], [OTHER, ONE], false)],
  [
    'requests: one for one, where they may be merged',
    ['REQUEST_PSBT_MISMATCH'],
    asked([ONE, TWO, OTHER], [OTHER, TWO, ONE]),
  ],
  ['requests: merged', ['REQUEST_PSBT_MISMATCH'], asked([ONE, TWO, OTHER], [THREE, OTHER])],
  [
    'requests: merged where they may not be',
    ['REQUEST_PSBT_MISMATCH'],
    asked([ONE, TWO, OTHER], [THREE, OTHER], false),
  ],
  ['requests: merged, a satoshi too much', ['REQUEST_PSBT_MISMATCH'], asked([ONE, TWO], [['A', btc('3') + 1n]])],
  ['requests: merged, a satoshi too little', ['REQUEST_PSBT_MISMATCH'], asked([ONE, TWO], [['A', btc('3') - 1n]])],
  ['requests: three by two outputs', ['REQUEST_PSBT_MISMATCH'], asked([ONE, ONE, TWO], [TWO, TWO])],
  ['requests: the sum, and one of them besides', ['REQUEST_PSBT_MISMATCH'], asked([ONE, TWO], [THREE, ONE])],
  ['requests: merged, and one that nobody asked for', ['REQUEST_PSBT_MISMATCH'], asked([ONE, TWO], [THREE, OTHER])],
  ['requests: merged, and one that is not paid', ['REQUEST_PSBT_MISMATCH'], asked([ONE, TWO, OTHER], [THREE])],
  ['requests: one that is not paid', ['REQUEST_PSBT_MISMATCH'], asked([ONE, OTHER], [ONE])],
  ['requests: one that is paid to nobody', ['REQUEST_PSBT_MISMATCH'], asked([ONE, TWO, OTHER], [OTHER])],
  ['requests: one that nobody asked for', ['REQUEST_PSBT_MISMATCH'], asked([ONE], [ONE, OTHER])],
  ['requests: the same amount twice, asked once', ['REQUEST_PSBT_MISMATCH'], asked([ONE], [ONE, ONE])],
  ['requests: the same amount twice, paid once', ['REQUEST_PSBT_MISMATCH'], asked([ONE, ONE], [ONE])],
  ['requests: an id again', ['REQUEST_ID_REUSE'], { state: { reusedRequests: ['r-9', 'r-0'] } }],
  [
    'requests: an id twice',
    ['REQUEST_ID_REUSE'],
    { batch: { requests: [...requestsFor(paidTo(ONE)), ...requestsFor(paidTo(TWO))] } },
  ],
];

export const PEOPLE_CASES: readonly FindingCase[] = [...PEOPLE, ...REQUESTS];
