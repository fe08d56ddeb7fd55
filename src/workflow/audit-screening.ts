import { sha256Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { parseTime, type UnixSeconds } from '../domain/time.js';
import type { JournalState } from '../journal/state.js';
import { screeningSet } from '../policy/screening/set.js';
import { type Body, fieldDifference } from './audit-problem.js';
import type { Archive } from './ports.js';
import { screeningEntry, standingOf } from './screening.js';
import { judgeList } from './screening-life.js';

/** What an entry may leave out, and then has to. */
const ABSENT = { issuer: undefined, expiresAt: undefined, before: undefined };

/**
 * Judges a screening list again as of the entry that put it into force: its bytes read again, its signature, its date, and
 * what it lacks of the one before. Which scripts of the vault it holds is proven where coins are known.
 */
export async function judgeListAgain(
  desk: Archive,
  state: JournalState,
  body: Body<'screening.imported'>,
  at: UnixSeconds,
): Promise<Result<void, Fault>> {
  const bytes = await desk.journal.blob(body.document);
  if (!bytes.ok) return bytes;
  const file = `the list ${body.list}`;
  const list = desk.ports.documents.screening(bytes.value, file, desk.config.network);
  if (!list.ok) return fail('E_SCREENING_SCHEMA', `it can no longer be read: ${list.error[0]?.message ?? ''}`);
  const standing = await standingOf(desk, state, body.list, at);
  if (!standing.ok) return standing;
  const { person, signature } = body.pin;
  const brought = {
    id: body.list,
    file,
    digest: body.document,
    list: list.value,
    issuedAt: parseTime(body.issuedAt),
    pins: [{ from: `the signature of ${person}`, armored: signature }],
  };
  const judged = judgeList(brought, standing.value);
  if (!judged.ok) return judged;
  const set = sha256Hex(screeningSet(list.value));
  const due = screeningEntry(brought, judged.value, standing.value, body.document, set, body.own);
  const difference = fieldDifference(body, { ...ABSENT, ...due, searched: body.searched });
  return difference === null ? ok(undefined) : fail('E_JOURNAL_TAMPERED', difference);
}
