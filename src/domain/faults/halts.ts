import type { FaultTable } from './meaning.js';

/** Halts, and the objections of single people to a batch. */
export const HALT_FAULTS = {
  E_HALTED: { exit: 'HALTED', meaning: 'a halt stands: nothing of it is approved, signed or released' },
  E_HALT_SCOPE: { exit: 'USAGE', meaning: 'what a halt is to stop is not all, a destination of the book or a person' },
  E_HALT_UNKNOWN: { exit: 'USAGE', meaning: 'no halt of this name stands' },
  E_HALT_BINDING: {
    exit: 'INTEGRITY',
    meaning: 'a statement about a halt is not the one of this halt and this journal',
  },
  E_HALT_PERSON: { exit: 'DENIED', meaning: 'the key is of nobody whose word the policy asks for here' },
  E_HALT_REPLAY: { exit: 'DENIED', meaning: 'a statement about a halt has had its effect already' },
  E_HALT_EARLY: { exit: 'HALTED', meaning: 'a halt is to be resumed sooner than the policy lets it' },
  E_OBJECTION_BINDING: {
    exit: 'INTEGRITY',
    meaning: 'a rejection or withdrawal is over another statement than that of this batch',
  },
  E_OBJECTION_PERSON: {
    exit: 'DENIED',
    meaning: 'a rejection or withdrawal by somebody who has no such say in this batch',
  },
} as const satisfies FaultTable;
