import type { FaultTable } from './meaning.js';

/** What Bitcoin Core asks for as the node of an external signer, and is not given. */
export const SIGNER_FAULTS = {
  E_SIGNER_CHAIN: { exit: 'USAGE', meaning: 'a node of another network asks the signer than the vault is on' },
  E_SIGNER_ACCOUNT: {
    exit: 'USAGE',
    meaning: 'a node asks for descriptors of an account that the vault does not have',
  },
  E_SIGNER_DESCRIPTOR: {
    exit: 'DEVICE_MISMATCH',
    meaning: "a node asks to be shown an address whose descriptor is not the vault's",
  },
  E_SIGNER_UNPLANNED: {
    exit: 'DENIED',
    meaning: 'a node asks for a signature of a transaction that is no batch of the journal',
  },
} as const satisfies FaultTable;
