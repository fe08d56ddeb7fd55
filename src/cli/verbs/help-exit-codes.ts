import { EXIT_CODES } from '../../domain/exit-codes.js';
import { ok } from '../../domain/result.js';
import type { Verb } from '../command.js';
import { table } from '../render/table.js';

export const run: Verb = async (_words, { style }) =>
  ok({
    schema: 'countersign.help-exit-codes/1',
    exit: 'OK',
    data: { exit_codes: EXIT_CODES },
    text: table(
      [{ title: 'code', align: 'right' }, { title: 'name' }, { title: 'meaning' }],
      EXIT_CODES.map(({ code, name, meaning }) => [`${code}`, name, meaning]),
      style,
    ),
  });
