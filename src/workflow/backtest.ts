import { verifySshsig } from '../approval/sshsig.js';
import { APPROVAL_NAMESPACE } from '../approval/statement.js';
import { type Fault, fail } from '../domain/fault.js';
import { parseNetwork } from '../domain/network.js';
import { ok, type Result } from '../domain/result.js';
import { parseTime, type UnixSeconds } from '../domain/time.js';
import type { Entry, EntryBody } from '../journal/entries.js';
import { EMPTY_STATE, fold } from '../journal/fold.js';
import { applyBatchEntry, type BatchDraft } from '../journal/fold-batch.js';
import { policyAt } from '../journal/policies.js';
import { SharedMap } from '../journal/shared-map.js';
import type { BatchRecord, JournalState } from '../journal/state.js';
import { codesOf } from '../policy/bench/run.js';
import { evaluate } from '../policy/evaluate.js';
import { deriveFacts } from '../policy/facts.js';
import type { Approval, DestinationAge, Facts, LoadedPolicy, PolicyState, SpendRecord } from '../policy/types.js';
import { createSpendIndex, type SpendIndex } from '../policy/windows.js';
import { decodePsbt } from '../psbt/decode.js';
import type { DecodedPsbt } from '../psbt/types.js';
import { createDeriver } from '../vault/derive.js';
import { parseVault } from '../vault/descriptor.js';
import type { Deriver } from '../vault/types.js';
import { History, spendOf } from './history.js';
import type { Desk } from './ports.js';
import { requestOf } from './records.js';
import { reusedRequests } from './situation.js';

type Judged = Extract<EntryBody, { kind: 'batch.verdict' }>;
type Ruling = { readonly decision: Judged['decision']; readonly codes: readonly string[] };

/** One decision of the journal, as it was and as the other policy would have made it. */
export interface Replayed {
  readonly seq: number;
  readonly at: string;
  readonly batch: string;
  readonly stage: 'plan' | 'sign';
  readonly before: Ruling;
  readonly after: Ruling;
}

export interface Backtest {
  readonly decisions: number;
  /** Those of which decision or codes differ. */
  readonly changed: readonly Replayed[];
  /** "ALLOW -> DENY" to how often; unchanged decisions under "ALLOW -> ALLOW". */
  readonly moves: ReadonlyMap<string, number>;
}

/** A year that no journal reaches. */
const NEVER: UnixSeconds = 253_402_300_799;

/**
 * Judges every decision of the journal again by another policy: the same bytes, with the spends, ages, coins and approvals
 * of that moment. The other policy is taken as in force all the time, whatever its effective_at and expires_at say; else
 * it would deny the past for being past. One pass over the entries; every fact is derived once a batch.
 */
export async function backtest(desk: Desk, policy: LoadedPolicy): Promise<Result<Backtest, Fault>> {
  const replay = new Replay(desk, timeless(policy));
  for await (const entry of desk.journal.entries()) {
    const taken = await replay.take(entry);
    if (!taken.ok) return taken;
  }
  return ok({ decisions: replay.decisions, changed: replay.changed, moves: replay.moves });
}

function timeless(policy: LoadedPolicy): LoadedPolicy {
  return { ...policy, document: { ...policy.document, effectiveAt: 0, expiresAt: NEVER } };
}

interface KnownFacts {
  readonly facts: Facts;
  /** What they were derived from besides the bytes. */
  readonly basis: readonly unknown[];
}

class Replay {
  decisions = 0;
  readonly changed: Replayed[] = [];
  readonly moves = new Map<string, number>();

  /** All but batches, which the draft keeps where nothing is copied. */
  #state: JournalState = EMPTY_STATE;
  readonly #requests = new SharedMap<{ readonly batch: string; readonly digest: string }>(new Map());
  readonly #requestDigests = new SharedMap<string>(new Map());
  readonly #batches = new SharedMap<BatchRecord>(new Map());
  readonly #heldCoins = new SharedMap<string>(new Map());
  readonly #history: History;
  readonly #decoded = new Map<string, DecodedPsbt>();
  readonly #facts = new Map<string, KnownFacts>();
  #deriver: Deriver | null = null;
  #snapshot: string | null = null;
  #destinations: { readonly book: JournalState['book']; readonly ages: ReadonlyMap<string, DestinationAge> } | null =
    null;
  #index: SpendIndex | null = null;
  #head: UnixSeconds = 0;

  constructor(
    readonly desk: Desk,
    readonly policy: LoadedPolicy,
  ) {
    const { inputs, limits, change } = policy.document;
    const blocks = Math.max(0, ...limits.rollingBlocks.keys());
    this.#history = new History(inputs.minConfirmations, blocks, change.maxGap);
  }

