import type { Entry, EntryKind } from './entries.js';

/** The entries on which every decision rests, whatever it is about: who may say what, to whom, and that nothing is halted. */
const KINDS: ReadonlySet<EntryKind> = new Set<EntryKind>([
  'journal.opened',
  'journal.moved',
  'vault.imported',
  'device.registered',
  'policy.activated',
  'book.changed',
  'screening.imported',
  'halt.raised',
  'halt.resume-approved',
  'halt.resumed',
]);

/**
 * The newest of those entries and, through it, all before it: noted while they are folded, so that nobody has to look for a
 * few of them among a million. It is never changed, so each state has its own at no cost, and one that a transaction leaves
 * behind when it is rolled back is in no state.
 */
export interface Ground {
  readonly entry: Entry;
  /** Null for the opening of the journal. */
  readonly before: Ground | null;
}

/** The ground after an entry that was taken. */
export function groundWith(before: Ground | null, entry: Entry): Ground | null {
  return KINDS.has(entry.body.kind) ? { entry, before } : before;
}
