import { toHex } from '../../../domain/bytes.js';
import { formatAmount } from '../../../domain/sats.js';
import { listsWith } from '../../screening/hits.js';
import { listed, outputName, type Rule } from '../rule.js';

/** A listed script is not paid, also where the address book holds it: what denies wins over what allows. */
export const screeningOfDestinations: Rule = {
  tag: 'screening-destinations',
  codes: ['DEST_SANCTIONED'],
  check: (context) => {
    const { document, state, payments } = context;
    return listed(
      context,
      'DEST_SANCTIONED',
      document.screening.lists.length === 0
        ? 'No payment is screened: the policy names no list.'
        : 'No payment goes to a script of a screening list.',
      payments.flatMap((output) =>
        listsWith(toHex(output.script), document, state.screening).map((list) => ({
          subject: outputName(output),
          text: `The payment of ${formatAmount(output.value)} to ${outputName(output)} goes to a script of the screening list ${list}.`,
          remedy: 'do not pay it: leave the withdrawal out, and hand the case to compliance',
        })),
      ),
    );
  },
};
