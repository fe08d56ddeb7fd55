import { whoseKey } from '../approval/people.js';
import { type PinFields, pinStatement, SCREENING_NAMESPACE } from '../approval/screening-pin.js';
import { verifySshsig } from '../approval/sshsig.js';
import { type Hex, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';
import type { SignatureRecord } from '../journal/entries.js';
import type { ScreeningRecord } from '../journal/state.js';
import { listText } from '../policy/describe.js';
import { shrinksTooMuch } from '../policy/rules/screening/sound.js';
import { CLOCKS_APART } from '../policy/screening/hits.js';
import { notEmpty, type ScreeningList } from '../policy/screening/list.js';
import type { LoadedPolicy, PolicyDocument } from '../policy/types.js';
import type { BroughtSignature } from './signatures.js';

type NamedList = PolicyDocument['screening']['lists'][number];

/** A list that was brought, and what it is held against. */
export interface BroughtList {
  /** The id that the policy has for it. */
  readonly id: string;
  readonly file: string;
  /** SHA-256 of its bytes. */
  readonly digest: Hex;
  readonly list: ScreeningList;
  /** When plain text was issued, which it does not say itself. */
  readonly issuedAt: UnixSeconds | null;
  readonly pins: readonly BroughtSignature[];
}

export interface ListStanding {
  readonly governing: LoadedPolicy | null;
  /** The list of that id in force, with its scripts. */
  readonly before: (ScreeningRecord & { readonly set: Hex; readonly held: ReadonlySet<Hex> }) | null;
  readonly at: UnixSeconds;
}

export interface ListJudgement {
  readonly named: NamedList;
  readonly governing: LoadedPolicy;
  readonly issuedAt: UnixSeconds;
  readonly pin: SignatureRecord;
  /** Scripts of the list before that this one lacks. */
  readonly removed: number;
}

/**
 * Whether a list may be put into force: the policy names it, it is not empty, it is newer than the one before and of no
 * time to come, somebody of the role that pins it has signed its bytes, and it does not lack more than the policy lets go.
 */
export function judgeList(brought: BroughtList, { governing, before, at }: ListStanding): Result<ListJudgement, Fault> {
  const { id, file, digest, list, pins } = brought;
  const where = { file };
  if (governing === null) {
    return fail('E_POLICY_MISSING', 'no policy says which screening lists there are, and who signs for them', {
      remedy: 'activate a policy first: countersign policy activate FILE',
    });
  }
  const { document } = governing;
  const named = document.screening.lists.find((one) => one.id === id);
  if (named === undefined) return unknownList(id, document);
  const usable = notEmpty(list, file);
  if (!usable.ok) return usable;
  if (list.stated !== null && list.stated.id !== id) {
    return fail('E_SCREENING_UNKNOWN', `${file} is the list ${list.stated.id}, and ${id} was asked for`, {
      where,
      remedy: 'take each list in under its own id',
    });
  }
  const issued = issueTime(brought);
  if (!issued.ok) return issued;
  const timely = checkTime(brought, issued.value, before, at);
  if (!timely.ok) return timely;
  const pin = pinOf({ list: id, digest, issuedAt: issued.value }, pins, named, document, file);
  if (!pin.ok) return pin;
  const removed = before === null ? 0 : countMissing(before.held, list.scripts);
  const shrunk = checkShrink(removed, before?.held.size ?? 0, named, file);
  return shrunk.ok ? ok({ named, governing, issuedAt: issued.value, pin: pin.value, removed }) : shrunk;
}

function unknownList(id: string, { screening }: PolicyDocument): Result<never, Fault> {
  const ids = screening.lists.map((list) => list.id);
  return fail('E_SCREENING_UNKNOWN', `the policy in force names no screening list ${id}`, {
    remedy:
      ids.length === 0
        ? 'name it in screening.lists of a new policy version, which tightens and so applies at once'
        : `it names ${listText(ids)}; another one has to be named in a new policy version`,
  });
}

/** When a list was issued: what it says itself, and of plain text what who pins it says. */
export function issueTime({
  list,
  issuedAt,
  file,
}: Pick<BroughtList, 'list' | 'issuedAt' | 'file'>): Result<UnixSeconds, Fault> {
  const where = { file };
  const own = list.stated?.issuedAt ?? null;
  if (own !== null && issuedAt !== null && own !== issuedAt) {
    return fail('E_SCREENING_TIME', `${file} says that it was issued at ${formatTime(own)}`, {
      where,
      remedy: 'leave --issued-at out: the list says it itself',
    });
  }
  const time = own ?? issuedAt;
  if (time !== null) return ok(time);
  return fail('E_SCREENING_TIME', `${file} is plain text and does not say when it was issued`, {
    where,
    remedy: 'say when it was fetched from its source: --issued-at 2026-06-01T06:00:00Z; the signature covers it',
  });
}

function checkTime(
  { id, file, digest, list }: BroughtList,
  issuedAt: UnixSeconds,
  before: ScreeningRecord | null,
  at: UnixSeconds,
): Result<void, Fault> {
  const where = { file };
  const expiresAt = list.stated?.expiresAt ?? null;
  if (issuedAt > at + CLOCKS_APART) {
    return fail('E_SCREENING_TIME', `${file} was issued at ${formatTime(issuedAt)}, and it is ${formatTime(at)}`, {
      where,
      remedy: 'set the clock right; if it is right, ask who dated the list: one from the future would never grow old',
    });
  }
  if (expiresAt !== null && at >= expiresAt) {
    return fail('E_SCREENING_TIME', `${file} expired at ${formatTime(expiresAt)}`, {
      where,
      remedy: 'fetch a newer one from who issues it',
    });
  }
  if (before === null || issuedAt > before.issuedAt) return ok(undefined);
  const known = `the list ${id} of ${formatTime(before.issuedAt)}, which is in force`;
  if (issuedAt === before.issuedAt && digest === before.document) {
    return fail('E_USAGE', `${file} is ${known}`, { where, remedy: 'nothing is left to do' });
  }
  return fail('E_SCREENING_ROLLBACK', `${file} is of ${formatTime(issuedAt)}, not newer than ${known}`, {
    where,
    remedy: 'an older list is never taken back: what was listed since would be let through',
  });
}

/** Every signature that is brought has to verify; the first by name of those who may pin the list is kept. */
function pinOf(
  fields: PinFields,
  pins: readonly BroughtSignature[],
  { pinnedBy }: NamedList,
  { roles }: PolicyDocument,
  file: string,
): Result<SignatureRecord, Fault> {
  const able = [...(roles.get(pinnedBy)?.keys() ?? [])].sort();
  const sign = `countersign screening sign ${fields.list} FILE --key KEY`;
  const found = new Map<string, string>();
  for (const { from, armored } of pins) {
    const where = { file: from };
    const verified = verifySshsig(armored, utf8(pinStatement(fields)), SCREENING_NAMESPACE);
    if (!verified.ok) {
      const { tag, message, remedy } = verified.error;
      if (tag !== 'E_SSHSIG_INVALID') return fail(tag, message, { remedy, where });
      const what = `the list ${fields.list} with the digest sha256:${fields.digest}, issued at ${formatTime(fields.issuedAt)}`;
      return fail('E_SCREENING_PIN', `the signature is not over ${what}`, {
        where,
        remedy: `compare the file with the one that was signed, its date too; where it is right, have it signed as it is now: ${sign}`,
      });
    }
    const person = whoseKey(roles, verified.value.publicKey);
    if (person === null || !able.includes(person)) {
      const who = person ?? verified.value.publicKey;
      return fail('E_SCREENING_SIGNER', `${who} is not in the role ${pinnedBy}, which pins the list ${fields.list}`, {
        where,
        remedy: `${listText(able, 'or')} can sign it: ${sign}`,
      });
    }
    found.set(person, armored);
  }
  const [first] = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  if (first !== undefined) return ok({ person: first[0], signature: first[1] });
  return fail('E_SCREENING_UNSIGNED', `nobody has signed ${file} as the list ${fields.list}`, {
    where: { file },
    remedy: `${listText(able, 'or')} can sign it: ${sign}`,
  });
}

function countMissing(before: ReadonlySet<Hex>, now: readonly Hex[]): number {
  const held = new Set(now);
  let missing = 0;
  for (const script of before) if (!held.has(script)) missing += 1;
  return missing;
}

/** It binds who pins the list as well: else whoever has that key could empty it by one signature. */
function checkShrink(removed: number, before: number, { maxShrinkBp }: NamedList, file: string): Result<void, Fault> {
  if (!shrinksTooMuch(removed, before, maxShrinkBp)) return ok(undefined);
  const text = `${file} lacks ${removed} of the ${before} scripts of the list in force; the policy lets ${maxShrinkBp} bp go at a time`;
  return fail('E_SCREENING_SHRINK', text, {
    where: { file },
    remedy:
      'compare it with its source: it may be cut off; where so many were taken off indeed, put them back into the file and let them go in steps, or let a new policy version allow more',
  });
}
