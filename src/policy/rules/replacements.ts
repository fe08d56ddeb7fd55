import { maxSats, sumSats } from '../../domain/sats.js';
import { linkedTo } from '../windows.js';
import { capped, finding, type Rule } from './rule.js';

/**
 * Who is asked to sign one replacement after the other, each dearer than the one before, would never see one fee above the
 * limit, and yet raise the fee without end: a limit of one fee has to hold for all that compete for the same coins. So the
 * fees of all batches that are linked by shared inputs, directly or through one another, count together. That is more than
 * can ever be paid, as two that share an input cannot both confirm; and no batch added to them lowers it. One that lost
 * against a confirmed one is no longer among them: nothing of its fee can be paid.
 *
 * Where nothing is replaced, there is one fee, which FEE_ABS limits.
 */
export const feeReplacements: Rule = {
  tag: 'fee-replacements',
  codes: ['FEE_REPLACEMENTS'],
  check: (context) => {
    const { fee } = context.facts;
    const linked = linkedTo(context.index, context.claim(fee));
    if (linked.length === 0) {
      return [finding(context, 'FEE_REPLACEMENTS', 'pass', 'The batch replaces no other: its fee stands alone.')];
    }
    const earlier = sumSats(linked.map((spend) => spend.fee));
    return [
      capped(context, {
        code: 'FEE_REPLACEMENTS',
        what: `The fee, with those of ${[...linked.map(({ batch }) => batch)].sort().join(', ')}, which it would replace,`,
        cap: context.document.fees.maxAbs,
        tally: { measured: earlier + fee, room: (limit) => maxSats(0n, limit - earlier), freesAt: () => null },
        remedy: 'let one of them confirm',
      }),
    ];
  },
};
