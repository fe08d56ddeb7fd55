import { ok } from '../../domain/result.js';
import { reconcile } from '../../workflow/reconcile.js';
import type { Verb } from '../command.js';
import { proposedData, proposedLines } from '../render/feerate.js';
import { takeFrom, withBackends } from '../take-from.js';
import { importedReport } from './coins-import.js';
import { reconciledReport } from './reconcile.js';

/**
 * Coins that were known and are spent are looked into before the new ones are taken in: afterwards the journal would no
 * longer know that there was a coin to ask for.
 */
export const run: Verb = async (words, context) =>
  withBackends(words, context, async (desk, backends, sources) => {
    const taken = await takeFrom(words, context, desk, backends, sources);
    if (!taken.ok) return taken;
    const { bytes, from, coins, fetched, vanished, feerate } = taken.value;
    const gone = vanished.size === 0 ? null : await reconcile(desk, backends, vanished);
    if (gone !== null && !gone.ok) return gone;
    context.progress(`coins taken in: ${coins}`);
    const report = await importedReport(desk, bytes, `the coins of ${from}`, context.compose.clock(), null);
    if (!report.ok) return report;
    const { data, text } = report.value;
    const spent = gone === null ? null : reconciledReport(gone.value);
    return ok({
      schema: 'countersign.chain-sync/1',
      exit: spent?.exit === 'HALTED' ? spent.exit : report.value.exit,
      data: {
        from,
        fetched_transactions: fetched,
        ...data,
        feerate: proposedData(feerate),
        spent: spent?.data ?? null,
      },
      text: [
        `Read from ${from}; previous transactions fetched: ${fetched}`,
        ...text,
        ...proposedLines(feerate),
        ...(spent?.text ?? []),
      ],
    });
  });
