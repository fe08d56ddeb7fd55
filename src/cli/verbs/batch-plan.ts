import { isLedgerModel } from '../../device/models.js';
import { refusingModels } from '../../device/preflight-limits.js';
import type { DevicePreview } from '../../device/types.js';
import { sha256Hex } from '../../domain/bytes.js';
import { type Fault, fail } from '../../domain/fault.js';
import { type FeeRate, formatFeeRate } from '../../domain/feerate.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type { FeerateOrigin } from '../../workflow/feerate.js';
import { feerateLines } from '../../workflow/feerate-record.js';
import { type PlannedBatch, type PlanOptions, type PlanOutcome, planBatch } from '../../workflow/plan-batch.js';
import { planConsolidationBatch } from '../../workflow/plan-consolidation.js';
import type { Desk } from '../../workflow/ports.js';
import { previewOf } from '../../workflow/sign-batch.js';
import type { Report, Verb, VerbContext, Words } from '../command.js';
import { exportFile } from '../export-file.js';
import { previewsLines } from '../render/device.js';
import { feerateData } from '../render/feerate.js';
import { printable } from '../render/text.js';
import { paymentLines, verdictExit, verdictJson, verdictLines } from '../render/verdict.js';
import { takeFeerate } from '../take-feerate.js';
import { actor, wholeNumber, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const initiator = actor(words, desk);
    if (!initiator.ok) return initiator;
    const feerate = await takeFeerate(words, context, desk);
    if (!feerate.ok) return feerate;
    const maxInputs = optionalCount(words, 'max-inputs');
    if (!maxInputs.ok) return maxInputs;
    const maxOutputs = optionalCount(words, 'max-outputs');
    if (!maxOutputs.ok) return maxOutputs;
    const options = {
      initiator: initiator.value,
      feerate: feerate.value?.rate ?? null,
      ...(feerate.value === null ? {} : { feerateFrom: feerate.value.from }),
      seed: words.text('seed') ?? null,
      maxInputs: maxInputs.value,
      maxOutputs: maxOutputs.value,
    };
    const planned = await plan(desk, words, context, options);
    if (!planned.ok) return planned;
    if (planned.value.repeated.length > 0) return ok(repeatedReport(planned.value));

    return concluded(desk, planned.value, context);
  });

/** Writes the PSBTs of a plan that was kept for people, and says what was planned. */
export async function concluded(
  desk: Desk,
  outcome: PlanOutcome,
  context: VerbContext,
): Promise<Result<Report, Fault>> {
  const files: string[] = [];
  const kept = outcome.batches.every((batch) => batch.assessment.verdict.decision !== 'DENY');
  for (const batch of kept ? outcome.batches : []) {
    const written = await exportFile(desk, batch.id, 'unsigned.psbt', batch.psbt);
    if (!written.ok) return plannedWithoutFile(batch.id, written.error);
    files.push(written.value);
  }
  return ok(plannedReport(outcome, files, context));
}

/** Withdrawals come from a file, a consolidation from none: whoever gives both, or neither, means something else. */
async function plan(
  desk: Desk,
  words: Words,
  { compose }: VerbContext,
  options: PlanOptions,
): Promise<Result<PlanOutcome, Fault | readonly Fault[]>> {
  const file = words.args[0];
  if (words.flag('consolidate')) {
    if (file === undefined && words.text('max-outputs') === undefined) return planConsolidationBatch(desk, options);
    const what = file === undefined ? '--max-outputs' : quoted(file);
    return fail('E_USAGE', `--consolidate pays nobody, so ${what} does not go with it`, {
      remedy: 'plan withdrawals and a consolidation as two batches',
    });
  }
  if (file === undefined) {
    return fail('E_USAGE', 'a file of withdrawals is missing', {
      remedy:
        'countersign batch plan withdrawals.csv; to put small coins together, countersign batch plan --consolidate',
    });
  }
  const bytes = await compose.files.read(file);
  if (!bytes.ok) return bytes;
  const requests = compose.documents.requests(bytes.value, file, desk.config.network);
  return requests.ok ? planBatch(desk, requests.value, options) : requests;
}

