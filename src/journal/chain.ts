import { type Hex, sha256Hex, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ownValue, parsedJson } from '../domain/json-difference.js';
import { err, ok, type Result } from '../domain/result.js';
import { formatTime, parseTime, type UnixSeconds } from '../domain/time.js';
import { bodyText, checkBody } from './body-schema.js';
import type { Entry, EntryBody, WrittenEntry } from './entries.js';
import { StateBuilder } from './fold.js';
import type { JournalState } from './state.js';

/** `prev` of the first entry. */
export const NO_ENTRY: Hex = '0'.repeat(64);

/** A place in the journal that somebody noted: an approval binds one, an auditor writes one down. */
export interface Anchor {
  readonly seq: number;
  readonly hash: Hex;
}

/**
 * The leaf hash of RFC 6962, section 2.1: SHA-256(0x00 || d), where d is the canonical JSON (RFC 8785) of the other four
 * fields. The prefix keeps a leaf from ever being taken for an inner node of a tree.
 */
export function entryHash({ seq, at, prev, body }: Omit<Entry, 'hash'>): Hex {
  return leafHash(seq, at, prev, bodyText(body));
}

/** `body` is canonical text already. */
export function leafHash(seq: number, at: string, prev: Hex, body: string): Hex {
  return sha256Hex(`\0${recordText(seq, at, prev, body)}`);
}

/** What a leaf is the hash of; the keys of the object around the body are written in their order of RFC 8785. */
function recordText(seq: number, at: string, prev: Hex, body: string): string {
  return `{"at":${JSON.stringify(at)},"body":${body},"prev":${JSON.stringify(prev)},"seq":${seq}}`;
}

/**
 * The entry that is written in a record, or null where that is not, byte for byte, how one is written: with a key twice, or a
 * number spelled otherwise, two readers would read two entries under one hash.
 */
export function entryOfRecord(text: string): Result<Entry, Fault> | null {
  const value = parsedJson(utf8(text));
  const [seq, at, prev] = [ownValue(value, 'seq'), ownValue(value, 'at'), ownValue(value, 'prev')];
  if (typeof seq !== 'number' || typeof at !== 'string' || typeof prev !== 'string') return null;
  const body = checkBody(ownValue(value, 'body'));
  if (!body.ok) return body;
  const canonical = recordText(seq, at, prev, bodyText(body.value));
  return canonical === text ? ok({ seq, at, prev, body: body.value, hash: sha256Hex(`\0${text}`) }) : null;
}

/** The bytes under the hash of an entry: the canonical JSON of its other four fields. */
export function entryRecord({ seq, at, prev, body }: Entry): Uint8Array {
  return utf8(recordText(seq, at, prev, bodyText(body)));
}

/** The entry that follows a head. Never before the head's time: a clock that was set back cannot reorder the journal. */
export function sealEntry(head: JournalState['head'], now: UnixSeconds, body: EntryBody): Entry {
  return writeEntry(head, now, body).entry;
}

/** The same with the canonical text of its body. */
export function writeEntry(head: JournalState['head'], now: UnixSeconds, body: EntryBody): WrittenEntry {
  const seq = head === null ? 0 : head.seq + 1;
  const at = formatTime(head === null ? now : Math.max(now, head.at));
  const prev = head?.hash ?? NO_ENTRY;
  const text = bodyText(body);
  return { entry: { seq, at, prev, body, hash: leafHash(seq, at, prev, text) }, text };
}

/**
 * Takes the next entry of a journal that is read back: its number, link, time, body and hash are checked, and that it
 * follows from the entries before it. `text` is the canonical text of a body that passed
 * the schema, from a reader that has it (decodeBody): neither is done twice then.
 * E_JOURNAL_TAMPERED (or E_JOURNAL_SCHEMA for a kind of a newer version), naming the entry.
 */
