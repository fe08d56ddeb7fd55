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
  E_REPLACE_FEE: { exit: 'USAGE', meaning: 'a feerate is too low for a transaction to take the place of another one' },
  E_REPLACE_UNSIGNED: {
    exit: 'USAGE',
    meaning: 'a batch is not signed, so there is nothing to replace, cancel or help',
  },
  E_REPLACE_SETTLED: {
    exit: 'USAGE',
    meaning: 'a batch is in a block already, or lost its coins to another transaction',
  },
  E_REPLACE_SPENT: { exit: 'DATA_STALE', meaning: 'a coin of a batch is no longer among the coins of the vault' },
  E_REPLACE_KIND: {
    exit: 'USAGE',
    meaning: 'a batch of that kind cannot be cancelled, or has no change to be helped with',
  },
  E_PLAN_SEED: { exit: 'USAGE', meaning: 'a seed is not 64 hexadecimal digits' },
} as const satisfies FaultTable;
