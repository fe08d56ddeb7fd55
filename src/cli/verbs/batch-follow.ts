import type { FaultTag } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { CONFIRMED_DEPTH } from '../../workflow/chain-spends.js';
import { type Followed, type FollowedView, followBatch } from '../../workflow/follow-batch.js';
import type { Report, Verb } from '../command.js';
import { plural, printable } from '../render/text.js';
import { withBackends } from '../take-from.js';
import { takeNews } from '../take-news.js';
import { argument } from '../with-workspace.js';

/** Seconds between two questions: blocks are minutes apart. */
const EVERY = 30;

export const run: Verb = async (words, context) =>
  withBackends(words, context, async (desk, backends, sources) => {
    for (let asked = 0; ; asked += 1) {
      const followed = await followBatch(desk, backends, argument(words, 0));
      // Who waits for an hour does so over a restart of the node; what is wrong from the start is said at once.
      const isPassing = asked > 0 && words.flag('wait') && !followed.ok && PASSING.has(followed.error.tag);
      if (!followed.ok && !isPassing) return followed;
      const isOver = followed.ok && (followed.value.buried || followed.value.lostTo !== null);
      if (followed.ok && (isOver || !words.flag('wait'))) {
        const said = report(followed.value);
        if (!isOver || followed.value.state === 'CONFIRMED' || followed.value.state === 'REPLACED') return ok(said);
        const news = await takeNews(words, context, desk, backends, sources);
        return ok({ ...said, data: { ...said.data, ...news.data }, text: [...said.text, ...news.text] });
      }
      context.progress(
        followed.ok ? waitingLine(followed.value) : `${printable(followed.error.message)}; asked again in ${EVERY} s`,
      );
      await new Promise((resolve) => setTimeout(resolve, EVERY * 1000));
    }
  });

/** Faults that time alone may cure. */
const PASSING: ReadonlySet<FaultTag> = new Set([
  'E_CHAIN_UNREACHABLE',
  'E_CHAIN_AUTH',
  'E_CHAIN_SYNCING',
  'E_CHAIN_MOVED',
]);

function waitingLine({ txid, views }: Followed): string {
  const fewest = Math.min(...views.map(({ confirmations }) => confirmations));
  return `${txid}: ${plural(fewest, 'confirmation')} of ${CONFIRMED_DEPTH}`;
}

function report({ batch, state, txid, views, buried, lostTo, stuckSince }: Followed): Report {
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
      lost_to: lostTo,
      stuck_since: stuckSince === null ? null : formatTime(stuckSince),
    },
    text: [
      `Batch ${batch} is ${state}: txid ${txid}`,
      ...views.map(viewLine),
      ...(lostTo === null
        ? []
        : [`  batch ${lostTo}, which spends the same coins, is buried: this one can never confirm`]),
      ...(stuckSince === null
        ? []
        : [
            `  STUCK: it waits since ${formatTime(stuckSince)}, and holds its budget. Send it again (countersign batch broadcast ${batch}), or replace it for a higher fee (countersign batch bump ${batch} --feerate RATE)`,
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
