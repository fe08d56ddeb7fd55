import type { Coin } from '../../domain/coin.js';
import { formatOutpoint } from '../../domain/outpoint.js';
import { ok } from '../../domain/result.js';
import { formatAmount, sumSats } from '../../domain/sats.js';
import { formatTime } from '../../domain/time.js';
import { importCoins } from '../../workflow/vault.js';
import type { Verb } from '../command.js';
import { plural } from '../render/text.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const file = argument(words, 0);
    const bytes = await context.compose.files.read(file);
    if (!bytes.ok) return bytes;
    const imported = await importCoins(desk, bytes.value, file);
    if (!imported.ok) return imported;
    const { snapshot, confirmed, farChange } = imported.value;
    const total = sumSats(snapshot.coins.map((coin) => coin.value));
    return ok({
      schema: 'countersign.coins-import/1',
      exit: 'OK',
      data: {
        snapshot: snapshot.sha256,
        height: snapshot.tip.height,
        taken_at: formatTime(snapshot.takenAt),
        coins: snapshot.coins.length,
        total,
        confirmed_batches: confirmed,
        change_beyond_gap: farChange.map(({ outpoint, origin }) => ({
          outpoint: formatOutpoint(outpoint),
          index: origin.index,
        })),
      },
      text: [
        `Imported ${plural(snapshot.coins.length, 'coin')} at height ${snapshot.tip.height}: ${formatAmount(total)}`,
        `  taken ${formatTime(snapshot.takenAt)}, SHA-256 ${snapshot.sha256}`,
        '  every coin was derived again from the descriptor and compared with its previous transaction',
        ...confirmed.map((batch) => `  batch ${batch} is confirmed`),
        ...farChange.slice(0, MOST_NAMED).map(warning),
        ...(farChange.length > MOST_NAMED
          ? [`  and ${plural(farChange.length - MOST_NAMED, 'more coin')} like it`]
          : []),
      ],
    });
  });

const MOST_NAMED = 5;

function warning({ outpoint, origin }: Coin): string {
  return `  WARNING: ${formatOutpoint(outpoint)} is change at index ${origin.index}, beyond the gap: new change does not follow it there. Ask whose snapshot this is if no such coin is known`;
}
