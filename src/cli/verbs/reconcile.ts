import { ok } from '../../domain/result.js';
import { formatAmount } from '../../domain/sats.js';
import { type Reconciled, reconcile, type SpentCoin } from '../../workflow/reconcile.js';
import type { Report, Verb } from '../command.js';
import { haltText } from '../render/automatic-halt.js';
import { plural } from '../render/text.js';
import { withBackends } from '../take-from.js';
import { takeNews } from '../take-news.js';

export const run: Verb = async (words, context) =>
  withBackends(words, context, async (desk, backends, sources) => {
    const done = await reconcile(desk, backends);
    if (!done.ok) return done;
    const report = reconciledReport(done.value);
    if (!done.value.isBuried) return ok(report);
    const news = await takeNews(words, context, desk, backends, sources);
    return ok({ ...report, data: { ...report.data, ...news.data }, text: [...report.text, ...news.text] });
  });

const spentData = ({ outpoint, value, by }: SpentCoin): object => ({ outpoint, value, spent_by: by });

/** Exit code 12 where a spend was found that the journal never authorised: whoever runs it by a timer has to see it. */
export function reconciledReport({ asked, from, authorised, unsettled, undone, strange }: Reconciled): Report {
  return {
    schema: 'countersign.reconcile/1',
    exit: strange.length === 0 ? 'OK' : 'HALTED',
    data: {
      from,
      coins_asked: asked,
      authorised: authorised.map((coin) => ({ ...spentData(coin), batch: coin.batch })),
      unsettled: unsettled.map((coin) => ({ ...spentData(coin), batch: coin.batch })),
      undone: undone.map(({ outpoint, value }) => ({ outpoint, value })),
      out_of_band: strange.map((coin) => ({ ...spentData(coin), halt: coin.halt })),
    },
    text: [
      `Asked ${from.join(', ')} for ${plural(asked, 'coin')}`,
      `  spent by batches of this journal: ${authorised.length}`,
      ...unsettled.map(
        ({ outpoint, by, batch }) =>
          `  ${outpoint} is spent by ${by ?? 'an unnamed transaction'}; batch ${batch}, which may have been signed, holds it`,
      ),
      ...undone.map(
        ({ outpoint }) =>
          `  ${outpoint} is gone with its transaction, which was replaced before its block, or undone with it`,
      ),
      ...strange.flatMap(({ outpoint, value, by, halt }) => [
        `  OUT OF BAND: ${outpoint}, ${formatAmount(value)}, is spent by ${by ?? 'a transaction that no back end can name'}, which this journal never authorised`,
        `    ${haltText(halt)}`,
      ]),
      ...(strange.length === 0 ? ['  no coin was spent past this journal'] : []),
    ],
  };
}
