import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { Entry } from '../journal/entries.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import { arrivalsOf, depositsEntry } from './arrivals.js';
import type { Body } from './audit-problem.js';
import type { Past } from './past.js';

/** What is a deposit does not depend on where coins lay before. */
const NONE: ReadonlySet<string> = new Set();

type Deposits = Body<'coins.imported'>['deposits'];

/** What an import that states deposits has to state of its snapshot, by what was known before it. Asked before it is applied. */
export async function depositsDue(
  past: Past,
  body: Entry['body'],
): Promise<Result<(now: Snapshot) => Deposits, Fault>> {
  if (body.kind !== 'coins.imported' || body.deposits === undefined) return ok(() => undefined);
  const { coins, frozen } = past.state;
  const before = coins === null ? ok(null) : await past.snapshot();
  if (!before.ok) return before;
  const known = before.value?.value ?? null;
  const { batches } = past;
  return ok((now) => depositsEntry(arrivalsOf(known, now, { batches, frozen }, null, NONE)).deposits);
}
