import { encodeAddress } from '../../domain/address.js';
import { toHex, trustedHex } from '../../domain/bytes.js';
import type { WithdrawalRequest } from '../../domain/request.js';
import type { CounterpartyAge, DestinationAge } from '../types.js';
import { entryName, payees } from './payee.js';
import { listed, plural, type Rule, type RuleContext, type Said } from './rule.js';

/**
 * What a request says of its destination beside the address has to be true: the address is that of the entry it names, and
 * a descriptor derives it at exactly the index that was declared. A descriptor is never paid without one: who pays has to
 * say which address they mean, and not only paste one that happens to fit.
 */
export const derivation: Rule = {
  tag: 'destination-derivation',
  codes: ['DEST_DERIVATION'],
  check: (context) => {
    const declared = context.requests.filter(({ index }) => index !== undefined).length;
    return listed(
      context,
      'DEST_DERIVATION',
      () => `Every address is what its request says of it (${plural(declared, 'index', 'indexes')} declared).`,
      context.requests.flatMap((request) => {
        const complaint = contradiction(context, request);
        return complaint === null ? [] : [{ subject: `request ${request.id}`, ...complaint }];
      }),
    );
  },
};

function contradiction(context: RuleContext, request: WithdrawalRequest): Said | null {
  const { state } = context;
  const { id, address, destination, index } = request;
  const entry = state.destinations.get(toHex(request.script));
  const said = index === undefined ? '' : `index ${index} of `;
  const isNamed = destination !== undefined && entry?.id !== destination;
  const descriptor = state.counterparties.entries.get(destination ?? entry?.id ?? '');
  if (descriptor !== undefined) return ofDescriptor(context, request, descriptor, isNamed ? undefined : entry);
  if (isNamed) {
    const known = [...state.destinations.values()].some((one) => one.id === destination);
    const truth = entry === undefined ? 'the book does not hold that address' : `that address is ${entryName(entry)}`;
    return {
      text: `Request ${id} names ${said}${destination} and gives ${address}; ${known ? truth : 'the book has no such destination'}.`,
      remedy: 'ask the author of the request which of the two is meant',
    };
  }
  if (index === undefined) return null;
  return {
    text: `Request ${id} declares index ${index} for ${address}, and ${entry === undefined ? 'no descriptor of the book derives it' : `${entry.id} is a single address`}.`,
    remedy: 'leave the index out, or name the descriptor of the book that is meant',
  };
}

/** `entry` is what the book knows of the address, where it is this descriptor's. */
function ofDescriptor(
  context: RuleContext,
  { id, address, index, destination }: WithdrawalRequest,
  { id: name, maxIndex }: CounterpartyAge,
  entry: DestinationAge | undefined,
): Said | null {
  const isIndex = entry?.index;
  const truth =
    isIndex === undefined
      ? `${name} derives it at no index from 0 to ${maxIndex}`
      : `${name} derives it at index ${isIndex}`;
  if (index === undefined) {
    return {
      text: `Request ${id} pays the descriptor ${name} and declares no index; it gives ${address}, and ${truth}.`,
      remedy:
        isIndex === undefined
          ? `ask ${name} for an address and its index, and write both into the request`
          : `if that is the address that ${name} asked for, write destination ${name} and index ${isIndex} into the request`,
    };
  }
  if (index === isIndex) return null;
  const said = `Request ${id} declares index ${index} of ${name} and gives ${address};`;
  if (index > maxIndex) {
    return {
      text: `${said} the book allows ${name} the indexes 0 to ${maxIndex}.`,
      remedy: `check the index; a higher max_index of ${name} has to be signed into the book, and is as new as a new destination`,
    };
  }
  const due = addressAt(context, name, index);
  return {
    text: `${said} ${truth}, and index ${index} is ${due}.`,
    remedy: `ask ${destination ?? name} over a second channel which address and index are meant, before anything is paid`,
  };
}

function addressAt({ state, document }: RuleContext, name: string, index: number): string {
  const known = [...(state.counterparties.entries.get(name)?.scripts ?? [])].find(
    (script) => state.destinations.get(script)?.index === index,
  );
  const address = known === undefined ? null : encodeAddress(trustedHex(known), document.wallet.network);
  return address ?? 'another address';
}

/** Only a warning: a counterparty may well ask for one address again, though every payment there shows the others. */
export const indexReuse: Rule = {
  tag: 'destination-index-reuse',
  codes: ['DEST_INDEX_REUSE'],
  check: (context) => {
    const { state, index: spends, claim } = context;
    const inputs = new Set(claim(0n).inputs);
    const replaced = new Set(
      spends.pending.filter((spend) => spend.inputs.some((input) => inputs.has(input))).map(({ batch }) => batch),
    );
    return listed(
      context,
      'DEST_INDEX_REUSE',
      'No address of a descriptor is paid a second time.',
      payees(context).flatMap(({ script, name, entry, amounts }) => {
        if (entry?.index === undefined) return [];
        const earlier = (state.counterparties.paidBefore.get(script) ?? []).filter((batch) => !replaced.has(batch));
        const where = [
          ...(earlier.length === 0 ? [] : [`in ${[...earlier].sort().join(', ')}`]),
          ...(amounts.length < 2 ? [] : [`${amounts.length} times in this batch`]),
        ];
        if (where.length === 0) return [];
        return [
          {
            subject: name,
            text: `${name} was paid before or is paid more than once: ${where.join(', and ')}.`,
            remedy: `ask ${entry.id} for an index that was never used, or make sure that it wants this one again`,
          },
        ];
      }),
    );
  },
};
