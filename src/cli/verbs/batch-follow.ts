import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { type Followed, type FollowedView, followBatch } from '../../workflow/follow-batch.js';
import type { Report, Verb } from '../command.js';
import { plural } from '../render/text.js';
import { withBackends } from '../take-from.js';
import { argument } from '../with-workspace.js';

/** Seconds between two questions: blocks are minutes apart. */
const EVERY = 30;

export const run: Verb = async (words, context) =>
  withBackends(words, context, async (desk, backends) => {
    for (;;) {
      const followed = await followBatch(desk, backends, argument(words, 0));
      if (!followed.ok) return followed;
      if (followed.value.buried || !words.flag('wait')) return ok(report(followed.value));
      const fewest = Math.min(...followed.value.views.map(({ confirmations }) => confirmations));
      context.progress(`${followed.value.txid}: ${plural(fewest, 'confirmation')} of 6`);
      await new Promise((resolve) => setTimeout(resolve, EVERY * 1000));
    }
  });

function report({ batch, state, txid, views, buried, stuckSince }: Followed): Report {
  return {
    schema: 'countersign.batch-follow/1',
    exit: 'OK',
    data: {
      batch,
      state,
      txid,
      back_ends: views.map(({ name, status, confirmations }) => ({
        name,
        state: status.state,
        confirmations,
        ...(status.state === 'confirmed' ? { height: status.height, block: status.blockHash } : {}),
      })),
      buried,
      stuck_since: stuckSince === null ? null : formatTime(stuckSince),
    },
    text: [
      `Batch ${batch} is ${state}: txid ${txid}`,
      ...views.map(viewLine),
      ...(buried && state !== 'CONFIRMED' ? ['  it is buried: countersign chain sync takes it into the journal'] : []),
      ...(stuckSince === null
        ? []
        : [
            `  STUCK: it waits since ${formatTime(stuckSince)}, and holds its budget. Send it again (countersign batch broadcast ${batch}), or see whether its fee is too low`,
          ]),
    ],
  };
}

function viewLine({ name, status, confirmations }: FollowedView): string {
  switch (status.state) {
    case 'unknown':
      return `  ${name}: does not know it`;
    case 'mempool':
      return `  ${name}: waits for a block`;
    case 'confirmed':
      return `  ${name}: ${plural(confirmations, 'confirmation')}, in block ${status.height} ${status.blockHash}`;
  }
}
