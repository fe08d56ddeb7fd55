import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { parseTime, type UnixSeconds } from '../domain/time.js';
import type { Entry, EntryBody, PayableRecord } from './entries.js';
import { applyBatchEntry, type BatchDraft } from './fold-batch.js';
import { applyScreening } from './fold-screening.js';
import { groundWith } from './ground.js';
import { applyHaltEntry, type HaltDraft, nextDenials } from './halts.js';
import { applyPolicy, bookFollows, promotePending } from './policies.js';
import { SharedMap } from './shared-map.js';
import type { BatchRecord, BookAge, Fold, JournalState, RegistrationRecord, ScreeningRecord } from './state.js';

/** The state before the first entry. */
export const EMPTY_STATE: JournalState = {
  head: null,
  network: null,
  vault: null,
  policy: null,
  pendingPolicy: null,
  book: null,
  coins: null,
  registrations: new Map(),
  screening: new Map(),
  frozen: new Map(),
  batches: new Map(),
  batchesSeq: -1,
  requests: new Map(),
  requestDigests: new Map(),
  heldCoins: new Map(),
  origin: null,
  movedTo: null,
  halts: new Map(),
  haltMarks: new Map(),
  newestHalt: null,
  denials: [],
  ground: null,
};

/**
 * One entry folded into a state, which stays as it was. Each call copies the maps that it writes: for a run of entries
 * use a StateBuilder.
 */
export const fold: Fold = (state, entry) => {
  const builder = new StateBuilder(state);
  const applied = builder.apply(entry);
  return applied.ok ? ok(builder.snapshot()) : applied;
};

/** Coins that a batch holds: not on offer to any other plan. */
export function liveCoins(state: JournalState): ReadonlySet<string> {
  return new Set(state.heldCoins.keys());
}

interface Draft extends Omit<BatchDraft, 'halts'>, HaltDraft {
  head: JournalState['head'];
  network: JournalState['network'];
  vault: JournalState['vault'];
  policy: JournalState['policy'];
  pendingPolicy: JournalState['pendingPolicy'];
  book: JournalState['book'];
  coins: JournalState['coins'];
  readonly registrations: SharedMap<RegistrationRecord>;
  readonly screening: SharedMap<ScreeningRecord>;
  readonly frozen: SharedMap<string>;
  batchesSeq: number;
  origin: JournalState['origin'];
  movedTo: JournalState['movedTo'];
  ground: JournalState['ground'];
}

/**
 * Folds entries in place. A snapshot is a value: later entries never change it, because the first write after it works
 * on a copy of the map in question. An entry that is refused leaves no trace.
 */
export class StateBuilder {
  readonly #draft: Draft;

