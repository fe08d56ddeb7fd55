/**
 * What a batch is for. A withdrawal pays somebody. A consolidation pays nobody: it turns coins of the vault into one new coin
 * of the vault, and what leaves is the fee. It is part of what people approve: the bytes alone do not say what was meant.
 */
export type BatchKind = 'withdrawal' | 'consolidation';

export const BATCH_KINDS = ['withdrawal', 'consolidation'] as const satisfies readonly BatchKind[];
