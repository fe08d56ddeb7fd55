import { formatTime } from '../../domain/time.js';
import type { Objection } from '../types.js';
import { listed, type Rule, type RuleContext } from './rule.js';

const ANEW = 'abandon the batch, and plan its withdrawals anew if they are still wanted';

function said(kind: Objection['kind'], { state }: RuleContext): readonly Objection[] {
  return state.objections.filter((one) => one.kind === kind);
}

/** An explicit no wins, whoever else approves and whether or not the quorum needs the person. */
export const rejected: Rule = {
  tag: 'rejected',
  codes: ['REJECTED'],
  check: (context) =>
    listed(
      context,
      'REJECTED',
      'Nobody rejected the batch.',
      said('rejected', context).map(({ person, at }) => ({
        subject: person,
        text: `${person} rejected the batch at ${formatTime(at)}.`,
        remedy: ANEW,
      })),
    ),
};

/** Final, so that no approval that was signed before the withdrawal can be brought again to undo it. */
export const withdrawn: Rule = {
  tag: 'approval-withdrawn',
  codes: ['APPROVAL_WITHDRAWN'],
  check: (context) =>
    listed(
      context,
      'APPROVAL_WITHDRAWN',
      'Nobody took an approval back.',
      said('withdrawn', context).map(({ person, at }) => ({
        subject: person,
        text: `${person} took the approval of the batch back at ${formatTime(at)}.`,
        remedy: ANEW,
      })),
    ),
};
