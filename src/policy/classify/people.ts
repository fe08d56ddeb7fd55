import { peopleOf, quorumsOf } from '../consistency.js';
import { listText } from '../describe.js';
import { parsePublicKey } from '../public-key.js';
import type { PolicyDocument } from '../types.js';
import { type Difference, type Order, type Pair, worst } from './order.js';

type Roles = PolicyDocument['roles'];

export function peopleInRole(role: string, document: PolicyDocument): ReadonlySet<string> {
  return peopleOf({ from: [role], m: 1 }, document);
}

/** The quorum by which people stop everything; every other one lets something happen. */
const STOP = 'halt.raise';

/** The fields that give a role a say in letting something happen. */
function grantsOf(role: string, document: PolicyDocument): string[] {
  const quorums = quorumsOf(document).filter(([field, { from }]) => field !== STOP && from.includes(role));
  const pins = document.screening.lists.flatMap(({ id, pinnedBy }) => (pinnedBy === role ? [`the list ${id}`] : []));
  return [...quorums.map(([field]) => field), ...pins];
}

function grantsIn(role: string, { before, after }: Pair): string[] {
  return [...new Set([...grantsOf(role, before.document), ...grantsOf(role, after.document)])];
}

const canStop = (person: string, document: PolicyDocument): boolean =>
  peopleOf(document.halt.raise, document).has(person);

function isKnown(person: string, { roles }: PolicyDocument): boolean {
  return [...roles.values()].some((people) => people.has(person));
}

/** Whether a person had a say in letting something happen. */
function hadGrants(person: string, document: PolicyDocument): boolean {
  return [...document.roles].some(([role, people]) => people.has(person) && grantsOf(role, document).length > 0);
}

/**
 * People who had a say and stand in no role any more. That they cannot stop everything any more either is part of the
 * revocation: it must be possible at once. Who could do nothing but stop is not among them, as to lose them only loosens.
 */
export function revoked({ before, after }: Pair): ReadonlySet<string> {
  const people = [...before.document.roles.values()].flatMap((members) => [...members.keys()]);
  return new Set(people.filter((person) => !isKnown(person, after.document) && hadGrants(person, before.document)));
}

// ---------------------------------------------------------------- keys

/** The comment of a key says nothing that could be checked. */
const keyOf = (line: string): string => line.split(' ')[1] ?? line;

function keyName(line: string): string {
  const key = parsePublicKey(line);
  return key.ok ? `${key.value.type} ${key.value.fingerprint}` : keyOf(line);
}

const keysText = (lines: readonly string[]): string => listText(lines.map(keyName));

/** Every key of a person, whichever role it is written under: an approval counts for the person. */
function keysOf(person: string, { roles }: PolicyDocument): ReadonlySet<string> {
  return new Set([...roles.values()].flatMap((people) => (people.get(person) ?? []).map(keyOf)));
}

// ---------------------------------------------------------------- the order

/** Roles, people and keys. Renaming somebody, or a role, is a loosening: under that name they are new. */
export const ROLES: Order<Roles> = {
  law: 'a person added to a role that a quorum or a screening list asks, or a key added to a person, is looser; taking either away is tighter. Of a role that can only stop (halt.raise) it is the other way round. A role that nothing asks has no effect',
  compare: (before, after, pair) =>
    [...new Set([...before.keys(), ...after.keys()])].flatMap((role) => {
      const [old, now] = [before.get(role) ?? NOBODY, after.get(role) ?? NOBODY];
      return [...new Set([...old.keys(), ...now.keys()])].flatMap((person) => {
        const found = comparePerson(role, person, old.get(person), now.get(person), pair);
        return found.map((difference) => ({ ...difference, part: `.${role}.${person}` }));
      });
    }),
};

const NOBODY: ReadonlyMap<string, readonly string[]> = new Map();

function comparePerson(
  role: string,
  person: string,
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
  pair: Pair,
): Difference[] {
  const effects = [
    ...(before === undefined ? [joining(role, person, pair)] : []),
    ...(after === undefined ? [leaving(role, person, pair)] : []),
    ...keyEffects(person, before ?? [], after ?? [], pair),
  ];
  if (effects.length === 0) return [];
  const texts = { before: keysText(before ?? []), after: keysText(after ?? []) };
  const gone = after === undefined ? { gone: true } : {};
  return [{ ...texts, ...gone, kind: worst(effects), why: effects.map(({ why }) => why).join('; ') }];
}

type Effect = Pick<Difference, 'kind' | 'why'>;

function joining(role: string, person: string, pair: Pair): Effect {
  const grants = grantsIn(role, pair);
  if (grants.length > 0) return { kind: 'loosening', why: `${person} now counts for ${listText(grants)}` };
  if (canStop(person, pair.after.document) && !canStop(person, pair.before.document)) {
    return { kind: 'tightening', why: `${person} can do no more than stop everything (${STOP})` };
  }
  return { kind: 'neutral', why: `nothing asks the role ${role} for anything that ${person} could not do before` };
}

function leaving(role: string, person: string, pair: Pair): Effect {
  const grants = grantsIn(role, pair);
  const losesStop = canStop(person, pair.before.document) && !canStop(person, pair.after.document);
  if (losesStop && !revoked(pair).has(person)) {
    return { kind: 'loosening', why: `${person} can no longer stop everything (${STOP})` };
  }
  if (grants.length > 0) return { kind: 'tightening', why: `${person} no longer counts for ${listText(grants)}` };
  return { kind: 'neutral', why: `the role ${role} let ${person} do nothing that is lost` };
}

/** What keys change for somebody who is in some role before and after; for others joining and leaving say it all. */
function keyEffects(person: string, before: readonly string[], after: readonly string[], pair: Pair): Effect[] {
  if (!isKnown(person, pair.before.document) || !isKnown(person, pair.after.document)) return [];
  const [had, has] = [keysOf(person, pair.before.document), keysOf(person, pair.after.document)];
  const [old, now] = [new Set(before.map(keyOf)), new Set(after.map(keyOf))];
  const added = after.filter((line) => !old.has(keyOf(line)));
  const removed = before.filter((line) => !now.has(keyOf(line)));
  const gained = added.filter((line) => !had.has(keyOf(line)));
  const lost = removed.filter((line) => !has.has(keyOf(line)));
  const onlyStops = !hadGrants(person, pair.before.document) && !hadGrants(person, pair.after.document);
  const [more, less] = onlyStops ? (['tightening', 'loosening'] as const) : (['loosening', 'tightening'] as const);
  const whys = [
    ...(gained.length > 0 ? [{ kind: more, why: `${person} can sign with another key: ${keysText(gained)}` }] : []),
    ...(lost.length > 0 ? [{ kind: less, why: `${person} can no longer sign with ${keysText(lost)}` }] : []),
  ];
  const moved = added.length + removed.length > gained.length + lost.length;
  if (whys.length > 0 || !moved || before.length === 0 || after.length === 0) return whys;
  return [{ kind: 'neutral', why: `${person} has the same keys, written under other roles` }];
}
