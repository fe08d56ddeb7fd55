import { ok } from '../../domain/result.js';
import { CODES } from '../../policy/codes.js';
import type { Verb } from '../command.js';
import { table } from '../render/table.js';

export const run: Verb = async (_words, { style }) => {
  const reasons = Object.entries(CODES).map(([code, { outcome, rule, meaning }]) => ({
    code,
    outcome,
    rule,
    meaning,
  }));
  return ok({
    schema: 'countersign.help-reasons/1',
    exit: 'OK',
    data: { reasons },
    text: table(
      [{ title: 'code' }, { title: 'outcome' }, { title: 'rule' }, { title: 'meaning' }],
      reasons.map(({ code, outcome, rule, meaning }) => [code, outcome, rule, meaning]),
      style,
    ),
  });
};
