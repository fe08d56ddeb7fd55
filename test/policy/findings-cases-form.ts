import { trustedHex } from '../../src/domain/bytes.js';
import type { Code } from '../../src/policy/codes.js';
import {
  ADDRESSES,
  at,
  btc,
  type Case,
  change,
  HOUR,
  NOW,
  output,
  type P0,
  pay,
  scriptOf,
  someScript,
  spent,
  TIP,
  txid,
} from './fixture.js';

export type FindingCase = readonly [name: string, codes: readonly Code[], given: Case];

type Input = NonNullable<NonNullable<Case['batch']>['inputs']>[number];
type Coin = NonNullable<Input['coin']>;

const coin: Coin = { confirmations: 100, coinbase: false, value: btc('0.5'), leftOnScript: 0 };
/** A batch with a second input, of which this is different. */
const second = (...more: Input[]): Case => ({
  batch: { inputs: [{}, ...more.map((one) => ({ value: btc('0.5'), coin, ...one }))] },
});
const facts = (more: NonNullable<NonNullable<Case['batch']>['facts']>): Case => ({ batch: { facts: more } });

const INPUTS: readonly FindingCase[] = [
  [
    'inputs: all is proven',
    ['INPUT_NO_PREVTX', 'INPUT_FOREIGN', 'INPUT_FROZEN', 'PSBT_PRESIGNED', 'SIGHASH'],
    second({}),
  ],
  ['inputs: one alone', ['INPUT_NO_PREVTX', 'INPUT_FOREIGN', 'INPUT_FROZEN', 'PSBT_PRESIGNED', 'SIGHASH'], {}],
  ['inputs: an amount that is only stated', ['INPUT_NO_PREVTX', 'INPUT_UTXO_MISMATCH'], second({ proof: 'claimed' })],
  [
    'inputs: an amount that is only stated, of taproot',
    ['INPUT_NO_PREVTX', 'INPUT_UTXO_MISMATCH'],
    second({ proof: 'claimed', script: scriptOf(ADDRESSES.D) }),
  ],
  [
    'inputs: no amount, of taproot',
    ['INPUT_NO_PREVTX', 'INPUT_UTXO_MISMATCH'],
    second({ proof: 'absent', script: scriptOf(ADDRESSES.D) }),
  ],
  ['inputs: no amount', ['INPUT_NO_PREVTX', 'INPUT_UTXO_MISMATCH'], second({ proof: 'absent' })],
  ['inputs: a contradiction', ['INPUT_NO_PREVTX', 'INPUT_UTXO_MISMATCH'], second({ proof: 'mismatch' })],
  [
    'inputs: an amount that the snapshot denies',
    ['INPUT_UTXO_MISMATCH'],
    second({ coin: { ...coin, value: btc('0.4') } }),
  ],
  [
    'inputs: no amount, of which the snapshot says one',
    ['INPUT_UTXO_MISMATCH'],
    second({ proof: 'absent', value: 0n, coin: { ...coin, value: btc('0.4') } }),
  ],
  ['inputs: not ours', ['INPUT_FOREIGN', 'INPUT_UNKNOWN'], second({ origin: null, coin: null })],
  ['inputs: ours and not in the snapshot', ['INPUT_FOREIGN', 'INPUT_UNKNOWN'], second({ coin: null })],
  ['inputs: one twice', ['INPUT_DUP'], second({ outpoint: { txid: txid('coin 0'), vout: 0 } })],
  ['inputs: one transaction twice', ['INPUT_DUP'], second({ outpoint: { txid: txid('coin 0'), vout: 1 } })],
  ['coins: confirmed', ['INPUT_UNCONFIRMED'], second({ coin: { ...coin, confirmations: 6 } })],
  ['coins: not yet confirmed', ['INPUT_UNCONFIRMED'], second({ coin: { ...coin, confirmations: 5 } })],
  ['coins: of one block', ['INPUT_UNCONFIRMED'], second({ coin: { ...coin, confirmations: 1 } })],
  [
    'coins: one confirmation is enough',
    ['INPUT_UNCONFIRMED'],
    { ...second({ coin: { ...coin, confirmations: 1 } }), policy: { inputs: { minConfirmations: 1 } } },
  ],
  ['coins: mature', ['INPUT_IMMATURE'], second({ coin: { ...coin, coinbase: true, confirmations: 100 } })],
  ['coins: immature', ['INPUT_IMMATURE'], second({ coin: { ...coin, coinbase: true, confirmations: 99 } })],
  ['coins: frozen', ['INPUT_FROZEN'], second({ frozen: 'dusted' })],
  ['coins: worth it', ['INPUT_DUST'], second({ value: 10_000n, coin: { ...coin, value: 10_000n } })],
  ['coins: not worth it', ['INPUT_DUST'], second({ value: 9_999n, coin: { ...coin, value: 9_999n } })],
  [
    'coins: worth it with their neighbours, exactly',
    ['INPUT_DUST', 'INPUT_FORCED_REUSE'],
    second(
      { value: 4_000n, script: someScript('s'), coin: { ...coin, value: 4_000n } },
      { value: 6_000n, script: someScript('s'), coin: { ...coin, value: 6_000n } },
    ),
  ],
  [
    'coins: not worth it with their neighbours',
    ['INPUT_DUST', 'INPUT_FORCED_REUSE'],
    second(
      { value: 4_000n, script: someScript('s'), coin: { ...coin, value: 4_000n } },
      { value: 5_999n, script: someScript('s'), coin: { ...coin, value: 5_999n } },
    ),
  ],
  [
    'coins: of a script of which more stay',
    ['INPUT_DUST', 'INPUT_FORCED_REUSE'],
    second(
      { value: 4_000n, script: someScript('s'), coin: { ...coin, value: 4_000n, leftOnScript: 1 } },
      { value: 60_000n, script: someScript('s'), coin: { ...coin, value: 60_000n, leftOnScript: 1 } },
    ),
  ],
  [
    'coins: small and not in the snapshot',
    ['INPUT_DUST', 'INPUT_FORCED_REUSE'],
    second({ value: 4_000n, script: someScript('s'), coin: null }, { value: 60_000n, script: someScript('s') }),
  ],
  [
    'coins: two more stay',
    ['INPUT_FORCED_REUSE'],
    second({ value: 546n, coin: { ...coin, value: 546n, leftOnScript: 2 } }),
  ],
];

