import { fail } from '../../domain/fault.js';
import { err, ok } from '../../domain/result.js';
import { formatAmount } from '../../domain/sats.js';
import { runCases } from '../../workflow/cases.js';
import type { Verb } from '../command.js';
import { printable } from '../render/text.js';
import { verdictExit, verdictJson, verdictLines } from '../render/verdict.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace and no journal: the case says state and time. */
export const run: Verb = async (words, { compose, style }) => {
  const file = argument(words, 0);
  const run = await runCases(compose, [file], words.text('policy') ?? null);
  if (!run.ok) return run;
  const name = words.text('name');
  const named = name === undefined ? run.value : run.value.filter((outcome) => outcome.case.name === name);
  const [outcome, second] = named;
  if (outcome === undefined || second !== undefined) {
    const names = run.value.map((one) => printable(one.case.name));
    return fail(
      'E_USAGE',
      `${file} holds ${run.value.length} cases${name === undefined ? '' : ', none of that name'}`,
      {
        remedy: `choose one with --name: ${names.slice(0, 10).join(' | ')}${names.length > 10 ? ' | ...' : ''}`,
      },
    );
  }
  if (outcome.judged === null) return err(outcome.refused);
  const { verdict, input } = outcome.judged;
  const { facts } = input;
  return ok({
    schema: 'countersign.policy-evaluate/1',
    exit: verdictExit(verdict),
    data: {
      case: outcome.case.name,
      spend: verdict.spend,
      fee: verdict.fee,
      verdict: verdictJson(verdict),
      problems: outcome.problems,
    },
    text: [
      style.bold(`Case ${printable(outcome.case.name)}`),
      `  external ${formatAmount(facts.external)}, fee ${formatAmount(facts.fee)}, leaves the vault ${formatAmount(facts.spend)}`,
      '',
      ...verdictLines(verdict, style),
      ...outcome.problems.map((problem) => `  ${style.warn('not as the case expects')}: ${printable(problem)}`),
    ],
  });
};
