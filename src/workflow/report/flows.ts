import type { BatchKind } from '../../domain/batch-kind.js';
import { BATCH_KINDS } from '../../domain/batch-kind.js';
import type { Sats } from '../../domain/sats.js';
import type { BatchRecord } from '../../journal/state.js';
import type { Payee, Payees } from './payees.js';
import type { Step } from './step.js';

/** Some batches together. */
export interface Tally {
  readonly batches: number;
  /** Coins that they spend. */
  readonly inputs: number;
  /** Requests that they pay. */
  readonly requests: number;
  /** What their payments come to: all that leaves without the fees. */
  readonly paid: Sats;
  readonly fee: Sats;
}

export const NO_TALLY: Tally = { batches: 0, inputs: 0, requests: 0, paid: 0n, fee: 0n };

export function addTally(a: Tally, b: Tally): Tally {
  return {
    batches: a.batches + b.batches,
    inputs: a.inputs + b.inputs,
    requests: a.requests + b.requests,
    paid: a.paid + b.paid,
    fee: a.fee + b.fee,
  };
}

const tallyOf = ({ inputs, requests, spend, fee }: BatchRecord): Tally => ({
  batches: 1,
  inputs: inputs.length,
  requests: requests.length,
  paid: spend - fee,
  fee,
});

/** What happened to batches: planned, signed (the transaction exists), confirmed, and no longer confirmed (a reorganisation). */
export const PASSAGES = ['planned', 'signed', 'confirmed', 'undone'] as const;
export type Passage = (typeof PASSAGES)[number];

export type Passages = Readonly<Record<Passage, Tally>>;

/** What one destination got; `undone` as above. */
export interface PaidTo extends Payee {
  readonly signed: PaymentSum;
  readonly confirmed: PaymentSum;
  readonly undone: PaymentSum;
}

export interface PaymentSum {
  readonly requests: number;
  readonly amount: Sats;
}

/** How batches ended that paid nothing, and what became of them. Counts of entries. */
export const ENDINGS = ['released', 'declined', 'unknown', 'abandoned', 'replaced', 'conflicted', 'unsettled'] as const;
export type Ending = (typeof ENDINGS)[number];

export interface Flows {
  readonly kinds: readonly { readonly kind: BatchKind; readonly passages: Passages }[];
  /** Those of every kind that take the place of another batch to pay a higher fee. They are among the kinds as well. */
  readonly replacements: Passages;
  /** In order of id; what is in no book comes last. */
  readonly payees: readonly PaidTo[];
  readonly deposits: { readonly coins: number; readonly amount: Sats };
  readonly endings: Readonly<Record<Ending, number>>;
}

const NOTHING: Passages = { planned: NO_TALLY, signed: NO_TALLY, confirmed: NO_TALLY, undone: NO_TALLY };
const NO_PAYMENTS: PaymentSum = { requests: 0, amount: 0n };

/**
 * What was planned, signed and confirmed in a period. Each entry counts in the period in which the journal has it, so what
 * two periods in a row count is what the period of both counts.
 */
export class FlowCount {
  readonly #kinds = new Map<BatchKind, Passages>(BATCH_KINDS.map((kind) => [kind, NOTHING]));
  #replacements: Passages = NOTHING;
  readonly #payees = new Map<string, PaidTo>();
  #deposits = { coins: 0, amount: 0n };
  readonly #endings = new Map<Ending, number>();

  constructor(readonly payees: Payees) {}

  take({ entry, counts, after }: Step): void {
    if (!counts) return;
    const { body } = entry;
    if (body.kind === 'coins.imported' && body.deposits !== undefined) {
      const { coins, amount } = this.#deposits;
      this.#deposits = { coins: coins + body.deposits.coins, amount: amount + BigInt(body.deposits.total) };
    }
    const passage = PASSAGE_OF.get(body.kind);
    if (passage !== undefined && after !== undefined) this.#pass(after, passage);
    const ending = ENDINGS.find((one) => body.kind === `batch.${one}`);
    if (ending !== undefined) this.#endings.set(ending, (this.#endings.get(ending) ?? 0) + 1);
  }

  #pass(batch: BatchRecord, passage: Passage): void {
    const add = (to: Passages): Passages => ({ ...to, [passage]: addTally(to[passage], tallyOf(batch)) });
    this.#kinds.set(batch.kind, add(this.#kinds.get(batch.kind) ?? NOTHING));
    if (batch.replaces !== null && batch.kind !== 'cancellation') this.#replacements = add(this.#replacements);
    if (passage === 'planned') return;
    for (const { payee, requests, amount } of this.payees.of(batch)) {
      const key = payee.destination ?? ` ${payee.script}`;
      const known = this.#payees.get(key) ?? {
        ...payee,
        signed: NO_PAYMENTS,
        confirmed: NO_PAYMENTS,
        undone: NO_PAYMENTS,
      };
      const sum = known[passage];
      this.#payees.set(key, {
        ...known,
        [passage]: { requests: sum.requests + requests, amount: sum.amount + amount },
      });
    }
  }

  result(): Flows {
    const count = (ending: Ending): number => this.#endings.get(ending) ?? 0;
    return {
      kinds: [...this.#kinds].map(([kind, passages]) => ({ kind, passages })),
      replacements: this.#replacements,
      payees: [...this.#payees.values()].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)),
      deposits: this.#deposits,
      endings: {
        released: count('released'),
        declined: count('declined'),
        unknown: count('unknown'),
        abandoned: count('abandoned'),
        replaced: count('replaced'),
        conflicted: count('conflicted'),
        unsettled: count('unsettled'),
      },
    };
  }
}

const PASSAGE_OF: ReadonlyMap<string, Passage> = new Map([
  ['batch.planned', 'planned'],
  ['batch.signed', 'signed'],
  ['batch.confirmed', 'confirmed'],
  ['batch.unconfirmed', 'undone'],
]);

const placeOf = ({ destination, script }: Payee): string => (destination === null ? `~${script}` : destination);
