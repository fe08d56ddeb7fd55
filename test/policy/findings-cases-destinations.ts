import type { FindingCase } from './findings-cases-form.js';
import { btc, change, DAY, entry, HOUR, NOW, type Pay, pay, type SpendChange, someScript, spent } from './fixture.js';

const before = (amount: string, more: SpendChange = {}) => spent(btc(amount), more);

const young = (id: string, age: number) => entry(id, someScript(id), NOW - age);
const books = (...entries: ReturnType<typeof young>[]) => ({ destinations: new Map(entries) });
const to = (id: string, sats: bigint): Pay => [someScript(id), sats];

const YOUNG: readonly FindingCase[] = [
  ['young: none', ['YOUNG_CAP', 'YOUNG_AGGREGATE'], { batch: { pay: [pay('A', '9')] } }],
  ['young: at', ['YOUNG_CAP'], { batch: { pay: [pay('F', '5')] } }],
  ['young: over', ['YOUNG_CAP'], { batch: { pay: [['F', btc('5') + 1n]] } }],
  [
    'young: over, until the payment before leaves the window',
    ['YOUNG_CAP', 'YOUNG_AGGREGATE'],
    { batch: { pay: [pay('F', '3')] }, state: { spends: [before('3', { to: 'F', ago: 20 * HOUR })] } },
  ],
  [
    'young: over, until the destination is of age',
    ['YOUNG_CAP', 'YOUNG_AGGREGATE'],
    { batch: { pay: [to('y', btc('6'))] }, state: books(young('y', 30 * DAY - HOUR)) },
  ],
  [
    'young: over, of age before the payment leaves the window',
    ['YOUNG_CAP', 'YOUNG_AGGREGATE'],
    {
      batch: { pay: [to('y', btc('3')), to('z', btc('4'))] },
      state: {
        ...books(young('y', 30 * DAY - HOUR), young('z', 10 * DAY)),
        spends: [before('4', { to: someScript('y'), ago: 20 * HOUR })],
      },
    },
  ],
  [
    'young: at the age',
    ['YOUNG_CAP', 'YOUNG_AGGREGATE'],
    { batch: { pay: [to('y', btc('6'))] }, state: books(young('y', 30 * DAY)) },
  ],
  [
    'young: over, and what is unconfirmed does not leave the window',
    ['YOUNG_CAP', 'YOUNG_AGGREGATE'],
    {
      batch: { pay: [pay('F', '3')] },
      state: { spends: [before('8', { to: 'F', unconfirmed: true }), before('2', { to: 'A', unconfirmed: true })] },
    },
  ],
  [
    'all young: at',
    ['YOUNG_AGGREGATE'],
    {
      batch: { pay: [to('y', btc('3')), to('z', btc('4'))] },
      state: { ...books(young('y', 9 * DAY), young('z', 9 * DAY)), spends: [before('3', { to: someScript('y') })] },
    },
  ],
  [
    'all young: over',
    ['YOUNG_AGGREGATE'],
    {
      batch: { pay: [to('y', btc('3')), to('z', btc('4') + 1n)] },
      state: { ...books(young('y', 9 * DAY), young('z', 9 * DAY)), spends: [before('3', { to: someScript('y') })] },
    },
  ],
  [
    'all young: over, and the second to leave the window makes room',
    ['YOUNG_AGGREGATE'],
    {
      batch: { pay: [to('y', btc('4'))] },
      state: {
        ...books(young('y', 9 * DAY), young('z', 9 * DAY), young('old', 90 * DAY)),
        spends: [
          before('1', { to: someScript('z'), ago: 23 * HOUR }),
          before('4', { to: someScript('z'), ago: 22 * HOUR }),
          before('4', { to: someScript('z'), ago: 21 * HOUR }),
          before('50', { to: someScript('old'), ago: HOUR }),
        ],
      },
    },
  ],
  [
    'all young: over, and one of them comes of age',
    ['YOUNG_AGGREGATE'],
    {
      batch: { pay: [to('y', btc('4'))] },
      state: {
        ...books(young('y', 9 * DAY), young('z', 30 * DAY - 2 * HOUR)),
        spends: [before('8', { to: someScript('z'), unconfirmed: true })],
      },
    },
  ],
  [
    'all young: a replacement takes the room of what it replaces',
    ['YOUNG_AGGREGATE'],
    {
      batch: { pay: [to('y', btc('4'))] },
      state: {
        ...books(young('y', 9 * DAY)),
        spends: [
          before('8', { to: someScript('y'), unconfirmed: true, inputs: ['coin 0'] }),
          before('3', { to: someScript('y'), unconfirmed: true }),
        ],
      },
    },
  ],
  [
    'young: not in the book, until the payment before leaves the window',
    ['YOUNG_CAP'],
    { batch: { pay: [pay('X', '3')] }, state: { spends: [before('3', { to: 'X', ago: 20 * HOUR })] } },
  ],
  [
    'all young: a replacement of all that there may be',
    ['YOUNG_AGGREGATE'],
    {
      batch: { pay: [to('y', btc('10') + 1n)] },
      state: {
        ...books(young('y', 9 * DAY)),
        spends: [before('10', { to: someScript('y'), unconfirmed: true, inputs: ['coin 0'] })],
      },
    },
  ],
  [
    'all young: over, until exactly as much is left as there may be',
    ['YOUNG_AGGREGATE'],
    {
      batch: { pay: [to('y', btc('4'))] },
      state: {
        ...books(young('y', 9 * DAY)),
        spends: [
          before('1', { to: someScript('y'), ago: 23 * HOUR }),
          before('6', { to: someScript('y'), ago: 22 * HOUR }),
        ],
      },
    },
  ],
  [
    'all young: over, until the batch pays none of them',
    ['YOUNG_AGGREGATE'],
    {
      batch: { pay: [to('y', btc('1'))] },
      state: {
        ...books(young('y', 30 * DAY - HOUR), young('z', 9 * DAY)),
        spends: [before('11', { to: someScript('z'), unconfirmed: true })],
      },
    },
  ],
  [
    'all young: no room beside what is confirmed',
    ['YOUNG_AGGREGATE'],
    {
      batch: { pay: [to('y', btc('1'))] },
      state: { ...books(young('y', 9 * DAY)), spends: [before('11', { to: someScript('y'), ago: 3 * HOUR })] },
    },
  ],
];

