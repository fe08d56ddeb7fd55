import { type Fault, fail } from '../../domain/fault.js';
import { haltScopeText, parseHaltScope } from '../../domain/halt-scope.js';
import { ok, type Result } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { type RaiseOutcome, type RaiseSource, raiseHalt, raiseStatement } from '../../workflow/raise-halt.js';
import { wordSource } from '../brought.js';
import type { Report, Verb, VerbContext, Words } from '../command.js';
import { raiserText, recordJson } from '../render/halt.js';
import type { Style } from '../render/style.js';
import { printable } from '../render/text.js';
import { required, withWorkspace } from '../with-workspace.js';

const SCHEMA = 'countersign.halt-raise/1';

export const run: Verb = async (words, context) => {
  const source = await sourceOf(words, context);
  if (!source.ok) return source;
  return withWorkspace(context, async (desk) => {
    if (source.value.kind === 'statement') {
      const { person, scope, reason } = source.value;
      const statement = await raiseStatement(desk, person, scope, reason);
      if (!statement.ok) return statement;
      return ok({
        schema: SCHEMA,
        exit: 'OK',
        data: { person, statement: statement.value },
        text: [statement.value],
        verbatim: statement.value,
      });
    }
    const raised = await raiseHalt(desk, context.compose.ssh, source.value);
    return raised.ok ? ok(report(raised.value, context.style)) : raised;
  });
};

type Asked = RaiseSource | ({ readonly kind: 'statement'; readonly person: string } & Spoken);
type Spoken = Pick<Extract<RaiseSource, { kind: 'key' }>, 'scope' | 'reason'>;

async function sourceOf(words: Words, context: VerbContext): Promise<Result<Asked, Fault>> {
  const word = await wordSource(words, context);
  if (!word.ok) return word;
  if (word.value?.kind === 'signature') {
    if (words.text('reason') === undefined && words.text('scope') === undefined) return ok(word.value);
    return fail('E_USAGE', 'a statement that was signed says scope and reason itself', {
      remedy: 'leave out --reason and --scope beside --signature',
    });
  }
  const reason = required(words, 'reason', '"customers report payments that they did not ask for"');
  if (!reason.ok) return reason;
  const scope = parseHaltScope(words.text('scope') ?? 'all');
  if (!scope.ok) return scope;
  const spoken = { scope: scope.value, reason: reason.value };
  if (words.flag('statement')) {
    const person = required(words, 'person', 'bob');
    return person.ok ? ok({ kind: 'statement', person: person.value, ...spoken }) : person;
  }
  if (word.value !== null) return ok({ ...word.value, ...spoken });
  if (words.flag('unsigned')) {
    if (scope.value.kind === 'all') return ok({ kind: 'unsigned', reason: reason.value });
    return fail('E_USAGE', 'a halt that nobody signs stops everything', { remedy: 'leave out --scope' });
  }
  return fail('E_USAGE', 'nobody signs: nothing was halted', {
    remedy: 'give --key FILE with your SSH key; without one, --unsigned stops everything until an officer clears it',
  });
}

function report({ halt, policy, stood }: RaiseOutcome, style: Style): Report {
  const { from, notBefore } = policy.document.halt.resume;
  const isVerified = halt.source.kind !== 'unverified';
  const end = isVerified
    ? `it can end at ${formatTime(halt.at + notBefore)} at the earliest`
    : `it ends when one person of ${from.join(' or ')} clears it`;
  return {
    schema: SCHEMA,
    exit: 'OK',
    data: { ...recordJson(halt), verified: isVerified, stood_already: stood },
    text: [
      `${style.bad('HALTED')}  ${haltScopeText(halt.scope)}, ${stood ? 'already' : 'from now on'}: nothing of it is approved, signed or released here`,
      `${halt.id}  raised by ${printable(raiserText(halt))}; ${end}`,
      ...(isVerified ? [] : [style.warn('Nobody verifiable said so. Have an officer raise it with a key as well.')]),
      'What is signed already can be broadcast by whoever has it, and the device signs for other software: take it away.',
      'countersign halt status shows all halts',
    ],
  };
}
