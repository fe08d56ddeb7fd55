import type { Hex } from '../../domain/bytes.js';
import type { Sats } from '../../domain/sats.js';
import { parseTime, type UnixSeconds } from '../../domain/time.js';
import type { BatchRecord } from '../../journal/state.js';
import type { LoadedPolicy } from '../../policy/types.js';
import { isWithin, type Period, type Step } from './step.js';

/** What one person did. Counts of what is in the journal under the person's name. */
export interface Person {
  readonly person: string;
  /** Batches that the person asked for. */
  readonly planned: BatchSum;
  readonly signed: BatchSum;
  /** Approvals of batches. */
  readonly given: number;
  /** Approvals upon which a batch was reserved or went out, counted the first time. */
  readonly used: number;
  readonly withdrawn: number;
  readonly rejected: number;
  /** Approvals that ran out in the period without ever being used. */
  readonly expired: number;
  readonly haltsRaised: number;
  readonly resumesAgreed: number;
  /** Policies and books signed, and screening lists vouched for. */
  readonly documents: number;
}

export interface BatchSum {
  readonly batches: number;
  /** What leaves, fees included. */
  readonly spend: Sats;
}

/** A batch that went out to be signed upon the word of nobody outside the roles of whoever asked for it. */
export interface OwnGroup {
  readonly batch: string;
  /** Of the newest time that it went out. */
  readonly at: string;
  readonly initiator: string;
  readonly approvers: readonly string[];
  /** Of the policy of that moment: roles that the initiator has. */
  readonly roles: readonly string[];
  readonly spend: Sats;
}

export interface People {
  readonly people: readonly Person[];
  readonly ownGroup: readonly OwnGroup[];
  /** Batches that went out to be signed: those of which the others are some. */
  readonly wentOut: number;
  /** Approvals that can still be used at the end. */
  readonly standing: number;
}

interface Given {
  readonly batch: string;
  readonly person: string;
  readonly validUntil: UnixSeconds;
  used: boolean;
}

type Count = Exclude<keyof Person, 'person' | 'planned' | 'signed'>;

const NOBODY: Omit<Person, 'person'> = {
  planned: { batches: 0, spend: 0n },
  signed: { batches: 0, spend: 0n },
  given: 0,
  used: 0,
  withdrawn: 0,
  rejected: 0,
  expired: 0,
  haltsRaised: 0,
  resumesAgreed: 0,
  documents: 0,
};

export class PeopleCount {
  readonly #people = new Map<string, Person>();
  /** The newest approval of a batch by a person: the ones before it ran out. */
  readonly #given = new Map<string, Given>();
  readonly #ownGroup = new Map<string, OwnGroup>();
  readonly #wentOut = new Set<string>();

  constructor(readonly period: Period) {}

  take({ entry, at, counts, after }: Step, policyOf: (digest: Hex) => LoadedPolicy | undefined): void {
    const { body } = entry;
    const count = (person: string, what: Count): void => {
      if (counts) this.#count(person, what);
    };
    switch (body.kind) {
      case 'batch.planned':
      case 'batch.signed':
        if (counts && after !== undefined) this.#ask(after, body.kind === 'batch.planned' ? 'planned' : 'signed');
        break;
      case 'batch.approved': {
        count(body.person, 'given');
        const key = keyOf(body.batch, body.person);
        const earlier = this.#given.get(key);
        if (earlier !== undefined && this.#hasLapsed(earlier)) this.#count(earlier.person, 'expired');
        this.#given.set(key, {
          batch: body.batch,
          person: body.person,
          validUntil: parseTime(body.validUntil) ?? 0,
          used: false,
        });
        break;
      }
      case 'batch.withdrawn':
        count(body.person, 'withdrawn');
        this.#withdraw(keyOf(body.batch, body.person), at);
        break;
      case 'batch.rejected':
        count(body.person, 'rejected');
        break;
      case 'batch.reserved':
      case 'batch.sent':
      case 'batch.exported':
        for (const person of body.approvers) {
          const given = this.#given.get(keyOf(body.batch, person));
          if (given === undefined || given.used) continue;
          given.used = true;
          count(person, 'used');
        }
        if (counts && body.kind !== 'batch.reserved' && after !== undefined) {
          this.#goOut(after, entry.at, body.approvers, policyOf(after.verdict?.policy ?? ''));
        }
        break;
      case 'halt.raised':
        if (body.source === 'person') count(body.person, 'haltsRaised');
        break;
      case 'halt.resume-approved':
        count(body.person, 'resumesAgreed');
        break;
      case 'policy.activated':
      case 'book.changed':
        for (const { person } of body.signatures) count(person, 'documents');
        break;
      case 'screening.imported':
        count(body.pin.person, 'documents');
        break;
      default:
        break;
    }
  }

  /** `until`: as far as time has come at the end of the period. */
  result(until: UnixSeconds): People {
    const open = [...this.#given.values()].filter(({ used }) => !used);
    const lapsed = open.filter((given) => given.validUntil < until && this.#hasLapsed(given));
    const withLapsed = (one: Person): Person => ({
      ...one,
      expired: one.expired + lapsed.filter(({ person }) => person === one.person).length,
    });
    const names = new Set([...this.#people.keys(), ...lapsed.map(({ person }) => person)]);
    return {
      people: [...names].sort().map((name) => withLapsed(this.#of(name))),
      ownGroup: [...this.#ownGroup.values()],
      wentOut: this.#wentOut.size,
      standing: open.filter(({ validUntil }) => validUntil >= until).length,
    };
  }

  /** Whether it ran out in the period without ever being used. */
  #hasLapsed(given: Given): boolean {
    return !given.used && isWithin(this.period, given.validUntil);
  }

  /** Who takes back what ran out before has nothing to take back: that it ran out is counted all the same. */
  #withdraw(key: string, at: UnixSeconds): void {
    const given = this.#given.get(key);
    if (given === undefined) return;
    if (given.validUntil < at && this.#hasLapsed(given)) this.#count(given.person, 'expired');
    this.#given.delete(key);
  }

  #goOut(
    { id, initiator, spend }: BatchRecord,
    at: string,
    approvers: readonly string[],
    policy: LoadedPolicy | undefined,
  ): void {
    this.#wentOut.add(id);
    const roles = rolesOf(policy, initiator);
    const isOwn = approvers.every((person) => roles.some(({ people }) => people.includes(person)));
    if (!isOwn) this.#ownGroup.delete(id);
    else {
      this.#ownGroup.set(id, { batch: id, at, initiator, approvers, roles: roles.map(({ name }) => name), spend });
    }
  }

  #count(person: string, what: Count): void {
    const known = this.#of(person);
    this.#people.set(person, { ...known, [what]: known[what] + 1 });
  }

  #ask({ initiator, spend }: { readonly initiator: string; readonly spend: Sats }, what: 'planned' | 'signed'): void {
    const known = this.#of(initiator);
    const { batches, spend: before } = known[what];
    this.#people.set(initiator, { ...known, [what]: { batches: batches + 1, spend: before + spend } });
  }

  #of(person: string): Person {
    return this.#people.get(person) ?? { person, ...NOBODY };
  }
}

const keyOf = (batch: string, person: string): string => `${batch} ${person}`;

function rolesOf(
  policy: LoadedPolicy | undefined,
  person: string,
): readonly { readonly name: string; readonly people: readonly string[] }[] {
  return [...(policy?.document.roles ?? [])]
    .filter(([, people]) => people.has(person))
    .map(([name, people]) => ({ name, people: [...people.keys()] }));
}
