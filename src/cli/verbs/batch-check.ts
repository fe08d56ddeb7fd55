import { sha256Hex } from '../../domain/bytes.js';
import { at, type Fault } from '../../domain/fault.js';
import { err, ok } from '../../domain/result.js';
import { reviewBatch } from '../../workflow/approve-batch.js';
import type { Assessment } from '../../workflow/assess.js';
import { checkPsbt } from '../../workflow/batches.js';
import type { Situation } from '../../workflow/situation.js';
import type { Report, Verb, VerbContext } from '../command.js';
import { batchTitle, paymentLines, verdictExit, verdictJson, verdictLines } from '../render/verdict.js';
import { actor, argument, withWorkspace } from '../with-workspace.js';

/** The verdict of now; nothing is written. On a batch id it counts approvals, on a PSBT file it needs the requests. */
export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const what = argument(words, 0);
    const requestsFile = words.text('requests');
    if (requestsFile === undefined) {
      const review = await reviewBatch(desk, what);
      if (!review.ok) return err(await orFile(review.error, what, context));
      const { situation, assessment, batch, discounted } = review.value;
      return ok(report(batchTitle(batch), situation, assessment, context, discounted));
    }
    // Nothing is written, so it may be left unsaid who asks.
    const initiator = words.text('as') === undefined ? ok(null) : actor(words, desk);
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
    // The form of the bytes is judged where nobody knows the name of the file any more.
    if (!checked.ok) return checked.error.tag === 'E_PSBT_PARSE' ? err(at({ file: what }, checked.error)) : checked;
    const { situation, assessment, initiator: by } = checked.value;
    const planner = by === null ? 'initiated by nobody known: --as says by whom' : `initiated by ${by}`;
    return ok(report(`PSBT ${sha256Hex(psbt.value)}  ${planner}`, situation, assessment, context, []));
  });

/** The name of a file where the id of a batch is due: it lacks the requests that the PSBT is said to pay. */
async function orFile(error: Fault, what: string, { compose }: VerbContext): Promise<Fault> {
  if (error.tag !== 'E_BATCH_UNKNOWN' || !(await compose.files.exists(what))) return error;
  return {
    ...error,
    remedy: `to check a PSBT file, say what it is to pay: countersign batch check ${what} --requests FILE`,
  };
}

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
    exit: verdictExit(verdict),
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
