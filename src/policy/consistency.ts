import { type Fault, fault, type SourcePosition } from '../domain/fault.js';
import type { WordsByPath } from '../domain/json-schema.js';
import { networkParameters } from '../domain/network.js';
import { formatTime } from '../domain/time.js';
import { versionProblem } from './fields.js';
import type { PolicyDocument, Quorum } from './types.js';

/** Something that two fields of a policy say against each other. */
interface Contradiction {
  readonly field: string;
  readonly message: string;
  readonly remedy?: string;
}

/** What is looked at here, by field, in words that continue "countersign also checks"; quorums say it themselves. */
export const CHECKED_BETWEEN: WordsByPath = {
  prev: 'that version 1 names none here, and every other version one',
  expires_at: 'that this is after effective_at',
  'wallet.device.app': 'that it is the app of the network',
  'wallet.descriptor': 'that its keys are of the network (xpub on main, tpub elsewhere)',
  'roles.*.*': 'that no key is also the key of somebody else',
  'screening.lists[].sha256_pinned_by': 'that there is such a role',
};

/**
 * What no field shows by itself: names that nobody bears, quorums that cannot be met, a key of two people. Such a policy
 * would be found out in the middle of a withdrawal, so it is refused when it is read.
 */
export function checkConsistency(policy: PolicyDocument, where: (field: string) => SourcePosition): readonly Fault[] {
  return [
    ...checkVersion(policy),
    ...checkWallet(policy),
    ...checkKeys(policy),
    ...quorumsOf(policy).flatMap(([field, quorum]) => [...checkQuorum(field, quorum, policy)]),
    ...checkPins(policy),
  ].map(({ field, message, remedy }) =>
    fault('E_POLICY_SCHEMA', `${field}: ${message}`, { where: where(field), remedy }),
  );
}

function* checkVersion({ version, prev, effectiveAt, expiresAt }: PolicyDocument): Iterable<Contradiction> {
  const problem = versionProblem(version, prev);
  if (problem !== null) yield { field: 'prev', message: problem };
  if (effectiveAt >= expiresAt) {
    const message = `${formatTime(expiresAt)} is not after effective_at, ${formatTime(effectiveAt)}`;
    yield { field: 'expires_at', message };
  }
}

function* checkWallet({ wallet }: PolicyDocument): Iterable<Contradiction> {
  const { ledgerApp, xpubVersion } = networkParameters(wallet.network);
  if (wallet.device.app !== ledgerApp) {
    const message = `the app of ${wallet.network} is ${ledgerApp}, not ${wallet.device.app}`;
    yield { field: 'wallet.device.app', message };
  }
  const [due, other] = xpubVersion === networkParameters('main').xpubVersion ? ['xpub', 'tpub'] : ['tpub', 'xpub'];
  if (wallet.descriptor.includes(`]${other}`)) {
    yield { field: 'wallet.descriptor', message: `keys of ${wallet.network} begin with ${due}, not ${other}` };
  }
}

function* checkKeys({ roles }: PolicyDocument): Iterable<Contradiction> {
  const owners = new Map<string, string>();
  for (const [role, people] of roles) {
    for (const [person, keys] of people) {
      for (const line of keys) {
        const key = line.split(' ')[1] ?? line;
        const owner = owners.get(key) ?? person;
        owners.set(key, owner);
        if (owner !== person) {
          const message = `the key of ${person} is also the key of ${owner}: people count, and one person is not two`;
          yield { field: `roles.${role}.${person}`, message, remedy: 'give every person a key of their own' };
        }
      }
    }
  }
}

/** Every quorum of the document, with its field. */
export function quorumsOf(policy: PolicyDocument): readonly (readonly [field: string, quorum: Quorum])[] {
  return [
    ['change_control.sign', policy.changeControl.sign],
    ['destinations.book_sign', policy.destinations.bookSign],
    ...policy.approvals.tiers.map((tier, index) => [`approvals.tiers[${index}]`, tier] as const),
    ['halt.raise', policy.halt.raise],
    ['halt.resume', policy.halt.resume],
  ];
}

/** The people whom a quorum may come from; somebody with two roles is one of them once. */
export function peopleOf(quorum: Quorum, { roles }: PolicyDocument): ReadonlySet<string> {
  return new Set(quorum.from.flatMap((role) => [...(roles.get(role)?.keys() ?? [])]));
}

function* checkQuorum(field: string, quorum: Quorum, policy: PolicyDocument): Iterable<Contradiction> {
  for (const role of quorum.from) {
    if (!policy.roles.has(role)) yield { field: `${field}.from`, message: `there is no role ${role}` };
  }
  const people = peopleOf(quorum, policy).size;
  if (quorum.m > people) {
    const message = `m asks for ${quorum.m} people, but ${quorum.from.join(', ')} have ${people}`;
    yield { field: `${field}.m`, message };
  }
}

function* checkPins({ screening, roles }: PolicyDocument): Iterable<Contradiction> {
  for (const [index, { pinnedBy }] of screening.lists.entries()) {
    if (roles.has(pinnedBy)) continue;
    yield { field: `screening.lists[${index}].sha256_pinned_by`, message: `there is no role ${pinnedBy}` };
  }
}
