import { asksSources, MOST_HOPS } from '../../screening/hits.js';
import { listed, plural, type Rule, type RuleContext, type Said } from '../rule.js';

/** A list that the policy asks for and that is not there is no clean list: it denies. */
export const screeningData: Rule = {
  tag: 'screening-data',
  codes: ['DATA_MISSING'],
  check: (context) => {
    const { lists } = context.document.screening;
    const missing = lists.flatMap(({ id }, index) =>
      context.state.screening.has(id)
        ? []
        : [
            {
              field: `screening.lists[${index}]`,
              subject: id,
              text: `The policy asks for the screening list ${id}, and no such list is available.`,
              remedy: `take in a list ${id} (countersign screening import ${id} FILE), or let the policy do without it`,
            },
          ],
    );
    const text =
      lists.length === 0
        ? 'The policy asks for no screening list.'
        : `${lists.length === 1 ? 'The screening list' : 'Each screening list'} that the policy asks for is there.`;
    return listed(context, 'DATA_MISSING', text, [...missing, ...tooFar(context)]);
  },
};

/** What the policy asks and nobody can answer is not answered with half of it. */
function tooFar(context: RuleContext): Said[] {
  const { inputsHops } = context.document.screening;
  if (!asksSources(context.document) || inputsHops <= MOST_HOPS) return [];
  return [
    {
      field: 'screening.inputs_hops',
      subject: 'inputs_hops',
      measured: `${MOST_HOPS}`,
      limit: `${inputsHops}`,
      unit: 'count',
      text: `The policy asks where coins come from over ${plural(inputsHops, 'hop')}, and a coin snapshot tells no more than ${MOST_HOPS}.`,
      remedy: `let a new policy version say inputs_hops: ${MOST_HOPS}, and have what lies further back looked at elsewhere`,
    },
  ];
}
