import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hex, trustedHex } from '../../src/domain/bytes.js';
import { fail } from '../../src/domain/fault.js';
import type { Network } from '../../src/domain/network.js';
import { ok } from '../../src/domain/result.js';
import type { ChainBackend, ChainScan, StatedCoin } from '../../src/vault/chain.js';
import type { Deriver } from '../../src/vault/types.js';
import { TIPS_APART, viewChain } from '../../src/workflow/chain-views.js';

const TXID = 'ab'.repeat(32);
const SCRIPT = trustedHex(`0014${'00'.repeat(20)}`);
const hashOf = (height: number): Hex => height.toString(16).padStart(64, '0');
const coin = (more: Partial<StatedCoin> & { vout?: number } = {}): StatedCoin => ({
  outpoint: { txid: TXID, vout: more.vout ?? 0 },
  value: more.value ?? 1000n,
  script: SCRIPT,
  place: { branch: 0, index: 0 },
  height: more.height === undefined ? 90 : more.height,
});

interface Told {
  readonly name?: string;
  readonly height?: number;
  readonly hash?: Hex;
  readonly time?: number;
  readonly coins?: readonly StatedCoin[];
  readonly network?: Network;
  readonly blockHash?: ChainBackend['blockHash'];
}

function backend({ name = 'one', height = 100, hash, time, coins = [coin()], network = 'main', blockHash }: Told) {
  const tip = { height, hash: hash ?? hashOf(height), medianTimePast: time ?? 1_700_000_000 + 600 * height };
  const scan: ChainScan = { tip, coins, lastUsed: [0, -1] };
  return {
    name,
    network: async () => ok(network),
    scan: async () => ok(scan),
    blockHash: blockHash ?? (async (at: number) => ok(at > height ? null : hashOf(at))),
  } as unknown as ChainBackend;
}

const deriver = { vault: { network: 'main' } } as unknown as Deriver;

const view = (...told: readonly Told[]): Promise<string> => viewWith([], ...told);

async function viewWith(leaving: readonly string[], ...told: readonly Told[]): Promise<string> {
  const backends = told.map((one, index) => backend({ name: `back end ${index}`, ...one }));
  const seen = await viewChain(backends, { deriver, lastUsed: [-1, -1], gap: 20 }, new Set(leaving));
  return seen.ok ? seen.value.backend.name : `${seen.error.tag} ${seen.error.message}`;
}

describe('several views of one chain', () => {
  it('of nobody are none', async () => {
    expect(await view()).toMatch(/^E_CHAIN_NONE /);
  });

  it('that agree are the first one', async () => {
    expect(await view({})).toBe('back end 0');
    expect(await view({}, {}, {})).toBe('back end 0');
  });

  it('of another network are refused', async () => {
    expect(await view({}, { network: 'testnet3' })).toMatch(/^E_CHAIN_NETWORK back end 1 serves testnet3/);
  });

  it.each([-TIPS_APART - 1, -TIPS_APART, 0, TIPS_APART, TIPS_APART + 1])('with tips %i blocks apart', async (apart) => {
    const said = await view({}, { height: 100 + apart });
    if (Math.abs(apart) <= TIPS_APART) expect(said).toBe('back end 0');
    else expect(said).toMatch(/^E_CHAIN_DISAGREE .*more than 2 apart/);
  });

  it('with another block at the same height are refused', async () => {
    expect(await view({}, { hash: 'cd'.repeat(32), blockHash: async () => ok('cd'.repeat(32)) })).toMatch(
      /^E_CHAIN_DISAGREE .*at block 100/,
    );
    expect(await view({}, { height: 101, blockHash: async () => ok(null) })).toMatch(/^E_CHAIN_DISAGREE .*has none/);
  });

  it('with another time of the same block, or a time that goes back, are refused', async () => {
    expect(await view({ time: 1_700_000_000 }, { time: 1_700_000_001 })).toMatch(
      /^E_CHAIN_DISAGREE .*median time past/,
    );
    expect(await view({ time: 1_700_000_001 }, { height: 101, time: 1_700_000_000 })).toMatch(/median time past/);
    expect(await view({ time: 1_700_000_000 }, { height: 101, time: 1_700_000_000 })).toBe('back end 0');
  });

  it.each([
    ['another value', [coin({ value: 1001n })]],
    ['another block, from which its age is counted', [coin({ height: 10 })]],
    ['no block', [coin({ height: null })]],
    ['nothing', []],
    ['one more', [coin(), coin({ vout: 1 })]],
  ])('with %s for a coin are refused, whoever says it', async (_, coins) => {
    expect(await view({}, { coins })).toMatch(/^E_CHAIN_DISAGREE .*of (ab){32}:\d, back end \d says: /);
    expect(await view({ coins }, {})).toMatch(/^E_CHAIN_DISAGREE .*of (ab){32}:\d, back end \d says: /);
  });

  it('need not agree about what only the higher tip, or the mempool, holds', async () => {
    const more = [coin(), coin({ vout: 1, height: 101 }), coin({ vout: 2, height: null })];
    expect(await view({}, { height: 101, coins: more })).toBe('back end 0');
  });

  it('need not agree whether a coin is there that a batch may be spending; about all else they must', async () => {
    const coins = fc.uniqueArray(fc.record({ vout: fc.nat(5), value: fc.constantFrom(1000n, 2000n) }), {
      selector: ({ vout }) => vout,
    });
    await fc.assert(
      fc.asyncProperty(coins, coins, fc.uniqueArray(fc.nat(5)), async (left, right, leaving) => {
        const values = (list: typeof left): Map<number, bigint> =>
          new Map(list.map(({ vout, value }) => [vout, value]));
        const [a, b] = [values(left), values(right)];
        const differ = [...new Set([...a.keys(), ...b.keys()])].filter((vout) => a.get(vout) !== b.get(vout));
        const isFree = (vout: number): boolean => leaving.includes(vout) && (!a.has(vout) || !b.has(vout));
        const said = await viewWith(
          leaving.map((vout) => `${TXID}:${vout}`),
          { coins: left.map(coin) },
          { coins: right.map(coin) },
        );
        if (differ.every(isFree)) expect(said).toBe('back end 0');
        else expect(said).toMatch(/^E_CHAIN_DISAGREE /);
      }),
    );
  });

  it('are not there where one does not answer', async () => {
    const mute = { ...backend({}), scan: async () => fail('E_CHAIN_UNREACHABLE', 'silence') };
    const seen = await viewChain([backend({}), mute], { deriver, lastUsed: [-1, -1], gap: 20 }, new Set());
    expect(seen).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_UNREACHABLE' } });
  });
});
