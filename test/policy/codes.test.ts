import { describe, expect, it } from 'vitest';
import { toHex, trustedHex } from '../../src/domain/bytes.js';
import { CODES, type Code, codesMarkdown } from '../../src/policy/codes.js';
import { RULES } from '../../src/policy/rules/index.js';
import type { ScreeningState } from '../../src/policy/types.js';
import { NO_SOURCES } from '../../src/psbt/sources.js';
import {
  ADDRESSES,
  approvedBy,
  btc,
  type Case,
  change,
  HOUR,
  judge,
  NOW,
  output,
  pay,
  scriptOf,
  someScript,
  spent,
  TIP,
  txid,
} from './fixture.js';

import { okxAt, okxPaid, okxRequest } from './okx.js';

const coin = { confirmations: 100, coinbase: false, value: btc('0.5'), leftOnScript: 0 };
const withInput = (more: NonNullable<NonNullable<Case['batch']>['inputs']>[number]): Case => ({
  batch: { inputs: [{}, { value: btc('0.5'), coin, ...more }] },
});
const claimed = (problem: 'CHANGE_UNPROVEN' | 'CHANGE_PATH' | 'CHANGE_GAP'): Case => ({
  batch: { extra: [output(someScript('claimed'), btc('1'), { own: false, problem })] },
});
const booked = (since: number): NonNullable<Case['state']> => {
  const script = scriptOf(ADDRESSES.X);
  const hex = Buffer.from(script).toString('hex');
  return { destinations: new Map([[hex, { id: 'x', label: 'x', script: hex, since }]]) };
};

const screened = (list: Partial<ScreeningState>, sources = NO_SOURCES): Case => ({
  policy: {
    screening: { lists: [{ id: 'a', pinnedBy: 'compliance', maxAge: 1, maxShrinkBp: 1 }], inputsHops: 1 },
  },
  batch: { inputs: [{ sources }] },
  state: {
    screening: new Map([
      [
        'a',
        { issuedAt: NOW, expiresAt: null, pinnedBy: 'erin', scripts: new Set(['51']), before: null, own: [], ...list },
      ],
    ]),
  },
});

