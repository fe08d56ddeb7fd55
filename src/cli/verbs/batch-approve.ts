import { fail } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import type { Verdict } from '../../policy/types.js';
import { approveBatch, type ReviewedBatch, reviewBatch, statementFor } from '../../workflow/approve-batch.js';
import { recordVainApproval } from '../../workflow/record-denial.js';
import type { Verb, VerbContext, Words } from '../command.js';
import { printable } from '../render/text.js';
import { batchTitle, decisionWord, paymentLines, reasonsOfVerdict } from '../render/verdict.js';
import { argument, required, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) => {
  if (words.flag('statement')) return printStatement(words, context);
  return withWorkspace(context, async (desk) => {
    const id = argument(words, 0);
    const source = await sourceOf(words, context);
    if (!source.ok) return source;
    // Seen before ssh-keygen asks for a passphrase or a touch: nobody signs first and reads afterwards.
    const before = await reviewBatch(desk, id);
    if (!before.ok) return before;
    for (const line of reviewLines(before.value, context)) context.notice(line);
    const approved = await approveBatch(desk, context.compose.ssh, id, source.value);
    if (!approved.ok) return recordVainApproval(desk, id, approved.error);
    const { person, validUntil, review } = approved.value;
    const { verdict } = review.assessment;
    const { style } = context;
    const counting = verdict.quorum?.approved ?? [];
    return ok({
      schema: 'countersign.batch-approve/1',
      exit: 'OK',
      data: {
        batch: id,
        person,
        valid_until: formatTime(validUntil),
        decision: verdict.decision,
        approved: counting,
        missing: verdict.quorum?.missing ?? 0,
      },
      text: [
        `${style.bold(person)} approved batch ${id}, valid until ${formatTime(validUntil)}`,
        ...(counting.includes(person) ? [] : [`  ${style.warn(notCounted(verdict, person))}`]),
        `  now: ${decisionWord(verdict, style)}; ${counting.length === 0 ? 'no approval counts yet' : `approved by ${counting.join(', ')}`}`,
        ...(verdict.decision === 'ALLOW' ? [`  next: countersign batch sign ${id}`] : []),
      ],
    });
  });
};

/** Why an approval that was taken adds nothing: whoever gave it must not read it as a yes that helps. */
function notCounted({ findings }: Verdict, person: string): string {
  const finding = findings.find(({ code, subject }) => code === 'APPROVAL_IGNORED' && subject === person);
  return printable(finding?.text ?? `The approval of ${person} does not count.`);
}

/** What the batch pays and what the policy says of it, for the person who is about to approve it. */
function reviewLines({ batch, assessment, situation }: ReviewedBatch, { style }: VerbContext): string[] {
  return [
    style.bold(batchTitle(batch)),
    ...paymentLines(assessment, situation, style),
    '',
    ...reasonsOfVerdict(assessment.verdict, style),
  ];
}

async function sourceOf(words: Words, { compose }: VerbContext) {
  const keyFile = words.text('key');
  const signatureFile = words.text('signature');
  if ((keyFile === undefined) === (signatureFile === undefined)) {
    return fail('E_USAGE', 'give either --key FILE, or --signature FILE with --over STATEMENT', {
      remedy: 'FILE is your SSH key (its .pub beside it), or a signature that ssh-keygen -Y made over the statement',
    });
  }
  if (keyFile !== undefined) return ok({ kind: 'key' as const, keyFile });
  const over = required(words, 'over', 'statement.json');
  if (!over.ok) return over;
  const armored = await compose.files.read(signatureFile ?? '');
  if (!armored.ok) return armored;
  const statement = await compose.files.read(over.value);
  if (!statement.ok) return statement;
  return ok({
    kind: 'signature' as const,
    armored: Buffer.from(armored.value).toString('utf8'),
    statement: statement.value,
  });
}

/** The exact bytes to sign, and nothing else on stdout: they can be piped into ssh-keygen. */
async function printStatement(words: Words, context: VerbContext): ReturnType<Verb> {
  return withWorkspace(context, async (desk) => {
    const person = required(words, 'person', 'bob');
    if (!person.ok) return person;
    const statement = await statementFor(desk, argument(words, 0), person.value);
    if (!statement.ok) return statement;
    return ok({
      schema: 'countersign.batch-approve/1',
      exit: 'OK',
      data: { batch: argument(words, 0), person: person.value, statement: statement.value },
      text: [statement.value],
      verbatim: statement.value,
    });
  });
}
