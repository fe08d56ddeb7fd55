import type { ExitName } from '../../domain/exit-codes.js';
import { haltScopeText } from '../../domain/halt-scope.js';
import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { type ResumeOutcome, resumeHalt, resumeStatement } from '../../workflow/resume-halt.js';
import { wordSource } from '../brought.js';
import type { Report, Verb } from '../command.js';
import { endJson, endText } from '../render/halt.js';
import type { Style } from '../render/style.js';
import { fields } from '../render/table.js';
import { required, withWorkspace } from '../with-workspace.js';

const SCHEMA = 'countersign.halt-resume/1';

export const run: Verb = async (words, context) => {
  const id = words.args[0] ?? null;
  if (words.flag('statement')) {
    const person = required(words, 'person', 'bob');
    if (!person.ok) return person;
    return withWorkspace(context, async (desk) => {
      const statement = await resumeStatement(desk, id, person.value);
      if (!statement.ok) return statement;
      const data = { person: person.value, statement: statement.value };
      return ok({ schema: SCHEMA, exit: 'OK', data, text: [statement.value], verbatim: statement.value });
    });
  }
  const source = await wordSource(words, context);
  if (!source.ok) return source;
  return withWorkspace(context, async (desk) => {
    const resumed = await resumeHalt(desk, context.compose.ssh, id, source.value ?? { kind: 'none' });
    return resumed.ok ? ok(report(resumed.value, context.style)) : resumed;
  });
};

function report(outcome: ResumeOutcome, style: Style): Report {
  const { halt, person, resumed, judgement, standing } = outcome;
  return {
    schema: SCHEMA,
    exit: exitOf(outcome),
    data: { halt: halt.id, person, resumed, ...endJson(judgement), standing: standing.map(({ id }) => id) },
    text: [
      ...(person === null ? [] : [`${style.bold(person)} agrees to the end of ${halt.id}`]),
      ...(person === null && !resumed
        ? [`Nobody's word was added to the end of ${halt.id}: --key FILE gives yours`]
        : []),
      ...(resumed
        ? [`${style.good('resumed')}  ${haltScopeText(halt.scope)}; ${halt.id} has ended`]
        : fields([['  ends', endText(judgement)]], style)),
      ...standing.map(
        (one) => `${style.warn('halted')}  ${haltScopeText(one.scope)}, by ${one.id} since ${formatTime(one.at)}`,
      ),
    ],
  };
}

/** 0 when it has ended; 11 while people are missing; 12 while the quorum is there and the delay is not over. */
function exitOf({ resumed, judgement }: ResumeOutcome): ExitName {
  if (resumed) return 'OK';
  return judgement.missing > 0 ? 'APPROVALS_MISSING' : 'HALTED';
}
