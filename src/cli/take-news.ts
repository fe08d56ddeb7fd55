import type { ChainBackend, ChainSource } from '../vault/chain.js';
import type { Desk } from '../workflow/ports.js';
import type { VerbContext, Words } from './command.js';
import { printable } from './render/text.js';
import { takeFrom } from './take-from.js';
import { importedReport } from './verbs/coins-import.js';

/** What taking the news of the chain in came to, for a verb that found some: its fields, and lines for people. */
export interface TakenNews {
  readonly data: Readonly<Record<string, unknown>>;
  readonly text: readonly string[];
}

/**
 * Takes the coins in as `chain sync` does, which settles batches. What the verb has found stands in any case: where this
 * fails, it is said why, and that `chain sync` does it later.
 */
export async function takeNews(
  words: Words,
  context: VerbContext,
  desk: Desk,
  backends: readonly ChainBackend[],
  sources: readonly ChainSource[],
): Promise<TakenNews> {
  const taken = await takeFrom(words, context, desk, backends, sources);
  const report = taken.ok
    ? await importedReport(desk, taken.value.bytes, `the coins of ${taken.value.from}`, context.compose.clock(), null)
    : taken;
  if (report.ok) return { data: { imported: report.value.data }, text: report.value.text };
  const { tag, message } = report.error;
  return {
    data: { imported: null, not_imported: { tag, message } },
    text: [`  WARNING: it was not taken in: ${printable(message)} [${tag}]; later, countersign chain sync`],
  };
}
