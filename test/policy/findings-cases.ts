import { DESTINATION_CASES } from './findings-cases-destinations.js';
import { type FindingCase, FORM_CASES } from './findings-cases-form.js';
import { PEOPLE_CASES } from './findings-cases-people.js';
import { btc, type Case, change, DAY, HOUR, type Pay, pay, type SpendChange, spent, TIP } from './fixture.js';

const fee = (sats: bigint, more: Case['batch'] = {}): Case => ({ batch: { fee: sats, ...more } });
/** A batch that takes exactly so much, its fee of 100,000 sat included. */
const takes = (sats: bigint, ...spends: ReturnType<typeof spent>[]): Case => ({
  batch: { pay: [['A', sats - 100_000n]] },
  state: { spends },
});
const before = (amount: string, more: SpendChange = {}) => spent(btc(amount), more);

const FEES: readonly FindingCase[] = [
  ['fee rate: under', ['FEE_RATE'], fee(119_999n)],
  ['fee rate: at', ['FEE_RATE'], fee(120_000n)],
  ['fee rate: over', ['FEE_RATE'], fee(120_001n)],
  ['fee rate: no fee', ['FEE_RATE'], fee(0n)],
  ['fee rate: of a fraction of a satoshi', ['FEE_RATE'], { ...fee(601n), policy: { fees: { maxRate: 1500n } } }],
  ['fee floor: under', ['FEE_TOO_LOW'], fee(399n)],
  ['fee floor: at', ['FEE_TOO_LOW'], fee(400n)],
  ['fee floor: over', ['FEE_TOO_LOW'], fee(401n)],
  ['fee floor: no fee', ['FEE_TOO_LOW'], fee(0n)],
  ['fee floor: of a fraction of a satoshi', ['FEE_TOO_LOW'], { ...fee(480n), policy: { fees: { minRate: 1203n } } }],
  ['fee: at', ['FEE_ABS'], fee(1_000_000n)],
  ['fee: over', ['FEE_ABS'], fee(1_000_001n)],
  ['fee fraction: under', ['FEE_FRACTION'], fee(49_999n, { pay: [pay('A', '0.1')] })],
  ['fee fraction: at', ['FEE_FRACTION'], fee(50_000n, { pay: [pay('A', '0.1')] })],
  ['fee fraction: over', ['FEE_FRACTION'], fee(50_001n, { pay: [pay('A', '0.1')] })],
  ['fee fraction: of little, at what is asked', ['FEE_FRACTION'], fee(10_000n, { pay: [['A', 100_000n]] })],
  ['fee fraction: of little, over what is asked', ['FEE_FRACTION'], fee(10_001n, { pay: [['A', 100_000n]] })],
  ['fee fraction: nobody is paid', ['FEE_FRACTION'], fee(50_000n, { pay: [], change: [change(btc('1'))] })],
  ['fees of a day: at', ['FEE_24H'], { ...fee(100_000n), state: { spends: [before('1', { fee: 3_900_000n })] } }],
  [
    'fees of a day: over',
    ['FEE_24H'],
    { ...fee(100_001n), state: { spends: [before('1', { fee: 3_900_000n, ago: 5 * HOUR })] } },
  ],
  [
    'fees of replacements: at',
    ['FEE_REPLACEMENTS'],
    {
      batch: { fee: 400_000n },
      state: {
        spends: [
          { ...before('1', { unconfirmed: true, inputs: ['coin 0', 'b'], fee: 300_000n }), batch: 'z' },
          { ...before('1', { unconfirmed: true, inputs: ['b'], fee: 300_000n }), batch: 'a' },
        ],
      },
    },
  ],
  [
    'fees of replacements: over',
    ['FEE_REPLACEMENTS'],
    {
      batch: { fee: 400_001n },
      state: {
        spends: [
          { ...before('1', { unconfirmed: true, inputs: ['coin 0', 'b'], fee: 300_000n }), batch: 'z' },
          { ...before('1', { unconfirmed: true, inputs: ['b'], fee: 300_000n }), batch: 'a' },
        ],
      },
    },
  ],
  ['fees of replacements: none', ['FEE_REPLACEMENTS'], fee(1_000_000n)],
];

