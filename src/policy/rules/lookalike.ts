import { groupedAddress } from '../../domain/address.js';
import { lookalikes } from '../book-index.js';
import { payees } from './payee.js';
import { listed, type Rule } from './rule.js';

/** Address poisoning: an address that begins and ends like one of the book, put where somebody copies from. */
export const lookalike: Rule = {
  tag: 'lookalike',
  codes: ['LOOKALIKE'],
  check: (context) => {
    const alike = payees(context).flatMap(({ script, address, name }) => {
      if (address === null) return [];
      return lookalikes(context.book, script, address).map((entry) => ({ address, name, entry }));
    });
    return listed(
      context,
      'LOOKALIKE',
      () => `No destination of the batch looks like another one of the book (${context.book.addresses.length}).`,
      alike.map(({ address, name, entry }) => {
        const [paid, known] = sideBySide(address, entry.address);
        return {
          subject: `${name} / ${entry.id}`,
          text: `The batch pays ${paid}, which looks like ${entry.id} of the book, ${known}, and is another destination.`,
          remedy: 'compare every group of characters with what the owner says over a second channel',
        };
      }),
    );
  },
};

/** Both addresses in full, in groups of four as a device shows them, differing groups in brackets. */
export function sideBySide(a: string, b: string): [string, string] {
  const [groupsA, groupsB] = [groupedAddress(a).split(' '), groupedAddress(b).split(' ')];
  const mark = (groups: readonly string[], others: readonly string[]): string =>
    groups.map((group, index) => (group === others[index] ? group : `[${group}]`)).join(' ');
  return [mark(groupsA, groupsB), mark(groupsB, groupsA)];
}
