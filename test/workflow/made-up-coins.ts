import { hash256, toHex } from '../../src/domain/bytes.js';
import type { Branch } from '../../src/domain/coin.js';
import { createDeriver } from '../../src/vault/derive.js';
import { parseVault } from '../../src/vault/descriptor.js';
import type { Deriver } from '../../src/vault/types.js';
import { demoFile, type SnapshotChange, snapshot } from '../cli/session.js';

/** A coin of the demo's vault that the chain never saw. No check of a snapshot can tell it from a real one. */
export interface MadeUp {
  readonly branch?: Branch;
  readonly index?: number;
  readonly value?: bigint;
  readonly height?: number | null;
  readonly coinbase?: boolean;
}

let deriver: Deriver | null = null;

export function demoDeriver(): Deriver {
  if (deriver !== null) return deriver;
  const vault = parseVault('demo-cold', 'testnet3', demoFile('descriptor.txt').trim());
  if (!vault.ok) throw new Error(vault.error.message);
  deriver = createDeriver(vault.value);
  return deriver;
}

/** The demo's snapshot with coins added that nobody has. */
export function snapshotWith(coins: readonly MadeUp[], change: SnapshotChange = {}): string {
  const base = JSON.parse(snapshot(change));
  for (const [number, coin] of coins.entries()) {
    const { branch = 0, index = 77, value = 1_000_000_000_000n, height = 2_949_000, coinbase = false } = coin;
    const { script } = demoDeriver().at(branch, index);
    const { hex, txid } = transactionTo(script, value, coinbase, number);
    base.previous_transactions[txid] = hex;
    base.coins.push({
      outpoint: `${txid}:0`,
      value: `${value}`,
      script: toHex(script),
      branch,
      index,
      height,
      coinbase,
    });
  }
  return JSON.stringify(base, null, 1);
}

function transactionTo(script: Uint8Array, value: bigint, coinbase: boolean, salt: number) {
  const amount = Buffer.alloc(8);
  amount.writeBigUInt64LE(value);
  const spent = coinbase ? [Buffer.alloc(32), Buffer.alloc(4, 0xff)] : [Buffer.alloc(32, salt + 1), Buffer.alloc(4)];
  const bytes = Buffer.concat([
    Buffer.from('0200000001', 'hex'),
    ...spent,
    Buffer.from(coinbase ? [2, 1, salt] : [0]),
    Buffer.from('ffffffff01', 'hex'),
    amount,
    Buffer.from([script.length]),
    script,
    Buffer.alloc(4),
  ]);
  return { hex: bytes.toString('hex'), txid: toHex(Uint8Array.from(hash256(bytes)).reverse()) };
}