export function admit(builder: StateBuilder, entry: Entry, text?: string): Result<void, Fault> {
  const linked = checkLink(builder.head, entry);
  if (!linked.ok) return linked;
  const body = text === undefined ? checkBody(entry.body) : ok(entry.body);
  if (!body.ok) return at(entry.seq, body.error);
  if (leafHash(entry.seq, entry.at, entry.prev, text ?? bodyText(body.value)) !== entry.hash) {
    return tampered(entry.seq, 'its hash is not that of its content: it was edited');
  }
  const applied = builder.apply(entry);
  return applied.ok ? applied : tampered(entry.seq, applied.error.message);
}

function checkLink(head: JournalState['head'], entry: Entry): Result<void, Fault> {
  const due = head === null ? 0 : head.seq + 1;
  if (!Number.isSafeInteger(entry.seq)) return tampered(due, 'its number is not a whole number');
  if (entry.seq > due) return tampered(due, `it is missing: entry ${entry.seq} stands in its place`);
  if (entry.seq < due) return tampered(due, `entry ${entry.seq} stands in its place, again or out of order`);
  if (entry.prev !== (head?.hash ?? NO_ENTRY)) return tampered(due, 'it does not name the hash of the entry before it');
  const time = parseTime(entry.at);
  if (time === null) return tampered(due, `${JSON.stringify(entry.at)} is not a time`);
  if (head !== null && time < head.at) {
    return tampered(due, `its time ${entry.at} lies before that of the entry before it, ${formatTime(head.at)}`);
  }
  return ok(undefined);
}

function at(seq: number, fault: Fault): Result<never, Fault> {
  return err({ ...fault, message: `entry ${seq} of the journal: ${fault.message}` });
}

function tampered(seq: number, what: string): Result<never, Fault> {
  return fail('E_JOURNAL_TAMPERED', `entry ${seq} of the journal: ${what}`, {
    remedy: 'stop signing; keep the journal as it is and compare it with a copy from before',
  });
}

/** What a verified chain amounts to. */
export interface VerifiedChain {
  readonly count: number;
  readonly head: Anchor;
  readonly state: JournalState;
}

/**
 * Verifies a journal from its first entry: numbers, links, times, hashes, kinds, and every transition. The fault names
 * the first bad entry and what is wrong with it.
 *
 * A chain proves that its entries belong together, not that they are all there or were the first to be written: entries
 * cut off at the end, and a chain written anew from some entry on, verify. Only `anchors` (places noted elsewhere, such
 * as those in signed approvals) show these: each must lie on the chain.
 *
 * Of an entry with its text schema and text are checked already (Journal.written); of one without, that is done here.
 */
export async function verifyChain(
  entries: AsyncIterable<Entry | WrittenEntry> | Iterable<Entry | WrittenEntry>,
  anchors: readonly Anchor[] = [],
): Promise<Result<VerifiedChain, Fault>> {
  const expected = new Map<number, Hex>();
  for (const { seq, hash } of anchors) {
    if ((expected.get(seq) ?? hash) !== hash)
      return tampered(seq, 'two of the places noted elsewhere contradict each other');
    expected.set(seq, hash);
  }
  const builder = new StateBuilder();
  for await (const next of entries) {
    const { entry, text } = 'entry' in next ? next : { entry: next };
    const admitted = admit(builder, entry, text);
    if (!admitted.ok) return admitted;
    if ((expected.get(entry.seq) ?? entry.hash) !== entry.hash) {
      return tampered(entry.seq, 'its hash is not the one noted elsewhere: the journal was written anew');
    }
    expected.delete(entry.seq);
  }
  const state = builder.snapshot();
  if (state.head === null) return tampered(0, 'it is missing: even a new journal holds its opening');
  const [cut] = [...expected.keys()].sort((a, b) => a - b);
  if (cut !== undefined)
    return tampered(cut, 'it is missing, but was noted elsewhere: the end of the journal was cut off');
  const { seq, hash } = state.head;
  return ok({ count: seq + 1, head: { seq, hash }, state });
}
