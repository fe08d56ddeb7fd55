import type { FaultTable } from './meaning.js';

export const CHAIN_FAULTS = {
  E_CHAIN_CONFIG: { exit: 'USAGE', meaning: 'a chain back end is not named in a form that countersign knows' },
  E_CHAIN_NONE: { exit: 'USAGE', meaning: 'no chain back end is named' },
  E_CHAIN_NETWORK: { exit: 'USAGE', meaning: 'a chain back end serves another network than the vault is of' },
  E_CHAIN_UNREACHABLE: { exit: 'CHAIN_UNREACHABLE', meaning: 'a chain back end does not answer, or not in time' },
  E_CHAIN_AUTH: { exit: 'CHAIN_UNREACHABLE', meaning: 'a chain back end refuses the user, password or cookie' },
  E_CHAIN_ANSWER: {
    exit: 'CHAIN_UNREACHABLE',
    meaning: 'a chain back end answers what its protocol does not allow, or what contradicts itself',
  },
  E_CHAIN_MOVED: { exit: 'DATA_STALE', meaning: 'the tip moved under every scan; nothing consistent could be read' },
  E_CHAIN_SYNCING: { exit: 'DATA_STALE', meaning: 'the node is still catching up with the chain' },
  E_CHAIN_PRUNED: { exit: 'DATA_STALE', meaning: 'the node no longer has the blocks that are asked for' },
  E_CHAIN_DISAGREE: { exit: 'DATA_STALE', meaning: 'chain back ends contradict each other beyond the stated bounds' },
  E_FEERATE_NONE: { exit: 'DATA_STALE', meaning: 'no source of feerates answers' },
  E_FEERATE_DISAGREE: {
    exit: 'DATA_STALE',
    meaning: 'sources of feerates differ by more than the factor that countersign.yaml states',
  },
  E_NODE_REJECTED: { exit: 'NODE_REJECTED', meaning: 'the node does not accept the transaction' },
} as const satisfies FaultTable;
