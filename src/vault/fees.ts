import type { Fault } from '../domain/fault.js';
import type { FeeRate } from '../domain/feerate.js';
import type { Result } from '../domain/result.js';
import type { ChainSource } from './chain.js';

/** Blocks that a feerate aims at where nothing says another number. */
export const USUAL_TARGET = 6;
/** Bitcoin Core estimates no further (estimatesmartfee). */
export const FURTHEST_TARGET = 1008;

/** Where a feerate may come from, as countersign.yaml names it. */
export type FeeSource =
  /** Each back end of `chain`, in its order. */
  | { readonly kind: 'chain' }
  /** A service that answers as mempool does, by the base address of its API. */
  | { readonly kind: 'mempool'; readonly url: string }
  /** A back end that is asked for nothing but feerates. */
  | { readonly kind: 'backend'; readonly source: ChainSource }
  /** A number that somebody chose: no estimate, so it agrees and disagrees with nobody. */
  | { readonly kind: 'fixed'; readonly rate: FeeRate };

/** The field `fees` of countersign.yaml. */
export interface FeeConfig {
  /** In the order in which they are asked; the first that answers is taken. */
  readonly sources: readonly FeeSource[];
  /** Blocks within which a transaction should confirm where a command does not say. */
  readonly target: number;
  /** By what factor estimates may differ, in thousandths; null asks no more than the first that answers. */
  readonly maxFactor: bigint | null;
  /** An answer below it is raised to it. */
  readonly floor: FeeRate | null;
  /** An answer above it is lowered to it. */
  readonly ceiling: FeeRate | null;
}

/** One source of feerates, ready to be asked. */
export interface FeeEstimator {
  /** What people are told it is. */
  readonly name: string;
  /** Whether it estimates from what the network does; a fixed number does not. */
  readonly isEstimate: boolean;
  /** Feerate to confirm within so many blocks; null where it cannot tell. */
  estimate(blocks: number): Promise<Result<FeeRate | null, Fault>>;
  close(): Promise<void>;
}