const LIMITS: readonly FindingCase[] = [
  ['batch: under', ['LIMIT_BATCH'], takes(btc('100') - 1n)],
  ['batch: at', ['LIMIT_BATCH'], takes(btc('100'))],
  ['batch: over', ['LIMIT_BATCH'], takes(btc('100') + 1n)],
  ['batch: unlimited', ['LIMIT_BATCH'], { ...takes(btc('100') + 1n), policy: { limits: { batch: null } } }],
  ['batch: nothing may leave', ['LIMIT_BATCH'], { ...takes(btc('1')), policy: { limits: { batch: 0n } } }],
  ['output: at', ['LIMIT_OUTPUT'], { batch: { pay: [pay('A', '50'), pay('C', '49')] } }],
  ['output: over', ['LIMIT_OUTPUT'], { batch: { pay: [pay('A', '49'), ['C', btc('50') + 1n], pay('D', '50')] } }],
  [
    'output: unlimited',
    ['LIMIT_OUTPUT'],
    { batch: { pay: [pay('A', '49'), pay('C', '51')] }, policy: { limits: { output: null } } },
  ],
  [
    'output: to a script without an address',
    ['LIMIT_OUTPUT'],
    {
      batch: {
        pay: [
          [new Uint8Array([0x51]), btc('51')],
          [new Uint8Array(), btc('52')],
        ],
      },
    },
  ],
  ['outputs: at', ['LIMIT_OUTPUT_COUNT'], { batch: { pay: Array.from({ length: 50 }, (): Pay => pay('A', '0.1')) } }],
  ['outputs: over', ['LIMIT_OUTPUT_COUNT'], { batch: { pay: Array.from({ length: 51 }, (): Pay => pay('A', '0.1')) } }],
  ['outputs: none may be', ['LIMIT_OUTPUT_COUNT'], { ...takes(btc('1')), policy: { limits: { outputsPerBatch: 0 } } }],
  ['outputs: one', ['LIMIT_OUTPUT_COUNT'], { batch: { pay: [pay('A', '1')] } }],
  ['floor: above', ['RESERVE_FLOOR'], { ...takes(btc('1')), state: { confirmedBalance: btc('1001') + 1n } }],
  ['floor: at', ['RESERVE_FLOOR'], { ...takes(btc('1')), state: { confirmedBalance: btc('1001') } }],
  ['floor: below', ['RESERVE_FLOOR'], { ...takes(btc('1')), state: { confirmedBalance: btc('1001') - 1n } }],
  ['floor: no room', ['RESERVE_FLOOR'], { ...takes(btc('1')), state: { confirmedBalance: btc('1000') } }],
  ['floor: below it before', ['RESERVE_FLOOR'], { ...takes(btc('1')), state: { confirmedBalance: btc('999') } }],
  [
    'floor: an unconfirmed input pays for itself',
    ['RESERVE_FLOOR'],
    {
      batch: {
        pay: [pay('A', '3')],
        inputs: [
          {},
          { value: btc('1'), coin: { confirmations: 0, coinbase: false, value: btc('1'), leftOnScript: 0 } },
        ],
      },
    },
  ],
  [
    'floor: an unconfirmed input of somebody else does not',
    ['RESERVE_FLOOR'],
    {
      batch: {
        pay: [pay('A', '3')],
        inputs: [
          {},
          {
            value: btc('1'),
            origin: null,
            coin: { confirmations: 0, coinbase: false, value: btc('1'), leftOnScript: 0 },
          },
        ],
      },
    },
  ],
  ['lifetime: left out', ['LIMIT_LIFETIME'], takes(btc('1'))],
  [
    'lifetime: at',
    ['LIMIT_LIFETIME'],
    { ...takes(btc('1'), before('4', { ago: 900 * DAY })), policy: { limits: { lifetime: btc('5') } } },
  ],
  [
    'lifetime: over',
    ['LIMIT_LIFETIME'],
    { ...takes(btc('1') + 1n, before('4', { ago: 900 * DAY })), policy: { limits: { lifetime: btc('5') } } },
  ],
];

const ROLLING: readonly FindingCase[] = [
  ['an hour: at', ['LIMIT_1H'], takes(btc('20'), before('100', { ago: 1800 }))],
  ['an hour: over', ['LIMIT_1H'], takes(btc('20') + 1n, before('100', { ago: 1800 }))],
  ['an hour: past it', ['LIMIT_1H'], takes(btc('20') + 1n, before('100', { ago: HOUR }))],
  ['a day: at', ['LIMIT_24H'], takes(btc('20'), before('100'), before('80', { ago: 20 * HOUR }))],
  ['a day: over', ['LIMIT_24H'], takes(btc('20') + 1n, before('100'), before('80', { ago: 20 * HOUR }))],
  ['a day: over, and no wait helps', ['LIMIT_24H'], takes(btc('90'), before('120', { unconfirmed: true }))],
  [
    'seven days: over',
    ['LIMIT_7D'],
    takes(btc('90'), ...[1, 2, 3, 4, 5].map((day) => before('90', { ago: day * DAY }))),
  ],
  [
    'seven days: unlimited',
    ['LIMIT_7D'],
    { ...takes(btc('1'), before('9')), policy: { limits: { rolling: { '1h': null, '24h': null, '7d': null } } } },
  ],
  ['blocks: none', ['LIMIT_BLOCKS'], takes(btc('1'))],
  [
    'blocks: at and over, the shortest first',
    ['LIMIT_BLOCKS'],
    {
      ...takes(btc('2'), before('3', { height: TIP - 10 }), before('5', { height: TIP - 100 })),
      policy: {
        limits: {
          rollingBlocks: new Map([
            [1000, btc('9')],
            [144, btc('10')],
            [20, btc('5')],
            [6, 0n],
          ]),
        },
      },
    },
  ],
  ['unconfirmed: at', ['LIMIT_UNCONFIRMED'], takes(btc('50'), before('100', { unconfirmed: true }))],
  ['unconfirmed: over', ['LIMIT_UNCONFIRMED'], takes(btc('50') + 1n, before('100', { unconfirmed: true }))],
  [
    'batches: the last',
    ['LIMIT_BATCH_COUNT'],
    takes(btc('1'), ...[1, 2, 3, 4, 5].map((hour) => before('1', { ago: hour * HOUR }))),
  ],
  [
    'batches: one more',
    ['LIMIT_BATCH_COUNT'],
    takes(btc('1'), ...[1, 2, 3, 4, 5, 6].map((hour) => before('1', { ago: hour * HOUR }))),
  ],
  [
    'batches: one more, and no wait helps',
    ['LIMIT_BATCH_COUNT'],
    takes(btc('1'), ...[1, 2, 3, 4, 5, 6].map(() => before('1', { unconfirmed: true }))),
  ],
];

export const FINDING_CASES: readonly FindingCase[] = [
  ...FEES,
  ...LIMITS,
  ...ROLLING,
  ...DESTINATION_CASES,
  ...FORM_CASES,
  ...PEOPLE_CASES,
];
