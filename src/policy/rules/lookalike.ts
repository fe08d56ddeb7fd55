import { encodeAddress, groupedAddress } from '../../domain/address.js';
import { trustedHex } from '../../domain/bytes.js';
import { areAlike, splitAddress } from '../alike.js';
import { type BookAddress, lookalikes } from '../book-index.js';
import type { DestinationAge } from '../types.js';
import { entryName, payees } from './payee.js';
import { listed, type Rule, type RuleContext } from './rule.js';

/** Address poisoning: an address that begins and ends like one of the book, put where somebody copies from. */
export const lookalike: Rule = {
  tag: 'lookalike',
  codes: ['LOOKALIKE'],
  check: (context) => {
    const derived = derivedAddresses(context);
    const alike = payees(context).flatMap(({ script, address, name, entry }) => {
      if (address === null) return [];
      const split = splitAddress(address);
      const others: readonly KnownAddress[] = [
        ...lookalikes(context.book, script, address),
        ...derived.filter((one) => one.script !== script && !isOneDescriptor(entry, one) && areAlike(split, one)),
      ];
      return others.map((other) => ({ address, name, other }));
    });
    return listed(
      context,
      'LOOKALIKE',
      () => `No destination of the batch looks like another one of the book (${context.book.addresses.length}).`,
      alike.map(({ address, name, other }) => {
        const [paid, known] = sideBySide(address, other.address);
        const called = entryName(other);
        return {
          subject: `${name} / ${called}`,
          text: `The batch pays ${paid}, which looks like ${called} of the book, ${known}, and is another destination.`,
          remedy: 'compare every group of characters with what the owner says over a second channel',
        };
      }),
    );
  },
};

type KnownAddress = BookAddress & { readonly index?: number };

/** Those of descriptors that were found to look like a payee. */
function derivedAddresses({ state, document }: RuleContext): readonly KnownAddress[] {
  return state.counterparties.alike.flatMap((entry) => {
    const address = encodeAddress(trustedHex(entry.script), document.wallet.network);
    return address === null ? [] : [{ ...entry, address, ...splitAddress(address) }];
  });
}

/** Two addresses of one descriptor are one destination, whatever they look like. */
function isOneDescriptor(paid: DestinationAge | undefined, { id, index }: KnownAddress): boolean {
  return paid?.index !== undefined && index !== undefined && paid.id === id;
}

/** Both addresses in full, in groups of four as a device shows them, differing groups in brackets. */
export function sideBySide(a: string, b: string): [string, string] {
  const [groupsA, groupsB] = [groupedAddress(a).split(' '), groupedAddress(b).split(' ')];
  const mark = (groups: readonly string[], others: readonly string[]): string =>
    groups.map((group, index) => (group === others[index] ? group : `[${group}]`)).join(' ');
  return [mark(groupsA, groupsB), mark(groupsB, groupsA)];
}
