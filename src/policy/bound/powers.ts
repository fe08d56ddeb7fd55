import type { SourcePosition } from '../../domain/fault.js';
import { durationText, quorumText } from '../describe.js';
import { NOT_ENFORCED } from '../not-enforced.js';
import type { LoadedPolicy, Quorum } from '../types.js';
import { ableIn, canMeet } from './people.js';

/** Something besides paying that a quorum decides: who has it can move the limits themselves. */
export interface Power {
  readonly field: string;
  readonly where: SourcePosition;
  /** Whether these people can do it by themselves, as the program is today. */
  readonly able: boolean;
  readonly text: string;
}

/** Whether this version acts on a field of the policy, and on the one above it. */
export function isEnforced(field: string): boolean {
  return !NOT_ENFORCED.some((entry) => field === entry.field || field.startsWith(`${entry.field}.`));
}

/** What the people can change by themselves: the book, the policy, and the end of a halt. */
export function powersOf(policy: LoadedPolicy, people: ReadonlySet<string>): readonly Power[] {
  const { destinations, changeControl, halt, screening } = policy.document;
  const { cooldown, young } = destinations;
  const wait = durationText(cooldown);
  const notice = isEnforced('change_control.loosening_notice') ? durationText(changeControl.looseningNotice) : null;
  const { document } = policy;
  const power = (field: string, quorum: Quorum, does: string, then: string): Power => {
    const enforced = isEnforced(field);
    const meets = canMeet(quorum, people, document);
    const able = !enforced || meets;
    const number = ableIn(quorum, people, document).length;
    const who = enforced
      ? meets
        ? `They can ${does} by themselves`
        : `They cannot ${does}`
      : `Anybody at the program can ${does}, because ${field} is not enforced yet`;
    const asks = `${field} asks for ${quorumText(quorum)}, and ${number} of these count`;
    return { field, where: policy.where(field), able, text: `${who}: ${asks}.${able ? ` ${then}` : ''}` };
  };
  return [
    power(
      'destinations.book_sign',
      destinations.bookSign,
      'put a new destination into the book',
      `It can be paid ${wait} later, and until it is ${durationText(young.untilAge)} old only within the caps for young destinations.`,
    ),
    power(
      'change_control.sign',
      changeControl.sign,
      'loosen this policy',
      notice === null
        ? 'From then on none of the figures above holds: a loosening takes effect without notice.'
        : `From ${notice} after that none of the figures above holds.`,
    ),
    ...screening.lists.map(({ id, pinnedBy }, index) =>
      power(
        `screening.lists[${index}].sha256_pinned_by`,
        { from: [pinnedBy], m: 1 },
        `sign the screening list ${id}`,
        'What they leave out of it is not screened; the figures above do not rest on it.',
      ),
    ),
    power(
      'halt.resume',
      halt.resume,
      'end a halt',
      `Not sooner than ${durationText(halt.resume.notBefore)} after it was raised.`,
    ),
  ];
}

/** What is assumed, and how far the figures carry. */
export const ASSUMPTIONS: readonly string[] = [
  'The host that evaluates is honest, and its journal is whole.',
  'The device signs whatever was allowed: its PIN is known to the thief, or its holder is one of them.',
  'The batches are asked for in the name of somebody else of the policy, who need not know: nobody signs for that. Nobody else approves, and no other batch counts in the windows.',
  'Every destination of the book may belong to the thief. Blocks come as fast, or as slowly, as suits the thief; what is unconfirmed counts as now.',
  'The figures hold for this policy, as long as it is the active one. Fees are counted in.',
  'No halt stands. One person of halt.raise stops all of it with one signature; whoever signs for the end of a halt is named below.',
];

/** Always the last line: no rule on a host binds somebody who owns the host. */
export const HOST_LINE =
  'evaluating host compromised: no policy bound; what remains is the device screen, the second evaluator, a second signing key, and detection by reconcile.';

/** The parts of this policy that are read and not acted upon: each makes the figures weaker than the document. */
export function weakened(policy: LoadedPolicy): readonly { field: string; where: SourcePosition; reason: string }[] {
  return NOT_ENFORCED.map(({ field, reason }) => ({ field, reason, where: policy.where(field) }));
}
