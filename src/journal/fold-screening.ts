import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime, parseTime, type UnixSeconds } from '../domain/time.js';
import type { EntryBody } from './entries.js';
import { signedUnder } from './policies.js';
import type { SharedMap } from './shared-map.js';
import type { JournalState, ScreeningRecord } from './state.js';

type ScreeningBody = Extract<EntryBody, { kind: 'screening.imported' }>;

interface ScreeningDraft extends Pick<JournalState, 'policy' | 'pendingPolicy'> {
  readonly screening: SharedMap<ScreeningRecord>;
}

/**
 * A list takes the place of the one before of its id, and is newer than that. Whether it may, and what is in it, is judged
 * before the entry is written, and by `audit verify`.
 */
export function applyScreening(draft: ScreeningDraft, body: ScreeningBody, at: UnixSeconds): Result<void, Fault> {
  const before = draft.screening.get(body.list);
  const issuedAt = secondsOf(body.issuedAt);
  if (before !== undefined && issuedAt <= before.issuedAt) {
    return fail(
      'E_JOURNAL_ENTRY',
      `a screening list ${body.list} of ${formatTime(before.issuedAt)} is in force already`,
    );
  }
  if (before?.set !== body.before || (before === undefined && body.removed > 0)) {
    return fail(
      'E_JOURNAL_ENTRY',
      `the screening list ${body.list} was compared with another list than the one in force`,
      {
        remedy: 'run the command again: the list is compared with the one in force then',
      },
    );
  }
  const under = signedUnder(draft, body.under, at);
  if (!under.ok) return under;
  draft.screening.set(body.list, {
    list: body.list,
    document: body.document,
    set: body.set,
    issuer: body.issuer ?? null,
    issuedAt,
    expiresAt: body.expiresAt === undefined ? null : secondsOf(body.expiresAt),
    importedAt: at,
    scripts: body.scripts,
    unusable: body.unusable,
    pinnedBy: body.pin.person,
    before: before === undefined ? null : { scripts: before.scripts, removed: body.removed },
    own: body.own,
  });
  return ok(undefined);
}

function secondsOf(text: string): UnixSeconds {
  const seconds = parseTime(text);
  if (seconds === null) throw new Error(`the body was not checked: ${text} is not a time`);
  return seconds;
}
