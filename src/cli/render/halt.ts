import { formatHaltScope, haltScopeText } from '../../domain/halt-scope.js';
import { formatTime } from '../../domain/time.js';
import type { HaltRecord } from '../../journal/state.js';
import { listText, quorumText } from '../../policy/describe.js';
import type { ResumeJudgement } from '../../policy/resume.js';
import type { HaltOutlook } from '../../workflow/resume-halt.js';
import type { Style } from './style.js';
import { fields } from './table.js';
import { printable } from './text.js';

/** Whose word a halt is. */
export function raiserText({ source }: HaltRecord): string {
  switch (source.kind) {
    case 'person':
      return source.person;
    case 'unverified':
      return `nobody verifiable (${source.problem})`;
    case 'automatic':
      return `the program, upon ${source.trigger}`;
  }
}

/** A halt and what its end takes, for people. */
export function haltLines({ halt, judgement }: HaltOutlook, style: Style): string[] {
  const pairs: [string, string][] = [
    ['  stops', haltScopeText(halt.scope)],
    ['  since', formatTime(halt.at)],
    ['  raised by', printable(raiserText(halt))],
    ['  because', printable(halt.reason)],
    ['  ends', endText(judgement)],
    ...(judgement.missing === 0
      ? []
      : [['  to agree', `countersign halt resume ${halt.id} --key FILE`] as [string, string]]),
  ];
  return [style.bold(halt.id), ...fields(pairs, style)];
}

/** Who has agreed, who is missing, and when. */
export function endText({ quorum, approved, missing, able, notBefore, may }: ResumeJudgement): string {
  const agreed = approved.length === 0 ? 'nobody has agreed' : `${listText(approved)} agreed`;
  const rest =
    missing === 0
      ? 'nobody is missing'
      : `${missing} more of ${listText(able, 'or')} ${missing === 1 ? 'has' : 'have'} to`;
  const when = may ? 'now: countersign halt resume' : `not before ${formatTime(notBefore)}`;
  return `by ${quorumText(quorum)}; ${agreed}, ${rest}; ${when}`;
}

export function haltJson({ halt, judgement }: HaltOutlook): Record<string, unknown> {
  return { ...recordJson(halt), ...endJson(judgement) };
}

export function recordJson(halt: HaltRecord): Record<string, unknown> {
  const { source } = halt;
  return {
    halt: halt.id,
    scope: formatHaltScope(halt.scope),
    since: formatTime(halt.at),
    reason: halt.reason,
    source: source.kind,
    ...(source.kind === 'person' ? { person: source.person } : {}),
    ...(source.kind === 'unverified' ? { problem: source.problem } : {}),
    ...(source.kind === 'automatic' ? { trigger: source.trigger } : {}),
  };
}

export function endJson({ quorum, approved, missing, able, notBefore, may }: ResumeJudgement): Record<string, unknown> {
  return { needed: quorum.m, approved, missing, able, not_before: formatTime(notBefore), may_end: may };
}
