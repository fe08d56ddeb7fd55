import { type Hex, toHex } from '../../domain/bytes.js';
import type { Sats } from '../../domain/sats.js';
import type { ScriptKind } from '../../domain/script.js';
import type { UnixSeconds } from '../../domain/time.js';
import type { DestinationAge } from '../types.js';
import { outputName, perVerdict, type RuleContext } from './rule.js';

/** A script that the batch pays, however many outputs do it. Own outputs are the matter of the change rules. */
export interface Payee {
  readonly script: Hex;
  readonly kind: ScriptKind;
  readonly address: string | null;
  /** What the book says about it; undefined where the book does not hold it. */
  readonly entry: DestinationAge | undefined;
  /** Id in the book, of a descriptor with the index ("okx /5"), else the address, else the script. */
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
      name: entry === undefined ? outputName(output) : entryName(entry),
      amount: (before?.amount ?? 0n) + output.value,
      amounts: [...(before?.amounts ?? []), output.value],
    });
  }
  return [...found.values()].sort((a, b) => (a.script < b.script ? -1 : 1));
});

/** "warm-1", "okx /5". */
export function entryName({ id, index }: Pick<DestinationAge, 'id' | 'index'>): string {
  return index === undefined ? id : `${id} /${index}`;
}

/** What caps and ages belong to: an address, or a descriptor with all of its addresses. */
export interface PaidDestination {
  /** Every script whose earlier payments count with those of this batch. */
  readonly scripts: readonly Hex[];
  readonly entry: DestinationAge | undefined;
  readonly name: string;
  /** What all its scripts get in this batch. */
  readonly amount: Sats;
}

/** The payees of a batch by entry of the book: many addresses of one descriptor are one destination. */
export const paidDestinations = perVerdict((context): readonly PaidDestination[] => {
  const found = new Map<string, PaidDestination>();
  for (const { script, entry, name, amount } of payees(context)) {
    const key = destinationKey(context, script);
    const before = found.get(key);
    found.set(key, {
      scripts: before?.scripts ?? scriptsOf(context, script, entry),
      entry,
      name: entry?.index === undefined ? name : entry.id,
      amount: (before?.amount ?? 0n) + amount,
    });
  }
  return [...found.values()];
});

/** The same for every script of one destination: what tells destinations apart. */
export function destinationKey({ state }: Pick<RuleContext, 'state'>, script: Hex): string {
  const entry = state.destinations.get(script);
  return entry?.index === undefined ? script : `entry ${entry.id}`;
}

function scriptsOf({ state }: RuleContext, script: Hex, entry: Payee['entry']): readonly Hex[] {
  if (entry?.index === undefined) return [script];
  const known = state.counterparties.entries.get(entry.id);
  // A script of a descriptor that the state does not know as one: its history would be lost, and with it the cap.
  if (known?.scripts.has(script) !== true) throw new Error(`${entry.id} is no descriptor of the book`);
  return [...known.scripts];
}

/** Seconds since the journal saw the destination; negative where its entry lies in the future. */
export function ageAt(entry: DestinationAge, time: UnixSeconds): number {
  return time - entry.since;
}
