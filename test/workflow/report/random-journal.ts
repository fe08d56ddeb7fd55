import fc from 'fast-check';
import { sha256Hex } from '../../../src/domain/bytes.js';
import { formatTime } from '../../../src/domain/time.js';
import { sealEntry } from '../../../src/journal/chain.js';
import type { Entry, EntryBody } from '../../../src/journal/entries.js';
import { StateBuilder } from '../../../src/journal/fold.js';
import { newestPolicy, policyAt } from '../../../src/journal/policies.js';
import { START } from '../../journal/chains.js';
import { CHANGE, outpoint, SCRIPT, story } from '../../journal/story.js';

export type Move = readonly [what: number, choice: number, seconds: number];

/** Moves of people, devices and blocks; whatever does not follow from the journal is left out. */
export const moves = fc.array(
  fc.tuple(fc.nat({ max: 29 }), fc.nat({ max: 30 }), fc.constantFrom(0, 0, 1, 60, 600, 3600, 7200)),
  { minLength: 10, maxLength: 60 },
);

const PEOPLE = ['bob', 'carol', 'erin'] as const;
const OTHER = `0014${'ef'.repeat(20)}`;

/** A legal journal that these moves make, with every kind of entry that a report counts. */
export function journalOf(told: readonly Move[]): readonly Entry[] {
  const builder = new StateBuilder();
  const entries: Entry[] = [];
  let now = START;
  const put = (...bodies: readonly EntryBody[]): boolean => {
    // All of them or none, as one transaction would.
    const trial = new StateBuilder(builder.snapshot());
    const sealed: Entry[] = [];
    for (const body of bodies) {
      const entry = sealEntry(trial.head, now, body);
      if (!trial.apply(entry).ok) return false;
      sealed.push(entry);
    }
    for (const entry of sealed) {
      if (!builder.apply(entry).ok) throw new Error('it was legal a moment ago');
      entries.push(entry);
    }
    return true;
  };
  put(story.opened(), story.policy(), story.vault());
  for (const [index, [what, choice, seconds]] of told.entries()) {
    now += seconds;
    const state = builder.snapshot();
    const batches = [...state.batches.values()];
    const one = batches[choice % Math.max(1, batches.length)];
    const id = one?.id ?? 'none';
    const person = PEOPLE[choice % PEOPLE.length] ?? 'bob';
    const policy = policyAt(state, now)?.digest;
    const allow = story.verdict(id, 'ALLOW', 'sign', policy);
    const approvers = (one?.approvals ?? []).filter(({ validUntil }) => validUntil >= now).map((each) => each.person);
    const paid = one?.outputs.find(({ change }) => change === null)?.amount.toString() ?? '0';
    const debit = {
      fee: `${one?.fee ?? 0n}`,
      ...(one === undefined || one.kind === 'withdrawal' ? {} : { batchKind: 'consolidation' as const }),
    };
    const fresh = `b${index}`;
    const batch = `${SCRIPT.slice(0, 4)}${index}`;
    switch (what) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const planned = story.planned(fresh, {
          inputs: [outpoint(1000 + index)],
          amount: `${10_000 + choice * 1000}`,
          fee: `${100 + choice}`,
          ...(what === 3 ? { batchKind: 'consolidation' as const } : {}),
        });
        put({ ...planned, initiator: choice % 2 === 0 ? 'alice' : 'dave' } as EntryBody);
        break;
      }
      case 4:
        if (one?.signed != null) {
          const requests = one.requests.map((request) => request.id);
          const options = { inputs: one.inputs, amount: paid, fee: `${one.fee + 7n}`, requests, replaces: id };
          put(
            story.planned(fresh, one.kind === 'consolidation' ? { ...options, batchKind: 'consolidation' } : options),
          );
        }
        break;
      case 5:
        put({
          ...story.verdict(id, 'DENY', choice % 2 === 0 ? 'plan' : 'sign', policy),
          codes: ['APPROVALS_MISSING', 'LIMIT_24H', ...(choice % 3 === 0 ? ['HALTED'] : [])],
        } as EntryBody);
        break;
      case 6:
      case 7:
      case 8:
        put({
          ...story.approved(id, person, formatTime(now + 600 * (1 + (choice % 5)))),
          statement: sha256Hex(batch),
        } as EntryBody);
        break;
      case 9:
      case 10:
      case 11:
        put(allow, story.reserved(id, approvers, paid, debit));
        break;
      case 12:
      case 13:
        put(allow, choice % 4 === 0 ? story.exported(id, approvers) : story.sent(id, approvers));
        break;
      case 14:
      case 15:
      case 16:
        put(allow, story.reserved(id, approvers, paid, debit), allow, story.sent(id, approvers), story.signed(id)) ||
          put(story.signed(id));
        break;
      case 17:
        {
          const outcome = choice % 3 === 0 ? story.released(id) : story.unknown(id);
          put(allow, story.reserved(id, approvers, paid, debit), allow, story.sent(id, approvers), outcome) ||
            put(outcome);
        }
        break;
      case 18:
      case 19:
        put(story.confirmed(id, formatTime(now)));
        break;
      case 20:
        put(story.unconfirmed(id));
        break;
      case 21:
        put(choice % 2 === 0 ? story.withdrawn(id, person) : story.rejected(id, person));
        break;
      case 22:
        put(story.abandoned(id));
        break;
      case 23:
        put(story.halted('all', `halt ${index}`));
        break;
      case 24:
      case 25: {
        const halt = [...state.halts.keys()][0] ?? 'halt-0';
        put(story.agreed(halt, person, formatTime(now + 3600), `${index}`), story.resumed(halt, [person], policy));
        break;
      }
      case 26:
        put(
          choice % 2 === 0
            ? story.frozen()
            : { kind: 'coin.unfrozen', outpoint: outpoint(99), reason: 'clean', by: 'erin' },
        );
        break;
      case 27: {
        const newest = newestPolicy(state);
        const next = story.policy(
          (newest?.version ?? 0) + 1,
          sha256Hex(`policy ${index}`),
          formatTime(now + 600 * (choice % 3)),
        );
        put({ ...next, under: (policyAt(state, now) ?? newest)?.digest ?? '' } as EntryBody);
        break;
      }
      case 28:
        put({
          kind: 'coins.imported',
          snapshot: sha256Hex(`snapshot ${index}`),
          height: 900 + index,
          hash: '00'.repeat(32),
          medianTimePast: now,
          coins: choice,
          total: `${choice * 5000}`,
          ...(choice % 2 === 0 ? {} : { deposits: { coins: choice, total: `${choice * 700}` } }),
        });
        break;
      default: {
        const known = state.book?.entries.get('hot');
        put({
          kind: 'book.changed',
          digest: sha256Hex(`book ${index}`),
          version: (state.book?.version ?? 0) + 1,
          document: sha256Hex('document'),
          under: policy ?? '',
          signatures: [{ person: 'erin', signature: 'armoured' }],
          added: [{ id: 'hot', script: choice % 2 === 0 ? SCRIPT : OTHER, label: CHANGE }],
          removed: known !== undefined && 'script' in known ? [{ id: 'hot', script: known.script }] : [],
        });
      }
    }
  }
  return entries;
}
