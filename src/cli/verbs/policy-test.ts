import { formatPosition } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import type { CaseOutcome } from '../../policy/bench/types.js';
import { runCases } from '../../workflow/cases.js';
import type { Verb } from '../command.js';
import { type Style, sentenceWidth } from '../render/style.js';
import { plural, printable, wrap } from '../render/text.js';

/** Exit 0 where every case holds, 10 where one does not, 2 where a file cannot be read. */
export const run: Verb = async (words, { compose, style }) => {
  const run = await runCases(compose, words.args, words.text('policy') ?? null);
  if (!run.ok) return run;
  const outcomes = run.value;
  const silent = outcomes.filter((outcome) => outcome.case.expect === null);
  const failed = outcomes.filter((outcome) => outcome.problems.length > 0);
  const bad = failed.length + silent.length;
  const held = outcomes.length - bad;
  return ok({
    schema: 'countersign.policy-test/1',
    exit: bad === 0 ? 'OK' : 'DENIED',
    data: {
      cases: outcomes.length,
      held,
      results: outcomes.map(({ summary, problems, case: one }) => ({
        name: one.name,
        file: one.where.file,
        line: one.where.line,
        held: problems.length === 0 && one.expect !== null,
        got: summary,
        problems,
      })),
    },
    text: [
      ...failed.flatMap((outcome) => failure(outcome, style)),
      ...silent.map(
        ({ case: one, summary }) =>
          `${style.bad('no expectation')}  ${printable(one.name)}  ${printable(formatPosition(one.where))}: got ${summary}`,
      ),
      bad === 0
        ? `${style.good('all hold')}  ${plural(outcomes.length, 'case')}`
        : `${style.bad(`${bad} of ${outcomes.length} do not hold`)}, ${held} hold`,
    ],
  });
};

function failure({ case: one, problems }: CaseOutcome, style: Style): string[] {
  return [
    `${style.bad('differs')}  ${style.bold(printable(one.name))}  ${style.dim(printable(formatPosition(one.where)))}`,
    ...problems
      .flatMap((problem) => wrap(printable(problem), sentenceWidth(style, 100, 9)))
      .map((line) => `         ${line}`),
    '',
  ];
}
