import type { HaltScope } from '../domain/halt-scope.js';
import type { UnixSeconds } from '../domain/time.js';
import { peopleOf } from './consistency.js';
import type { Halt, PolicyDocument, Quorum } from './types.js';

/** One person's word for the end of a halt, whose signature verified. */
export interface ResumeApproval {
  readonly person: string;
  readonly validUntil: UnixSeconds;
}

export interface ResumeJudgement {
  readonly quorum: Quorum;
  /** People whose word counts now, by name. */
  readonly approved: readonly string[];
  /** People still missing, at least. */
  readonly missing: number;
  /** People whose word is not there and would bring the end nearer, by name. */
  readonly able: readonly string[];
  /** The first second in which the halt can end. */
  readonly notBefore: UnixSeconds;
  /** Whether it can end now. */
  readonly may: boolean;
}

/**
 * Who ends a halt, and when. The quorum of halt.resume and not a second before its delay has passed since the raise; one
 * person of those roles, at once, where nobody verifiable raised it. People count, not keys, and whom the halt is about has
 * no say in its end. A word counts up to, and not including, the second in which it runs out.
 */
export function judgeResume(
  { scope, since, source }: Pick<Halt, 'scope' | 'since' | 'source'>,
  approvals: readonly ResumeApproval[],
  document: PolicyDocument,
  now: UnixSeconds,
): ResumeJudgement {
  const { notBefore: delay, from, m, include } = document.halt.resume;
  const quorum: Quorum =
    source === 'unverified' ? { from, m: 1 } : { from, m, ...(include === undefined ? {} : { include }) };
  const notBefore = source === 'unverified' ? since : since + delay;
  const eligible = withoutSubject(peopleOf(quorum, document), scope);
  const approved = new Set(
    approvals.filter(({ person, validUntil }) => eligible.has(person) && now < validUntil).map(({ person }) => person),
  );
  const included = quorum.include === undefined ? null : peopleOf({ from: [quorum.include], m: 1 }, document);
  const lacksInclude = included !== null && ![...included].some((person) => approved.has(person));
  const missing = Math.max(quorum.m - approved.size, lacksInclude ? 1 : 0);
  // Whoever speaks last has to be of the role that is included, where nobody is yet.
  const needed = lacksInclude && approved.size >= quorum.m - 1 ? withoutSubject(included, scope) : eligible;
  return {
    quorum,
    approved: [...approved].sort(),
    missing,
    able: [...needed].filter((person) => !approved.has(person)).sort(),
    notBefore,
    may: missing === 0 && now >= notBefore,
  };
}

function withoutSubject(people: ReadonlySet<string>, scope: HaltScope): ReadonlySet<string> {
  return new Set([...people].filter((person) => scope.kind !== 'initiator' || person !== scope.person));
}

/** Whether somebody may stop everything with one signature. */
export function mayHalt(person: string, document: PolicyDocument): boolean {
  return peopleOf(document.halt.raise, document).has(person);
}
