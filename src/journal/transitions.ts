import type { EntryKind } from './entries.js';
import type { BatchState } from './state.js';

/** The entries that speak of one batch. */
export type BatchEntryKind = Extract<EntryKind, `batch.${string}`>;

/** Leads back to the state that a batch was settled in (SettledRecord.from). */
export const BACK = 'as before';

/** What an entry makes of a batch in each state; a state that is not listed does not admit the entry. */
type Moves = Readonly<Partial<Record<BatchState, BatchState | typeof BACK>>>;

/**
 * Every legal step of a batch, the whole of it. batch.planned is the one entry without a state before it.
 *
 * Asking the device again (batch.sent in SENT or UNKNOWN: the same bytes, after a crash or an unplugged cable) leads to
 * UNKNOWN and not back to SENT: the earlier attempt may have signed, so a clean refusal of the later one proves nothing
 * and can give no budget back.
 *
 * PARTIAL is where a multisig batch waits for further cosigners: one signature counts as all of them do, so nothing leads
 * from there to RELEASED or ABANDONED, and a device that declines changes nothing. Asking one cosigner after another, and
 * the same one again, is harmless, since it is for the same bytes.
 *
 * REPLACED and CONFLICTED are what the chain makes of a batch, and of that alone: from wherever a signature may exist, and
 * back to there should the chain be reorganised.
 */
export const TRANSITIONS: Readonly<Record<Exclude<BatchEntryKind, 'batch.planned'>, Moves>> = {
  'batch.verdict': {
    DRAFT: 'DRAFT',
    RESERVED: 'RESERVED',
    SENT: 'SENT',
    PARTIAL: 'PARTIAL',
    UNKNOWN: 'UNKNOWN',
    // Asked once more before it is broadcast.
    SIGNED: 'SIGNED',
    RELEASED: 'RELEASED',
  },
  'batch.approved': {
    DRAFT: 'DRAFT',
    RESERVED: 'RESERVED',
    SENT: 'SENT',
    PARTIAL: 'PARTIAL',
    UNKNOWN: 'UNKNOWN',
    RELEASED: 'RELEASED',
  },
  'batch.reserved': { DRAFT: 'RESERVED', RELEASED: 'RESERVED' },
  'batch.sent': { RESERVED: 'SENT', SENT: 'UNKNOWN', PARTIAL: 'PARTIAL', UNKNOWN: 'UNKNOWN' },
  'batch.exported': { RESERVED: 'PARTIAL', SENT: 'PARTIAL', PARTIAL: 'PARTIAL', UNKNOWN: 'PARTIAL' },
  'batch.partial': { SENT: 'PARTIAL', PARTIAL: 'PARTIAL', UNKNOWN: 'PARTIAL' },
  'batch.declined': { PARTIAL: 'PARTIAL', UNKNOWN: 'UNKNOWN' },
  'batch.released': { RESERVED: 'RELEASED', SENT: 'RELEASED' },
  'batch.unknown': { SENT: 'UNKNOWN', PARTIAL: 'PARTIAL', UNKNOWN: 'UNKNOWN' },
  'batch.signed': { SENT: 'SIGNED', PARTIAL: 'SIGNED', UNKNOWN: 'SIGNED' },
  'batch.broadcast': { SIGNED: 'BROADCAST', BROADCAST: 'BROADCAST' },
  'batch.confirmed': { SIGNED: 'CONFIRMED', BROADCAST: 'CONFIRMED' },
  'batch.unconfirmed': { CONFIRMED: 'BROADCAST' },
  'batch.replaced': {
    SENT: 'REPLACED',
    PARTIAL: 'REPLACED',
    UNKNOWN: 'REPLACED',
    SIGNED: 'REPLACED',
    BROADCAST: 'REPLACED',
  },
  'batch.conflicted': {
    SENT: 'CONFLICTED',
    PARTIAL: 'CONFLICTED',
    UNKNOWN: 'CONFLICTED',
    SIGNED: 'CONFLICTED',
    BROADCAST: 'CONFLICTED',
  },
  'batch.unsettled': { REPLACED: BACK, CONFLICTED: BACK },
  'batch.abandoned': { DRAFT: 'ABANDONED', RESERVED: 'ABANDONED', RELEASED: 'ABANDONED' },
  'batch.rejected': { DRAFT: 'DRAFT', RESERVED: 'RESERVED', PARTIAL: 'PARTIAL', RELEASED: 'RELEASED' },
  'batch.withdrawn': { DRAFT: 'DRAFT', RESERVED: 'RESERVED', PARTIAL: 'PARTIAL', RELEASED: 'RELEASED' },
};

