import { type FeeRate, formatFeeRate } from '../../domain/feerate.js';
import { ok } from '../../domain/result.js';
import type { ChainBackend, ChainSource } from '../../vault/chain.js';
import type { FeeEstimator, FeeSource } from '../../vault/fees.js';
import { createMempoolFees } from './mempool-fees.js';
import { openBackend } from './open.js';

/** Makes sources of feerates ready to be asked; `chain` stands for each of these back ends. */
export function openFees(
  sources: readonly FeeSource[],
  chain: readonly ChainSource[],
  within: (path: string) => string,
): readonly FeeEstimator[] {
  const opened = (source: FeeSource): readonly FeeEstimator[] => {
    switch (source.kind) {
      case 'chain':
        return chain.map((one) => estimatorOf(openBackend(one, within)));
      case 'backend':
        return [estimatorOf(openBackend(source.source, within))];
      case 'mempool':
        return [createMempoolFees(new URL(source.url))];
      case 'fixed':
        return [fixed(source.rate)];
    }
  };
  return sources.flatMap(opened);
}

function fixed(rate: FeeRate): FeeEstimator {
  return {
    name: `fixed:${formatFeeRate(rate).replace(' sat/vB', '')}`,
    isEstimate: false,
    estimate: async () => ok(rate),
    close: async () => undefined,
  };
}

function estimatorOf(backend: ChainBackend): FeeEstimator {
  return {
    name: backend.name,
    isEstimate: true,
    estimate: (blocks) => backend.feerate(blocks),
    close: () => backend.close(),
  };
}
