import type { Hex } from '../domain/bytes.js';
import type { ChainTip, Coin } from '../domain/coin.js';
import type { FeeRate } from '../domain/feerate.js';
import type { Network } from '../domain/network.js';
import type { UnixSeconds } from '../domain/time.js';

/** The coins of a vault at one tip, every one of them derived again at import (countersign.snapshot/1, docs/snapshot.md). */
export interface Snapshot {
  readonly network: Network;
  /** The vault's id. */
  readonly vault: string;
  readonly tip: ChainTip;
  readonly takenAt: UnixSeconds;
  /** The feerate that its maker proposes; null where it proposes none. */
  readonly feerate: FeeRate | null;
  /** Who told its maker that feerate, and for how many blocks; null where it does not say. */
  readonly feerateFrom: { readonly source: string; readonly target: number } | null;
  /** Highest index that its maker knows to be used on each branch, -1 for none: a scan of unspent coins forgets the others. */
  readonly lastUsed: readonly [receive: number, change: number];
  /** In the order of the file; no outpoint stands there twice. */
  readonly coins: readonly Coin[];
  /** By txid. Complete for every vault before taproot; each hashes to its txid and agrees with the coins it made. */
  readonly previous: ReadonlyMap<string, Uint8Array>;
  /** By txid, the scripts that its inputs spent, one an input in its order, as far as the file's maker states them. */
  readonly sources: ReadonlyMap<string, readonly Uint8Array[]>;
  /** By txid, the block that holds a transaction of the vault, as far as the file's maker reports it. */
  readonly confirmed: ReadonlyMap<string, { readonly height: number; readonly time: UnixSeconds }>;
  /** SHA-256 of the file's bytes. */
  readonly sha256: Hex;
}
