import { err, ok } from '../../domain/result.js';
import { differenceFault, replayVerdicts } from '../../workflow/replay.js';
import type { Verb } from '../command.js';
import { plural } from '../render/text.js';
import { withWorkspace } from '../with-workspace.js';

/** A shorter journal is done before anybody wonders. */
const LONG = 500;
const STEP = 100;
/** Behind so many nobody reads on; --json has them all. */
const MOST = 20;

export const run: Verb = async (_, context) =>
  withWorkspace(context, async (desk) => {
    const known = await desk.journal.read();
    const total = known.ok ? (known.value.head?.seq ?? 0) + 1 : 0;
    const done = await replayVerdicts(desk, (entries, verdicts) => {
      if (total >= LONG && entries % STEP === 0) {
        context.progress(`replaying entry ${entries} of ${total}, ${plural(verdicts, 'verdict')}`);
      }
    });
    if (!done.ok) return done;
    const { verdicts, differences } = done.value;
    const data = { entries: total, verdicts, differences };
    if (differences.length > 0) {
      const rest = differences.length - MOST;
      return err({
        faults: differences.slice(0, MOST).map(differenceFault),
        data,
        text: rest > 0 ? [`  and ${plural(rest, 'verdict')} more; --json has all of them, with what came out`] : [],
      });
    }
    return ok({
      schema: 'countersign.audit-replay/1',
      exit: 'OK',
      data,
      text: [
        `${context.style.good('replayed')}  ${plural(verdicts, 'verdict')} of ${plural(total, 'entry', 'entries')}, each the same to the byte`,
      ],
    });
  });
