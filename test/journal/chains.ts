import { sealEntry } from '../../src/journal/chain.js';
import type { Entry, EntryBody } from '../../src/journal/entries.js';
import { StateBuilder } from '../../src/journal/fold.js';
import type { JournalState } from '../../src/journal/state.js';

/** 2026-06-01T12:00:00Z, a minute between entries. */
export const START = 1_780_315_200;

/** Entries sealed one after another, whether or not they make sense. */
export function sealAll(bodies: readonly EntryBody[], step = 60): Entry[] {
  const entries: Entry[] = [];
  let head: JournalState['head'] = null;
  for (const [index, body] of bodies.entries()) {
    const now = START + index * step;
    const entry = sealEntry(head, now, body);
    entries.push(entry);
    head = { seq: entry.seq, hash: entry.hash, at: now };
  }
  return entries;
}

/** The state after entries that are all legal; throws the fault of the first that is not. */
export function stateOf(bodies: readonly EntryBody[]): JournalState {
  const builder = new StateBuilder();
  for (const entry of sealAll(bodies)) {
    const applied = builder.apply(entry);
    if (!applied.ok) throw new Error(`entry ${entry.seq}: ${applied.error.tag} ${applied.error.message}`);
  }
  return builder.snapshot();
}

/** Applies one more entry, a minute after the newest of the state. */
export function next(state: JournalState, body: EntryBody, seconds = 60) {
  const builder = new StateBuilder(state);
  const applied = builder.apply(sealEntry(state.head, (state.head?.at ?? START) + seconds, body));
  return applied.ok ? ({ ok: true, value: builder.snapshot() } as const) : applied;
}
