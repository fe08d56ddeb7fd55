import { ok } from '../../domain/result.js';
import type { BatchRecord } from '../../journal/state.js';
import { setFrozen } from '../../workflow/vault.js';
import type { Verb } from '../command.js';
import { printable } from '../render/text.js';
import { actor, argument, required, withWorkspace } from '../with-workspace.js';

/** `coins freeze` and `coins unfreeze`. */
export const freezing =
  (frozen: boolean): Verb =>
  async (words, context) =>
    withWorkspace(context, async (desk) => {
      const by = actor(words, desk);
      if (!by.ok) return by;
      const reason = required(words, 'reason', '"its origin is being looked into"');
      if (!reason.ok) return reason;
      const done = await setFrozen(desk, argument(words, 0), frozen, by.value, reason.value);
      if (!done.ok) return done;
      const read = await desk.journal.read();
      const holder = read.ok ? read.value.heldCoins.get(done.value) : undefined;
      const held = read.ok && holder !== undefined ? read.value.batches.get(holder) : undefined;
      return ok({
        schema: `countersign.coins-${frozen ? 'freeze' : 'unfreeze'}/1`,
        exit: 'OK',
        data: {
          outpoint: done.value,
          frozen,
          reason: reason.value,
          by: by.value,
          ...(held === undefined ? {} : { batch: held.id }),
        },
        text: [
          `${frozen ? 'Froze' : 'Unfroze'} ${done.value}: ${printable(reason.value)}`,
          ...(frozen && held !== undefined ? [`  ${consequence(held)}`] : []),
        ],
      });
    });

/** What freezing one of its coins means for a batch that holds it. */
function consequence({ id, state }: BatchRecord): string {
  switch (state) {
    case 'DRAFT':
    case 'RESERVED':
    case 'RELEASED':
      return `batch ${id} spends it and is ${state}: it cannot be signed while the coin is frozen`;
    case 'PARTIAL':
      return `batch ${id} spends it and is PARTIAL: no further device is asked while the coin is frozen, and what others have signed stays`;
    case 'SENT':
    case 'UNKNOWN':
    case 'SIGNED':
    case 'BROADCAST':
    case 'CONFIRMED':
    case 'REPLACED':
    case 'CONFLICTED':
    case 'ABANDONED':
      return `batch ${id} spends it and is ${state}: freezing cannot stop a transaction that is signed or may be`;
  }
}
