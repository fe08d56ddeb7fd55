import type { Hex } from '../domain/bytes.js';
import type { ChainTip, OwnOrigin } from '../domain/coin.js';
import type { Fault } from '../domain/fault.js';
import type { FeeRate } from '../domain/feerate.js';
import type { Network } from '../domain/network.js';
import type { Outpoint } from '../domain/outpoint.js';
import type { Result } from '../domain/result.js';
import type { Sats } from '../domain/sats.js';
import type { UnixSeconds } from '../domain/time.js';
import type { Deriver } from './types.js';

/** What is looked for on the chain: every script of the vault up to `gap` unused ones beyond the last used, on both branches. */
export interface ScanRequest {
  readonly deriver: Deriver;
  /** Highest index known to be used on the receive and the change branch, -1 for none: the gap counts from there. */
  readonly lastUsed: readonly [receive: number, change: number];
  readonly gap: number;
  /** Called as work goes on; `of` is null where the end is not known. Scripts are counted, or how far the node is itself. */
  readonly onProgress?: (done: number, of: number | null, unit?: 'scripts' | 'percent') => void;
}

/** An unspent output as a back end states it. Nothing of it is believed before the previous transaction proves it. */
export interface StatedCoin {
  readonly outpoint: Outpoint;
  readonly value: Sats;
  readonly script: Uint8Array;
  /** Where in the vault it was looked for and found: a claim, until the script is derived there. */
  readonly place: OwnOrigin;
  /** null while unconfirmed. */
  readonly height: number | null;
}

export interface ChainScan {
  /** The tip that all coins belong to: asked before and after, and the same both times. */
  readonly tip: ChainTip;
  readonly coins: readonly StatedCoin[];
  /** Highest index seen used; a back end without history (a node without a wallet) knows it from unspent coins alone. */
  readonly lastUsed: readonly [receive: number, change: number];
}

export type TransactionStatus =
  | { readonly state: 'unknown' }
  | { readonly state: 'mempool' }
  | { readonly state: 'confirmed'; readonly height: number; readonly blockHash: Hex; readonly time: UnixSeconds };

/** Whether an outpoint is spent, the mempool counted in; `by` is null where the back end cannot name the transaction. */
export type Spender = { readonly state: 'unspent' } | { readonly state: 'spent'; readonly by: Hex | null };

export type Acceptance =
  | { readonly state: 'accepted' }
  /** Known already: in the mempool or in a block. */
  | { readonly state: 'known' }
  /** The node's own words, made safe to print. */
  | { readonly state: 'rejected'; readonly reason: string }
  | { readonly state: 'unsupported' };

/**
 * One source of chain data. What it says is never believed where it can be computed: transactions are hashed, coins are
 * proven by them, scripts are derived. It can stop a withdrawal and never change what is paid.
 */
export interface ChainBackend {
  /** What people are told it is; never with a password. */
  readonly name: string;
  readonly kind: 'core' | 'esplora' | 'electrum';
  /** The network it serves, told by its genesis block. */
  network(): Promise<Result<Network, Fault>>;
  tip(): Promise<Result<ChainTip, Fault>>;
  scan(request: ScanRequest): Promise<Result<ChainScan, Fault>>;
  /** Hash of the block at a height; null above the tip. */
  blockHash(height: number): Promise<Result<Hex | null, Fault>>;
  /**
   * Raw transactions by txid; one that is not known is left out. The caller hashes them. The height of their block, where
   * it is known, helps a node without an index.
   */
  transactions(
    wanted: readonly { readonly txid: Hex; readonly height: number | null }[],
    onProgress?: (done: number, of: number) => void,
  ): Promise<Result<ReadonlyMap<Hex, Uint8Array>, Fault>>;
  /**
   * By txid, the scripts that its inputs spent, one an input in its order; one that it cannot tell is left out, and a back end
   * without the call tells none. The height of its block helps as above.
   */
  spentScripts?(
    wanted: readonly { readonly txid: Hex; readonly height: number | null }[],
  ): Promise<Result<ReadonlyMap<Hex, readonly Uint8Array[]>, Fault>>;
  /** What became of a transaction. A node without an index looks through the blocks above `since` alone. */
  status(txid: Hex, since: number): Promise<Result<TransactionStatus, Fault>>;
  /** By "TXID:VOUT". A node without an index looks through the blocks above `since` for who spent them. */
  spenders(outpoints: readonly Outpoint[], since: number): Promise<Result<ReadonlyMap<string, Spender>, Fault>>;
  /** testmempoolaccept, where there is one. */
  testAccept(transaction: Uint8Array): Promise<Result<Acceptance, Fault>>;
  broadcast(transaction: Uint8Array): Promise<Result<Acceptance, Fault>>;
  /** Feerate to confirm within `blocks`; null where it cannot tell. */
  feerate(blocks: number): Promise<Result<FeeRate | null, Fault>>;
  close(): Promise<void>;
}

/** How a node knows who asks: the cookie that it writes at each start, or a user and a password of its configuration. */
export type CoreAuth =
  | { readonly kind: 'cookie'; readonly file: string }
  | { readonly kind: 'password'; readonly user: string; readonly passwordFile: string };

/** A back end as countersign.yaml or a command line names it. Files are relative to the workspace. */
export type ChainSource =
  | {
      readonly kind: 'core';
      readonly url: string;
      readonly auth: CoreAuth;
      /** A watch-only wallet of the node, which countersign makes: it knows what was used and emptied. */
      readonly wallet?: string;
    }
  | { readonly kind: 'esplora'; readonly url: string }
  | { readonly kind: 'electrum'; readonly host: string; readonly port: number; readonly tls: boolean };
