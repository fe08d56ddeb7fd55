import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { parseTime, type UnixSeconds } from '../domain/time.js';
import type { EntryBody } from './entries.js';
import type { JournalState, PolicyRecord } from './state.js';

type PolicyBody = Extract<EntryBody, { kind: 'policy.activated' }>;
type BookBody = Extract<EntryBody, { kind: 'book.changed' }>;

/** The two versions that a journal can hold at a time: the one in force, and a newer one that waits. */
interface Policies {
  policy: PolicyRecord | null;
  pendingPolicy: PolicyRecord | null;
}

/** The policy that applies at a moment: a pending one from exactly its effectiveAt on. */
export function policyAt({ policy, pendingPolicy }: Readonly<Policies>, at: UnixSeconds): PolicyRecord | null {
  return pendingPolicy !== null && at >= pendingPolicy.effectiveAt ? pendingPolicy : policy;
}

/**
 * The policy whose people decide about policies and books: the one in force, or the first one of a journal while it
 * waits, since nobody else was ever named.
 */
export function governingPolicy(policies: Readonly<Policies>, at: UnixSeconds): PolicyRecord | null {
  return policyAt(policies, at) ?? policies.pendingPolicy;
}

/** The highest version that was ever activated, in force or not: only its successor is taken. */
export function newestPolicy({ policy, pendingPolicy }: Readonly<Policies>): PolicyRecord | null {
  return pendingPolicy ?? policy;
}

/** Done before every entry, so that what the entry rests on is judged by the policy of its own time. */
export function promotePending(draft: Policies, at: UnixSeconds): void {
  const due = policyAt(draft, at);
  if (due === null || due !== draft.pendingPolicy) return;
  draft.policy = due;
  draft.pendingPolicy = null;
}

/**
 * A version follows the newest one and takes the place of one that waits: who tightens need not wait for a loosening
 * first. What may be in force when, and on whose word, is judged before the entry is written, and by `audit verify`.
 */
export function applyPolicy(draft: Policies, body: PolicyBody, at: UnixSeconds): Result<void, Fault> {
  const newest = newestPolicy(draft);
  if (newest !== null && body.version !== newest.version + 1) {
    return fail('E_JOURNAL_ENTRY', `policy version ${body.version} does not come after ${newest.version}, the newest`, {
      remedy: `give the new policy the version ${newest.version + 1}; an older one is never taken back`,
    });
  }
  const under = signedUnder(draft, body.under, at);
  if (!under.ok) return under;
  const effectiveAt = parseTime(body.effectiveAt);
  if (effectiveAt === null) throw new Error(`the body was not checked: ${body.effectiveAt} is not a time`);
  const record = { digest: body.digest, version: body.version, document: body.document, effectiveAt };
  draft.policy = effectiveAt <= at ? record : draft.policy;
  draft.pendingPolicy = effectiveAt <= at ? null : record;
  return ok(undefined);
}

/** The parts of an entry that say which book it follows, and on whose word. */
export function bookFollows(
  draft: Readonly<Policies & Pick<JournalState, 'book'>>,
  { version, under }: BookBody,
  at: UnixSeconds,
): Result<void, Fault> {
  if (draft.book !== null && version !== draft.book.version + 1) {
    return fail(
      'E_JOURNAL_ENTRY',
      `book version ${version} does not come after ${draft.book.version}, the one in force`,
    );
  }
  return signedUnder(draft, under, at);
}

/** Whose word counts is said by the policy of that moment: no signature is counted under another one. */
export function signedUnder(
  draft: Readonly<Policies>,
  under: string | undefined,
  at: UnixSeconds,
): Result<void, Fault> {
  if (under === governingPolicy(draft, at)?.digest) return ok(undefined);
  return fail('E_JOURNAL_ENTRY', 'its signatures were counted under another policy than the one in force', {
    remedy: 'run the command again: the signatures are counted under the policy in force then',
  });
}