  async take(entry: Entry): Promise<Result<void, Fault>> {
    const { body } = entry;
    const at = parseTime(entry.at);
    if (at === null) throw new Error(`entry ${entry.seq} was not checked: ${entry.at} is not a time`);
    if (!('batch' in body)) {
      const folded = fold(this.#state, entry);
      if (!folded.ok) return folded;
      this.#state = folded.value;
    } else {
      if (body.kind === 'batch.verdict') {
        const judged = await this.#judge(entry, body, at);
        if (!judged.ok) return judged;
      }
      const applied = applyBatchEntry(this.#draft(at), body, entry, at);
      if (!applied.ok) return applied;
      const batch = this.#batches.get(body.batch);
      if (batch === undefined) throw new Error(`batch ${body.batch} is not there after its entry`);
      this.#history.put(batch);
      this.#forget(batch);
    }
    this.#head = at;
    return ok(undefined);
  }

  #draft(at: UnixSeconds): BatchDraft {
    return {
      policy: policyAt(this.#state, at),
      frozen: this.#state.frozen,
      batches: this.#batches,
      requests: this.#requests,
      requestDigests: this.#requestDigests,
      heldCoins: this.#heldCoins,
    };
  }

  /** A batch that is signed or given up is not judged again. */
  #forget({ state, psbt, id }: BatchRecord): void {
    if (state !== 'SIGNED' && state !== 'CONFIRMED' && state !== 'ABANDONED') return;
    this.#decoded.delete(psbt);
    this.#facts.delete(id);
  }

  async #judge(entry: Entry, body: Judged, at: UnixSeconds): Promise<Result<void, Fault>> {
    const batch = this.#batches.get(body.batch);
    if (batch === undefined)
      return fail('E_BATCH_UNKNOWN', `entry ${entry.seq} judges ${body.batch}, which nobody planned`);
    const ready = await this.#prepareCoins();
    if (!ready.ok) return ready;
    const state = await this.#stateFor(batch, body.stage, at);
    if (!state.ok) return state;
    const facts = await this.#factsFor(batch, state.value);
    if (!facts.ok) return facts;
    const { spends } = state.value;
    if (this.#index?.spends !== spends) this.#index = createSpendIndex(spends);
    const requests = batch.requests.map(requestOf);
    const input = { policy: this.policy, facts: facts.value, requests, state: state.value, now: at };
    const verdict = evaluate(input, this.#index);
    this.#note(entry, body, { decision: verdict.decision, codes: codesOf(verdict, ['deny', 'need']) });
    return ok(undefined);
  }

  #note(entry: Entry, { batch, stage, decision, codes }: Judged, after: Ruling): void {
    const before = { decision, codes: [...codes].sort() };
    this.decisions += 1;
    const move = `${before.decision} -> ${after.decision}`;
    this.moves.set(move, (this.moves.get(move) ?? 0) + 1);
    if (before.decision === after.decision && before.codes.join(' ') === after.codes.join(' ')) return;
    this.changed.push({ seq: entry.seq, at: entry.at, batch, stage, before, after });
  }

  /** The snapshot of the moment is read when the first decision rests on it. */
  async #prepareCoins(): Promise<Result<void, Fault>> {
    const { vault, coins, frozen } = this.#state;
    if (vault === null) return fail('E_VAULT_MISSING', 'the journal judges a batch before it knows a vault');
    if (coins === null) return fail('E_COINS_MISSING', 'the journal judges a batch before it knows coins');
    if (this.#deriver?.vault.descriptor !== vault.descriptor) {
      const network = parseNetwork(vault.network);
      if (!network.ok) return network;
      const parsed = parseVault(vault.id, network.value, vault.descriptor);
      if (!parsed.ok) return parsed;
      this.#deriver = createDeriver(parsed.value);
      this.#snapshot = null;
    }
    const known = this.#history.coins;
    if (this.#snapshot === coins.snapshot && known !== null) {
      if (known.frozen !== frozen) this.#history.setCoins(known.snapshot, frozen);
      return ok(undefined);
    }
    const bytes = await this.desk.journal.blob(coins.snapshot);
    if (!bytes.ok) return bytes;
    const snapshot = this.desk.ports.documents.knownSnapshot(bytes.value, 'an imported snapshot', this.#deriver);
    if (!snapshot.ok) return snapshot;
    this.#history.setCoins(snapshot.value, frozen);
    this.#snapshot = coins.snapshot;
    return ok(undefined);
  }

  async #stateFor(batch: BatchRecord, stage: 'plan' | 'sign', at: UnixSeconds): Promise<Result<PolicyState, Fault>> {
    const snapshot = this.#history.coins?.snapshot;
    if (snapshot === undefined) throw new Error('coins were prepared');
    const { tip, takenAt } = snapshot;
    const approvals = stage === 'plan' ? ok([]) : await this.#approvals(batch, at);
    if (!approvals.ok) return approvals;
    const change = this.#history.changeUse(batch);
    const held = this.#history.spends(batch.id, at, tip.height);
    const pending = stage === 'plan' ? this.#partsBefore(batch) : [];
    const requests = batch.requests.map(requestOf);
    return ok({
      spends: pending.length === 0 ? held : [...held, ...pending],
      destinations: this.#ages(),
      confirmedBalance: this.#history.balance(batch, pending),
      tip: { height: tip.height, medianTimePast: tip.medianTimePast },
      snapshotAt: takenAt,
      lastEntryAt: this.#head,
      usedChange: change.scripts,
      lastUsedChange: change.last,
      initiator: batch.initiator,
      approvals: approvals.value,
      reusedRequests: reusedRequests(
        { requests: this.#held(batch), requestDigests: this.#digests(batch) },
        batch.id,
        requests,
      ),
    });
  }

  /** Only what is asked of the two maps: those of this batch's requests. */
  #held({ requests }: BatchRecord): Map<string, { readonly batch: string; readonly digest: string }> {
    return new Map(
      requests.flatMap(({ id }) => {
        const held = this.#requests.get(id);
        return held === undefined ? [] : [[id, held] as const];
      }),
    );
  }

