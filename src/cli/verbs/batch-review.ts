import { sha256Hex } from '../../domain/bytes.js';
import { fail } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { fingerprintOf, reviewBatch } from '../../workflow/approve-batch.js';
import type { Verb } from '../command.js';
import { batchTitle, paymentLines, verdictExit, verdictJson, verdictLines } from '../render/verdict.js';
import { argument, withWorkspace } from '../with-workspace.js';

/** Nothing is written. What is compared comes from this machine's own journal, coins, policy and book. */
export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const reviewed = await reviewBatch(desk, argument(words, 0));
    if (!reviewed.ok) return reviewed;
    const { situation, batch, assessment, discounted } = reviewed.value;
    const file = words.text('psbt');
    if (file !== undefined) {
      const contents = await context.compose.files.read(file);
      if (!contents.ok) return contents;
      const psbt = context.compose.documents.psbt(contents.value, file);
      if (!psbt.ok) return psbt;
      const found = sha256Hex(psbt.value);
      if (found !== batch.psbt) {
        return fail('E_PSBT_CHANGED', `it is PSBT ${found}, and batch ${batch.id} is over ${batch.psbt}`, {
          where: { file },
          remedy: 'approve neither: find out who made the file, and from what',
        });
      }
    }
    const fingerprint = fingerprintOf(reviewed.value);
    const { style } = context;
    return ok({
      schema: 'countersign.batch-review/1',
      exit: verdictExit(assessment.verdict),
      data: {
        batch: batch.id,
        psbt_sha256: batch.psbt,
        fingerprint,
        spend: assessment.facts.spend,
        fee: assessment.facts.fee,
        verdict: verdictJson(assessment.verdict),
        discounted_approvals: discounted,
      },
      text: [
        style.bold(batchTitle(batch)),
        ...paymentLines(assessment, situation, style),
        '',
        ...verdictLines(assessment.verdict, style),
        ...discounted.map(({ person, why }) => `  ${style.warn('not counted')}: the approval of ${person}: ${why}`),
        '',
        `  compare  ${style.bold(fingerprint)}`,
        '  Read these digits to the officer who planned it, over the telephone: theirs have to be the same.',
      ],
    });
  });
