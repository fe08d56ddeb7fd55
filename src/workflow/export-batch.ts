import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { Verdict } from '../policy/types.js';
import { type ReviewedBatch, reviewBatch } from './approve-batch.js';
import { severalSigners } from './combine-batch.js';
import { join, keptParts } from './gather-parts.js';
import { openVault } from './open-vault.js';
import type { Desk } from './ports.js';
import { recordDenial } from './record-denial.js';
import { checkState, goOut, reserve } from './signing-steps.js';

export type ExportOutcome =
  | {
      readonly kind: 'exported';
      readonly review: ReviewedBatch;
      /** Master key fingerprints of those whose signatures it carries. */
      readonly signers: readonly string[];
    }
  | { readonly kind: 'refused'; readonly review: ReviewedBatch; readonly verdict: Verdict };

/**
 * Writes the PSBT of a multisig batch, with every signature so far, for cosigners on other machines. Whoever gets it can
 * sign it, so it is judged and its budget debited as if a device were asked here; from then on nothing gives that back. A
 * denial is an entry, as that of a device would be.
 *
 * Faults: E_USAGE, E_BATCH_STATE, E_FILE_EXISTS before anything is debited; those of writing the file after it.
 */
export async function exportBatch(desk: Desk, id: string, file: string): Promise<Result<ExportOutcome, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const several = severalSigners(open.value.vault);
  if (!several.ok) return several;
  if (await desk.ports.files.exists(file)) {
    return fail('E_FILE_EXISTS', `${file} exists already, and is never overwritten`, {
      where: { file },
      remedy: 'give another name with --psbt',
    });
  }
  const looked = await reviewBatch(desk, id);
  if (!looked.ok) return looked;
  const takes = checkState(looked.value.batch, true);
  if (!takes.ok) return takes;
  const first = await recordDenial(desk, looked.value);
  if (!first.ok) return first;
  const review = first.value;
  const { verdict } = review.assessment;
  if (verdict.decision !== 'ALLOW') return ok({ kind: 'refused', review, verdict });
  const kept = await keptParts(desk, open.value.deriver, review.batch, review.psbt);
  if (!kept.ok) return kept;
  const gathered = join(review.psbt, open.value.deriver, kept.value);
  if (!gathered.ok) return gathered;

  const reserved = await reserve(desk, id, true);
  if (!reserved.ok) return reserved;
  if (reserved.value.kind === 'refused') return ok({ kind: 'refused', review, verdict: reserved.value.verdict });
  const out = await goOut(desk, id, reserved.value.from, 'file');
  if (!out.ok) return out;
  if (out.value !== null) return ok({ kind: 'refused', ...out.value });
  const written = await desk.ports.files.writeNew(file, gathered.value.psbt);
  if (!written.ok) return written;
  return ok({ kind: 'exported', review, signers: kept.value.map(({ signer }) => signer) });
}
