/**
 * What a batch is for. A withdrawal pays somebody. The others pay nobody: they turn coins of the vault into one new coin of
 * the vault, and what leaves is the fee. A consolidation puts coins together; a cancellation takes the coins of a batch that
 * waits for a block, so that it never gets into one; a child spends the change of such a batch, to pay for both (CPFP). It
 * is part of what people approve: the bytes alone do not say what was meant.
 */
export type BatchKind = 'withdrawal' | 'consolidation' | 'cancellation' | 'child';

export const BATCH_KINDS = [
  'withdrawal',
  'consolidation',
  'cancellation',
  'child',
] as const satisfies readonly BatchKind[];
