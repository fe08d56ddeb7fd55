import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { type Objecting, type ObjectionSource, objectionFor, objectToBatch } from '../../workflow/object-batch.js';
import { noWord, wordSource } from '../brought.js';
import type { Verb, VerbContext, Words } from '../command.js';
import { printable } from '../render/text.js';
import { argument, required, withWorkspace } from '../with-workspace.js';

const DONE = {
  reject: { schema: 'countersign.batch-reject/1', says: 'rejected' },
  withdraw: { schema: 'countersign.batch-withdraw/1', says: 'took the approval back of' },
} as const;

/** `batch reject` and `batch withdraw`: one person's word against a batch. */
export function objecting(action: Objecting['action']): Verb {
  return async (words, context) => {
    const { schema, says } = DONE[action];
    if (words.flag('statement')) return printStatement(action, words, context);
    const source = await sourceOf(action, words, context);
    if (!source.ok) return source;
    return withWorkspace(context, async (desk) => {
      const id = argument(words, 0);
      const objected = await objectToBatch(desk, context.compose.ssh, id, source.value);
      if (!objected.ok) return objected;
      const { batch, person } = objected.value;
      const { reason = null } = batch.objections.at(-1) ?? {};
      return ok({
        schema,
        exit: 'OK',
        data: { batch: id, person, state: batch.state, ...(reason === null ? {} : { reason }) },
        text: [
          `${context.style.bold(person)} ${says} batch ${id}${reason === null ? '' : `: ${printable(reason)}`}`,
          '  it is denied from now on, whoever approves; nothing of it was sent to a device',
          `  to free its coins and plan anew: countersign batch abandon ${id} --reason TEXT`,
        ],
      });
    });
  };
}

function wordsOf(action: Objecting['action'], words: Words): Result<Objecting, Fault> {
  if (action === 'withdraw') return ok({ action });
  const reason = required(words, 'reason', '"the customer denies having asked for it"');
  return reason.ok ? ok({ action, reason: reason.value }) : reason;
}

async function sourceOf(
  action: Objecting['action'],
  words: Words,
  context: VerbContext,
): Promise<Result<ObjectionSource, Fault>> {
  const word = await wordSource(words, context);
  if (!word.ok) return word;
  if (word.value === null) return noWord();
  if (word.value.kind === 'signature') {
    if (words.text('reason') === undefined) return ok({ ...word.value, action });
    return fail('E_USAGE', 'a statement that was signed says its reason itself', {
      remedy: 'leave out --reason beside --signature',
    });
  }
  const said = wordsOf(action, words);
  return said.ok ? ok({ ...word.value, objecting: said.value }) : said;
}

/** The exact bytes to sign, and nothing else on stdout. */
async function printStatement(action: Objecting['action'], words: Words, context: VerbContext): ReturnType<Verb> {
  const person = required(words, 'person', 'bob');
  if (!person.ok) return person;
  const said = wordsOf(action, words);
  if (!said.ok) return said;
  return withWorkspace(context, async (desk) => {
    const id = argument(words, 0);
    const statement = await objectionFor(desk, id, person.value, said.value);
    if (!statement.ok) return statement;
    const data = { batch: id, person: person.value, statement: statement.value };
    return ok({ schema: DONE[action].schema, exit: 'OK', data, text: [statement.value], verbatim: statement.value });
  });
}