const own = (branch: 0 | 1, index: number) => ({ own: true, origin: { branch, index }, claimed: true }) as const;

const CHANGE: readonly FindingCase[] = [
  ['change: none', ['CHANGE_COUNT', 'CHANGE_GAP', 'CHANGE_DUST', 'CHANGE_REUSE'], {}],
  [
    'change: one',
    ['CHANGE_COUNT', 'CHANGE_GAP', 'CHANGE_DUST', 'CHANGE_REUSE'],
    { batch: { change: [change(btc('1'))] } },
  ],
  [
    'change: two',
    ['CHANGE_COUNT', 'CHANGE_GAP', 'CHANGE_DUST', 'CHANGE_REUSE'],
    { batch: { change: [change(btc('1')), change(btc('1'), 43)] } },
  ],
  [
    'change: two may be',
    ['CHANGE_COUNT'],
    { batch: { change: [change(btc('1'))] }, policy: { change: { maxOutputs: 2 } } },
  ],
  ['change: dust, at', ['CHANGE_DUST'], { batch: { change: [change(294n)] } }],
  ['change: dust, under', ['CHANGE_DUST'], { batch: { change: [change(293n)] } }],
  ['change: the last of the gap', ['CHANGE_GAP'], { batch: { change: [change(btc('1'), 61)] } }],
  ['change: beyond the gap', ['CHANGE_GAP'], { batch: { change: [change(btc('1'), 62)] } }],
  [
    'change: beyond the gap, and claimed to be',
    ['CHANGE_GAP'],
    {
      batch: {
        change: [change(btc('1'), 62)],
        extra: [output(someScript('claimed'), btc('1'), { own: false, problem: 'CHANGE_GAP' })],
      },
    },
  ],
  [
    'change: claimed beyond the gap, none proven',
    ['CHANGE_GAP'],
    { batch: { extra: [output(someScript('claimed'), btc('1'), { own: false, problem: 'CHANGE_GAP' })] } },
  ],
  [
    'change: to a script that the batch spends',
    ['CHANGE_REUSE'],
    { batch: { change: [change(btc('1'))], inputs: [{ script: someScript('change 42') }] } },
  ],
  ['change: unclaimed', ['CHANGE_UNCLAIMED'], { batch: { change: [change(btc('1'), 42, false)] } }],
  [
    'change: to a receiving address',
    ['SELF_RECEIVE'],
    { batch: { extra: [output(someScript('own'), btc('1'), own(0, 1))] } },
  ],
];

