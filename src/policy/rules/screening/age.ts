import { formatTime } from '../../../domain/time.js';
import type { Finding } from '../../types.js';
import { finding, formatSpan, type RuleContext } from '../rule.js';

/** The age of each list that is there, from its own date and not from when it was taken in. A missing one is missing. */
export function listAges(context: RuleContext): readonly Finding[] {
  const { document, state, time } = context;
  return document.screening.lists.flatMap(({ id, maxAge }, index) => {
    const list = state.screening.get(id);
    if (list === undefined) return [];
    const { issuedAt, expiresAt } = list;
    const age = Math.max(0, time - issuedAt);
    const isCurrent = age <= maxAge;
    // As everything that expires: from exactly then on it has.
    const hasExpired = expiresAt !== null && time >= expiresAt;
    const within = isCurrent && !hasExpired;
    return [
      finding(context, 'DATA_STALE', within ? 'pass' : 'deny', () => ({
        text: hasExpired
          ? `The screening list ${id} expired by its own word at ${formatTime(expiresAt)}.`
          : `The screening list ${id} was issued at ${formatTime(issuedAt)}, ${formatSpan(age)} ago; ${formatSpan(maxAge)} are tolerated.`,
        field: `screening.lists[${index}].max_age`,
        subject: id,
        measured: `${age}`,
        limit: `${maxAge}`,
        headroom: `${Math.max(0, maxAge - age)}`,
        unit: 's',
        remedy: within ? undefined : `take in a newer list: countersign screening import ${id} FILE`,
      })),
    ];
  });
}
