import { tallyLifetime } from '../windows.js';
import { capped, finding, type Rule } from './rule.js';

/**
 * A ceiling that no clock refills: every spend counts, whatever its age, and unconfirmed ones as the heaviest set that can
 * confirm together. Only a new policy lifts it, and that waits its notice.
 */
export const lifetimeLimit: Rule = {
  tag: 'limit-lifetime',
  codes: ['LIMIT_LIFETIME'],
  check: (context) => {
    const { lifetime } = context.document.limits;
    if (lifetime === undefined) {
      return [finding(context, 'LIMIT_LIFETIME', 'pass', 'The policy sets no limit on all that ever leaves.')];
    }
    return [
      capped(context, {
        code: 'LIMIT_LIFETIME',
        what: 'All that ever left, this batch and fees included,',
        cap: lifetime,
        tally: tallyLifetime(context.index, context.claim(context.facts.spend)),
      }),
    ];
  },
};
