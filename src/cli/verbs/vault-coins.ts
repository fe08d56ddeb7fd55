import { formatOutpoint } from '../../domain/outpoint.js';
import { ok } from '../../domain/result.js';
import { formatBtc } from '../../domain/sats.js';
import { formatTime } from '../../domain/time.js';
import { type CoinStatus, listCoins } from '../../workflow/vault.js';
import type { Verb } from '../command.js';
import { table } from '../render/table.js';
import { plural, printable } from '../render/text.js';
import { withWorkspace } from '../with-workspace.js';

/** A coin of a batch can be frozen as well: then it is both. */
function statusText(status: CoinStatus, reason: string | null): string {
  if (reason === null) return status;
  return `${status === 'frozen' ? status : `${status}, frozen`}: ${printable(reason)}`;
}

export const run: Verb = async (_words, context) =>
  withWorkspace(context, async (desk) => {
    const listed = await listCoins(desk);
    if (!listed.ok) return listed;
    const { coins, snapshot } = listed.value;
    const rows = coins.map(({ coin, confirmations, status, reason }) => [
      formatOutpoint(coin.outpoint),
      `${coin.value}`,
      formatBtc(coin.value),
      `${coin.origin.branch}/${coin.origin.index}`,
      `${confirmations}`,
      statusText(status, reason),
    ]);
    const columns = [
      { title: 'outpoint' },
      { title: 'sat', align: 'right' as const },
      { title: 'BTC', align: 'right' as const },
      { title: 'path', align: 'right' as const },
      { title: 'conf', align: 'right' as const },
      { title: 'status' },
    ];
    return ok({
      schema: 'countersign.vault-coins/1',
      exit: 'OK',
      data: {
        height: snapshot.tip.height,
        coins: coins.map(({ coin, address, confirmations, status, reason }) => ({
          outpoint: formatOutpoint(coin.outpoint),
          value: coin.value,
          address,
          branch: coin.origin.branch,
          index: coin.origin.index,
          confirmations,
          status,
          frozen: reason !== null,
          ...(reason === null ? {} : { reason }),
        })),
      },
      text: [
        `${plural(coins.length, 'coin')} at height ${snapshot.tip.height}, taken ${formatTime(snapshot.takenAt)}`,
        ...table(columns, rows, context.style),
      ],
    });
  });