/** One case for every code: the compiler asks for it where a code is added. */
const WITNESSES: Readonly<Record<Code, Case>> = {
  LIMIT_BATCH: { batch: { pay: [pay('A', '50'), pay('C', '50')] } },
  LIMIT_OUTPUT: { batch: { pay: [pay('A', '51')] } },
  LIMIT_OUTPUT_COUNT: { batch: { pay: Array.from({ length: 51 }, () => pay('A', '0.1')) } },
  LIMIT_1H: { state: { spends: [spent(btc('120'), { ago: 1 })] } },
  LIMIT_24H: { state: { spends: [spent(btc('200'))] } },
  LIMIT_7D: { state: { spends: [spent(btc('500'), { ago: 100 * HOUR })] } },
  LIMIT_BLOCKS: { policy: { limits: { rollingBlocks: new Map([[144, 0n]]) } } },
  LIMIT_UNCONFIRMED: { state: { spends: [spent(btc('150'), { unconfirmed: true })] } },
  LIMIT_LIFETIME: {
    policy: { limits: { lifetime: btc('1000') } },
    state: { spends: [spent(btc('1000'), { ago: 9000 * HOUR })] },
  },
  LIMIT_BATCH_COUNT: { policy: { limits: { batches24h: 0 } } },
  RESERVE_FLOOR: { state: { confirmedBalance: btc('1000') } },
  DEST_NOT_ALLOWED: { batch: { pay: [pay('X', '1')] } },
  DEST_DERIVATION: { batch: { pay: [[okxAt(6), btc('1')]], requests: [okxRequest(6, 5)] }, state: okxPaid(6) },
  DEST_INDEX_REUSE: { batch: { pay: [[okxAt(6), btc('1')]], requests: [okxRequest(6, 6)] }, state: okxPaid(6) },
  BOOK_PROOF: { policy: { destinations: { proof: 'required' } } },
  DEST_COOLDOWN: { batch: { pay: [pay('X', '1')] }, state: booked(NOW - HOUR) },
  DEST_CAP: { batch: { pay: [pay('B', '1')] }, state: { spends: [spent(btc('80'), { to: 'B' })] } },
  DEST_SCRIPT_TYPE: { batch: { pay: [[trustedHex('51'), btc('1')]] } },
  DEST_UNSPENDABLE: { batch: { pay: [[trustedHex(`5120${'f'.repeat(64)}`), btc('1')]] } },
  DEST_DUST: { batch: { pay: [['A', 1n]] } },
  YOUNG_CAP: { batch: { pay: [pay('F', '6')] } },
  YOUNG_AGGREGATE: { batch: { pay: [pay('F', '11')] } },
  LOOKALIKE: { batch: { pay: [pay('A_LOOK', '1')] } },
  REQUEST_PSBT_MISMATCH: { batch: { requests: [] } },
  REQUEST_ID_REUSE: { state: { reusedRequests: ['r-0'] } },
  POSSIBLE_DUPLICATE: { state: { spends: [spent(btc('1'), { to: 'A' })] } },
  FEE_RATE: { batch: { fee: 120_001n } },
  FEE_TOO_LOW: { batch: { fee: 399n } },
  FEE_ABS: { batch: { fee: 1_000_001n } },
  FEE_FRACTION: { batch: { fee: 500_001n } },
  FEE_REPLACEMENTS: {
    batch: { fee: 100_001n, inputs: [{ outpoint: { txid: txid('u1'), vout: 0 } }] },
    state: { spends: [spent(btc('1'), { unconfirmed: true, inputs: ['u1'], fee: 900_000n })] },
  },
  FEE_24H: { batch: { fee: 4_000_001n } },
  INPUT_NO_PREVTX: withInput({ proof: 'claimed' }),
  INPUT_UTXO_MISMATCH: withInput({ proof: 'mismatch' }),
  INPUT_FOREIGN: withInput({ origin: null }),
  INPUT_DUP: withInput({ outpoint: { txid: txid('coin 0'), vout: 0 } }),
  INPUT_UNKNOWN: withInput({ coin: null }),
  INPUT_UNCONFIRMED: withInput({ coin: { ...coin, confirmations: 5 } }),
  INPUT_IMMATURE: withInput({ coin: { ...coin, coinbase: true, confirmations: 99 } }),
  INPUT_FROZEN: withInput({ frozen: 'why' }),
  INPUT_DUST: withInput({ value: 9_999n }),
  INPUT_FORCED_REUSE: withInput({ value: 546n, coin: { ...coin, value: 546n, leftOnScript: 1 } }),
  PSBT_FORM: { batch: { facts: { malformed: 'why' } } },
  PSBT_PRESIGNED: withInput({ presigned: true }),
  PSBT_FOREIGN_FIELD: withInput({ foreignFields: ['unknown:fc'] }),
  TX_SHAPE: { batch: { facts: { vsize: 100_001n } } },
  CHANGE_UNPROVEN: claimed('CHANGE_UNPROVEN'),
  CHANGE_PATH: claimed('CHANGE_PATH'),
  CHANGE_GAP: claimed('CHANGE_GAP'),
  CHANGE_COUNT: { batch: { change: [change(btc('1')), change(btc('1'), 43)] } },
  CHANGE_DUST: { batch: { change: [change(1n)] } },
  CHANGE_REUSE: { batch: { change: [change(btc('1')), change(btc('1'))] } },
  CHANGE_UNCLAIMED: { batch: { change: [change(btc('1'), 42, false)] } },
  SELF_RECEIVE: {
    batch: {
      extra: [output(someScript('own'), btc('1'), { own: true, origin: { branch: 0, index: 1 }, claimed: true })],
    },
  },
  SIGHASH: withInput({ sighashType: 3 }),
  LOCKTIME: { batch: { facts: { locktime: TIP + 1 } } },
  SEQUENCE: { batch: { inputs: [{ sequence: 0xffffffff }] } },
  TX_VERSION: { batch: { facts: { version: 3 } } },
  TIME_CLOSED: { policy: { hours: { days: [] } } },
  POLICY_EXPIRED: { policy: { expiresAt: NOW } },
  POLICY_NOT_EFFECTIVE: { policy: { effectiveAt: NOW + 1 } },
  NETWORK_MISMATCH: { policy: { wallet: { network: 'testnet4' } } },
  WALLET_MISMATCH: { policy: { wallet: { id: 'other' } } },
  CLOCK_BACK: { state: { lastEntryAt: NOW + 121 } },
  LEDGER_TIME: { state: { spends: [spent(1n, { ago: -1 })] } },
  CLOCK_JUMP: { state: { tip: { height: TIP, medianTimePast: NOW - 4 * HOUR } } },
  DATA_STALE: { state: { snapshotAt: NOW - 3 * HOUR } },
  DATA_MISSING: { policy: { screening: { lists: [{ id: 'a', pinnedBy: 'compliance', maxAge: 1, maxShrinkBp: 1 }] } } },
  DATA_INVALID: screened({ scripts: new Set() }),
  DEST_SANCTIONED: screened({ scripts: new Set([toHex(scriptOf(ADDRESSES.A))]) }),
  INPUT_TAINTED: screened({}, { scripts: ['51'], untold: 0 }),
  INPUT_UNSCREENED: screened({}, { scripts: [], untold: 1 }),
  OWN_LISTED: screened({ own: ['51'] }),
  APPROVALS_MISSING: { state: { approvals: [] } },
  APPROVAL_EXPIRED: { state: { approvals: approvedBy('alice').map((approval) => ({ ...approval, validUntil: NOW })) } },
  APPROVAL_IGNORED: { state: { approvals: approvedBy('ivan') } },
  APPROVALS_NO_TIER: { policy: { approvals: { tiers: [] } } },
  HALTED: {
    state: {
      halts: [
        {
          id: 'halt-9',
          scope: { kind: 'all' },
          script: null,
          names: [],
          since: NOW - 60,
          reason: 'r',
          source: 'person',
        },
      ],
    },
  },
  REJECTED: { state: { objections: [{ kind: 'rejected', person: 'alice', at: NOW - 60 }] } },
  APPROVAL_WITHDRAWN: { state: { objections: [{ kind: 'withdrawn', person: 'alice', at: NOW - 60 }] } },
  EVAL_ERROR: { state: { spends: [{ ...spent(1n), fee: -1n }] } },
};