/** What a batch keeps from others in each state. Coins stand for request ids too: both are held and freed together. */
const HOLDINGS: Readonly<Record<BatchState, { readonly budget: boolean; readonly coins: boolean }>> = {
  DRAFT: { budget: false, coins: true },
  RESERVED: { budget: true, coins: true },
  SENT: { budget: true, coins: true },
  PARTIAL: { budget: true, coins: true },
  UNKNOWN: { budget: true, coins: true },
  SIGNED: { budget: true, coins: true },
  BROADCAST: { budget: true, coins: true },
  CONFIRMED: { budget: true, coins: true },
  REPLACED: { budget: false, coins: false },
  CONFLICTED: { budget: false, coins: false },
  RELEASED: { budget: false, coins: false },
  ABANDONED: { budget: false, coins: false },
};

export const BATCH_STATES: readonly BatchState[] = [
  'DRAFT',
  'RESERVED',
  'SENT',
  'PARTIAL',
  'UNKNOWN',
  'SIGNED',
  'BROADCAST',
  'CONFIRMED',
  'REPLACED',
  'CONFLICTED',
  'RELEASED',
  'ABANDONED',
];

/** Whether the spend of a batch counts against limits: from its reservation on, unless nothing can have been signed. */
export function holdsBudget(state: BatchState): boolean {
  return HOLDINGS[state].budget;
}

const ENDED: readonly BatchState[] = ['CONFIRMED', 'REPLACED', 'CONFLICTED', 'ABANDONED'];

/** Whether nothing is left to do with a batch, unless the chain is reorganised. */
export function isEnded(state: BatchState): boolean {
  return ENDED.includes(state);
}

/** Whether the coins and request ids of a batch are kept from other plans. */
export function holdsCoins(state: BatchState): boolean {
  return HOLDINGS[state].coins;
}

/**
 * The state as everybody but the process that holds the device must read it: SENT without an answer in the journal is
 * what a crash leaves, and signatures may exist.
 */
export function effectiveState(state: BatchState): BatchState {
  return state === 'SENT' ? 'UNKNOWN' : state;
}

/**
 * The state that an entry leads to, or null where it is not legal. `from` is the state in which a batch was settled, for
 * the one entry that leads back there.
 */
export function nextState(
  state: BatchState,
  kind: Exclude<BatchEntryKind, 'batch.planned'>,
  from: BatchState | null = null,
): BatchState | null {
  const move = TRANSITIONS[kind][state] ?? null;
  if (move !== BACK) return move;
  // Never back to SENT: whoever had the device then may not say any more that it cannot have signed.
  return from === null ? null : effectiveState(from);
}

/** The states that admit an entry, for messages. */
export function statesBefore(kind: Exclude<BatchEntryKind, 'batch.planned'>): readonly BatchState[] {
  return BATCH_STATES.filter((state) => TRANSITIONS[kind][state] !== undefined);
}

/** The two tables as Markdown, as docs/journal.md shows them. */
export function renderTransitions(): string {
  const kinds = Object.keys(TRANSITIONS) as (keyof typeof TRANSITIONS)[];
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = (count: number): string => `|${' --- |'.repeat(count)}`;
  return [
    row(['entry', ...BATCH_STATES]),
    rule(BATCH_STATES.length + 1),
    row(['`batch.planned`, of a new id', 'DRAFT', ...BATCH_STATES.slice(1).map(() => '')]),
    ...kinds.map((kind) => row([`\`${kind}\` in`, ...BATCH_STATES.map((state) => TRANSITIONS[kind][state] ?? '')])),
    '',
    row(['held in', ...BATCH_STATES]),
    rule(BATCH_STATES.length + 1),
    row(['budget', ...BATCH_STATES.map((state) => (holdsBudget(state) ? 'yes' : 'no'))]),
    row(['coins and request ids', ...BATCH_STATES.map((state) => (holdsCoins(state) ? 'yes' : 'no'))]),
    '',
  ].join('\n');
}
