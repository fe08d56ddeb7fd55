import { ok } from '../../domain/result.js';
import type { Verb } from '../command.js';
import { chainSources, takeFrom } from '../take-from.js';
import { withWorkspace } from '../with-workspace.js';
import { importedReport } from './coins-import.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const sources = await chainSources(words, context, desk);
    if (!sources.ok) return sources;
    const taken = await takeFrom(words, context, desk, sources.value);
    if (!taken.ok) return taken;
    const { bytes, from, fetched } = taken.value;
    const report = await importedReport(desk, bytes, `the coins of ${from}`, context.compose.clock());
    if (!report.ok) return report;
    const { data, text } = report.value;
    return ok({
      schema: 'countersign.chain-sync/1',
      exit: 'OK',
      data: { from, fetched_transactions: fetched, ...data },
      text: [`Read from ${from}; previous transactions fetched: ${fetched}`, ...text],
    });
  });
