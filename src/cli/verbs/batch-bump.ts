import { parseFeeRate } from '../../domain/feerate.js';
import { ok } from '../../domain/result.js';
import type { Desk } from '../../workflow/ports.js';
import { type Remedy, replaceBatch } from '../../workflow/replace-batch.js';
import type { Report, Verb, VerbContext, Words } from '../command.js';
import { actor, argument, required, withWorkspace } from '../with-workspace.js';
import { concluded } from './batch-plan.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const said = required(words, 'feerate', '25');
    if (!said.ok) return said;
    return replaced(desk, words, context, words.flag('cpfp') ? 'help' : 'bump');
  });

/** `batch cancel`: without --feerate for the least that does it. */
export const cancel: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => replaced(desk, words, context, 'cancel'));

async function replaced(desk: Desk, words: Words, context: VerbContext, remedy: Remedy) {
  const initiator = actor(words, desk);
  if (!initiator.ok) return initiator;
  const rate = words.text('feerate');
  const feerate = rate === undefined ? ok(null) : parseFeeRate(rate);
  if (!feerate.ok) return feerate;
  const seed = words.text('seed') ?? null;
  const id = argument(words, 0);
  const planned = await replaceBatch(desk, id, remedy, { initiator: initiator.value, feerate: feerate.value, seed });
  if (!planned.ok) return planned;
  const report = await concluded(desk, planned.value, context);
  return report.ok ? ok(withOriginal(report.value, id, remedy)) : report;
}

function withOriginal(report: Report, id: string, remedy: Remedy): Report {
  return {
    ...report,
    schema: remedy === 'cancel' ? 'countersign.batch-cancel/1' : 'countersign.batch-bump/1',
    data: { ...report.data, remedy, of: id },
    text: [TITLE[remedy](id), ...report.text],
  };
}

const TITLE: Readonly<Record<Remedy, (id: string) => string>> = {
  bump: (id) => `In the place of batch ${id}: the same payments for a higher fee. Only one of the two can confirm.`,
  cancel: (id) => `In the place of batch ${id}: all its coins come back. Only one of the two can confirm.`,
  help: (id) => `A child of batch ${id}: it spends the change of that one, and pays for both.`,
};
