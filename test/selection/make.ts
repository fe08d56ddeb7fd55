import { sha256Hex } from '../../src/domain/bytes.js';
import type { Coin } from '../../src/domain/coin.js';
import type { Sats } from '../../src/domain/sats.js';
import { inputCost } from '../../src/selection/cost.js';
import { type Demand, demandOf } from '../../src/selection/demand.js';
import { type PlanInput, planTransactions } from '../../src/selection/plan.js';
import { type Pool, preparePool } from '../../src/selection/pool.js';
import type { Payment, ShapeLimits, TransactionPlan } from '../../src/selection/types.js';
import type { WasteTerms } from '../../src/selection/waste.js';
import type { Vault, VaultKey, VaultKind } from '../../src/vault/types.js';

const KEY: VaultKey = { fingerprint: 'f5acc2fd', path: [], xpub: 'not read by this room' };

export function vaultOf(kind: VaultKind = 'wpkh'): Vault {
  const multisig = kind.includes('sortedmulti');
  return {
    id: 'cold',
    network: 'testnet3',
    kind,
    threshold: multisig ? 2 : 1,
    keys: multisig ? [KEY, KEY, KEY] : [KEY],
    descriptor: 'not read by this room',
  };
}

/** A P2WPKH script that is told from others by a number. */
export function scriptOf(number: number): Uint8Array {
  const script = new Uint8Array(22);
  script.set([0, 20]);
  new DataView(script.buffer).setUint32(2, number);
  return script;
}

export function coinOf(value: Sats, number: number): Coin {
  return {
    outpoint: { txid: sha256Hex(`coin ${number}`), vout: number % 3 },
    value,
    script: scriptOf(number),
    origin: { branch: 0, index: number },
    height: 100,
    coinbase: false,
  };
}

export const coinsOf = (...values: Sats[]): Coin[] => values.map(coinOf);

export function paymentOf(value: Sats, number: number): Payment {
  return { requestId: `W-${number}`, script: scriptOf(1_000_000 + number), value };
}

export const paymentsOf = (...values: Sats[]): Payment[] => values.map(paymentOf);

export const LIMITS: ShapeLimits = { maxInputs: 50, maxOutputs: 20, maxWeight: 400_000n };

export function planInput(more: Partial<PlanInput> = {}): PlanInput {
  return {
    vault: vaultOf(),
    payments: paymentsOf(1_000_000n),
    coins: coinsOf(5_000_000n),
    feerate: 20_000n,
    longTermFeerate: 10_000n,
    limits: LIMITS,
    tipHeight: 840_000,
    seed: sha256Hex('seed'),
    nextChange: (n) => ({ origin: { branch: 1, index: n }, script: scriptOf(2_000_000 + n) }),
    ...more,
  };
}

export function planned(more: Partial<PlanInput> = {}): readonly TransactionPlan[] {
  const result = planTransactions(planInput(more));
  if (!result.ok) throw new Error(`${result.error.tag}: ${result.error.message}`);
  return result.value;
}

export function refused(more: Partial<PlanInput> = {}): { tag: string; message: string; remedy?: string } {
  const result = planTransactions(planInput(more));
  if (result.ok) throw new Error('planned');
  return result.error;
}

export interface Problem {
  readonly pool: Pool;
  readonly demand: Demand;
}

/** What the single searches are asked, for one transaction of a wpkh vault unless said otherwise. */
export function problemOf(
  coins: readonly Coin[],
  payments: readonly Payment[],
  more: { limits?: ShapeLimits; terms?: Partial<WasteTerms> } = {},
): Problem {
  const terms: WasteTerms = {
    input: inputCost(vaultOf()),
    feerate: 20_000n,
    longTermFeerate: 10_000n,
    devicePrice: 50n,
    ...more.terms,
  };
  const { pool } = preparePool(coins, terms, terms.input.weight);
  const demand = demandOf({
    vault: vaultOf(),
    payments,
    changeScript: scriptOf(2_000_000),
    terms,
    limits: more.limits ?? LIMITS,
    poolSize: pool.coins.length,
  });
  return { pool, demand };
}

export const idOf = (coin: Coin): string => `${coin.outpoint.txid}:${coin.outpoint.vout}`;

/** Every set of indexes below `size`. */
export function* subsets(size: number): Generator<number[]> {
  for (let mask = 1; mask < 2 ** size; mask++) {
    yield Array.from({ length: size }, (_, index) => index).filter((index) => mask & (1 << index));
  }
}