/** The batch is in the journal; only its copy for people could not be written. */
function plannedWithoutFile(id: string, { tag, message, where }: Fault): Result<never, Fault> {
  return fail(tag, `batch ${id} is planned, and the journal keeps it; but ${message}`, {
    where,
    remedy: `make room for the file and write it again: countersign batch show ${id} --export`,
  });
}

function optionalCount(words: Words, option: string): Result<number | null, Fault> {
  const text = words.text(option);
  if (text === undefined) return ok(null);
  const count = wholeNumber(text, 10_000, `a number for --${option}`);
  if (!count.ok || count.value > 0) return count;
  return fail('E_USAGE', `--${option} has to be at least 1`);
}

function repeatedReport({ repeated }: PlanOutcome): Report {
  return {
    schema: 'countersign.batch-plan/1',
    exit: 'OK',
    data: { repeated: true, batches: repeated.map((id) => ({ id })) },
    text: [
      `These requests were planned before, with the same content: nothing was written.`,
      ...repeated.map((id) => `  see countersign batch show ${id}`),
    ],
  };
}

function plannedReport(
  { situation, batches, feerateFrom }: PlanOutcome,
  files: readonly string[],
  { style }: VerbContext,
): Report {
  const denials = batches.map(({ assessment }) => verdictExit(assessment.verdict));
  const denied = denials.includes('HALTED') ? 'HALTED' : denials.includes('DENIED') ? 'DENIED' : null;
  const lines = batches.flatMap((batch, index) => {
    const { verdict } = batch.assessment;
    const part = batches.length === 1 ? '' : `, part ${index + 1} of ${batches.length}`;
    return [
      `${style.bold(`Batch ${batch.id}`)}${part}`,
      ...paymentLines(batch.assessment, situation, style),
      `  coins by ${batch.plan.selection.algorithm}, waste ${batch.plan.selection.waste} sat, seed ${batch.plan.seed}`,
      ...feerateOf(batch.plan.feerate, feerateFrom),
      `  PSBT SHA-256 ${sha256Hex(batch.psbt)}`,
      '',
      ...verdictLines(verdict, style),
      '',
      ...(verdict.decision === 'DENY'
        ? []
        : [
            ...previewsLines(previews(situation, batch), style),
            ...refusingModels(batch.psbt, situation.vault).map((reason) => `  ${style.warn('refused by')} ${reason}`),
            '',
          ]),
      ...nextStep(batch),
    ];
  });
  return {
    schema: 'countersign.batch-plan/1',
    // Planning is done when a batch is kept: missing approvals are the next step, not a failure of this one.
    exit: denied ?? 'OK',
    data: {
      repeated: false,
      batches: batches.map((batch) => ({
        id: batch.id,
        psbt_sha256: sha256Hex(batch.psbt),
        psbt: Buffer.from(batch.psbt).toString('base64'),
        spend: batch.assessment.facts.spend,
        fee: batch.assessment.facts.fee,
        ...feerateData(batch.plan.feerate, feerateFrom),
        algorithm: batch.plan.selection.algorithm,
        seed: batch.plan.seed,
        verdict: verdictJson(batch.assessment.verdict),
        refused_by: refusingModels(batch.psbt, situation.vault),
      })),
      files,
    },
    text: lines,
  };
}

/** One line for the rate and where it comes from, and one for each other source that was asked. */
function feerateOf(rate: FeeRate, from: FeerateOrigin | undefined): string[] {
  if (from === undefined) return [`  ${formatFeeRate(rate)}`];
  return feerateLines(rate, from).map((line) => `  ${printable(line)}`);
}

/** No device is here yet: what each kind of Ledger that the policy names is going to show. */
function previews({ vault, policy }: PlanOutcome['situation'], { psbt, assessment }: PlannedBatch): DevicePreview[] {
  const models = policy.document.wallet.device.kinds.filter(isLedgerModel);
  return models.map((model) => previewOf(vault, psbt, assessment, { model, version: null }));
}

function nextStep({ id, assessment }: PlannedBatch): string[] {
  switch (assessment.verdict.decision) {
    case 'ALLOW':
      return [`  next: countersign batch sign ${id}`];
    case 'NEED':
      return [`  next: countersign batch approve ${id} --key FILE`];
    case 'DENY':
      return [`  nothing was reserved and its coins are free: the journal keeps the refusal as batch ${id}`];
  }
}
