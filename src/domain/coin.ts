import type { Outpoint } from './outpoint.js';
import type { Sats } from './sats.js';

/** 0 is the receive branch and 1 the change branch of a `<0;1>` descriptor (BIP389, BIP44). */
export type Branch = 0 | 1;

/** Where in the vault a script is derived: `descriptor/branch/index`. */
export interface OwnOrigin {
  readonly branch: Branch;
  readonly index: number;
}

/** An unspent output of the vault, as a snapshot of the chain reported it and the descriptor confirmed it. */
export interface Coin {
  readonly outpoint: Outpoint;
  readonly value: Sats;
  readonly script: Uint8Array;
  readonly origin: OwnOrigin;
  /** Height of the block that holds it; null while unconfirmed. */
  readonly height: number | null;
  readonly coinbase: boolean;
}

/** The tip that a set of coins was read at. */
export interface ChainTip {
  readonly height: number;
  readonly hash: string;
  /** Median time past of the tip, in Unix seconds (BIP113). */
  readonly medianTimePast: number;
}

export function confirmations(coin: Coin, tip: ChainTip): number {
  return coin.height === null ? 0 : Math.max(0, tip.height - coin.height + 1);
}
