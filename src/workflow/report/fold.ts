import { type Hex, trustedHex } from '../../domain/bytes.js';
import type { Fault } from '../../domain/fault.js';
import type { Network } from '../../domain/network.js';
import { ok, type Result } from '../../domain/result.js';
import { formatTime, parseTime, type UnixSeconds } from '../../domain/time.js';
import type { Entry } from '../../journal/entries.js';
import { StateBuilder } from '../../journal/fold.js';
import { Frontier } from '../../journal/merkle.js';
import { policyAt } from '../../journal/policies.js';
import type { BatchRecord } from '../../journal/state.js';
import { holdsBudget } from '../../journal/transitions.js';
import type { LoadedPolicy } from '../../policy/types.js';
import { type Denials, DenialTally } from './denials.js';
import { type BookVersion, DocumentCount, PolicyLine, type PolicyVersion, type ScreeningIntake } from './documents.js';
import { EyesList, type ForEyes } from './eyes.js';
import { FlowCount, type Flows } from './flows.js';
import { HaltCount, type Halts } from './halts.js';
import { type LimitPeak, LimitPeaks } from './limits.js';
import { type FirstPayment, Payees } from './payees.js';
import { type People, PeopleCount } from './people.js';
import { type CoinsImported, type Standing, standingOf } from './standing.js';
import { isWithin, type Period, type Step } from './step.js';

/** The journal at a border: how many entries lie before it, the newest of them, and the root of the tree over all of them. */
export interface Border {
  readonly size: number;
  readonly head: { readonly seq: number; readonly hash: Hex; readonly at: string } | null;
  /** As a checkpoint of that size has it. */
  readonly root: Uint8Array;
}

/** What happened in a period, as the journal says. Computed, not proven: `audit verify` proves. */
export interface AuditReport {
  readonly network: string | null;
  readonly vault: { readonly id: string; readonly descriptor: string } | null;
  readonly entries: number;
  readonly begin: Border;
  readonly end: Border;
  readonly opening: Standing;
  readonly closing: Standing;
  readonly flows: Flows;
  readonly firstPayments: readonly FirstPayment[];
  readonly denials: Denials;
  readonly people: People;
  readonly policies: readonly PolicyVersion[];
  readonly limits: readonly LimitPeak[];
  readonly books: readonly BookVersion[];
  readonly screening: readonly ScreeningIntake[];
  readonly halts: Halts;
  readonly eyes: readonly ForEyes[];
}

/**
 * The report as a fold over the entries from the first one to the last before the end of the period. It reads nothing
 * itself: the text of a policy comes with the entry that put it into force. The same entries give the same report, whatever
 * was appended behind them since.
 */
export class ReportFold {
  readonly #builder = new StateBuilder();
  readonly #tree = new Frontier();
  readonly #payees: Payees;
  readonly #flows: FlowCount;
  readonly #denials = new DenialTally();
  readonly #people: PeopleCount;
  readonly #policies = new PolicyLine();
  readonly #documents = new DocumentCount();
  readonly #halts = new HaltCount();
  readonly #limits = new LimitPeaks();
  readonly #eyes = new EyesList();
  #coins: CoinsImported | null = null;
  #entries = 0;
  #opening: { readonly border: Border; readonly standing: Standing } | null = null;

  constructor(
    readonly period: Period,
    network: Network,
  ) {
    this.#payees = new Payees(network);
    this.#flows = new FlowCount(this.#payees);
    this.#people = new PeopleCount(period);
  }

  /** Takes the next entry; with a policy.activated the policy. The faults of StateBuilder.apply. */
  take(entry: Entry, policy: LoadedPolicy | null): Result<void, Fault> {
    const { body } = entry;
    const at = parseTime(entry.at);
    if (at === null) throw new Error(`entry ${entry.seq} was not checked`);
    this.#passTime(at);
    const before = 'batch' in body ? this.#builder.batch(body.batch) : undefined;
    const applied = this.#builder.apply(entry);
    if (!applied.ok) return applied;
    this.#tree.append(trustedHex(entry.hash));
    const after = 'batch' in body ? this.#builder.batch(body.batch) : undefined;
    this.#count({ entry, at, counts: isWithin(this.period, at), before, after }, policy);
    return ok(undefined);
  }

  /** `until`: the end of the period, or how far time has come where it is not over. */
  finish(until: UnixSeconds): AuditReport {
    this.#passTime(until - 1);
    const opening = this.#opening ?? this.#open(until);
    const state = this.#builder.snapshot();
    return {
      network: state.network,
      vault: state.vault === null ? null : { id: state.vault.id, descriptor: state.vault.descriptor },
      entries: this.#entries,
      begin: opening.border,
      end: this.#border(),
      opening: opening.standing,
      closing: standingOf(state, this.#coins, until),
      flows: this.#flows.result(),
      firstPayments: this.#payees.result(),
      denials: this.#denials.result(),
      people: this.#people.result(until),
      policies: this.#policies.result(this.period, until),
      limits: this.#limits.result(),
      ...this.#documents.result(),
      halts: this.#halts.result(until),
      eyes: this.#eyes.result(state.batches.values()),
    };
  }

  #count(step: Step, policy: LoadedPolicy | null): void {
    const { body } = step.entry;
    if (step.counts) this.#entries += 1;
    if (body.kind === 'coins.imported') this.#coins = body;
    this.#policies.take(step, policy);
    this.#payees.take(step, this.#builder.known.book);
    this.#flows.take(step);
    this.#denials.take(step);
    this.#people.take(step, (digest) => this.#policies.of(digest));
    this.#documents.take(step);
    this.#halts.take(step);
    this.#eyes.take(step);
    const { after } = step;
    if (after !== undefined && changesSpend(step)) this.#limits.put(after);
    if (step.counts && (changesSpend(step) || ['coins.imported', 'policy.activated'].includes(body.kind))) {
      this.#measure(step.at);
    }
  }

  /** What happens between two entries: the period begins, and a policy that waited comes into force. */
  #passTime(at: UnixSeconds): void {
    const { from } = this.period;
    if (this.#opening === null && (from === null || at >= from)) {
      this.#opening = this.#open(from ?? at);
      if (from !== null) this.#measure(from);
    }
    const { pendingPolicy } = this.#builder.known;
    if (pendingPolicy === null || at < pendingPolicy.effectiveAt) return;
    if (isWithin(this.period, pendingPolicy.effectiveAt)) this.#measure(pendingPolicy.effectiveAt);
  }

  #open(at: UnixSeconds): { readonly border: Border; readonly standing: Standing } {
    return { border: this.#border(), standing: standingOf(this.#builder.snapshot(), this.#coins, at) };
  }

  #border(): Border {
    const { head } = this.#builder;
    return {
      size: this.#tree.size,
      head: head === null ? null : { seq: head.seq, hash: head.hash, at: formatTime(head.at) },
      root: this.#tree.root(),
    };
  }

  #measure(at: UnixSeconds): void {
    const { coins, policy, pendingPolicy } = this.#builder.known;
    const inForce = policyAt({ policy, pendingPolicy }, at);
    const loaded = inForce === null ? undefined : this.#policies.of(inForce.digest);
    if (loaded !== undefined) this.#limits.measure(loaded, at, coins?.tip.height ?? 0);
  }
}

/** Whether what windows count may be another after it: a reservation counts the same until it is confirmed or given back. */
function changesSpend({ before, after }: Step): boolean {
  const counted = (batch: BatchRecord | undefined): boolean => batch !== undefined && holdsBudget(batch.state);
  return counted(before) !== counted(after) || (counted(after) && before?.confirmed !== after?.confirmed);
}
