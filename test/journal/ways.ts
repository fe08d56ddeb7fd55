import { sha256Hex } from '../../src/domain/bytes.js';
import type { EntryBody } from '../../src/journal/entries.js';
import type { BatchState, JournalState } from '../../src/journal/state.js';
import { type next, stateOf } from './chains.js';
import { story } from './story.js';

export const BASE: readonly EntryBody[] = [story.opened(), story.policy()];

export const tagOf = (result: ReturnType<typeof next>): string => (result.ok ? 'ok' : result.error.tag);
export const messageOf = (result: ReturnType<typeof next>): string => (result.ok ? 'ok' : result.error.message);

const SENDING = [story.verdict('a'), story.reserved('a'), story.verdict('a'), story.sent('a')];

/** Batch `z` cancels batch `a`, wherever that stands, and is confirmed. */
export const OVERTAKEN: readonly EntryBody[] = [
  story.planned('z', { inputs: [`${sha256Hex('a')}:0`], fee: '3000', replaces: 'a', batchKind: 'cancellation' }),
  story.verdict('z'),
  story.reserved('z', [], '90000', { fee: '3000', batchKind: 'cancellation' }),
  story.verdict('z'),
  story.sent('z'),
  story.signed('z'),
  story.confirmed('z'),
];

/** Entries that bring batch `a` from its plan into each state. */
export const WAYS: Readonly<Record<BatchState, readonly EntryBody[]>> = {
  DRAFT: [],
  RESERVED: [story.verdict('a'), story.reserved('a')],
  SENT: [...SENDING],
  PARTIAL: [...SENDING, story.partial('a', '73c5da0a')],
  UNKNOWN: [...SENDING, story.unknown('a')],
  SIGNED: [...SENDING, story.signed('a')],
  BROADCAST: [...SENDING, story.signed('a'), story.broadcast('a')],
  CONFIRMED: [...SENDING, story.signed('a'), story.confirmed('a')],
  REPLACED: [...SENDING, story.signed('a'), ...OVERTAKEN, story.replaced('a', 'z')],
  CONFLICTED: [...SENDING, story.signed('a'), story.conflicted('a')],
  RELEASED: [...SENDING, story.released('a')],
  ABANDONED: [story.abandoned('a')],
};

export const inState = (state: BatchState): JournalState => stateOf([...BASE, story.planned('a'), ...WAYS[state]]);
