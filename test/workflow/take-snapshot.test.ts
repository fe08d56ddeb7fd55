import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSnapshot } from '../../src/adapters/snapshot.js';
import { hash256, toHex } from '../../src/domain/bytes.js';
import type { Branch, OwnOrigin } from '../../src/domain/coin.js';
import { ok } from '../../src/domain/result.js';
import type { JournalState } from '../../src/journal/state.js';
import type { ChainBackend, StatedCoin } from '../../src/vault/chain.js';
import type { Snapshot } from '../../src/vault/snapshot-types.js';
import type { Deriver } from '../../src/vault/types.js';
import { takeSnapshot } from '../../src/workflow/take-snapshot.js';
import { deriverOf, valueOrThrow } from '../psbt/fixtures.js';

const deriver = deriverOf('wpkh');
const HASH = 'cd'.repeat(32);
const state = { batches: new Map() } as unknown as JournalState;

interface Deposit {
  readonly place: OwnOrigin;
  readonly value: bigint;
  readonly height: number | null;
  readonly coinbase: boolean;
}

/** The transaction that pays a deposit, and the coin as a back end states it. */
function paid({ place, value, height, coinbase }: Deposit): { coin: StatedCoin; raw: Uint8Array } {
  const { script } = deriver.at(place.branch, place.index);
  const amount = Buffer.alloc(8);
  amount.writeBigUInt64LE(value);
  const spent = coinbase ? Buffer.alloc(32) : Buffer.alloc(32, 7);
  const raw = new Uint8Array(
    Buffer.concat([
      Buffer.from('0200000001', 'hex'),
      spent,
      Buffer.from(coinbase ? 'ffffffff020101ffffffff01' : '0000000000ffffffff01', 'hex'),
      amount,
      Buffer.from([script.length]),
      script,
      Buffer.alloc(4, place.index),
    ]),
  );
  const txid = toHex(Uint8Array.from(hash256(raw)).reverse());
  return { coin: { outpoint: { txid, vout: 0 }, value, script, place, height }, raw };
}

const deposits = fc.uniqueArray(
  fc.record({
    place: fc.record({ branch: fc.constantFrom<Branch>(0, 1), index: fc.nat(30) }),
    value: fc.bigInt({ min: 1n, max: 100_000n }),
    height: fc.option(fc.nat(100)),
    coinbase: fc.constant(false),
  }),
  { maxLength: 8, selector: ({ place, value }) => `${place.branch}/${place.index} ${value}` },
);

interface Told {
  readonly deposits: readonly Deposit[];
  readonly known?: Snapshot | null;
  readonly own?: Deriver;
  readonly edit?: (coin: StatedCoin) => StatedCoin;
  readonly lastUsed?: readonly [number, number];
}

async function take({ deposits: list, known = null, own = deriver, edit = (coin) => coin, lastUsed = [30, 30] }: Told) {
  const made = list.map(paid);
  const raws = new Map(made.map(({ coin, raw }) => [coin.outpoint.txid, raw]));
  const backend = {
    name: 'a node',
    network: async () => ok('testnet3'),
    scan: async () =>
      ok({
        tip: { height: 100, hash: HASH, medianTimePast: 1_780_000_000 },
        coins: made.map(({ coin }) => edit(coin)),
        lastUsed,
      }),
    transactions: async (wanted: readonly { readonly txid: string }[]) =>
      ok(new Map(wanted.flatMap(({ txid }) => (raws.has(txid) ? [[txid, raws.get(txid)] as const] : [])))),
  } as unknown as ChainBackend;
  return takeSnapshot({
    deriver: own,
    backends: [backend],
    state,
    known,
    gap: 20,
    asksOrigins: false,
    fees: { sources: [], bounds: { maxFactor: null, floor: null, ceiling: null }, target: 6 },
    clock: () => 1_780_000_600,
    onProgress: () => undefined,
  });
}

const snapshotOf = async (list: readonly Deposit[]): Promise<Snapshot> =>
  valueOrThrow(readSnapshot(valueOrThrow(await take({ deposits: list })).bytes, 'known', deriver));

const one: Deposit = { place: { branch: 0, index: 3 }, value: 5000n, height: 90, coinbase: false };
const blind: Deriver = { ...deriver, at: () => expect.unreachable('derived again') };

describe('a snapshot made of what back ends say', () => {
  it('is the same, byte for byte, whatever of it was known before', async () => {
    await fc.assert(
      fc.asyncProperty(deposits, deposits, fc.nat(8), async (before, now, kept) => {
        const list = [
          ...new Map([...before.slice(0, kept), ...now].map((one) => [toHex(paid(one).raw), one])).values(),
        ];
        const known = await snapshotOf(before);
        const alone = valueOrThrow(await take({ deposits: list }));
        expect(valueOrThrow(await take({ deposits: list, known })).bytes).toEqual(alone.bytes);
      }),
      { numRuns: 60 },
    );
  });

  it('derives nothing that is known', async () => {
    const known = await snapshotOf([one]);
    expect(await take({ deposits: [{ ...one, height: 95 }], known, own: blind })).toMatchObject({ ok: true });
    await expect(take({ deposits: [one], own: blind })).rejects.toThrow('derived again');
  });

  it('says of a coinbase that it is one', async () => {
    const snapshot = await snapshotOf([one, { ...one, coinbase: true }]);
    expect(snapshot.coins.map(({ coinbase }) => coinbase).sort()).toEqual([false, true]);
  });

  it.each<[string, (coin: StatedCoin) => StatedCoin]>([
    ['another script', (coin) => ({ ...coin, script: new Uint8Array(22) })],
    ['another place', (coin) => ({ ...coin, place: { branch: 0, index: 4 } })],
    ['another branch', (coin) => ({ ...coin, place: { branch: 1, index: 3 } })],
    ['a place beyond what is used', (coin) => ({ ...coin, place: { branch: 0, index: 31 } })],
  ])('is not made where a coin is said to be of the vault with %s, known or not', async (_, edit) => {
    const known = await snapshotOf([one]);
    for (const of of [null, known]) {
      expect(await take({ deposits: [one], known: of, edit })).toMatchObject({
        ok: false,
        error: { tag: 'E_CHAIN_ANSWER' },
      });
    }
  });
});
