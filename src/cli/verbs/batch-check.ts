import { sha256Hex } from '../../domain/bytes.js';
import { ok } from '../../domain/result.js';
import { reviewBatch } from '../../workflow/approve-batch.js';
import type { Assessment } from '../../workflow/assess.js';
import { checkPsbt } from '../../workflow/batches.js';
import type { Situation } from '../../workflow/situation.js';
import type { Report, Verb, VerbContext } from '../command.js';
import { decisionExit, paymentLines, verdictJson, verdictLines } from '../render/verdict.js';
import { actor, argument, withWorkspace } from '../with-workspace.js';

/** The verdict of now; nothing is written. On a batch id it counts approvals, on a PSBT file it needs the requests. */
export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const what = argument(words, 0);
    const requestsFile = words.text('requests');
    if (requestsFile === undefined) {
      const review = await reviewBatch(desk, what);
      if (!review.ok) return review;
      const { situation, assessment, batch, discounted } = review.value;
      return ok(report(`Batch ${batch.id}  ${batch.state}`, situation, assessment, context, discounted));
    }
    const initiator = actor(words, desk);
    if (!initiator.ok) return initiator;
    const bytes = await context.compose.files.read(requestsFile);
    if (!bytes.ok) return bytes;
    const requests = context.compose.documents.requests(bytes.value, requestsFile, desk.config.network);
    if (!requests.ok) return requests;
    const contents = await context.compose.files.read(what);
    if (!contents.ok) return contents;
    const psbt = context.compose.documents.psbt(contents.value, what);
    if (!psbt.ok) return psbt;
    const checked = await checkPsbt(desk, psbt.value, requests.value, initiator.value);
    if (!checked.ok) return checked;
    const { situation, assessment } = checked.value;
    return ok(report(`PSBT ${sha256Hex(psbt.value)}`, situation, assessment, context, []));
  });

function report(
  title: string,
  situation: Situation,
  assessment: Assessment,
  { style }: VerbContext,
  discounted: readonly { readonly person: string; readonly why: string }[],
): Report {
  const { verdict, facts } = assessment;
  return {
    schema: 'countersign.batch-check/1',
    exit: decisionExit(verdict.decision),
    data: {
      psbt_sha256: facts.psbtSha256,
      spend: facts.spend,
      fee: facts.fee,
      verdict: verdictJson(verdict),
      discounted_approvals: discounted,
    },
    text: [
      style.bold(title),
      ...paymentLines(assessment, situation, style),
      '',
      ...verdictLines(verdict, style),
      ...discounted.map(({ person, why }) => `  ${style.warn('not counted')}: the approval of ${person}: ${why}`),
    ],
  };
}
