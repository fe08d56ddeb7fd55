import { verifySshsig } from '../approval/sshsig.js';
import { APPROVAL_NAMESPACE } from '../approval/statement.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { parseTime, type UnixSeconds } from '../domain/time.js';
import type { Entry, EntryBody } from '../journal/entries.js';
import type { BatchRecord } from '../journal/state.js';
import type { Ruling } from '../policy/evaluate.js';
import type { Approval, LoadedPolicy } from '../policy/types.js';
import { Past } from './past.js';
import type { Desk } from './ports.js';

type Judged = Extract<EntryBody, { kind: 'batch.verdict' }>;

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

class Replay {
  decisions = 0;
  readonly changed: Replayed[] = [];
  readonly moves = new Map<string, number>();
  readonly #past: Past;

  constructor(
    readonly desk: Desk,
    readonly policy: LoadedPolicy,
  ) {
    this.#past = new Past(desk, 'knownSnapshot');
  }

  async take(entry: Entry): Promise<Result<void, Fault>> {
    const { body } = entry;
    if (body.kind === 'batch.verdict') {
      const judged = await this.#judge(entry, body);
      if (!judged.ok) return judged;
    }
    return this.#past.apply(entry);
  }

  async #judge(entry: Entry, body: Judged): Promise<Result<void, Fault>> {
    const batch = this.#past.batch(body.batch);
    if (batch === undefined)
      return fail('E_BATCH_UNKNOWN', `entry ${entry.seq} judges ${body.batch}, which nobody planned`);
    const at = parseTime(entry.at);
    if (at === null) throw new Error(`entry ${entry.seq} was not checked: ${entry.at} is not a time`);
    const examined = await this.#past.examine(batch, body.stage, this.policy);
    if (!examined.ok) return examined;
    const approvals = body.stage === 'plan' ? ok([]) : await this.#approvals(batch, at);
    if (!approvals.ok) return approvals;
    this.#note(entry, body, this.#past.ruling(examined.value, approvals.value, at));
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
}
