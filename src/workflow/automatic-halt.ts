import { utf8 } from '../domain/bytes.js';
import { canonicalJson, type Json } from '../domain/canonical-json.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { parseTime, type UnixSeconds } from '../domain/time.js';
import type { Entry, EntryBody } from '../journal/entries.js';
import { automaticMark, nextDenials, REPEATED_DENIALS } from '../journal/halts.js';
import type { JournalTransaction } from '../journal/port.js';
import type { DenialRecord } from '../journal/state.js';
import type { DenialLimit, LoadedPolicy } from '../policy/types.js';
import { haltScene } from './halt-scene.js';
import type { Desk } from './ports.js';
import { insist } from './transact.js';

/** What the program itself finds, as halt.auto of the policy names it. */
export type HaltTrigger = 'out_of_band_spend' | 'ledger_tamper' | 'screening_hit_on_own_address';

export type AutomaticOutcome =
  | { readonly kind: 'raised'; readonly halt: string }
  /** The same evidence raised a halt before, standing or not: whoever resumed it has looked at it. */
  | { readonly kind: 'known'; readonly halt: string }
  /** halt.auto of the policy leaves this trigger out. */
  | { readonly kind: 'left-out' };

const REASONS: Readonly<Record<HaltTrigger, string>> = {
  out_of_band_spend: 'a coin was spent by a transaction that this journal never authorised',
  ledger_tamper: 'the journal does not verify',
  screening_hit_on_own_address: 'a screening list names an address of this vault',
};

/**
 * Halts everything upon a finding of the program, where the policy wants that. `evidence` says what was found and nothing
 * of the looking, no time and no count of attempts: the same finding halts once. The faults of the journal.
 */
export async function raiseAutomaticHalt(
  desk: Desk,
  trigger: HaltTrigger,
  evidence: { readonly [key: string]: Json },
): Promise<Result<AutomaticOutcome, Fault>> {
  const scene = await haltScene(desk);
  if (!scene.ok) return scene;
  if (!scene.value.policy.document.halt.auto.includes(trigger)) return ok({ kind: 'left-out' });
  const text = evidenceText(trigger, evidence);
  return insist(desk, async (tx): Promise<Result<AutomaticOutcome, Fault>> => {
    const kept = tx.keep(utf8(text));
    const known = tx.state.haltMarks.get(automaticMark(trigger, kept));
    if (known !== undefined) return ok({ kind: 'known', halt: known });
    return ok({ kind: 'raised', halt: append(tx, trigger, REASONS[trigger], kept) });
  });
}

function evidenceText(trigger: string, found: { readonly [key: string]: Json }): string {
  return canonicalJson({ schema: 'countersign.halt-evidence/1', trigger, found });
}

function append(tx: JournalTransaction, trigger: string, reason: string, evidence: string): string {
  const body: EntryBody = { kind: 'halt.raised', scope: 'all', reason, source: 'automatic', trigger, evidence };
  return `halt-${tx.append(body).seq}`;
}

// ---------------------------------------------------------------- repeated denials

/** The denials that a halt is due upon; null where none is. A denial counts while it is less than `within` seconds old. */
export function denialsDue(
  denials: readonly DenialRecord[],
  limit: DenialLimit | undefined,
  now: UnixSeconds,
): readonly DenialRecord[] | null {
  if (limit === undefined) return null;
  const counted = denials.filter(({ at }) => now - at < limit.within);
  return counted.length >= limit.count ? counted : null;
}

/** What the halt upon these denials keeps as its evidence: the entries, and the limit that they reached. */
export function denialEvidence(denials: readonly DenialRecord[], { count, within }: DenialLimit): string {
  return evidenceText(REPEATED_DENIALS, { count, within, entries: denials.map(({ seq }) => seq) });
}

/** For the end of a transaction that wrote verdicts: where one of them was one denial too many, the halt stands with it. */
export function haltOnDenials(
  tx: JournalTransaction,
  { document }: LoadedPolicy,
  verdicts: readonly Entry[],
  parts: readonly string[],
): void {
  const limit = document.halt.denials;
  const last = verdicts.at(-1);
  if (limit === undefined || last === undefined) return;
  let { denials } = tx.state;
  for (const entry of verdicts) denials = nextDenials(denials, entry.body, entry, secondsOf(entry), parts);
  if (denials === tx.state.denials) return;
  const due = denialsDue(denials, limit, secondsOf(last));
  if (due === null) return;
  const evidence = tx.keep(utf8(denialEvidence(due, limit)));
  append(tx, REPEATED_DENIALS, `${due.length} denials within ${limit.within} s`, evidence);
}

function secondsOf({ at }: Entry): UnixSeconds {
  const seconds = parseTime(at);
  if (seconds === null) throw new Error(`the journal wrote ${at} as a time`);
  return seconds;
}
