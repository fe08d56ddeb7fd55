import { readFileSync } from 'node:fs';
import { Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSnapshot } from '../../src/adapters/snapshot.js';
import { sha256Hex, toHex, utf8 } from '../../src/domain/bytes.js';
import type { Branch } from '../../src/domain/coin.js';
import type { Fault, FaultTag } from '../../src/domain/fault.js';
import type { Result } from '../../src/domain/result.js';
import { formatTime } from '../../src/domain/time.js';
import { createDeriver } from '../../src/vault/derive.js';
import { parseVault } from '../../src/vault/descriptor.js';
import { provenCoins } from '../../src/vault/proven-coins.js';
import type { Snapshot } from '../../src/vault/snapshot-types.js';
import type { PlainKind } from '../../src/vault/types.js';
import { descriptorOf, KINDS, vaultOf } from '../vault/fixtures.js';

const deriver = createDeriver(vaultOf('wpkh'));

interface CoinText {
  outpoint: string;
  value: unknown;
  script: string;
  branch: unknown;
  index: unknown;
  height: unknown;
  coinbase: unknown;
}
interface SnapshotText {
  [field: string]: unknown;
  coins: CoinText[];
  previous_transactions: Record<string, string>;
}

function funding(script: Uint8Array, value: bigint, lock: number, coinbase = false): Transaction {
  const transaction = new Transaction();
  transaction.version = 2;
  transaction.locktime = lock;
  transaction.addInput(
    new Uint8Array(32).fill(coinbase ? 0 : 7),
    coinbase ? 0xffffffff : 1,
    0xfffffffd,
    new Uint8Array(2),
  );
  transaction.addOutput(script, value);
  return transaction;
}

/** A right snapshot of a kind of vault: coins at 0/0, 0/1 and 1/0, the last one unconfirmed. */
function snapshotOf(kind: PlainKind = 'wpkh'): SnapshotText {
  const vault = vaultOf(kind);
  const own = kind === 'wpkh' ? deriver : createDeriver(vault);
  const places: [Branch, number][] = [
    [0, 0],
    [0, 1],
    [1, 0],
  ];
  const made = places.map(([branch, index], place) => {
    const { script } = own.at(branch, index);
    const value = 100_000n + BigInt(place);
    const transaction = funding(script, value, place);
    const height = branch === 1 ? null : 100 + place;
    const coin = {
      outpoint: `${transaction.getId()}:0`,
      value: `${value}`,
      script: toHex(script),
      branch,
      index,
      height,
    };
    return { transaction, coin: { ...coin, coinbase: false } };
  });
  return {
    schema: 'countersign.snapshot/1',
    network: 'testnet3',
    vault: 'cold',
    descriptor_checksum: vault.descriptor.slice(-8),
    tip: { height: 101, hash: '00'.repeat(32), median_time_past: '2026-06-01T11:00:00Z' },
    taken_at: '2026-06-01T12:00:00Z',
    coins: made.map(({ coin }) => coin),
    previous_transactions: Object.fromEntries(
      made.map(({ transaction }) => [transaction.getId(), transaction.toHex()]),
    ),
  };
}

function read(snapshot: unknown, own = deriver) {
  const text = typeof snapshot === 'string' ? snapshot : JSON.stringify(snapshot, null, 1);
  return readSnapshot(utf8(text), 'coins.json', own);
}

function faultOf(snapshot: unknown, own = deriver): Fault {
  const result = read(snapshot, own);
  if (result.ok) throw new Error('the snapshot was accepted');
  return result.error;
}

/** A right snapshot with one thing changed. */
function changed(
  edit: (snapshot: SnapshotText, coin: CoinText, txid: string) => void,
  kind: PlainKind = 'wpkh',
): SnapshotText {
  const snapshot = snapshotOf(kind);
  const [coin] = snapshot.coins;
  if (coin === undefined) throw new Error('no coin');
  edit(snapshot, coin, coin.outpoint.slice(0, 64));
  return snapshot;
}

/** Read twice, once knowing what an honest snapshot proved: what is said has to be the same. */
function bothWays(snapshot: unknown, known: Snapshot, own = deriver): Result<Snapshot, Fault> {
  const bytes = utf8(JSON.stringify(snapshot, null, 1));
  const alone = readSnapshot(bytes, 'coins.json', own);
  expect(readSnapshot(bytes, 'coins.json', own, 'derive', provenCoins(known))).toEqual(alone);
  return alone;
}

