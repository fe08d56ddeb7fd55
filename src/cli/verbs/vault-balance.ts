import { ok } from '../../domain/result.js';
import { formatBtc } from '../../domain/sats.js';
import { formatTime } from '../../domain/time.js';
import { balance } from '../../workflow/vault.js';
import type { Verb } from '../command.js';
import { table } from '../render/table.js';
import { withWorkspace } from '../with-workspace.js';

export const run: Verb = async (_words, context) =>
  withWorkspace(context, async (desk) => {
    const sums = await balance(desk);
    if (!sums.ok) return sums;
    const { total, byStatus, snapshot } = sums.value;
    const count = byStatus.reduce((sum, { coins }) => sum + coins, 0);
    const rows = [
      ...byStatus.map(({ status, coins, amount }) => [status, `${coins}`, `${amount}`, formatBtc(amount)]),
      ['total', `${count}`, `${total}`, formatBtc(total)],
    ];
    const columns = [
      { title: 'status' },
      { title: 'coins', align: 'right' as const },
      { title: 'sat', align: 'right' as const },
      { title: 'BTC', align: 'right' as const },
    ];
    return ok({
      schema: 'countersign.vault-balance/1',
      exit: 'OK',
      data: {
        height: snapshot.tip.height,
        taken_at: formatTime(snapshot.takenAt),
        total,
        by_status: byStatus.map(({ status, coins, amount }) => ({ status, coins, amount })),
      },
      text: [
        `At height ${snapshot.tip.height}, taken ${formatTime(snapshot.takenAt)}`,
        ...table(columns, rows, context.style),
      ],
    });
  });
