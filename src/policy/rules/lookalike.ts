import { encodeAddress, groupedAddress } from '../../domain/address.js';
import { type Hex, trustedHex } from '../../domain/bytes.js';
import type { Network } from '../../domain/network.js';
import type { DestinationAge } from '../types.js';
import { payees } from './payee.js';
import { listed, type Rule, type RuleContext } from './rule.js';

/**
 * How many characters two different addresses must share, counted from the first one that is not fixed by the network
 * and from the last one together. Six by chance happen once in about 10^8 pairs; people compare fewer.
 */
const SHARED = 6;

/** Human-readable part, separator and witness version of segwit, the first character of base58: the same for everybody. */
const FIXED_PREFIX = /^(?:(?:bc|tb|bcrt)1[qp]|.)/;

/** Address poisoning: an address that begins and ends like one of the book, put where somebody copies from. */
export const lookalike: Rule = {
  tag: 'lookalike',
  codes: ['LOOKALIKE'],
  check: (context) => {
    const book = bookAddresses(context);
    const alike = payees(context).flatMap(({ script, address, name }) =>
      address === null
        ? []
        : book
            .filter((entry) => entry.script !== script && looksLike(address, entry.address))
            .map((entry) => ({ address, name, entry })),
    );
    return listed(
      context,
      'LOOKALIKE',
      `No destination of the batch looks like another one of the book (${book.length}).`,
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

function bookAddresses({ state, document }: RuleContext): { id: string; script: string; address: string }[] {
  return [...state.destinations.values()]
    .flatMap((entry) => {
      const address = addressOf(entry, document.wallet.network);
      return address === null ? [] : [{ id: entry.id, script: entry.script, address }];
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** A replay judges by one book a hundred thousand times: an address is encoded once for as long as its entry lives. */
const encoded = new WeakMap<DestinationAge, { network: Network; script: Hex; address: string | null }>();

function addressOf(entry: DestinationAge, network: Network): string | null {
  const { script } = entry;
  const known = encoded.get(entry);
  if (known !== undefined && known.network === network && known.script === script) return known.address;
  const address = encodeAddress(trustedHex(script), network);
  encoded.set(entry, { network, script, address });
  return address;
}

/** Different addresses of the same form that share six characters at their ends, fixed ones not counted. */
export function looksLike(a: string, b: string): boolean {
  const prefix = FIXED_PREFIX.exec(a)?.[0] ?? '';
  if (a === b || prefix !== FIXED_PREFIX.exec(b)?.[0]) return false;
  const [bodyA, bodyB] = [a.slice(prefix.length), b.slice(prefix.length)];
  const most = Math.min(bodyA.length, bodyB.length);
  let leading = 0;
  while (leading < most && bodyA[leading] === bodyB[leading]) leading += 1;
  let trailing = 0;
  while (trailing < most && bodyA.at(-1 - trailing) === bodyB.at(-1 - trailing)) trailing += 1;
  return leading + trailing >= SHARED;
}

/** Both addresses in full, in groups of four as a device shows them, differing groups in brackets. */
export function sideBySide(a: string, b: string): [string, string] {
  const [groupsA, groupsB] = [groupedAddress(a).split(' '), groupedAddress(b).split(' ')];
  const mark = (groups: readonly string[], others: readonly string[]): string =>
    groups.map((group, index) => (group === others[index] ? group : `[${group}]`)).join(' ');
  return [mark(groupsA, groupsB), mark(groupsB, groupsA)];
}
