import { toHex } from '../../domain/bytes.js';
import { haltScopeText } from '../../domain/halt-scope.js';
import { quoted } from '../../domain/safe-text.js';
import { formatTime } from '../../domain/time.js';
import type { Halt } from '../types.js';
import { listed, plural, type Rule, type RuleContext } from './rule.js';

/** A halt outranks every other rule by its exit code, and hides none of them: all are asked and reported beside it. */
export const halted: Rule = {
  tag: 'halt',
  codes: ['HALTED'],
  check: (context) => {
    const { halts } = context.state;
    const against = halts.filter((halt) => concerns(halt, context));
    const others = halts.length - against.length;
    const content =
      others === 0
        ? 'No halt stands.'
        : `${plural(others, 'halt')} of something else stands; none concerns this batch.`;
    return listed(
      context,
      'HALTED',
      content,
      against.map(({ id, scope, since, reason, source }) => ({
        subject: id,
        text: `A halt stops ${haltScopeText(scope)} since ${formatTime(since)}: ${quoted(reason, 200)}${BY[source]}.`,
        remedy: 'countersign halt status says who can resume it, and from when on; no approval does',
      })),
    );
  },
};

const BY: Readonly<Record<Halt['source'], string>> = {
  person: '',
  unverified: ' (unverified: one officer can clear it)',
  automatic: ' (raised by the program itself)',
};

/** By its script and by its names in the book of now: neither renaming it nor giving it a new address frees it. */
function concerns({ scope, script, names }: Halt, { state, payments }: RuleContext): boolean {
  switch (scope.kind) {
    case 'all':
      return true;
    case 'initiator':
      return state.initiator === scope.person;
    case 'destination':
      return payments.some((output) => {
        const paid = toHex(output.script);
        return paid === script || names.includes(state.destinations.get(paid)?.id ?? '');
      });
  }
}
