import type { FaultTable } from './meaning.js';

export const JOURNAL_FAULTS = {
  E_JOURNAL_MISSING: { exit: 'DATA_STALE', meaning: 'there is no journal at this place' },
  E_JOURNAL_EXISTS: { exit: 'USAGE', meaning: 'there is a journal at this place already' },
  E_JOURNAL_LOCKED: { exit: 'LOCKED', meaning: 'another process holds the journal' },
  E_JOURNAL_TAMPERED: { exit: 'INTEGRITY', meaning: 'the journal does not verify' },
  E_JOURNAL_SCHEMA: { exit: 'USAGE', meaning: 'the journal was written by a newer or a foreign program' },
  E_JOURNAL_IO: { exit: 'FAULT', meaning: 'the journal could not be written: disk full, read-only, damaged' },
  E_BATCH_UNKNOWN: { exit: 'USAGE', meaning: 'no batch has this id' },
  E_BATCH_STATE: { exit: 'LOCKED', meaning: 'the state of a batch does not allow this step' },
} as const satisfies FaultTable;
