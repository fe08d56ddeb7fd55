import type { FaultTable } from './meaning.js';

/** Screening lists: reading them, and putting them into force. */
export const SCREENING_FAULTS = {
  E_SCREENING_SCHEMA: { exit: 'USAGE', meaning: 'a screening list does not follow countersign.screening/1' },
  E_SCREENING_LINE: { exit: 'USAGE', meaning: 'an entry of a screening list is neither an address nor a script' },
  E_SCREENING_EMPTY: {
    exit: 'DATA_STALE',
    meaning: 'a screening list has no entry that could be hit: it says nothing, and never that all is clean',
  },
  E_SCREENING_UNKNOWN: { exit: 'USAGE', meaning: 'the policy in force names no screening list of that id' },
  E_SCREENING_TIME: {
    exit: 'DATA_STALE',
    meaning: 'a screening list does not say when it was issued, is from the future, or has run out',
  },
  E_SCREENING_ROLLBACK: { exit: 'INTEGRITY', meaning: 'a screening list is not newer than the one in force' },
  E_SCREENING_SHRINK: {
    exit: 'DENIED',
    meaning: 'a screening list lacks more of the entries of the one in force than max_shrink_bp lets go',
  },
  E_SCREENING_PIN: { exit: 'INTEGRITY', meaning: 'a signature is not over this screening list' },
  E_SCREENING_SIGNER: { exit: 'DENIED', meaning: 'a screening list is signed by nobody of the role that pins it' },
  E_SCREENING_UNSIGNED: { exit: 'APPROVALS_MISSING', meaning: 'nobody has signed a screening list' },
} as const satisfies FaultTable;
