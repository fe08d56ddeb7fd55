import { encodeAddress } from '../../src/domain/address.js';
import { toHex } from '../../src/domain/bytes.js';
import type { WithdrawalRequest } from '../../src/domain/request.js';
import { type BookRecord, Destinations, type Paid } from '../../src/policy/counterparties.js';
import type { PolicyState } from '../../src/policy/types.js';
import { parseCounterparty } from '../../src/vault/counterparty.js';
import { descriptorChecksum } from '../../src/vault/descriptor.js';
import { type BatchChange, BOOK, batch, btc, DAY, NOW } from './fixture.js';

// A counterparty with a descriptor in the book: the account of the BIP84 test vectors, whose keys everybody knows.

const BODY =
  'wpkh(xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V/0/*)';
export const OKX = `${BODY}#${descriptorChecksum(BODY)}`;

const read = parseCounterparty('main', OKX);
if (!read.ok) throw new Error(read.error.message);
const okx = read.value;

export const okxAt = (index: number): Uint8Array => okx.at(index);
export const okxAddress = (index: number): string => encodeAddress(okx.at(index), 'main') ?? '';

/** One bitcoin to the address at an index; declared as said, with no index where that is null. */
export function okxRequest(index: number, declared: number | null = index, amount = btc('1')): WithdrawalRequest {
  return {
    id: `r-${index}-${amount}`,
    address: okxAddress(index),
    script: okx.at(index),
    amount,
    ...(declared === null ? {} : { destination: 'okx', index: declared }),
  };
}

export const okxEntry = (more: { since?: number; maxIndex?: number } = {}): BookRecord => ({
  id: 'okx',
  label: 'OKX',
  since: NOW - 400 * DAY,
  descriptor: OKX,
  maxIndex: 99,
  ...more,
});

/** The state of a journal whose book has the usual destinations and okx, for a batch. */
export function withOkx(
  entry: BookRecord,
  change: BatchChange,
  state: Partial<Paid & PolicyState> = {},
): Partial<PolicyState> {
  const { facts, requests } = batch(change);
  const destinations = new Destinations([...BOOK.values(), entry], 'main');
  const { spends = [], indexed = new Map(), outputs = facts.outputs, ...more } = state;
  return { spends, ...more, ...destinations.about({ outputs, requests, spends, indexed }) };
}

/** A batch pays an index that an earlier one paid. */
export function okxPaid(index: number): Partial<PolicyState> {
  const indexed = new Map([[toHex(okx.at(index)), { index, batches: ['batch-0'] }]]);
  const change = { pay: [[okx.at(index), btc('1')] as const], requests: [okxRequest(index, 5)] };
  return withOkx(okxEntry(), change, { indexed });
}