const DESTINATIONS: readonly FindingCase[] = [
  ['book: holds both', ['DEST_NOT_ALLOWED', 'DEST_COOLDOWN'], { batch: { pay: [pay('A', '1'), pay('C', '1')] } }],
  [
    'book: does not hold one',
    ['DEST_NOT_ALLOWED', 'DEST_COOLDOWN'],
    { batch: { pay: [pay('A', '1'), pay('X', '2')] } },
  ],
  [
    'book: signed by anybody of a role',
    ['DEST_NOT_ALLOWED'],
    { batch: { pay: [pay('X', '2')] }, policy: { destinations: { bookSign: { from: ['officers'], m: 1 } } } },
  ],
  [
    'cool-down: a second before its end',
    ['DEST_COOLDOWN'],
    { batch: { pay: [to('y', btc('1'))] }, state: books(young('y', 72 * HOUR - 1)) },
  ],
  [
    'cool-down: at its end',
    ['DEST_COOLDOWN'],
    { batch: { pay: [to('y', btc('1'))] }, state: books(young('y', 72 * HOUR)) },
  ],
  ['destination: at its own cap', ['DEST_CAP'], { batch: { pay: [pay('A', '100'), pay('A', '50')] } }],
  ['destination: over its own cap', ['DEST_CAP'], { batch: { pay: [pay('A', '100'), ['A', btc('50') + 1n]] } }],
  [
    'destination: over the default',
    ['DEST_CAP'],
    { batch: { pay: [pay('C', '30')] }, state: { spends: [before('50', { to: 'C' }), before('1', { to: 'C' })] } },
  ],
  ['destination: without a cap', ['DEST_CAP'], { batch: { pay: [to('elsewhere', btc('90'))] } }],
  ['destination: none', ['DEST_CAP'], { batch: { pay: [], change: [change(btc('1'))] } }],
  ['type: among them', ['DEST_SCRIPT_TYPE'], { batch: { pay: [pay('A', '1')] } }],
  [
    'type: none of them',
    ['DEST_SCRIPT_TYPE'],
    { batch: { pay: [pay('A', '1'), pay('D', '1')] }, policy: { destinations: { scriptTypes: ['p2wpkh', 'p2sh'] } } },
  ],
  [
    'type: there are none',
    ['DEST_SCRIPT_TYPE'],
    { batch: { pay: [pay('A', '1')] }, policy: { destinations: { scriptTypes: [] } } },
  ],
  [
    'dust: at',
    ['DEST_DUST'],
    {
      batch: {
        pay: [
          ['A', 294n],
          ['E', 546n],
        ],
      },
    },
  ],
  [
    'dust: under',
    ['DEST_DUST'],
    {
      batch: {
        pay: [
          ['A', 293n],
          ['E', 545n],
        ],
      },
    },
  ],
  ['dust: one output', ['DEST_DUST'], { batch: { pay: [['A', 294n]] } }],
  ['dust: data', ['DEST_DUST'], { batch: { pay: [[new Uint8Array([0x6a, 1, 7]), 0n]] } }],
];

export const DESTINATION_CASES: readonly FindingCase[] = [...YOUNG, ...DESTINATIONS];
