import { ok } from '../../domain/result.js';
import { haltStatus } from '../../workflow/resume-halt.js';
import type { Verb } from '../command.js';
import { haltJson, haltLines } from '../render/halt.js';
import { withWorkspace } from '../with-workspace.js';

/** Ends with 12 while a halt stands, so that a script need not read it. */
export const run: Verb = async (_words, context) =>
  withWorkspace(context, async (desk) => {
    const outlooks = await haltStatus(desk);
    if (!outlooks.ok) return outlooks;
    const halts = outlooks.value;
    return ok({
      schema: 'countersign.halt-status/1',
      exit: halts.length === 0 ? 'OK' : 'HALTED',
      data: { halted: halts.length > 0, halts: halts.map(haltJson) },
      text: halts.length === 0 ? ['No halt stands.'] : halts.flatMap((one) => haltLines(one, context.style)),
    });
  });
