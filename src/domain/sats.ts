import { type Fault, fail } from './fault.js';
import { ok, type Result } from './result.js';

/** An amount in satoshis. One Bitcoin is 100,000,000 of them. Always a bigint in code and a decimal string in files. */
export type Sats = bigint;

export const SATS_PER_BTC = 100_000_000n;
/** 21,000,000 BTC: Bitcoin Core's MAX_MONEY. */
export const MAX_SATS = 21_000_000n * SATS_PER_BTC;

const SATS_TEXT = /^(?:0|[1-9][0-9]{0,15})$/;
const BTC_TEXT = /^(?:0|[1-9][0-9]{0,7})(?:\.[0-9]{1,8})?$/;

/** The spellings of all amounts there are, 0 to MAX_SATS, and no other: the range as a form. */
export const SATS_TEXT_IN_RANGE = decimalsUpTo(MAX_SATS);

/** Matches the decimal digits of 0 to `max`, without leading zeros: the shorter ones, and those as long digit by digit. */
export function decimalsUpTo(max: bigint): RegExp {
  const digits = [...max.toString()];
  const shorter =
    digits.length === 1 ? [] : ['0', ...(digits.length > 2 ? [`[1-9][0-9]{0,${digits.length - 2}}`] : ['[1-9]'])];
  const below = digits.flatMap((digit, index) => {
    const least = index === 0 && digits.length > 1 ? '1' : '0';
    if (digit <= least) return [];
    const rest = digits.length - index - 1;
    return [`${digits.slice(0, index).join('')}[${least}-${Number(digit) - 1}]${rest === 0 ? '' : `[0-9]{${rest}}`}`];
  });
  return new RegExp(`^(?:${[...shorter, ...below, digits.join('')].join('|')})$`);
}

/** The one spelling: decimal digits, no sign, no separator, no exponent, no leading zero, 0 to 21,000,000 BTC. */
export function parseSats(text: string): Result<Sats, Fault> {
  if (!SATS_TEXT.test(text)) {
    return fail('E_AMOUNT_SYNTAX', `${JSON.stringify(text.slice(0, 40))} is not an amount in sats`, {
      remedy: 'write whole satoshis as plain digits, for example 150000000 for 1.5 BTC',
    });
  }
  return inRange(BigInt(text), text);
}

/** A decimal number of BTC with at most 8 decimals, by string arithmetic; only where a column says that its unit is BTC. */
export function parseBtc(text: string): Result<Sats, Fault> {
  if (!BTC_TEXT.test(text)) {
    if (/^[1-9][0-9]{7,15}$/.test(text)) return aboveAll('E_AMOUNT_SYNTAX', text);
    return fail('E_AMOUNT_SYNTAX', `${JSON.stringify(text.slice(0, 40))} is not an amount in BTC`, {
      remedy: 'write plain digits with a point and at most 8 decimals, for example 1.5',
    });
  }
  const [whole = '0', decimals = ''] = text.split('.');
  const value = BigInt(whole) * SATS_PER_BTC + BigInt(decimals.padEnd(8, '0'));
  return value > MAX_SATS ? aboveAll('E_AMOUNT_RANGE', text) : ok(value);
}

/** So large an amount of BTC was most likely counted in satoshis. */
function aboveAll(tag: 'E_AMOUNT_SYNTAX' | 'E_AMOUNT_RANGE', text: string): Result<never, Fault> {
  const meant = parseSats(text);
  return fail(tag, `${text} BTC is above 21,000,000 BTC, all there will ever be; did you mean sat?`, {
    remedy: meant.ok
      ? `write sat for the unit: ${formatAmount(meant.value)}`
      : 'write the amount in BTC, for example 1.5',
  });
}

function inRange(value: bigint, text: string): Result<Sats, Fault> {
  if (value <= MAX_SATS) return ok(value);
  return fail('E_AMOUNT_RANGE', `${text} is more than 21,000,000 BTC, all there will ever be`);
}

/** BTC with exactly 8 decimals, no separators: 1.50000000. */
export function formatBtc(sats: Sats): string {
  const sign = sats < 0n ? '-' : '';
  const digits = (sats < 0n ? -sats : sats).toString().padStart(9, '0');
  return `${sign}${digits.slice(0, -8)}.${digits.slice(-8)}`;
}

/** Both spellings of one integer, as people's text shows every amount: "150000000 sat (1.50000000 BTC)". */
export function formatAmount(sats: Sats): string {
  return `${sats} sat (${formatBtc(sats)} BTC)`;
}

export function sumSats(amounts: Iterable<Sats>): Sats {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}

export const minSats = (a: Sats, b: Sats): Sats => (a < b ? a : b);
export const maxSats = (a: Sats, b: Sats): Sats => (a > b ? a : b);
