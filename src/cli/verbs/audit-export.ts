import { ok } from '../../domain/result.js';
import { readCheckpoint } from '../../workflow/checkpoint-files.js';
import { exportTiles } from '../../workflow/export-tiles.js';
import type { Verb } from '../command.js';
import { plural } from '../render/text.js';
import { required, withWorkspace } from '../with-workspace.js';

/** Bundles of 256 entries between two lines of progress. */
const STEP = 16;

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const folder = required(words, 'tiles', 'export');
    if (!folder.ok) return folder;
    const file = required(words, 'checkpoint', 'checkpoint-1');
    if (!file.ok) return file;
    const signed = await readCheckpoint(desk.ports.files, file.value);
    if (!signed.ok) return signed;
    const done = await exportTiles(desk, folder.value, signed.value, (bundles, total) => {
      if (bundles % STEP === 0) context.progress(`writing bundle ${bundles} of ${total}`);
    });
    if (!done.ok) return done;
    const { checkpoint, tiles, bundles, written, wide } = done.value;
    return ok({
      schema: 'countersign.audit-export/1',
      exit: 'OK',
      data: { folder: folder.value, origin: checkpoint.origin, size: checkpoint.size, tiles, bundles, written, wide },
      text: [
        `${context.style.good('exported')}  ${folder.value}: ${plural(checkpoint.size, 'entry', 'entries')} of ${checkpoint.origin}`,
        `  ${plural(tiles, 'tile')} and ${plural(bundles, 'bundle')} of entries, ${written} of them new; the checkpoint last`,
        ...(wide.length === 0
          ? []
          : [
              `  ${plural(wide.length, 'bundle')} with an entry above 65,535 bytes, which only countersign reads: wide-entries/`,
            ]),
      ],
    });
  });
