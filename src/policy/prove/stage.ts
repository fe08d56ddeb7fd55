import { toHex } from '../../domain/bytes.js';
import { minSats, type Sats } from '../../domain/sats.js';
import type { UnixSeconds } from '../../domain/time.js';
import { calendarOf } from '../bound/calendar.js';
import { leastFee, limitsOf, USUAL_VSIZE } from '../bound/limits.js';
import { canMeet, everybody } from '../bound/people.js';
import { FIRST_HEIGHT, inputOf, type Scene, scriptNamed } from '../bound/scene.js';
import type { Limits } from '../bound/types.js';
import { DAY, HOUR } from '../rules/rolling.js';
import type { EvaluationInput, Facts, LoadedPolicy, PolicyDocument, PolicyState, SpendRecord } from '../types.js';

type Change = Partial<Scene> & { readonly facts?: Partial<Facts>; readonly state?: Partial<PolicyState> };

/** A small batch that the policy allows, to be changed in one respect. */
export class Stage {
  readonly at: UnixSeconds;
  readonly works: boolean;
  readonly least: Sats;
  readonly limits: Limits;
  readonly all: ReadonlySet<string>;
  readonly script: Uint8Array;
  /** Whoever is missed least among those who approve. */
  readonly #initiator: string;

  constructor(readonly policy: LoadedPolicy) {
    const { document } = policy;
    this.all = new Set(everybody(document));
    this.limits = limitsOf({ policy, people: this.all, book: null, bookGrows: true });
    const [at] = calendarOf(document).starts(7 * DAY);
    this.works = at !== undefined;
    this.at = at ?? 0;
    this.least = this.limits.least;
    const [kind = 'p2wpkh'] = document.destinations.scriptTypes;
    this.script = scriptNamed('a destination', kind);
    this.#initiator = leastMissed(this.all, document);
  }

  /** The largest batch, or no more than so much; fee included. */
  largest(most?: Sats): Sats {
    const { cap } = this.limits.batch;
    const { output } = this.policy.document.limits;
    const { defaultCap24h } = this.policy.document.destinations;
    const caps = [cap, output, defaultCap24h, most ?? null].flatMap((one) => (one === null ? [] : [one]));
    return caps.length === 0 ? this.least : caps.reduce(minSats);
  }

  batch({ facts, state, ...change }: Change): EvaluationInput {
    const { document } = this.policy;
    const fee = leastFee(document);
    const at = change.at ?? this.at;
    const payments = [{ script: this.script, amount: this.least - fee }];
    const initiator = this.#initiator;
    const input = inputOf({
      policy: this.policy,
      name: 'batch-1',
      payments,
      fee,
      vsize: USUAL_VSIZE,
      destinations: this.aged(change.payments ?? payments, at, Number.MAX_SAFE_INTEGER),
      spends: [],
      approvedBy: [...this.all].filter((person) => person !== initiator),
      initiator,
      balance: document.limits.reserveFloor + 21_000_000n * 100_000_000n,
      tip: FIRST_HEIGHT,
      ...change,
      at,
    });
    return { ...input, facts: { ...input.facts, ...facts }, state: { ...input.state, ...state } };
  }

  paying(spend: Sats, change: Change = {}): EvaluationInput {
    const fee = change.fee ?? leastFee(this.policy.document);
    return this.batch({ payments: [{ script: this.script, amount: spend - fee }], ...change });
  }

  /** Entries of the book for payments, of an age; at most as old as needed not to be young. All of them have proofs. */
  aged(payments: Scene['payments'], at: UnixSeconds, age: number, ids: readonly string[] = []): Scene['destinations'] {
    const { cooldown, young } = this.policy.document.destinations;
    const since = at - Math.min(age, 10 * Math.max(cooldown, young.untilAge, DAY));
    return payments.map(({ script }, index) => {
      const id = ids[index] ?? `destination-${index + 1}`;
      return { id, label: id, script: toHex(script), since, proven: true };
    });
  }
}

function leastMissed(people: ReadonlySet<string>, document: PolicyDocument): string {
  const met = (initiator: string): number => {
    const others = new Set([...people].filter((person) => person !== initiator));
    return document.approvals.tiers.filter((tier) => canMeet(tier, others, document)).length;
  };
  return [...people].reduce((best, person) => (met(person) > met(best) ? person : best));
}

export const named = (stage: Stage, index: number): Uint8Array =>
  scriptNamed(`destination ${index}`, stage.policy.document.destinations.scriptTypes[0] ?? 'p2wpkh');

/** An amount in pieces of at most so much each; at most 100. */
export function parts(total: Sats, most: Sats): Sats[] {
  const found: Sats[] = [];
  for (let left = total; left > 0n && most > 0n && found.length < 100; left -= minSats(left, most))
    found.push(minSats(left, most));
  return found;
}

export function spent(stage: Stage, change: Partial<SpendRecord>, name = 'earlier'): SpendRecord {
  const at = stage.at - 2 * HOUR;
  const outputs: SpendRecord['outputs'] = [];
  return {
    batch: name,
    spend: 0n,
    fee: 0n,
    outputs,
    inputs: [`${name}:0`],
    reservedAt: at,
    confirmed: { at, height: 1 },
    ...change,
  };
}
