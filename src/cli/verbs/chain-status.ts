import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { checkNetwork } from '../../workflow/chain-views.js';
import type { Verb } from '../command.js';
import { table } from '../render/table.js';
import { withBackends } from '../take-from.js';

/** Asks each back end for its tip; one that does not answer ends the command, with its own fault. */
export const run: Verb = async (words, context) =>
  withBackends(words, context, async (desk, backends) => {
    const tips = [];
    for (const backend of backends) {
      const right = await checkNetwork(backend, desk.config.network);
      if (!right.ok) return right;
      const tip = await backend.tip();
      if (!tip.ok) return tip;
      tips.push({ name: backend.name, ...tip.value });
    }
    const columns = [
      { title: 'back end' },
      { title: 'height', align: 'right' as const },
      { title: 'median time past' },
      { title: 'tip' },
    ];
    const rows = tips.map(({ name, height, medianTimePast, hash }) => [
      name,
      `${height}`,
      formatTime(medianTimePast),
      hash,
    ]);
    return ok({
      schema: 'countersign.chain-status/1',
      exit: 'OK',
      data: {
        network: desk.config.network,
        backends: tips.map(({ name, height, hash, medianTimePast }) => ({
          name,
          height,
          hash,
          median_time_past: formatTime(medianTimePast),
        })),
      },
      text: table(columns, rows, context.style),
    });
  });