const CODE_NAMES = Object.keys(CODES) as Code[];

describe('the registry of codes', () => {
  it.each(CODE_NAMES)('%s has a witness', (code) => {
    const { findings } = judge(WITNESSES[code]);
    const found = findings.filter((one) => one.code === code && one.outcome !== 'pass');
    expect(found.length).toBeGreaterThan(0);
    for (const one of found) {
      expect(one.outcome).toBe(CODES[code].outcome);
      expect(one.text).toMatch(/^[^\n]{10,}\.$/);
      expect(one.remedy ?? '').not.toBe('');
    }
  });

  it('holds every code that a verdict names, with its rule or one below it', () => {
    for (const witness of Object.values(WITNESSES)) {
      for (const { code, rule, text, outcome } of judge(witness).findings) {
        const known = CODE_NAMES.find((name) => name === code);
        if (known === undefined) throw new Error(`${code} is not in the registry`);
        const home = CODES[known].rule;
        const places = [home, 'screening.lists', 'transaction', 'destinations.caps_24h', 'wallet.id'];
        if (code !== 'EVAL_ERROR') expect(places.some((place) => rule.startsWith(place))).toBe(true);
        expect(text.length, `${code} ${outcome}`).toBeGreaterThan(10);
      }
    }
  });

  it('is what the rules say they can report', () => {
    const reported = RULES.flatMap(({ codes }) => codes);
    expect([...new Set(reported), 'EVAL_ERROR'].sort()).toEqual([...CODE_NAMES].sort());
    expect(new Set(reported).size).toBe(reported.length);
  });

  it('prints as a table with a row for every code', () => {
    const lines = codesMarkdown();
    expect(lines).toHaveLength(CODE_NAMES.length + 2);
    expect(lines[2]).toBe(
      '| `LIMIT_BATCH` | DENY | `limits.batch` | Batch limit: the batch, fee included, is more than one batch may take |',
    );
    expect(lines.at(-1)).toContain('| `EVAL_ERROR` | DENY | - |');
  });
});
