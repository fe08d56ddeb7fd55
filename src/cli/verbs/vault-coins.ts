import { formatOutpoint } from '../../domain/outpoint.js';
import { ok } from '../../domain/result.js';
import { formatBtc } from '../../domain/sats.js';
import { formatTime } from '../../domain/time.js';
import type { Quarantine } from '../../policy/screening/hits.js';
import { type CoinStatus, type ListedCoin, listCoins } from '../../workflow/vault.js';
import type { Verb } from '../command.js';
import { table } from '../render/table.js';
import { plural, printable } from '../render/text.js';
import { withWorkspace } from '../with-workspace.js';

/** A coin of a batch can be frozen or kept back as well: then it is all of it. */
function statusText({ status, reason, quarantine }: ListedCoin): string {
  const parts: readonly (readonly [CoinStatus, string])[] = [
    ...(reason === null ? [] : [['frozen', printable(reason)] as const]),
    ...quarantine.map((one) => ['quarantined', quarantineText(one)] as const),
  ];
  const [first, ...rest] = parts.map(([own, text]) => (own === status ? text : `${own}: ${text}`));
  if (first === undefined) return status;
  const joins = parts[0]?.[0] === status ? ': ' : ', ';
  return [`${status}${joins}${first}`, ...rest].join(', ');
}

function quarantineText(one: Quarantine): string {
  switch (one.kind) {
    case 'tainted':
      return `comes from script ${one.script}, on the screening list ${one.list}`;
    case 'unscreened':
      return `nothing tells ${plural(one.untold, 'script')} that it comes from`;
  }
}

const quarantineData = (one: Quarantine): Record<string, unknown> =>
  one.kind === 'tainted'
    ? { code: 'INPUT_TAINTED', list: one.list, script: one.script }
    : { code: 'INPUT_UNSCREENED', untold: one.untold };

export const run: Verb = async (_words, context) =>
  withWorkspace(context, async (desk) => {
    const listed = await listCoins(desk);
    if (!listed.ok) return listed;
    const { coins, snapshot } = listed.value;
    const rows = coins.map((one) => [
      formatOutpoint(one.coin.outpoint),
      `${one.coin.value}`,
      formatBtc(one.coin.value),
      `${one.coin.origin.branch}/${one.coin.origin.index}`,
      `${one.confirmations}`,
      statusText(one),
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
        coins: coins.map(({ coin, address, confirmations, status, reason, quarantine }) => ({
          outpoint: formatOutpoint(coin.outpoint),
          value: coin.value,
          address,
          branch: coin.origin.branch,
          index: coin.origin.index,
          confirmations,
          status,
          frozen: reason !== null,
          ...(reason === null ? {} : { reason }),
          ...(quarantine.length === 0 ? {} : { quarantine: quarantine.map(quarantineData) }),
        })),
      },
      text: [
        `${plural(coins.length, 'coin')} at height ${snapshot.tip.height}, taken ${formatTime(snapshot.takenAt)}`,
        ...table(columns, rows, context.style),
      ],
    });
  });