describe('a snapshot after one whose coins were proven', () => {
  const knownOf = (kind: PlainKind, own = createDeriver(vaultOf(kind))): Snapshot => {
    const known = read(snapshotOf(kind), own);
    if (!known.ok) throw new Error(known.error.message);
    return known.value;
  };

  test.each(KINDS)('of %s is read as it is without, whatever is changed in it', (kind) => {
    const own = createDeriver(vaultOf(kind));
    const known = knownOf(kind, own);
    const other = toHex(own.at(0, 5).script);
    const foreign = toHex(funding(utf8('x'), 1n, 9).outs[0]?.script ?? new Uint8Array()).padStart(44, '0');
    const numbers = { coin: fc.nat(2), from: fc.nat(2), digit: fc.nat() };
    fc.assert(
      fc.property(
        fc.constantFrom('nothing', 'value', 'script', 'foreign', 'branch', 'index', 'height', 'coinbase', 'outpoint'),
        fc.constantFrom('nothing', 'bytes', 'swapped', 'missing', 'other'),
        fc.record(numbers),
        (field, transaction, { coin: number, from, digit }) => {
          const snapshot = snapshotOf(kind);
          const coin = snapshot.coins[number];
          const source = snapshot.coins[from];
          if (coin === undefined || source === undefined) throw new Error('no such coin');
          const [txid, of] = [coin.outpoint.slice(0, 64), source.outpoint.slice(0, 64)];
          const { previous_transactions: previous } = snapshot;
          if (field === 'value') coin.value = `${BigInt(String(coin.value)) + BigInt(digit)}`;
          if (field === 'script') coin.script = digit % 2 === 0 ? other : source.script;
          if (field === 'foreign') coin.script = foreign;
          if (field === 'branch') coin.branch = 1 - Number(coin.branch);
          if (field === 'index') coin.index = digit % 40;
          if (field === 'height') coin.height = digit % 2 === 0 ? null : digit % 103;
          if (field === 'coinbase') coin.coinbase = true;
          if (field === 'outpoint') coin.outpoint = `${of}:${digit % 2}`;
          const raw = previous[txid] ?? '';
          const at = digit % raw.length;
          if (transaction === 'bytes')
            previous[txid] = `${raw.slice(0, at)}${raw[at] === '0' ? '1' : '0'}${raw.slice(at + 1)}`;
          if (transaction === 'swapped') previous[txid] = previous[of] ?? '';
          if (transaction === 'missing') delete previous[txid];
          if (transaction === 'other') previous['ab'.repeat(32)] = raw;
          bothWays(snapshot, known, own);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a new coin of a transaction that is known is compared with it', () => {
    const known = knownOf('wpkh');
    const [first] = known.coins;
    if (first === undefined) throw new Error('no coin');
    const twice = changed((snapshot, coin) => snapshot.coins.push({ ...coin, outpoint: `${first.outpoint.txid}:1` }));
    expect(bothWays(twice, known)).toMatchObject({ ok: false, error: { tag: 'E_PREVTX_MISMATCH' } });
  });

  test('derives and hashes nothing where nothing is new', () => {
    const known = knownOf('wpkh');
    const blind = { ...deriver, at: () => expect.unreachable('derived again') };
    const bytes = utf8(JSON.stringify(changed((_, coin) => Object.assign(coin, { height: 99 }))));
    const again = readSnapshot(bytes, 'coins.json', blind, 'derive', provenCoins(known));
    expect(again).toMatchObject({ ok: true, value: { coins: [{ height: 99 }, {}, {}] } });
    expect(() => readSnapshot(bytes, 'coins.json', blind, 'derive')).toThrow('derived again');
  });
});

describe('a right snapshot', () => {
  test('is read whole', () => {
    const text = JSON.stringify({ ...snapshotOf(), feerate: '12.5' });
    const result = read(text);
    if (!result.ok) throw new Error(result.error.message);
    const { coins, previous, sources, ...rest } = result.value;
    expect(sources).toEqual(new Map());
    expect(rest).toEqual({
      network: 'testnet3',
      vault: 'cold',
      tip: { height: 101, hash: '00'.repeat(32), medianTimePast: Date.UTC(2026, 5, 1, 11) / 1000 },
      takenAt: Date.UTC(2026, 5, 1, 12) / 1000,
      feerate: 12_500n,
      feerateFrom: null,
      lastUsed: [-1, -1],
      confirmed: new Map(),
      sha256: sha256Hex(text),
    });
    expect(coins.map(({ value, origin, height, coinbase }) => ({ value, origin, height, coinbase }))).toEqual([
      { value: 100_000n, origin: { branch: 0, index: 0 }, height: 100, coinbase: false },
      { value: 100_001n, origin: { branch: 0, index: 1 }, height: 101, coinbase: false },
      { value: 100_002n, origin: { branch: 1, index: 0 }, height: null, coinbase: false },
    ]);
    for (const { outpoint, script, origin } of coins) {
      expect(script).toEqual(deriver.at(origin.branch, origin.index).script);
      const bytes = previous.get(outpoint.txid);
      expect(bytes && Transaction.fromBuffer(bytes).getId()).toBe(outpoint.txid);
    }
  });
  test.each(KINDS)('of %s is read', (kind) => {
    expect(read(snapshotOf(kind), createDeriver(vaultOf(kind)))).toMatchObject({ ok: true, value: { feerate: null } });
  });
  test('may hold no coins', () => {
    expect(read({ ...snapshotOf(), coins: [], previous_transactions: {} })).toMatchObject({ ok: true });
  });
  test('may say how far the branches are used', () => {
    const used = (last_used: object): unknown => read({ ...snapshotOf(), last_used });
    expect(used({ receive: 41 })).toMatchObject({ ok: true, value: { lastUsed: [41, -1] } });
    expect(used({ receive: 0, change: 1_000_000 })).toMatchObject({ ok: true, value: { lastUsed: [0, 1_000_000] } });
    expect(faultOf({ ...snapshotOf(), last_used: { change: 1_000_001 } }).tag).toBe('E_FIELD_TYPE');
    expect(faultOf({ ...snapshotOf(), last_used: { spare: 1 } }).tag).toBe('E_UNKNOWN_FIELD');
  });
  test('may say which transactions are confirmed', () => {
    const txid = 'ab'.repeat(32);
    const block = { height: 101, time: '2026-06-01T10:00:00Z' };
    expect(read({ ...snapshotOf(), confirmed_transactions: { [txid]: block } })).toMatchObject({
      ok: true,
      value: { confirmed: new Map([[txid, { height: 101, time: Date.UTC(2026, 5, 1, 10) / 1000 }]]) },
    });
    const above = faultOf({ ...snapshotOf(), confirmed_transactions: { [txid]: { ...block, height: 102 } } });
    expect(above.tag).toBe('E_SNAPSHOT_COIN');
  });
  test('may say that a block is 2 h ahead of it, and not more', () => {
    const of = (time: string) => ({
      ...snapshotOf(),
      confirmed_transactions: { ['ab'.repeat(32)]: { height: 101, time } },
    });
    const taken = Date.parse(String(snapshotOf().taken_at)) / 1000;
    expect(read(of(formatTime(taken + 7200)))).toMatchObject({ ok: true });
    const ahead = faultOf(of(formatTime(taken + 7201)));
    expect([ahead.tag, ahead.message]).toEqual(['E_SNAPSHOT_COIN', expect.stringContaining('more than 2 h after')]);
    expect(faultOf(of('9999-01-01T00:00:00Z')).tag).toBe('E_SNAPSHOT_COIN');
  });
  test('may have a median time past up to its own time', () => {
    const of = (time: string) => {
      const whole = snapshotOf();
      return { ...whole, tip: { ...(whole.tip as object), median_time_past: time } };
    };
    const taken = Date.parse(String(snapshotOf().taken_at)) / 1000;
    expect(read(of(formatTime(taken)))).toMatchObject({ ok: true });
    const late = faultOf(of(formatTime(taken + 1)));
    expect([late.tag, late.message]).toEqual(['E_SNAPSHOT_SCHEMA', expect.stringContaining('tip.median_time_past')]);
  });
  test.each(['taken_at', 'median_time_past'])('has no %s before 1970', (name) => {
    const of = (time: string) => {
      const whole = snapshotOf();
      const tip = { ...(whole.tip as object), median_time_past: '1970-01-01T00:00:00Z' };
      return name === 'taken_at' ? { ...whole, tip, taken_at: time } : { ...whole, tip: { ...tip, [name]: time } };
    };
    expect(read(of('1970-01-01T00:00:00Z'))).toMatchObject({ ok: true });
    for (const time of ['1969-12-31T23:59:59Z', '0000-01-01T00:00:00Z']) {
      const early = faultOf(of(time));
      expect([early.tag, early.message]).toEqual(['E_FIELD_TYPE', expect.stringContaining('lies before 1970')]);
    }
  });
  test('is worth at most all the coins that there will ever be', () => {
    const of = (second: bigint) => {
      const whole = snapshotOf();
      const values = [2_099_999_999_999_999n, second];
      const made = values.map((value, index) => {
        const { script } = deriver.at(0, index);
        const transaction = funding(script, value, index);
        const coin = { ...whole.coins[index], outpoint: `${transaction.getId()}:0`, value: `${value}` };
        return { coin, txid: transaction.getId(), hex: transaction.toHex() };
      });
      const coins = made.map(({ coin }) => coin);
      return { ...whole, coins, previous_transactions: Object.fromEntries(made.map(({ txid, hex }) => [txid, hex])) };
    };
    expect(read(of(1n))).toMatchObject({ ok: true });
    const more = faultOf(of(2n));
    expect([more.tag, more.message]).toEqual(['E_SNAPSHOT_COIN', expect.stringContaining('2100000000000001 sat')]);
  });
  test('may hold a coinbase coin', () => {
    const { script } = deriver.at(0, 0);
    const transaction = funding(script, 5n, 0, true);
    const snapshot = changed((whole, coin) => {
      Object.assign(coin, { outpoint: `${transaction.getId()}:0`, value: '5', coinbase: true });
      whole.previous_transactions[transaction.getId()] = transaction.toHex();
    });
    expect(read(snapshot)).toMatchObject({ ok: true });
  });
  test('may hold a previous transaction with witnesses', () => {
    const { script } = deriver.at(0, 0);
    const transaction = funding(script, 5n, 0);
    transaction.setWitness(0, [new Uint8Array(64)]);
    const snapshot = changed((whole, coin) => {
      Object.assign(coin, { outpoint: `${transaction.getId()}:0`, value: '5' });
      whole.previous_transactions[transaction.getId()] = transaction.toHex();
    });
    expect(read(snapshot)).toMatchObject({ ok: true });
  });
});

describe('a snapshot is refused', () => {
  const rows: [string, FaultTag, SnapshotText][] = [
    ['without schema', 'E_SNAPSHOT_SCHEMA', changed((whole) => delete whole.schema)],
    ['of another schema', 'E_SNAPSHOT_SCHEMA', { ...snapshotOf(), schema: 'countersign.snapshot/2' }],
    ['of another network', 'E_SNAPSHOT_NETWORK', { ...snapshotOf(), network: 'testnet4' }],
    ['of no network', 'E_FIELD_TYPE', { ...snapshotOf(), network: 'testnet' }],
    ['of another vault', 'E_SNAPSHOT_VAULT', { ...snapshotOf(), vault: 'warm' }],
    ['of another descriptor', 'E_SNAPSHOT_VAULT', { ...snapshotOf(), descriptor_checksum: 'qqqqqqqq' }],
    ['with an unknown field', 'E_UNKNOWN_FIELD', { ...snapshotOf(), note: 'x' }],
    ['without a tip', 'E_MISSING_FIELD', changed((whole) => delete whole.tip)],
    ['without coins', 'E_MISSING_FIELD', { ...snapshotOf(), coins: null } as never],
    ['with another time form', 'E_FIELD_TYPE', { ...snapshotOf(), taken_at: '2026-06-01 12:00:00' }],
    ['with a time as a number', 'E_FIELD_TYPE', { ...snapshotOf(), taken_at: 1_780_000_000 }],
    ['with a feerate of 0', 'E_FEERATE_SYNTAX', { ...snapshotOf(), feerate: '0' }],
    ['with a feerate as a number', 'E_FIELD_TYPE', { ...snapshotOf(), feerate: 12 }],
    ['with a value as a number', 'E_FIELD_TYPE', changed((_, coin) => (coin.value = 100_000))],
    ['with a value of 1e8', 'E_AMOUNT_SYNTAX', changed((_, coin) => (coin.value = '1e8'))],
    ['with a value above all money', 'E_AMOUNT_RANGE', changed((_, coin) => (coin.value = '2100000000000001'))],
    ['with an outpoint cut off', 'E_OUTPOINT_SYNTAX', changed((_, coin) => (coin.outpoint = coin.outpoint.slice(1)))],
    ['with capital hexadecimal', 'E_HEX_SYNTAX', changed((_, coin) => (coin.script = coin.script.toUpperCase()))],
    ['with branch 2', 'E_FIELD_TYPE', changed((_, coin) => (coin.branch = 2))],
    ['with a hardened index', 'E_FIELD_TYPE', changed((_, coin) => (coin.index = 2 ** 31))],
    ['with a coin without height', 'E_MISSING_FIELD', changed((_, coin) => delete (coin as Partial<CoinText>).height)],
    ['with a coin without value', 'E_MISSING_FIELD', changed((_, coin) => (coin.value = null))],
    ['with an unknown field in a coin', 'E_UNKNOWN_FIELD', changed((_, coin) => Object.assign(coin, { label: 'x' }))],
    ['with a coin above the tip', 'E_SNAPSHOT_COIN', changed((_, coin) => (coin.height = 102))],
    [
      'with an unconfirmed coinbase',
      'E_SNAPSHOT_COIN',
      changed((_, coin) => Object.assign(coin, { height: null, coinbase: true })),
    ],
    ['with a coin twice', 'E_SNAPSHOT_COIN', changed((whole, coin) => whole.coins.push({ ...coin }))],
    ['with a coin at another index', 'E_SNAPSHOT_COIN', changed((_, coin) => (coin.index = 5))],
    ['with a coin on the other branch', 'E_SNAPSHOT_COIN', changed((_, coin) => (coin.branch = 1))],
    ["with somebody else's script", 'E_SNAPSHOT_COIN', changed((_, coin) => (coin.script = `0014${'11'.repeat(20)}`))],
    [
      'with another value than its transaction gives',
      'E_PREVTX_MISMATCH',
      changed((_, coin) => (coin.value = '100001')),
    ],
    [
      'with an output that does not exist',
      'E_PREVTX_MISMATCH',
      changed((_, coin) => (coin.outpoint = `${coin.outpoint.slice(0, 64)}:1`)),
    ],
    ['with a false coinbase flag', 'E_PREVTX_MISMATCH', changed((_, coin) => (coin.coinbase = true))],
    [
      'without a previous transaction',
      'E_PREVTX_MISSING',
      changed((whole, _, txid) => delete whole.previous_transactions[txid]),
    ],
    [
      'with a truncated previous transaction',
      'E_PREVTX_MISMATCH',
      changed(
        (whole, _, txid) =>
          (whole.previous_transactions[txid] = (whole.previous_transactions[txid] ?? '').slice(0, -2)),
      ),
    ],
    [
      'with an empty previous transaction',
      'E_MISSING_FIELD',
      changed((whole, _, txid) => (whole.previous_transactions[txid] = '')),
    ],
    ['with a txid that is none', 'E_UNKNOWN_FIELD', changed((whole) => (whole.previous_transactions.x = '00'))],
  ];
  test.each(rows)('%s: %s', (_, tag, snapshot) => {
    const fault = faultOf(snapshot);
    expect(fault.tag).toBe(tag);
    expect(fault.where).toMatchObject({ file: 'coins.json', line: expect.any(Number) });
  });
  test('with another transaction under a txid, or one more byte', () => {
    const [other] = Object.entries(snapshotOf().previous_transactions).slice(-1);
    const swapped = changed((whole, _, txid) => (whole.previous_transactions[txid] = other?.[1] ?? ''));
    const longer = changed((whole, _, txid) => (whole.previous_transactions[txid] += '00'));
    for (const snapshot of [swapped, longer]) expect(faultOf(snapshot).tag).toBe('E_PREVTX_MISMATCH');
  });
  test('with a script that another output has', () => {
    const snapshot = changed((_, coin) => Object.assign(coin, { index: 1, script: toHex(deriver.at(0, 1).script) }));
    expect(faultOf(snapshot).tag).toBe('E_PREVTX_MISMATCH');
  });
  test('with a key that stands twice', () => {
    const text = JSON.stringify(snapshotOf()).replace('"value":"100000"', '"value":"1","value":"100000"');
    expect(faultOf(text).tag).toBe('E_DUPLICATE_KEY');
  });
  test('with a byte order mark, or in another encoding than UTF-8', () => {
    const text = JSON.stringify(snapshotOf());
    for (const bytes of [utf8(`\ufeff${text}`), Uint8Array.of(0xff), new Uint8Array(Buffer.from(text, 'utf16le'))]) {
      expect(readSnapshot(bytes, 'coins.json', deriver)).toMatchObject({ ok: false, error: { tag: 'E_PARSE' } });
    }
  });
  test('cut off, or as a list', () => {
    expect(faultOf(JSON.stringify(snapshotOf()).slice(0, -1)).tag).toBe('E_PARSE');
    expect(faultOf([snapshotOf()]).tag).toBe('E_SNAPSHOT_SCHEMA');
  });
});

describe('the message', () => {
  test('names the field and its line', () => {
    const snapshot = changed((whole) => {
      const [, second] = whole.coins;
      if (second !== undefined) second.value = '0.1';
    });
    const lines = JSON.stringify(snapshot, null, 1).split('\n');
    const fault = faultOf(snapshot);
    expect(fault.message).toContain('coins[1].value');
    expect(fault.where?.line).toBe(lines.findIndex((line) => line.includes('"0.1"')) + 1);
  });
  test('says where a misplaced coin lies', () => {
    expect(faultOf(changed((_, coin) => (coin.index = 5))).remedy).toContain('branch 0, index 0');
  });
  test('says that a foreign coin is not of this vault', () => {
    const fault = faultOf(changed((_, coin) => (coin.script = `0014${'11'.repeat(20)}`)));
    expect(fault.remedy).toContain('not of this vault');
  });
  test('names the coins without previous transactions, five of them, and counts the rest', () => {
    const snapshot = changed((whole, coin) => {
      whole.coins = Array.from({ length: 7 }, (_, vout) => ({ ...coin, outpoint: `${'0'.repeat(64)}:${vout}` }));
    });
    const { message, remedy } = faultOf(snapshot);
    expect(message).toMatch(/0{64}:4 and 2 more$/);
    expect(remedy).toContain('getrawtransaction');
  });
  test('counts further faults', () => {
    const snapshot = changed((whole, coin) => {
      coin.value = '-1';
      whole.taken_at = 'now';
    });
    expect(faultOf(snapshot).message).toContain('(and 1 more)');
  });
});

describe('previous transactions of a taproot vault', () => {
  const taproot = createDeriver(vaultOf('tr'));
  test('may be left out', () => {
    expect(read({ ...snapshotOf('tr'), previous_transactions: {} }, taproot)).toMatchObject({ ok: true });
  });
  test('are checked where they are given', () => {
    const snapshot = changed((_, coin) => (coin.value = '7'), 'tr');
    expect(faultOf(snapshot, taproot).tag).toBe('E_PREVTX_MISMATCH');
  });
});

describe('bytes that are known', () => {
  const known = (snapshot: SnapshotText) =>
    readSnapshot(utf8(JSON.stringify(snapshot)), 'coins.json', deriver, 'known');
  test('give the same snapshot, without deriving anything', () => {
    const idle = { ...deriver, at: () => expect.unreachable(), find: () => expect.unreachable() };
    const bytes = utf8(JSON.stringify(snapshotOf()));
    expect(readSnapshot(bytes, 'coins.json', idle, 'known')).toEqual(readSnapshot(bytes, 'coins.json', deriver));
  });
  test('are read as strictly, and for their own vault alone', () => {
    expect(known({ ...snapshotOf(), note: 'x' })).toMatchObject({ error: { tag: 'E_UNKNOWN_FIELD' } });
    expect(known({ ...snapshotOf(), network: 'signet' })).toMatchObject({ error: { tag: 'E_SNAPSHOT_NETWORK' } });
    expect(known({ ...snapshotOf(), vault: 'warm' })).toMatchObject({ error: { tag: 'E_SNAPSHOT_VAULT' } });
  });
});

test('the example of docs/snapshot.md is a right snapshot', () => {
  const example = /```json\n([\s\S]*?)```/.exec(readFileSync('docs/snapshot.md', 'utf8'))?.[1] ?? '';
  const vault = parseVault('cold-btc-1', 'testnet3', descriptorOf('wpkh'));
  if (!vault.ok) throw new Error(vault.error.message);
  expect(readSnapshot(utf8(example), 'docs/snapshot.md', createDeriver(vault.value))).toMatchObject({
    ok: true,
    value: { vault: 'cold-btc-1', feerate: 12_500n, coins: [{ value: 150_000_000n, origin: { branch: 0, index: 3 } }] },
  });
});