const foreign = (...foreignFields: string[]) => second({ foreignFields });
const FORM: readonly FindingCase[] = [
  ['form: sound', ['PSBT_FORM'], {}],
  ['form: malformed', ['PSBT_FORM'], facts({ malformed: 'two keys are the same' })],
  ['form: pays more than it spends', ['PSBT_FORM', 'FEE_RATE', 'FEE_TOO_LOW'], { batch: { fee: -1000n } }],
  ['form: fields nobody writes', ['PSBT_FOREIGN_FIELD'], foreign('unknown:fd', 'unknown:fc')],
  ['form: signed already', ['PSBT_PRESIGNED'], second({ presigned: true })],
  ['form: as large as nodes relay', ['TX_SHAPE'], { batch: { vsize: 100_000n, fee: 200_000n } }],
  ['form: larger', ['TX_SHAPE'], { batch: { vsize: 100_001n, fee: 200_000n } }],
  ['form: pays nobody', ['TX_SHAPE'], { batch: { pay: [], change: [change(btc('1'))] } }],
  ['form: pays two', ['TX_SHAPE'], { batch: { pay: [pay('A', '1'), pay('C', '1')] } }],
  ['form: as many inputs as may be', ['TX_SHAPE'], { ...second({}), policy: { inputs: { max: 2 } } }],
  ['form: one input more', ['TX_SHAPE'], { ...second({}), policy: { inputs: { max: 1 } } }],
  ['transaction: locktime at the tip', ['LOCKTIME'], facts({ locktime: TIP })],
  ['transaction: locktime above the tip', ['LOCKTIME'], facts({ locktime: TIP + 1 })],
  ['transaction: the last locktime that is a height', ['LOCKTIME'], facts({ locktime: 499_999_999 })],
  ['transaction: the first locktime that is a time', ['LOCKTIME'], facts({ locktime: 500_000_000 })],
  ['transaction: no locktime', ['LOCKTIME'], facts({ locktime: 0 })],
  ['transaction: a version that may be', ['TX_VERSION'], facts({ version: 1 })],
  ['transaction: another version', ['TX_VERSION'], facts({ version: 3 })],
  ['transaction: no version', ['TX_VERSION'], { policy: { transaction: { versions: [] } } }],
  ['transaction: sighash ALL', ['SIGHASH'], second({ sighashType: 1 })],
  ['transaction: sighash SINGLE', ['SIGHASH'], second({ sighashType: 3 })],
  ['transaction: the last sequence that locks', ['SEQUENCE'], second({ sequence: 0x7fffffff })],
  ['transaction: the first sequence that does not', ['SEQUENCE'], second({ sequence: 0x80000000 })],
  ['transaction: a final sequence', ['SEQUENCE'], second({ sequence: 0xffffffff })],
];

/** The whole state moves along, so that only the hours speak. */
const open = (text: string, hours: Partial<typeof P0.hours> = {}): Case => ({ now: at(text), policy: { hours } });
const entered = (lastEntryAt: number): Case => ({ state: { lastEntryAt } });

