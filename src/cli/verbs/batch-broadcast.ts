import { ok } from '../../domain/result.js';
import { broadcastBatch } from '../../workflow/broadcast-batch.js';
import type { Verb } from '../command.js';
import { withBackends } from '../take-from.js';
import { argument } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withBackends(words, context, async (desk, backends) => {
    const sent = await broadcastBatch(desk, backends, argument(words, 0));
    if (!sent.ok) return sent;
    const { batch, txid, answers, silent } = sent.value;
    return ok({
      schema: 'countersign.batch-broadcast/1',
      exit: 'OK',
      data: {
        batch,
        txid,
        taken_by: answers.map(({ name, answer }) => ({ name, answer: answer.state })),
        not_asked: silent.map(({ name, fault }) => ({ name, tag: fault.tag, message: fault.message })),
      },
      text: [
        `Broadcast batch ${batch}: txid ${txid}`,
        ...answers.map(({ name, answer }) => `  ${name}: ${answer.state === 'known' ? 'knew it already' : 'took it'}`),
        ...silent.map(({ name, fault }) => `  WARNING: ${name} could not be asked: ${fault.message}`),
        `  follow it: countersign batch follow ${batch}`,
      ],
    });
  });
