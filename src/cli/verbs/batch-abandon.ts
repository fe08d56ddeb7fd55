import { ok } from '../../domain/result.js';
import { abandonBatch } from '../../workflow/batches.js';
import type { Verb } from '../command.js';
import { plural, printable } from '../render/text.js';
import { actor, argument, required, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const by = actor(words, desk);
    if (!by.ok) return by;
    const reason = required(words, 'reason', '"the customer cancelled"');
    if (!reason.ok) return reason;
    const done = await abandonBatch(desk, argument(words, 0), by.value, reason.value);
    if (!done.ok) return done;
    const { id, inputs, requests, replaces } = done.value;
    return ok({
      schema: 'countersign.batch-abandon/1',
      exit: 'OK',
      data: { batch: id, reason: reason.value, by: by.value },
      text: [
        `Abandoned batch ${id}: ${printable(reason.value)}`,
        replaces === null
          ? `  ${plural(inputs.length, 'coin')} and ${plural(requests.length, 'request id')} are free again`
          : `  ${replaces}, which it was to replace, goes on and keeps its coins and request ids`,
      ],
    });
  });
