import type { Fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { movedAway } from '../journal/fold.js';
import type { JournalCopy } from '../journal/port.js';
import type { Composition, Desk } from './ports.js';
import { HEAD_MOVED } from './transact.js';

/**
 * Copies the journal to another place. With `close`, the last thing that is written here says where it goes on, and only
 * if nobody wrote in the meantime: two journals of one vault that both go on would each give out the whole budget.
 * A run that was broken off between the two is made good by the same command again.
 */
export async function copyJournal(
  desk: Desk,
  compose: Pick<Composition, 'copyJournal'>,
  to: string,
  close: boolean,
  progress: (done: number) => void,
): Promise<Result<JournalCopy, Fault>> {
  const before = await desk.journal.read();
  if (!before.ok) return before;
  // A run that was killed behind its last step: whoever repeats it has to hear that it took effect.
  if (close && before.value.movedTo !== null) return movedAway(before.value.movedTo);
  const copied = await compose.copyJournal(desk.journal, to, progress);
  if (!copied.ok || !close) return copied;
  const { head, name } = copied.value;
  const closed = await desk.journal.transact(async (tx) => {
    if (tx.state.head?.hash !== head.hash) {
      return err({
        ...HEAD_MOVED,
        message: `another command wrote to the journal while it was copied: ${name} ends at entry ${head.seq}`,
        remedy: 'it stays a mere copy: have nobody else write, and move the journal to another place',
      });
    }
    tx.append({ kind: 'journal.moved', to: name });
    return ok(undefined);
  });
  return closed.ok ? copied : closed;
}