  #digests({ requests }: BatchRecord): Map<string, string> {
    return new Map(
      requests.flatMap(({ id }) => {
        const digest = this.#requestDigests.get(id);
        return digest === undefined ? [] : [[id, digest] as const];
      }),
    );
  }

  #ages(): ReadonlyMap<string, DestinationAge> {
    const { book } = this.#state;
    if (this.#destinations === null || this.#destinations.book !== book) {
      const entries = book === null ? [] : [...book.entries.values()];
      this.#destinations = { book, ages: new Map(entries.map((entry) => [entry.script, entry])) };
    }
    return this.#destinations.ages;
  }

  /** Parts of one plan are judged one after the other, each with those before it. */
  #partsBefore({ id, parts }: BatchRecord): SpendRecord[] {
    return parts.slice(0, Math.max(0, parts.indexOf(id))).flatMap((part) => {
      const other = this.#batches.get(part);
      return other?.state === 'DRAFT' ? [{ ...spendOf(other), reservedAt: other.plannedAt }] : [];
    });
  }

  /** The people of the journal's approvals. They were proven when they were taken in; a touch is read from the signature. */
  async #approvals(batch: BatchRecord, now: UnixSeconds): Promise<Result<readonly Approval[], Fault>> {
    const asksTouch = this.policy.document.approvals.tiers.some(({ touchRequired }) => touchRequired);
    const approvals: Approval[] = [];
    for (const { person, at, validUntil, statement, signature } of batch.approvals) {
      if (validUntil <= now) continue;
      let touch = false;
      if (asksTouch) {
        const signed = await this.desk.journal.blob(statement);
        if (!signed.ok) return signed;
        const verified = verifySshsig(signature, signed.value, APPROVAL_NAMESPACE);
        touch = verified.ok && verified.value.touch;
      }
      approvals.push({ person, at, validUntil, touch });
    }
    return ok(approvals);
  }

  async #factsFor(batch: BatchRecord, state: PolicyState): Promise<Result<Facts, Fault>> {
    const deriver = this.#deriver;
    const coins = this.#history.coins;
    if (deriver === null || coins === null) throw new Error('coins were prepared');
    const basis = [deriver, coins.snapshot, this.#state.frozen, state.lastUsedChange];
    const known = this.#facts.get(batch.id);
    if (known?.basis.every((part, index) => part === basis[index]) === true) return ok(known.facts);
    const decoded = await this.#decode(batch.psbt);
    if (!decoded.ok) return decoded;
    const facts = deriveFacts(decoded.value, {
      deriver,
      coins: coins.byOutpoint,
      tip: coins.snapshot.tip,
      frozen: this.#state.frozen,
      gap: { lastUsedChange: state.lastUsedChange, maxGap: this.policy.document.change.maxGap },
    });
    this.#facts.set(batch.id, { facts, basis });
    return ok(facts);
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
