import { ok } from '../../domain/result.js';
import { type Backtest, backtest, type Replayed } from '../../workflow/backtest.js';
import type { Verb } from '../command.js';
import type { Style } from '../render/style.js';
import { plural, printable } from '../render/text.js';
import { required, withWorkspace } from '../with-workspace.js';

/** Exit 0 whatever changes: it is an answer, not a judgement. */
export const run: Verb = async (words, context) => {
  const { compose, style } = context;
  const file = required(words, 'policy', 'policy.yaml');
  if (!file.ok) return file;
  const bytes = await compose.files.read(file.value);
  if (!bytes.ok) return bytes;
  const policy = compose.documents.policy(bytes.value, file.value);
  if (!policy.ok) return policy;
  return withWorkspace(context, async (desk) => {
    const run = await backtest(desk, policy.value);
    if (!run.ok) return run;
    const { decisions, changed, moves } = run.value;
    return ok({
      schema: 'countersign.policy-backtest/1',
      exit: 'OK',
      data: { policy: policy.value.digest, decisions, moves: Object.fromEntries(moves), changed },
      text: [
        style.bold(
          `${plural(decisions, 'decision')} of the journal under ${printable(file.value)}, version ${policy.value.document.version}`,
        ),
        style.dim('taken as in force all the time; effective_at and expires_at are left aside'),
        '',
        ...changed.flatMap((one) => changeLines(one, style)),
        ...summaryLines(run.value, style),
      ],
    });
  });
};

function changeLines({ seq, at, batch, stage, before, after }: Replayed, style: Style): string[] {
  const move =
    before.decision === after.decision
      ? `${after.decision}, for other reasons`
      : `${before.decision} -> ${after.decision === 'DENY' ? style.bad('DENY') : style.bold(after.decision)}`;
  const fresh = after.codes.filter((code) => !before.codes.includes(code));
  const gone = before.codes.filter((code) => !after.codes.includes(code));
  return [
    `  ${at}  ${batch}  ${stage}  ${move}`,
    ...(fresh.length === 0 ? [] : [`      now also ${fresh.join(' ')}`]),
    ...(gone.length === 0 ? [] : [`      no longer ${gone.join(' ')}`]),
    style.dim(`      journal entry ${seq}`),
  ];
}

function summaryLines({ decisions, changed, moves }: Backtest, style: Style): string[] {
  const counts = [...moves].sort(([a], [b]) => (a < b ? -1 : 1)).map(([move, count]) => `  ${move}: ${count}`);
  const verdict =
    changed.length === 0 ? style.good('nothing changes') : style.bold(`${changed.length} of ${decisions} change`);
  return [verdict, ...counts];
}