const TIMES: readonly FindingCase[] = [
  ['hours: at opening', ['TIME_CLOSED'], open('2026-06-02T07:00:00Z')],
  ['hours: a second before', ['TIME_CLOSED'], open('2026-06-02T06:59:59Z')],
  ['hours: at closing', ['TIME_CLOSED'], open('2026-06-05T19:00:00Z')],
  ['hours: odd ones', ['TIME_CLOSED'], open('2026-06-02T08:04:59Z', { from: 29_100, to: 63_000 })],
  ['hours: never', ['TIME_CLOSED'], open('2026-06-02T12:00:00Z', { days: [] })],
  ['hours: a closed date', ['TIME_CLOSED'], open('2026-06-02T12:00:00Z', { closedDates: ['2026-06-02'] })],
  ['clock: at the entry', ['CLOCK_BACK'], entered(NOW)],
  ['clock: a second behind', ['CLOCK_BACK'], entered(NOW + 1)],
  ['clock: behind as far as may be', ['CLOCK_BACK'], entered(NOW + 120)],
  ['clock: further behind', ['CLOCK_BACK'], entered(NOW + 121)],
  [
    'chain: ahead as far as may be',
    ['CLOCK_JUMP'],
    { state: { tip: { height: TIP, medianTimePast: NOW - 3 * HOUR } } },
  ],
  ['chain: further ahead', ['CLOCK_JUMP'], { state: { tip: { height: TIP, medianTimePast: NOW - 3 * HOUR - 1 } } }],
  ['chain: behind', ['CLOCK_JUMP'], { state: { tip: { height: TIP, medianTimePast: NOW + HOUR } } }],
  ['snapshot: as old as may be', ['DATA_STALE'], { state: { snapshotAt: NOW - 2 * HOUR } }],
  ['snapshot: older', ['DATA_STALE'], { state: { snapshotAt: NOW - 2 * HOUR - 1 } }],
  ['snapshot: of the future', ['DATA_STALE'], { state: { snapshotAt: NOW + 60 } }],
  [
    'ledger: earlier, now and later',
    ['LEDGER_TIME'],
    {
      state: {
        spends: [
          { ...spent(1n, { ago: HOUR }), batch: 'earlier' },
          { ...spent(1n, { ago: 0 }), batch: 'now' },
          { ...spent(1n, { ago: -1 }), batch: 'later' },
          { ...spent(1n, { ago: 60 }), batch: 'confirmed later', confirmed: { at: NOW + 90, height: TIP } },
          { ...spent(1n, { ago: -120 }), batch: 'confirmed before', confirmed: { at: NOW - 9, height: TIP } },
          { ...spent(1n, { ago: -HOUR, unconfirmed: true }), batch: 'reserved later' },
          { ...spent(1n, { ago: 60, unconfirmed: true }), batch: 'reserved earlier' },
        ],
      },
    },
  ],
  ['ledger: now', ['LEDGER_TIME'], { state: { spends: [spent(1n, { ago: 0 })] } }],
  ['policy: its last second', ['POLICY_EXPIRED'], { policy: { expiresAt: NOW + 1 } }],
  ['policy: at its end', ['POLICY_EXPIRED'], { policy: { expiresAt: NOW } }],
  ['policy: at its beginning', ['POLICY_NOT_EFFECTIVE'], { policy: { effectiveAt: NOW } }],
  ['policy: a second before', ['POLICY_NOT_EFFECTIVE'], { policy: { effectiveAt: NOW + 1 } }],
  ['policy: of another network', ['NETWORK_MISMATCH'], { policy: { wallet: { network: 'testnet4' } } }],
  ['policy: of another wallet', ['WALLET_MISMATCH'], { policy: { wallet: { id: 'other' } } }],
  ['policy: of another descriptor', ['WALLET_MISMATCH'], { policy: { wallet: { descriptor: 'wpkh(x)' } } }],
  ['policy: of this wallet', ['WALLET_MISMATCH', 'NETWORK_MISMATCH'], {}],
];

const NAMES: readonly FindingCase[] = [
  ['look-alike: one', ['LOOKALIKE'], { batch: { pay: [pay('A_LOOK', '1')] } }],
  ['look-alike: none', ['LOOKALIKE'], { batch: { pay: [pay('A', '1')] } }],
  ['taproot: no point', ['DEST_UNSPENDABLE'], { batch: { pay: [[trustedHex(`5120${'f'.repeat(64)}`), btc('1')]] } }],
];

export const FORM_CASES: readonly FindingCase[] = [...INPUTS, ...CHANGE, ...FORM, ...TIMES, ...NAMES];
