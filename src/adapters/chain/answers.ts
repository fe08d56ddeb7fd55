import * as v from 'valibot';
import { type Fault, fail } from '../../domain/fault.js';
import type { FeeRate } from '../../domain/feerate.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import { MAX_SATS, parseBtc } from '../../domain/sats.js';

/** Parts of answers, as parseExactJson leaves them: numbers are texts, so nothing was rounded. */
export const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
export const hex = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2})*$/));
/** A block height, a time in Unix seconds, an index of an output. */
export const count = v.pipe(
  v.string(),
  v.regex(/^(?:0|[1-9][0-9]{0,9})$/),
  v.transform((digits) => Number(digits)),
);
/** A decimal number of BTC, as Bitcoin Core writes amounts and feerates. */
export const btc = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const sats = parseBtc(dataset.value);
    if (sats.ok) return sats.value;
    addIssue({ message: sats.error.message });
    return NEVER;
  }),
);

/** A decimal number of sat/vB as a feerate, rounded up so that it is reached. */
export const satPerVbyte = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,6}(?:\.[0-9]{1,20})?$/),
  v.transform((written): FeeRate => {
    const [whole = '0', decimals = ''] = written.split('.');
    const rest = /[1-9]/.test(decimals.slice(3)) ? 1n : 0n;
    return BigInt(whole) * 1000n + BigInt(decimals.slice(0, 3).padEnd(3, '0')) + rest;
  }),
);

/**
 * A feerate in BTC for 1,000 vB as a floating-point number, which servers in Python write as 1e-05 or 1.0240000000000001e-05.
 * Rounded up so that it is reached: BTC for 1,000 vB in sats are a FeeRate.
 */
export const btcPerKvb = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,8}(?:\.[0-9]{1,20})?(?:[eE][-+]?[0-9]{1,2})?$/),
  v.transform((written): FeeRate => {
    const [mantissa = '', exponent = '0'] = written.toLowerCase().split('e');
    const [whole = '0', decimals = ''] = mantissa.split('.');
    // Of a BTC there are 10^8 sats.
    const shift = Number(exponent) - decimals.length + 8;
    const digits = BigInt(whole + decimals);
    if (shift >= 0) return digits * 10n ** BigInt(shift);
    const unit = 10n ** BigInt(-shift);
    return (digits + unit - 1n) / unit;
  }),
  v.check((rate) => rate <= MAX_SATS, 'a feerate above all bitcoins there will ever be'),
);

/** Takes an answer for what a schema says it is; `what` names the call. */
export function readAnswer<S extends v.GenericSchema>(
  schema: S,
  answer: unknown,
  name: string,
  what: string,
): Result<v.InferOutput<S>, Fault> {
  const read = v.safeParse(schema, answer);
  if (read.success) return ok(read.output);
  const [issue] = read.issues;
  // Both repeat what was answered: names of fields, and the value itself at its whole length.
  const path = v.getDotPath(issue);
  const place = path === null ? 'the answer' : quoted(path, 60);
  return fail(
    'E_CHAIN_ANSWER',
    `${name} answers ${what} in a form that is not known: ${place}: ${quoted(issue.message, 120)}`,
    { remedy: 'see docs/chain.md for the versions that were tried' },
  );
}
