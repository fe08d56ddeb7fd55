import type { FaultTable } from './meaning.js';

export const JOURNAL_FAULTS = {
  E_JOURNAL_MISSING: { exit: 'DATA_STALE', meaning: 'there is no journal at this place' },
  E_JOURNAL_EXISTS: { exit: 'USAGE', meaning: 'there is a journal at this place already' },
  E_JOURNAL_LOCKED: { exit: 'LOCKED', meaning: 'another process holds the journal' },
  E_JOURNAL_TAMPERED: { exit: 'INTEGRITY', meaning: 'the journal does not verify: edited, cut off or damaged' },
  E_JOURNAL_LINES: {
    exit: 'INTEGRITY',
    meaning: 'the rows that lists are made of are not those that the entries give',
  },
  E_JOURNAL_SCHEMA: { exit: 'USAGE', meaning: 'the journal was written by a newer or a foreign program' },
  E_JOURNAL_IO: { exit: 'FAULT', meaning: 'the journal could not be read or written: disk full, read-only, failing' },
  E_JOURNAL_MOVED: { exit: 'LOCKED', meaning: 'the journal was moved to another place, and goes on there' },
  E_JOURNAL_ADDRESS: { exit: 'USAGE', meaning: 'the address of a shared journal is not one that can be used' },
  E_JOURNAL_ENTRY: { exit: 'LOCKED', meaning: 'an entry contradicts what the journal holds already' },
  E_JOURNAL_ROOM: { exit: 'FAULT', meaning: 'the disk of the journal has no room for what signing is going to write' },
  E_CLOCK_AHEAD: { exit: 'DATA_STALE', meaning: 'the clock is too far ahead of the chain or of the newest entry' },
  E_BATCH_UNKNOWN: { exit: 'USAGE', meaning: 'no batch has this id' },
  E_BATCH_STATE: { exit: 'LOCKED', meaning: 'the state of a batch does not allow this step' },
} as const satisfies FaultTable;
