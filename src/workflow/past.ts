import type { BatchKind } from '../domain/batch-kind.js';
import type { Coin } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { type Network, parseNetwork } from '../domain/network.js';
import type { WithdrawalRequest } from '../domain/request.js';
import { ok, type Result } from '../domain/result.js';
import { parseTime, type UnixSeconds } from '../domain/time.js';
import type { Entry } from '../journal/entries.js';
import { EMPTY_STATE, fold } from '../journal/fold.js';
import { applyBatchEntry } from '../journal/fold-batch.js';
import { policyAt } from '../journal/policies.js';
import { familyOf } from '../journal/rivals.js';
import { SharedMap } from '../journal/shared-map.js';
import type { BatchRecord, JournalState } from '../journal/state.js';
import { nextState } from '../journal/transitions.js';
import { type BookIndex, createBookIndex } from '../policy/book-index.js';
import type { Destinations } from '../policy/counterparties.js';
import { evaluate, evaluateRuling, type Ruling } from '../policy/evaluate.js';
import { deriveFacts } from '../policy/facts.js';
import { asksSources, type Lists } from '../policy/screening/hits.js';
import type { Approval, Facts, LoadedPolicy, PolicyState, SpendRecord } from '../policy/types.js';
import type { SpendIndex } from '../policy/windows.js';
import { decodePsbt } from '../psbt/decode.js';
import type { DecodedPsbt } from '../psbt/types.js';
import { createDeriver } from '../vault/derive.js';
import { parseVault } from '../vault/descriptor.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { Deriver } from '../vault/types.js';
import type { Assessment } from './assess.js';
import { DeclaredIndexes, destinationsOf } from './destinations.js';
import { policyHalts } from './halt-scene.js';
import { History, spendOf } from './history.js';
import { changeCoins } from './own-coins.js';
import type { KnownFacts, OpenPlan, Quarantined } from './past-parts.js';
import type { Desk } from './ports.js';
import { objectionsOf, requestOf } from './records.js';
import { provenanceOf, quarantined, ScreeningLists } from './screening-lists.js';
import { reusedRequests } from './situation.js';

type Stage = 'plan' | 'sign';

/** A batch as a verdict of that moment saw it, before approvals are counted. */
export interface Examined {
  readonly deriver: Deriver;
  readonly policy: LoadedPolicy;
  readonly decoded: DecodedPsbt;
  readonly facts: Facts;
  readonly kind: BatchKind;
  readonly requests: readonly WithdrawalRequest[];
  /** Without approvals. */
  readonly state: PolicyState;
  /** The spends of the state, arranged. Good until the next entry is applied. */
  readonly index: SpendIndex;
}

/**
 * The journal at each moment of its past, entry by entry from the first one, with all that a verdict of that moment looked
 * at. Judge first, then `apply` the entry. One pass: every step costs what the live batches and the spends of the windows
 * cost, whatever the length of the journal; each PSBT is decoded once, and each snapshot read once.
 */
export class Past {
  /** All but batches, which are kept where nothing is copied. */
  #state: JournalState = EMPTY_STATE;
  readonly #requests = new SharedMap<{ readonly batch: string; readonly digest: string }>(new Map());
  readonly #requestDigests = new SharedMap<string>(new Map());
  readonly #batches = new SharedMap<BatchRecord>(new Map());
  readonly #heldCoins = new SharedMap<string>(new Map());
  readonly #decoded = new Map<string, DecodedPsbt>();
  readonly #facts = new Map<string, KnownFacts>();
  #plan: OpenPlan | null = null;
  #head: UnixSeconds = 0;
  #deriver: Deriver | null = null;
  #snapshot: { readonly deriver: Deriver; readonly value: Snapshot } | null = null;
  #history: { readonly policy: string; readonly of: History } | null = null;
  readonly #declared = new DeclaredIndexes();
  #destinations: { readonly book: JournalState['book']; readonly network: Network; readonly of: Destinations } | null =
    null;
  #book: BookIndex | null = null;
  readonly #lists: ScreeningLists;
  #quarantined: Quarantined | null = null;

  /** `reader` says whether snapshots are believed or every coin of theirs is derived again. */
  constructor(
    readonly desk: Desk,
    readonly reader: 'snapshot' | 'knownSnapshot',
  ) {
    this.#lists = new ScreeningLists(desk.journal);
  }

  /** Everything but batches, requests and coins in use, as of the newest entry that was applied. */
  get state(): JournalState {
    return this.#state;
  }

