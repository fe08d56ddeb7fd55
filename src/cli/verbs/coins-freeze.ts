import { ok } from '../../domain/result.js';
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
      return ok({
        schema: `countersign.coins-${frozen ? 'freeze' : 'unfreeze'}/1`,
        exit: 'OK',
        data: { outpoint: done.value, frozen, reason: reason.value, by: by.value },
        text: [`${frozen ? 'Froze' : 'Unfroze'} ${done.value}: ${printable(reason.value)}`],
      });
    });
