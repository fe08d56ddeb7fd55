import type { Hex } from '../domain/bytes.js';
import { type Fault, type FaultTag, fault } from '../domain/fault.js';
import { ownValue, parsedJson } from '../domain/json-difference.js';
import { leafHash, NO_ENTRY } from './chain.js';
import type { RawEntry } from './port.js';

/**
 * What was done to a journal, by name and place. A hash chain shows where it breaks; a checkpoint that others have signed
 * shows that something before it is not as it was; and a copy of the entries that leads to that checkpoint (an export)
 * shows which entry, and what became of it.
 */
export type TamperingTag = Extract<
  FaultTag,
  | 'E_JOURNAL_EDITED'
  | 'E_JOURNAL_SWAPPED'
  | 'E_JOURNAL_INSERTED'
  | 'E_JOURNAL_REMOVED'
  | 'E_JOURNAL_TRUNCATED'
  | 'E_JOURNAL_RESTORED'
  | 'E_JOURNAL_FORKED'
  | 'E_JOURNAL_REWRITTEN'
>;

export interface Tampering {
  readonly tag: TamperingTag;
  /** The first entry that is not as it was. */
  readonly index: number;
  readonly what: string;
}

export function tamperingFault({ tag, index, what }: Tampering): Fault {
  return fault(tag, `entry ${index} of the journal: ${what}`, { remedy: REMEDY });
}

const REMEDY =
  'stop signing; keep the journal and the checkpoint as they are, and find out who could write the file since the last checkpoint that holds';

/** The rows of a store, and how much of entries that are not there it still keeps. */
export interface JournalRemains {
  readonly rows: readonly RawEntry[];
  /** Documents that no entry names: what an entry that was taken away leaves behind. */
  readonly leftovers: number;
}

// ---------------------------------------------------------------- the chain by itself

/** Where the chain breaks, and by what, as far as it tells that itself; null where it is whole. */
export function namedBreak(rows: readonly RawEntry[]): Tampering | null {
  for (const [index, row] of rows.entries()) {
    if (row.seq > index) return removed(index, `it is missing, and entry ${row.seq} follows`);
    if (row.seq < index) return inserted(index, `a row numbered ${row.seq} stands in its place`);
    if (!isAtHome(row, index)) return namedMisfit(rows, row, index);
    const before = rows[index - 1];
    if (row.prev !== (before?.hash ?? NO_ENTRY)) return namedGap(rows, row.prev, index);
  }
  return null;
}

/** Whether the hash of a row is that of its content under this number. */
function isAtHome(row: RawEntry, seq: number): boolean {
  return leafHash(seq, row.at, row.prev, row.text) === row.hash;
}

/** A row whose hash is not that of its content here: it may be at home elsewhere. */
function namedMisfit(rows: readonly RawEntry[], row: RawEntry, index: number): Tampering {
  if (isAtHome(row, index - 1))
    return inserted(index - 1, 'it was put there: what stands behind it belongs one place up');
  const other = rows.find((one, at) => at > index && isAtHome(row, at) && isAtHome(one, index));
  if (other !== undefined) return swapped(index, other.seq);
  if (isAtHome(row, index + 1)) return removed(index, 'it is gone, and those behind it were moved up');
  const next = rows[index + 1];
  if (next !== undefined && isAtHome(next, index) && next.prev === rows[index - 1]?.hash) {
    return inserted(index, 'it was put there: what stands behind it belongs here');
  }
  return edited(index, 'its hash is not that of its content');
}

/** A row that is whole and names another entry before it than the one that stands there. */
function namedGap(rows: readonly RawEntry[], prev: Hex, index: number): Tampering {
  const earlier = rows.findIndex((row, at) => at < index - 1 && row.hash === prev);
  if (earlier >= 0) return inserted(earlier + 1, `it was put there: entry ${index} follows upon entry ${earlier}`);
  if (index === 0) return edited(0, 'it names an entry before it');
  return edited(index - 1, `its hash was made anew, and entry ${index} still names the one that it had`);
}

const edited = (index: number, what: string): Tampering => ({
  tag: 'E_JOURNAL_EDITED',
  index,
  what: `edited: ${what}`,
});
const inserted = (index: number, what: string): Tampering => ({
  tag: 'E_JOURNAL_INSERTED',
  index,
  what: `inserted: ${what}`,
});
const removed = (index: number, what: string): Tampering => ({
  tag: 'E_JOURNAL_REMOVED',
  index,
  what: `removed: ${what}`,
});
const swapped = (index: number, other: number): Tampering => ({
  tag: 'E_JOURNAL_SWAPPED',
  index,
  what: `swapped: it stands in the place of entry ${other}, and that one here`,
});

// ---------------------------------------------------------------- against what others have signed

