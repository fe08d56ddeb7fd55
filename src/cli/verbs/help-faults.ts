import { exitCode } from '../../domain/exit-codes.js';
import { FAULTS } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import type { Verb } from '../command.js';
import { table } from '../render/table.js';

export const run: Verb = async (_words, { style }) => {
  const faults = Object.entries(FAULTS).map(([tag, { exit, meaning }]) => ({ tag, exit: exitCode(exit), meaning }));
  return ok({
    schema: 'countersign.help-faults/1',
    exit: 'OK',
    data: { faults },
    text: table(
      [{ title: 'tag' }, { title: 'exit', align: 'right' }, { title: 'meaning' }],
      faults.map(({ tag, exit, meaning }) => [tag, `${exit}`, meaning]),
      style,
    ),
  });
};
