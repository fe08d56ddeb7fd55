import type { FaultTable } from './meaning.js';

export const PLAN_FAULTS = {
  E_PLAN_INSUFFICIENT: { exit: 'DATA_STALE', meaning: 'the coins on offer are worth less than payments and fee' },
  E_PLAN_INFEASIBLE: {
    exit: 'USAGE',
    meaning: 'no choice of coins can meet the constraints (weight, inputs, device limits)',
  },
  E_PLAN_ROUNDS: { exit: 'FAULT', meaning: 'the search gave up after its rounds; a solution may exist' },
  E_PLAN_DUST: { exit: 'USAGE', meaning: 'a payment is below the dust threshold of its script' },
  E_PLAN_NOTHING: { exit: 'USAGE', meaning: 'no two coins are worth being put together at this feerate' },
  E_PLAN_SEED: { exit: 'USAGE', meaning: 'a seed is not 64 hexadecimal digits' },
} as const satisfies FaultTable;