/** A whole chain that ends before a checkpoint does. */
export function namedEnd({ rows, leftovers }: JournalRemains, due: number): Tampering {
  const index = rows.length;
  const last = rows.at(-1)?.at ?? 'nothing';
  const gone = `entries ${index} to ${due - 1} are missing`;
  if (leftovers > 0) {
    const what = `truncated: ${gone}, and ${leftovers} of their documents are still there`;
    return { tag: 'E_JOURNAL_TRUNCATED', index, what };
  }
  const what = `restored: ${gone}, and nothing is left of them: it is a copy as of ${last} (or whoever cut it off was thorough)`;
  return { tag: 'E_JOURNAL_RESTORED', index, what };
}

/** A whole chain with another root than was signed, where no copy tells more: somewhere from `from` to before `due`. */
export function namedRoot(from: number, due: number, isSignedToo: boolean): Tampering {
  const place = `somewhere among entries ${from} to ${due - 1}`;
  if (isSignedToo) {
    const what = `forked: ${place}; a later checkpoint of the same journal holds, so that two histories of it were signed`;
    return { tag: 'E_JOURNAL_FORKED', index: from, what };
  }
  const what = `rewritten: ${place} the entries are not those that were signed, with hashes that fit (--tiles DIR, an export of that checkpoint, names the entry)`;
  return { tag: 'E_JOURNAL_REWRITTEN', index: from, what };
}

/** How far inserted and removed entries are looked for. */
const NEARBY = 256;

/**
 * Compares the rows with a copy that leads to the signed root. What the entries say is compared, and not their hashes:
 * somebody who wrote the chain anew has made all of those anew. Null where the journal begins with the copy.
 */
export function namedAgainst(remains: JournalRemains, copy: readonly RawEntry[]): Tampering | null {
  const { rows } = remains;
  const index = copy.findIndex((due, at) => {
    const row = rows[at];
    return row?.seq !== at || row.hash !== due.hash || said(row) !== said(due);
  });
  if (index < 0) return null;
  const isWhole = namedBreak(rows) === null;
  if (index >= rows.length) return isWhole ? namedEnd(remains, copy.length) : removed(index, 'it is missing');
  const change = changeAt(rows, copy, index);
  if (!isWhole) return change ?? edited(index, 'it does not say what was signed');
  if (change === null) {
    const what = `forked: from here on the journal went another way than the one that was signed, which has ${copy.length - index} entries more`;
    return { tag: 'E_JOURNAL_FORKED', index, what };
  }
  return { tag: 'E_JOURNAL_REWRITTEN', index, what: `rewritten: ${change.what}, with hashes made anew from there on` };
}

/** What an entry says and when, without its place in the chain. */
function said(row: RawEntry | undefined): string | null {
  return row === undefined ? null : `${row.at} ${row.text}`;
}

/** What was done at the first difference, where the entries behind it come again; null where they do not. */
function changeAt(rows: readonly RawEntry[], copy: readonly RawEntry[], index: number): Tampering | null {
  const [here, due] = [said(rows[index]), said(copy[index])];
  // Times only grow, so a chain that was made anew over two swapped entries has left theirs in their places.
  const other = copy.findIndex(
    ({ text }, at) => at > index && text === rows[index]?.text && rows[at]?.text === copy[index]?.text,
  );
  if (other >= 0) return swapped(index, other);
  for (let more = 1; more <= NEARBY; more += 1) {
    const counted = more === 1 ? 'it' : `it, and ${more - 1} behind it,`;
    if (due !== null && said(rows[index + more]) === due) return inserted(index, `${counted} was put there`);
    if (here !== null && said(copy[index + more]) === here) return removed(index, `${counted} is gone`);
    const next = said(rows[index + more]);
    if (next !== null && next === said(copy[index + more]))
      return edited(index, `${counted} does not say what was signed`);
  }
  if (here === due) return edited(index, 'its number, link or hash is not what was signed');
  const isLast = index === rows.length - 1 && index === copy.length - 1 && kindOf(rows[index]) === kindOf(copy[index]);
  return isLast ? edited(index, 'it does not say what was signed') : null;
}

const kindOf = (row: RawEntry | undefined): unknown =>
  row === undefined ? null : ownValue(parsedJson(Buffer.from(row.text)), 'kind');

/** The rows without the halts at their end that the program raised upon finding the tampering: they are no part of it. */
export function withoutOwnHalts(rows: readonly RawEntry[]): readonly RawEntry[] {
  const last = rows.findLastIndex((row) => {
    const body = parsedJson(Buffer.from(row.text));
    return ownValue(body, 'kind') !== 'halt.raised' || ownValue(body, 'trigger') !== 'ledger_tamper';
  });
  return rows.slice(0, last + 1);
}
