import { paidDestinations } from './payee.js';
import { listed, type Rule } from './rule.js';

/**
 * Whoever is paid has signed a message with the keys of the destination: a typing error, a clipboard that was changed and an
 * address that nobody holds cannot do that. What the book does not hold is denied for that, and not for this.
 */
export const proofOfControl: Rule = {
  tag: 'destination-proof',
  codes: ['BOOK_PROOF'],
  check: (context) => {
    const isRequired = context.document.destinations.proof === 'required';
    const unproven = paidDestinations(context).filter(({ entry }) => entry !== undefined && entry.proven !== true);
    return listed(
      context,
      'BOOK_PROOF',
      isRequired ? 'Every listed destination of the batch has a proof of control.' : 'The policy asks for no proofs.',
      (isRequired ? unproven : []).map(({ name }) => ({
        subject: name,
        text: `The entry of ${name} in the book holds no proof that its owner controls it, and the policy requires one.`,
        remedy: `ask its owner to sign the message that countersign book proofs prints for ${name} (BIP322), and let the proof be signed into the book`,
      })),
    );
  },
};
