import { type Fault, fault } from '../../domain/fault.js';
import { err, ok } from '../../domain/result.js';
import { combineBatch } from '../../workflow/combine-batch.js';
import { openVault } from '../../workflow/open-vault.js';
import type { Verb } from '../command.js';
import { exportFile, exportFinal } from '../export-file.js';
import {
  finalData,
  finalLines,
  heldData,
  heldLines,
  heldWholeLines,
  partData,
  partLines,
  partName,
} from '../render/parts.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const id = argument(words, 0);
    const combined = await combineBatch(desk, id, words.args.slice(1));
    if (!combined.ok) return combined;
    const open = await openVault(desk);
    if (!open.ok) return open;
    const { vault } = open.value;
    const { style } = context;
    const { added, known, signers, left, psbt, final, unkept, heldBy } = combined.value;
    const data = { batch: id, added, known, ...partData({ signers, left, vault }) };
    const news = added.length === 0 ? 'nothing new' : `signatures of ${added.join(', ')}`;
    const told = [
      `${style.good('proven')}  ${news}${known.length === 0 ? '' : `; known already: ${known.join(', ')}`}`,
    ];
    if (heldBy.length > 0) {
      return ok({
        schema: 'countersign.batch-combine/1',
        exit: 'HALTED',
        data: { ...data, signed: final !== null, ...heldData(heldBy), ...(final === null ? {} : { txid: final.txid }) },
        text: [
          ...told,
          ...heldLines(heldBy, style),
          ...(final === null
            ? [`batch ${id} is PARTIAL and held: the journal keeps the signatures`]
            : heldWholeLines(id, final.txid)),
        ],
      });
    }
    if (final === null) {
      const file = await exportFile(desk, id, partName(signers), psbt);
      if (unkept !== null) return err(notKept(id, unkept));
      if (!file.ok) return file;
      return ok({
        schema: 'countersign.batch-combine/1',
        exit: 'OK',
        data: { ...data, signed: false, files: [file.value] },
        text: [...told, ...partLines({ id, signers, left, vault }, file.value, style)],
      });
    }
    const files = await exportFinal(desk, id, final);
    if (unkept !== null) return err(notKept(id, unkept));
    const [failed] = files.flatMap((file) => (file.ok ? [] : [file.error]));
    if (failed !== undefined) return err(failed);
    return ok({
      schema: 'countersign.batch-combine/1',
      exit: 'OK',
      data: { ...data, signed: true, ...finalData(final, files), signatures: final.signatures },
      text: [
        ...told,
        ...finalLines(final, final.signatures, files, style),
        `next    countersign batch broadcast ${id}`,
      ],
    });
  });

/** The files that were brought still hold everything: combining again loses nothing. */
function notKept(id: string, { tag, message, where }: Fault): Fault {
  return fault(
    tag,
    `the signatures of batch ${id} are proven, but the journal could not keep all of them: ${message}`,
    {
      where,
      remedy: 'keep the files, and run the command again as soon as the journal can be written',
    },
  );
}
