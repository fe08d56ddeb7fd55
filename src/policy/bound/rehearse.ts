import { toHex } from '../../domain/bytes.js';
import { minSats, type Sats, sumSats } from '../../domain/sats.js';
import { dustThreshold } from '../../domain/script.js';
import { firstScript } from '../counterparties.js';
import { evaluate } from '../evaluate.js';
import { DAY } from '../rules/rolling.js';
import type { Cap, DestinationAge, EvaluationInput, PolicyDocument, SpendRecord, Verdict } from '../types.js';
import { destinationsOf } from './destinations.js';
import { type Assumed, leastFee, USUAL_VSIZE } from './limits.js';
import { initiators } from './people.js';
import { FIRST_HEIGHT, inputOf, type Scene, scriptNamed, spendOf } from './scene.js';
import type { Move } from './types.js';

/** A batch of a rehearsed schedule, with what evaluate says of it. */
export interface Step {
  readonly batch: string;
  readonly input: EvaluationInput;
  readonly verdict: Verdict;
}

export interface Rehearsal {
  readonly steps: readonly Step[];
  /** Whether evaluate allowed every batch. */
  readonly allowed: boolean;
}

/** A rehearsal judges one batch after the other, each against all before it. */
export const MOST_STEPS = 400;

/**
 * Has evaluate judge a schedule, batch by batch: each is approved by the same people, asked for by somebody else, and
 * confirmed at once, with as many blocks between batches as the block windows are long. All destinations are of age.
 */
export function rehearse(assumed: Assumed, moves: readonly Move[], balance: Sats | null): Rehearsal {
  const { policy, people } = assumed;
  const { document } = policy;
  const stride = Math.max(6, ...document.limits.rollingBlocks.keys());
  const treasury = balance ?? document.limits.reserveFloor + sumSats(moves.map(({ spend }) => spend));
  const steps: Step[] = [];
  const spends: SpendRecord[] = [];
  const ledger = new Ledger(assumed);
  let left = treasury;
  for (const [number, move] of moves.entries()) {
    const batch = `batch-${number + 1}`;
    const approvers = new Set(move.approvedBy ?? people);
    const plan = ledger.pay(move.at, move.spend);
    const scene = {
      policy,
      at: move.at,
      name: batch,
      ...plan,
      destinations: ledger.book(move.at),
      spends: [...spends],
      balance: left,
      tip: FIRST_HEIGHT + number * stride,
    };
    const step = judged(batch, scene, approvers);
    steps.push(step);
    if (step.verdict.decision !== 'ALLOW') return { steps, allowed: false };
    spends.push(spendOf(step.input, batch));
    left -= move.spend;
  }
  return { steps, allowed: true };
}

/** In the name of whoever makes evaluate allow it; the last one's verdict where nobody's does. */
export function judged(
  batch: string,
  scene: Omit<Scene, 'initiator' | 'approvedBy'>,
  people: ReadonlySet<string>,
): Step {
  let step: Step | null = null;
  for (const initiator of initiators(people, scene.policy.document)) {
    const approvedBy = [...people].filter((person) => person !== initiator);
    const input = inputOf({ ...scene, initiator, approvedBy });
    step = { batch, input, verdict: evaluate(input) };
    if (step.verdict.decision === 'ALLOW') return step;
  }
  if (step === null) throw new Error('a policy names people');
  return step;
}

interface Payee {
  readonly id: string;
  readonly script: Uint8Array;
  readonly cap: Cap;
  readonly paid: { readonly at: number; readonly amount: Sats }[];
}

/** Chooses whom to pay, so that no cap of a destination or an output is in the way. */
class Ledger {
  readonly #payees: Payee[];
  readonly #endless: boolean;
  readonly #document: PolicyDocument;

  constructor({ policy, book, bookGrows }: Assumed) {
    this.#document = policy.document;
    const { known, others } = destinationsOf(policy.document, book, bookGrows);
    const scripts = new Map(book?.entries.map((entry) => [entry.id, firstScript(entry)]));
    this.#endless = others === null;
    this.#payees = known.map(({ id, cap }) => ({ id, cap, script: scripts.get(id) ?? this.#script(id), paid: [] }));
  }

  pay(at: number, spend: Sats): { payments: { script: Uint8Array; amount: Sats }[]; fee: Sats; vsize: bigint } {
    const { limits, fees } = this.#document;
    const payments: { script: Uint8Array; amount: Sats }[] = [];
    const least = leastFee(this.#document);
    let left = spend - least;
    while (left > 0n && payments.length < limits.outputsPerBatch) {
      const [payee, room] = this.#roomiest(at);
      let amount = [left, ...(room === null ? [] : [room]), ...(limits.output === null ? [] : [limits.output])].reduce(
        minSats,
      );
      amount = this.#unrepeated(payee, at, amount);
      if (amount < dustThreshold(payee.script)) break;
      payee.paid.push({ at, amount });
      payments.push({ script: payee.script, amount });
      left -= amount;
    }
    const fee = least + (left > 0n ? left : 0n);
    const forRate = fees.maxRate === 0n ? USUAL_VSIZE : (fee * 1000n + fees.maxRate - 1n) / fees.maxRate;
    return { payments, fee, vsize: forRate > USUAL_VSIZE ? forRate : USUAL_VSIZE };
  }

  /** What the policy wants one more person for is avoided by a satoshi, which goes to the fee. */
  #unrepeated({ paid }: Payee, at: number, most: Sats): Sats {
    if (this.#document.approvals.duplicateGuard !== 'approve') return most;
    const known = new Set(paid.filter((payment) => at - payment.at < DAY).map(({ amount }) => amount));
    let amount = most;
    while (known.has(amount)) amount -= 1n;
    return amount;
  }

  /** All destinations, old enough to be neither cooling nor young. */
  book(at: number): readonly DestinationAge[] {
    const { cooldown, young } = this.#document.destinations;
    const since = at - Math.max(cooldown, young.untilAge);
    return this.#payees.map(({ id, script }) => ({ id, label: id, script: toHex(script), since, proven: true }));
  }

  #roomiest(at: number): readonly [payee: Payee, room: Cap] {
    let best: readonly [Payee, Cap] | null = null;
    for (const payee of this.#payees) {
      const { cap, paid } = payee;
      const used = sumSats(paid.filter((payment) => at - payment.at < DAY).map(({ amount }) => amount));
      const room = cap === null ? null : cap - used;
      if (best === null || (best[1] !== null && (room === null || room > best[1]))) best = [payee, room];
    }
    const cap = this.#document.destinations.defaultCap24h;
    if (best !== null && (!this.#endless || best[1] === null || (cap !== null && best[1] >= cap))) return best;
    const id = `destination-${this.#payees.length + 1}`;
    const fresh: Payee = { id, script: this.#script(id), cap, paid: [] };
    this.#payees.push(fresh);
    return [fresh, cap];
  }

  #script(id: string): Uint8Array {
    const [kind = 'p2wpkh'] = this.#document.destinations.scriptTypes;
    return scriptNamed(`destination ${id}`, kind);
  }
}