  get batches(): ReadonlyMap<string, BatchRecord> {
    return this.#batches.share();
  }

  batch(id: string): BatchRecord | undefined {
    return this.#batches.get(id);
  }

  /** Takes the next entry, whose place in the chain was verified. The faults of StateBuilder.apply. */
  apply(entry: Entry): Result<void, Fault> {
    const { body } = entry;
    const at = parseTime(entry.at);
    if (at === null) throw new Error(`entry ${entry.seq} was not checked: ${entry.at} is not a time`);
    if (!this.#belongsToPlan(body)) this.#endPlan();
    if ('batch' in body) {
      const applied = applyBatchEntry(this.#draft(at), body, entry, at);
      if (!applied.ok) return applied;
      this.#take(body);
    } else {
      const folded = fold(this.#state, entry);
      if (!folded.ok) return folded;
      this.#state = folded.value;
    }
    this.#head = at;
    return ok(undefined);
  }

  /**
   * A batch that has been planned, as its verdict of this moment sees it under a policy: at planning as of the entry before
   * the whole plan, with the parts before it pending; at signing, and when people approve, as of the newest entry.
   */
  async examine(batch: BatchRecord, stage: Stage, policy: LoadedPolicy): Promise<Result<Examined, Fault>> {
    if (stage === 'sign') this.#endPlan();
    const plan = stage === 'plan' ? this.#plan : null;
    if (stage === 'plan' && plan?.planned.includes(batch.id) !== true) {
      return fail('E_JOURNAL_ENTRY', `a verdict at planning stands behind its plan, and batch ${batch.id} is past it`);
    }
    const read = await this.snapshot();
    if (!read.ok) return read;
    const { deriver, value: snapshot } = read.value;
    const lists = await this.#lists.of(this.#state.screening, policy.document, snapshot.coins);
    if (!lists.ok) return lists;
    const history = this.#historyOf(policy, snapshot, this.#quarantine(policy, snapshot, lists.value));
    const pending = plan === null ? [] : this.#partsBefore(batch, plan);
    // Nothing of a batch that is being planned is held yet, so there is nothing of its own to leave out.
    const asked: BatchRecord = plan === null ? batch : { ...batch, state: 'ABANDONED' };
    const index = history.spends(batch.id, plan?.before ?? this.#head, snapshot.tip.height, pending);
    const change = history.changeUse(asked);
    const rivals = familyOf(this.#batches, batch).filter(({ id }) => id !== batch.id);
    const requests = batch.requests.map(requestOf);
    const { spends } = index;
    const besides: Omit<PolicyState, 'destinations' | 'counterparties'> = {
      spends,
      confirmedBalance: history.balance(asked, rivals, pending),
      tip: { height: snapshot.tip.height, medianTimePast: snapshot.tip.medianTimePast },
      snapshotAt: snapshot.takenAt,
      lastEntryAt: plan?.before ?? this.#head,
      usedChange: change.scripts,
      lastUsedChange: change.last,
      initiator: batch.initiator,
      approvals: [],
      reusedRequests: plan === null ? this.#reused(batch.id, requests) : [],
      screening: lists.value,
      halts: policyHalts(this.#state),
      objections: plan === null ? objectionsOf(batch) : [],
    };
    const decoded = await this.#decode(batch.psbt);
    if (!decoded.ok) return decoded;
    const facts = this.#factsOf(batch, decoded.value, policy, deriver, history, besides.lastUsedChange);
    const indexed = this.#declared.beside(batch.id, (id) => this.#batches.get(id));
    const destinations = this.#destinationsOf(deriver.vault.network);
    const about = destinations.about({ outputs: facts.outputs, requests, spends, indexed });
    const state: PolicyState = { ...besides, ...about };
    return ok({ deriver, policy, decoded: decoded.value, facts, kind: batch.kind, requests, state, index });
  }

  /** The verdict on what was examined, at a moment, with these approvals. */
  judge(examined: Examined, approvals: readonly Approval[], now: UnixSeconds): Assessment {
    const { policy, decoded, facts, kind, requests, state } = examined;
    const { spends, book } = this.#arrange(examined);
    const verdict = evaluate({ policy, kind, facts, requests, state: { ...state, approvals }, now }, spends, book);
    return { decoded, requests, facts, verdict };
  }

  /** What that verdict comes to, for a reader who wants no more. */
  ruling(examined: Examined, approvals: readonly Approval[], now: UnixSeconds): Ruling {
    const { policy, facts, kind, requests, state } = examined;
    return evaluateRuling(
      { policy, kind, facts, requests, state: { ...state, approvals }, now },
      this.#arrange(examined),
    );
  }

  #arrange({ state, policy, index }: Examined): { readonly spends: SpendIndex; readonly book: BookIndex } {
    const { network } = policy.document.wallet;
    if (this.#book?.destinations !== state.destinations || this.#book.network !== network) {
      this.#book = createBookIndex(state.destinations, network);
    }
    return { spends: index, book: this.#book };
  }

  /** The vault with its coins of the moment, which may not have been imported yet. */
  async vault(): Promise<Result<{ readonly deriver: Deriver; readonly coins: readonly Coin[] }, Fault>> {
    if (this.#state.coins !== null) {
      const read = await this.snapshot();
      return read.ok ? ok({ deriver: read.value.deriver, coins: read.value.value.coins }) : read;
    }
    const deriver = this.#deriverOf(this.#state.vault);
    return deriver.ok ? ok({ deriver: deriver.value, coins: [] }) : deriver;
  }

  #deriverOf(vault: JournalState['vault']): Result<Deriver, Fault> {
    if (vault === null) return fail('E_VAULT_MISSING', 'the journal judges a batch before it knows a vault');
    if (this.#deriver?.vault.descriptor !== vault.descriptor || this.#deriver.vault.id !== vault.id) {
      const network = parseNetwork(vault.network);
      if (!network.ok) return network;
      const parsed = parseVault(vault.id, network.value, vault.descriptor);
      if (!parsed.ok) return parsed;
      this.#deriver = createDeriver(parsed.value);
    }
    return ok(this.#deriver);
  }

  /** The snapshot of the moment; read when the first decision rests on it. */
  async snapshot(): Promise<Result<{ readonly deriver: Deriver; readonly value: Snapshot }, Fault>> {
    const { vault, coins } = this.#state;
    const open = this.#deriverOf(vault);
    if (!open.ok) return open;
    const deriver = open.value;
    if (coins === null) return fail('E_COINS_MISSING', 'the journal judges a batch before it knows coins');
    if (this.#snapshot?.deriver === deriver && this.#snapshot.value.sha256 === coins.snapshot) {
      return ok(this.#snapshot);
    }
    const bytes = await this.desk.journal.blob(coins.snapshot);
    if (!bytes.ok) return bytes;
    const read = this.desk.ports.documents[this.reader](bytes.value, 'an imported snapshot', deriver);
    if (!read.ok) return read;
    this.#snapshot = { deriver, value: read.value };
    return ok(this.#snapshot);
  }

  #draft(at: UnixSeconds) {
    return {
      policy: policyAt(this.#state, at),
      frozen: this.#state.frozen,
      coins: this.#state.coins,
      batches: this.#batches,
      requests: this.#requests,
      requestDigests: this.#requestDigests,
      heldCoins: this.#heldCoins,
      halts: this.#state.halts,
      book: this.#state.book,
    };
  }

  #belongsToPlan(body: Entry['body']): boolean {
    const isPart = (id: string): boolean => this.#plan?.parts.includes(id) === true;
    return (
      (body.kind === 'batch.planned' && isPart(body.batch)) ||
      (body.kind === 'batch.verdict' && body.stage === 'plan' && this.#plan?.planned.includes(body.batch) === true)
    );
  }

  /** From here on the batches of the plan are held, as everybody else sees them. */
  #endPlan(): void {
    for (const id of this.#plan?.planned ?? []) {
      const batch = this.#batches.get(id);
      if (batch !== undefined) this.#history?.of.put(batch);
    }
    this.#plan = null;
  }

  #take(body: Extract<Entry['body'], { batch: string }>): void {
    const batch = this.#batches.get(body.batch);
    if (batch === undefined) throw new Error(`batch ${body.batch} is not there after its entry`);
    if (body.kind === 'batch.planned') {
      this.#plan ??= { parts: body.parts, before: this.#head, planned: [] };
      this.#plan.planned.push(batch.id);
      this.#declared.add(batch);
    } else if (this.#plan === null) {
      this.#history?.of.put(batch);
    }
    // A batch that is signed or given up is not judged again.
    const { state, psbt, id } = batch;
    if (nextState(state, 'batch.verdict') !== null) return;
    this.#decoded.delete(psbt);
    this.#facts.delete(id);
  }

  /** The same for every verdict under one policy; built anew where another policy asks, which is seldom. */
  #historyOf(
    policy: LoadedPolicy,
    snapshot: Snapshot,
    { coins }: { readonly coins: ReadonlyMap<string, unknown> },
  ): History {
    const { frozen } = this.#state;
    if (this.#history?.policy !== policy.digest) {
      const { inputs, limits, change } = policy.document;
      const blocks = Math.max(0, ...limits.rollingBlocks.keys());
      const fresh = new History(inputs.minConfirmations, blocks, change.maxGap);
      const inPlan = new Set(this.#plan?.planned);
      for (const batch of this.#batches.share().values()) if (!inPlan.has(batch.id)) fresh.put(batch);
      this.#history = { policy: policy.digest, of: fresh };
    }
    const { of } = this.#history;
    const known = of.coins;
    if (known?.snapshot !== snapshot || known.frozen !== frozen || known.quarantined !== coins) {
      of.setCoins(snapshot, frozen, coins);
    }
    return of;
  }

  /** The same as long as snapshot, lists and policy are. */
  #quarantine(policy: LoadedPolicy, snapshot: Snapshot, lists: Lists): Quarantined {
    const basis = [policy.digest, snapshot, lists];
    const known = this.#quarantined;
    if (known?.basis.every((part, index) => part === basis[index]) === true) return known;
    const provenance = known?.basis[1] === snapshot ? known.provenance : provenanceOf(snapshot);
    const coins = quarantined(snapshot.coins, provenance, policy.document, lists);
    this.#quarantined = { basis, provenance, coins };
    return this.#quarantined;
  }

  /** They were judged before they were written down: their entries may be of a later second than the verdict. */
  #partsBefore({ id }: BatchRecord, { planned, before }: OpenPlan): SpendRecord[] {
    return planned.slice(0, planned.indexOf(id)).flatMap((part) => {
      const other = this.#batches.get(part);
      return other === undefined ? [] : [{ ...spendOf(other), reservedAt: before }];
    });
  }

  /** Only what is asked of the two maps: those of this batch's requests. */
  #reused(id: string, asked: readonly WithdrawalRequest[]): readonly string[] {
    const requests = new Map<string, { readonly batch: string; readonly digest: string }>();
    const requestDigests = new Map<string, string>();
    for (const request of asked) {
      const held = this.#requests.get(request.id);
      const digest = this.#requestDigests.get(request.id);
      // The usual case: the id is this batch's own, with the content that its plan gave it.
      if (held?.batch === id && held.digest === digest) continue;
      if (held !== undefined) requests.set(request.id, held);
      if (digest !== undefined) requestDigests.set(request.id, digest);
    }
    return requestDigests.size === 0
      ? []
      : reusedRequests({ requests, requestDigests, batches: this.#batches }, id, asked);
  }

  #destinationsOf(network: Network): Destinations {
    const { book } = this.#state;
    if (this.#destinations === null || this.#destinations.book !== book || this.#destinations.network !== network) {
      this.#destinations = { book, network, of: destinationsOf(this.#state, network) };
    }
    return this.#destinations.of;
  }

  #factsOf(
    { id, childOf }: BatchRecord,
    decoded: DecodedPsbt,
    policy: LoadedPolicy,
    deriver: Deriver,
    { coins }: History,
    lastUsedChange: number,
  ): Facts {
    if (coins === null) throw new Error('a history has its coins before facts are derived');
    const { snapshot, byOutpoint, onScript, frozen } = coins;
    const { maxGap } = policy.document.change;
    const sources = asksSources(policy.document) ? (this.#quarantined?.provenance ?? null) : null;
    const parent = childOf === null ? null : (this.#batches.get(childOf) ?? null);
    const basis = [deriver, snapshot, frozen, lastUsedChange, maxGap, sources];
    const known = this.#facts.get(id);
    if (known?.basis.every((part, index) => part === basis[index]) === true) return known.facts;
    const gap = { lastUsedChange, maxGap };
    const parentChange = parent === null ? {} : { parentChange: changeCoins(parent) };
    const context = { deriver, coins: byOutpoint, ...parentChange, tip: snapshot.tip, frozen, gap, onScript, sources };
    const facts = deriveFacts(decoded, context);
    this.#facts.set(id, { facts, basis });
    return facts;
  }

  async #decode(psbt: string): Promise<Result<DecodedPsbt, Fault>> {
    const known = this.#decoded.get(psbt);
    if (known !== undefined) return ok(known);
    const bytes = await this.desk.journal.blob(psbt);
    if (!bytes.ok) return bytes;
    const decoded = decodePsbt(bytes.value);
    if (decoded.ok) this.#decoded.set(psbt, decoded.value);
    return decoded;
  }
}
