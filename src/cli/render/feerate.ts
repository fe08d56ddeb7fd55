import type { Fault } from '../../domain/fault.js';
import { formatFeeRate } from '../../domain/feerate.js';
import type { Result } from '../../domain/result.js';
import type { ChosenFeerate, FeerateOrigin } from '../../workflow/feerate.js';
import { feerateLines, feerateRecord } from '../../workflow/feerate-record.js';
import { printable } from './text.js';

/** For --json: a feerate in sat/vB as text, and where it comes from. */
export function feerateData(rate: bigint, from: FeerateOrigin | null | undefined): Record<string, unknown> {
  return {
    feerate: formatFeeRate(rate).replace(' sat/vB', ''),
    ...(from === null || from === undefined ? {} : { feerate_from: feerateRecord(from) }),
  };
}

/** The feerate that a snapshot proposes, or null with why it proposes none. */
export function proposedData(feerate: Result<ChosenFeerate, Fault>): Record<string, unknown> {
  if (feerate.ok) return feerateData(feerate.value.rate, feerate.value.from);
  const { tag, message } = feerate.error;
  return { feerate: null, problem: { tag, message } };
}

export function proposedLines(feerate: Result<ChosenFeerate, Fault>): string[] {
  if (!feerate.ok) return [`  it proposes no feerate: ${feerate.error.message} [${feerate.error.tag}]`];
  const [first = '', ...others] = feerateLines(feerate.value.rate, feerate.value.from).map(printable);
  return [`  it proposes ${first}`, ...others.map((line) => `  ${line}`)];
}