  constructor(from: JournalState = EMPTY_STATE) {
    this.#draft = {
      head: from.head,
      network: from.network,
      vault: from.vault,
      policy: from.policy,
      pendingPolicy: from.pendingPolicy,
      book: from.book,
      coins: from.coins,
      registrations: new SharedMap(from.registrations),
      screening: new SharedMap(from.screening),
      frozen: new SharedMap(from.frozen),
      batches: new SharedMap(from.batches),
      batchesSeq: from.batchesSeq,
      requests: new SharedMap(from.requests),
      requestDigests: new SharedMap(from.requestDigests),
      heldCoins: new SharedMap(from.heldCoins),
      origin: from.origin,
      movedTo: from.movedTo,
      halts: new SharedMap(from.halts),
      haltMarks: new SharedMap(from.haltMarks),
      newestHalt: from.newestHalt,
      denials: from.denials,
      ground: from.ground,
    };
  }

  get head(): JournalState['head'] {
    return this.#draft.head;
  }

  /** What is no map of many: the newest entry and the newest block, and the documents in force. */
  get known(): Pick<JournalState, 'head' | 'network' | 'coins' | 'policy' | 'pendingPolicy' | 'book'> {
    const { head, network, coins, policy, pendingPolicy, book } = this.#draft;
    return { head, network, coins, policy, pendingPolicy, book };
  }

  /** One batch as it stands: a snapshot after every entry would copy all of them every time. */
  batch(id: string): BatchRecord | undefined {
    return this.#draft.batches.get(id);
  }

  /**
   * Takes one entry whose body has passed the schema and whose place in the chain is checked (chain.ts does both).
   * E_BATCH_UNKNOWN, E_BATCH_STATE, E_PSBT_CHANGED, E_REQUEST_ID_REUSE, E_APPROVAL_REPLAY or E_JOURNAL_ENTRY where it
   * does not follow from the entries before it.
   */
  apply(entry: Entry): Result<void, Fault> {
    const at = parseTime(entry.at);
    if (at === null) throw new Error(`entry ${entry.seq} was not checked: ${entry.at} is not a time`);
    const { policy, pendingPolicy } = this.#draft;
    promotePending(this.#draft, at);
    const applied = applyBody(this.#draft, entry, at);
    if (!applied.ok) {
      Object.assign(this.#draft, { policy, pendingPolicy });
      return applied;
    }
    this.#draft.head = { seq: entry.seq, hash: entry.hash, at };
    this.#draft.ground = groundWith(this.#draft.ground, entry);
    return applied;
  }

  get batches(): JournalState['batches'] {
    return this.#draft.batches.share();
  }

  /** The ids of the batches that are written from now on, as long as nobody asks again. */
  watchBatches(): ReadonlySet<string> {
    return this.#draft.batches.watch();
  }

  snapshot(): JournalState {
    const { head, network, vault, policy, pendingPolicy, book, coins } = this.#draft;
    const { registrations, screening, frozen, batches, batchesSeq, requests, requestDigests, heldCoins } = this.#draft;
    const { origin, movedTo, halts, haltMarks, newestHalt, denials, ground } = this.#draft;
    return {
      head,
      network,
      vault,
      policy,
      pendingPolicy,
      book,
      coins,
      registrations: registrations.share(),
      screening: screening.share(),
      frozen: frozen.share(),
      batches: batches.share(),
      batchesSeq,
      requests: requests.share(),
      requestDigests: requestDigests.share(),
      heldCoins: heldCoins.share(),
      origin,
      movedTo,
      halts: halts.share(),
      haltMarks: haltMarks.share(),
      newestHalt,
      denials,
      ground,
    };
  }
}

const NOTHING: Result<void, Fault> = ok(undefined);

/** E_JOURNAL_MOVED: of a journal that was closed, with the place where it goes on. */
export function movedAway(to: string): Result<never, Fault> {
  return fail('E_JOURNAL_MOVED', `this journal goes on at ${to}: nothing more is written here`, {
    remedy: `name that place in countersign.yaml: ${to.startsWith('postgres') ? 'store' : 'journal'}: ${to}`,
  });
}

function applyBody(draft: Draft, entry: Entry, at: UnixSeconds): Result<void, Fault> {
  const { body } = entry;
  if ((draft.head === null) !== (body.kind === 'journal.opened')) {
    return fail('E_JOURNAL_ENTRY', 'journal.opened is the first entry of a journal and stands nowhere else');
  }
  if (draft.movedTo !== null) return movedAway(draft.movedTo);
  switch (body.kind) {
    case 'journal.opened':
      draft.network = body.network;
      draft.origin = entry.hash;
      return NOTHING;
    case 'journal.moved':
      draft.movedTo = body.to;
      return NOTHING;
    case 'vault.imported':
      return applyVault(draft, body);
    case 'policy.activated':
      return applyPolicy(draft, body, at);
    case 'book.changed':
      return applyBook(draft, body, at);
    case 'coins.imported': {
      const { height, hash, medianTimePast } = body;
      draft.coins = { snapshot: body.snapshot, tip: { height, hash, medianTimePast }, importedAt: at };
      return NOTHING;
    }
    case 'device.registered':
      return applyRegistration(draft, body, at);
    case 'screening.imported':
      return applyScreening(draft, body, at);
    case 'coin.frozen':
      draft.frozen.set(body.outpoint, body.reason);
      return NOTHING;
    case 'coin.unfrozen':
      if (draft.frozen.get(body.outpoint) === undefined) {
        return fail('E_JOURNAL_ENTRY', `coin ${body.outpoint} is not frozen`);
      }
      draft.frozen.delete(body.outpoint);
      return NOTHING;
    case 'batch.planned':
    case 'batch.verdict':
    case 'batch.approved':
    case 'batch.reserved':
    case 'batch.sent':
    case 'batch.exported':
    case 'batch.partial':
    case 'batch.declined':
    case 'batch.released':
    case 'batch.unknown':
    case 'batch.signed':
    case 'batch.broadcast':
    case 'batch.unconfirmed':
    case 'batch.confirmed':
    case 'batch.replaced':
    case 'batch.conflicted':
    case 'batch.unsettled':
    case 'batch.abandoned':
    case 'batch.rejected':
    case 'batch.withdrawn':
      return applyBatch(draft, body, entry, at);
    case 'halt.raised':
    case 'halt.resume-approved':
    case 'halt.resumed':
      return applyHaltEntry(draft, body, entry, at);
  }
}

function applyBatch(
  draft: Draft,
  body: Extract<EntryBody, { kind: `batch.${string}` }>,
  entry: Entry,
  at: UnixSeconds,
): Result<void, Fault> {
  const applied = applyBatchEntry({ ...draft, halts: draft.halts.share() }, body, entry, at);
  if (!applied.ok) return applied;
  draft.batchesSeq = entry.seq;
  draft.denials = nextDenials(draft.denials, body, entry, at, draft.batches.get(body.batch)?.parts ?? []);
  return NOTHING;
}

function applyVault(draft: Draft, body: Extract<EntryBody, { kind: 'vault.imported' }>): Result<void, Fault> {
  if (body.network !== draft.network) {
    return fail('E_JOURNAL_ENTRY', `vault ${body.vault} is of ${body.network}, the journal of ${draft.network}`);
  }
  if (draft.batches.size > 0 && draft.vault?.descriptor !== body.descriptor) {
    return fail('E_JOURNAL_ENTRY', 'the journal has batches of another vault', {
      remedy: 'keep one journal a vault: begin a new workspace',
    });
  }
  draft.vault = { id: body.vault, network: body.network, descriptor: body.descriptor };
  return NOTHING;
}

/** The newest registration of a device takes the place of the one before it, which the journal keeps. */
function applyRegistration(
  draft: Draft,
  { fingerprint, name, policy, hmac }: Extract<EntryBody, { kind: 'device.registered' }>,
  at: UnixSeconds,
): Result<void, Fault> {
  if (draft.vault === null) return fail('E_JOURNAL_ENTRY', `device ${fingerprint} registered a policy of no vault`);
  if (name !== draft.vault.id) {
    return fail('E_JOURNAL_ENTRY', `device ${fingerprint} registered ${name}, and the vault is ${draft.vault.id}`);
  }
  draft.registrations.set(fingerprint, { fingerprint, name, policy, hmac, at });
  return NOTHING;
}

/** Whether two records of a destination stand for exactly the same scripts. */
export function paysTheSame(a: PayableRecord, b: PayableRecord): boolean {
  if ('script' in a) return 'script' in b && a.script === b.script;
  return 'descriptor' in b && a.descriptor === b.descriptor && a.maxIndex === b.maxIndex;
}

function applyBook(
  draft: Draft,
  body: Extract<EntryBody, { kind: 'book.changed' }>,
  at: UnixSeconds,
): Result<void, Fault> {
  const follows = bookFollows(draft, body, at);
  if (!follows.ok) return follows;
  const entries = new Map<string, BookAge>(draft.book?.entries);
  for (const removed of body.removed) {
    const held = entries.get(removed.id);
    if (held === undefined || !paysTheSame(held, removed)) {
      return fail('E_JOURNAL_ENTRY', `the book does not hold ${removed.id} with the script that is removed`);
    }
    entries.delete(removed.id);
  }
  for (const { id, maxIndex } of body.narrowed ?? []) {
    const held = entries.get(id);
    if (held === undefined || !('descriptor' in held) || maxIndex >= held.maxIndex) {
      return fail('E_JOURNAL_ENTRY', `the book holds no descriptor ${id} with more indexes than ${maxIndex}`);
    }
    entries.set(id, { ...held, maxIndex });
  }
  for (const added of body.added) {
    if (entries.has(added.id)) {
      return fail('E_JOURNAL_ENTRY', `the book holds ${added.id} already: remove it in the same entry`);
    }
    entries.set(added.id, { ...added, since: at });
  }
  for (const id of body.proven ?? []) {
    if (!entries.has(id)) return fail('E_JOURNAL_ENTRY', `the book holds no ${id} that could be proven`);
  }
  for (const [id, { proven: _, ...entry }] of entries) {
    entries.set(id, body.proven?.includes(id) === true ? { ...entry, proven: true } : entry);
  }
  draft.book = { digest: body.digest, version: body.version, document: body.document, entries };
  return NOTHING;
}
