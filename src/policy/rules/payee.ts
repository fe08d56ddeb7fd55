import { type Hex, toHex } from '../../domain/bytes.js';
import type { Sats } from '../../domain/sats.js';
import type { ScriptKind } from '../../domain/script.js';
import type { UnixSeconds } from '../../domain/time.js';
import type { DestinationAge } from '../types.js';
import { outputName, perVerdict } from './rule.js';

/** A script that the batch pays, however many outputs do it. Own outputs are the matter of the change rules. */
export interface Payee {
  readonly script: Hex;
  readonly kind: ScriptKind;
  readonly address: string | null;
  /** What the book says about it; undefined where the book does not hold it. */
  readonly entry: DestinationAge | undefined;
  /** Id in the book, else the address, else the script. */
  readonly name: string;
  readonly amount: Sats;
  readonly amounts: readonly Sats[];
}

/** The payees of a batch, by script: two spellings of an address, or two outputs, are one destination. */
export const payees = perVerdict(({ payments, state }): readonly Payee[] => {
  const found = new Map<Hex, Payee>();
  for (const output of payments) {
    if (output.own.own) continue;
    const script = toHex(output.script);
    const before = found.get(script);
    const entry = state.destinations.get(script);
    found.set(script, {
      script,
      kind: output.kind,
      address: output.address,
      entry,
      name: entry?.id ?? outputName(output),
      amount: (before?.amount ?? 0n) + output.value,
      amounts: [...(before?.amounts ?? []), output.value],
    });
  }
  return [...found.values()].sort((a, b) => (a.script < b.script ? -1 : 1));
});

/** Seconds since the journal saw the destination; negative where its entry lies in the future. */
export function ageAt(entry: DestinationAge, time: UnixSeconds): number {
  return time - entry.since;
}
