import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { cannotSay, checkAddresses, viewScreening } from '../../workflow/screening.js';
import type { Verb } from '../command.js';
import { printable } from '../render/text.js';
import { withWorkspace } from '../with-workspace.js';

/** A hit is a hit in a list of any age; that there is none is worth something only where every list is there and current. */
export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const view = await viewScreening(desk);
    if (!view.ok) return view;
    const checked = checkAddresses(desk, view.value, words.args);
    if (!checked.ok) return checked;
    const doubts = cannotSay(view.value);
    const isHit = checked.value.some(({ on }) => on.length > 0);
    const { good, warn } = context.style;
    const clean = doubts.length === 0 ? good('not listed') : 'not found, which says nothing';
    const named = view.value.lists.filter((list) => list.named !== null);
    return ok({
      schema: 'countersign.screening-check/1',
      exit: isHit ? 'DENIED' : doubts.length > 0 ? 'DATA_STALE' : 'OK',
      data: {
        lists: named.map(({ id, record }) => ({
          list: id,
          issued_at: record === null ? null : formatTime(record.issuedAt),
        })),
        addresses: checked.value.map(({ text, script, on }) => ({ text, script, on })),
        doubts,
      },
      text: [
        ...checked.value.map(({ text, on }) =>
          on.length === 0
            ? `${printable(text)}  ${clean}`
            : `${printable(text)}  ${warn(`LISTED in ${on.join(', ')}`)}: it is not paid, also where the book holds it`,
        ),
        ...doubts.map((doubt) => `  ${doubt}`),
      ],
    });
  });
