import { ok } from '../../domain/result.js';
import { broadcastBatch } from '../../workflow/broadcast-batch.js';
import type { Verb } from '../command.js';
import { printable } from '../render/text.js';
import { withBackends } from '../take-from.js';
import { argument } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withBackends(words, context, async (desk, backends) => {
    const sent = await broadcastBatch(desk, backends, argument(words, 0));
    if (!sent.ok) return sent;
    const { batch, txid, answers, refused, silent } = sent.value;
    return ok({
      schema: 'countersign.batch-broadcast/1',
      exit: 'OK',
      data: {
        batch,
        txid,
        taken_by: answers.map(({ name, answer }) => ({ name, answer: answer.state })),
        refused_by: refused,
        not_asked: silent.map(({ name, fault }) => ({ name, tag: fault.tag, message: fault.message })),
      },
      text: [
        `Broadcast batch ${batch}: txid ${txid}`,
        ...answers.map(({ name, answer }) => `  ${name}: ${answer.state === 'known' ? 'knew it already' : 'took it'}`),
        ...refused.map(({ name, reason }) => `  WARNING: ${name} refuses it: ${reason}`),
        ...silent.map(({ name, fault }) => `  WARNING: ${name} could not be asked: ${printable(fault.message)}`),
        `  follow it: countersign batch follow ${batch}`,
      ],
    });
  });
