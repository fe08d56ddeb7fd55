import { listed, type Rule } from './rule.js';

/** A list that the policy asks for and that is not there is no clean list: it denies. */
export const screeningData: Rule = {
  tag: 'screening-data',
  codes: ['DATA_MISSING'],
  check: (context) =>
    listed(
      context,
      'DATA_MISSING',
      'The policy asks for no screening list.',
      context.document.screening.lists.map(({ id }) => ({
        subject: id,
        text: `The policy asks for the screening list ${id}, and no such list is available.`,
        remedy: `take in a list ${id}, or let the policy do without it`,
      })),
    ),
};
