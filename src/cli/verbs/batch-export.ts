import { ok } from '../../domain/result.js';
import { exportBatch } from '../../workflow/export-batch.js';
import type { Verb } from '../command.js';
import { fields } from '../render/table.js';
import { reasonsOfVerdict, verdictExit, verdictJson } from '../render/verdict.js';
import { argument, required, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const id = argument(words, 0);
    const file = required(words, 'psbt', 'for-bob.psbt');
    if (!file.ok) return file;
    const exported = await exportBatch(desk, id, file.value);
    if (!exported.ok) return exported;
    const { style } = context;
    if (exported.value.kind === 'refused') {
      const { verdict } = exported.value;
      return ok({
        schema: 'countersign.batch-export/1',
        exit: verdictExit(verdict),
        data: { batch: id, exported: false, verdict: verdictJson(verdict) },
        text: [
          ...reasonsOfVerdict(verdict, style),
          `Nothing was written. countersign batch check ${id} shows every rule.`,
        ],
      });
    }
    const { signers, review } = exported.value;
    return ok({
      schema: 'countersign.batch-export/1',
      exit: 'OK',
      data: { batch: id, exported: true, file: file.value, psbt_sha256: review.batch.psbt, signed_by: signers },
      text: fields(
        [
          ['file', file.value],
          ['carries', signers.length === 0 ? 'no signature yet' : `the signatures of ${signers.join(', ')}`],
          ['the batch', `${id} is PARTIAL: whoever has the file can sign, so its budget is debited and stays so`],
          ['then', `countersign batch combine ${id} FILE takes in what comes back`],
        ],
        style,
      ),
    });
  });
