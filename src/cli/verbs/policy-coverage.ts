import { ok } from '../../domain/result.js';
import { coverageOf, type Witness } from '../../policy/bench/coverage.js';
import { runCases } from '../../workflow/cases.js';
import type { Verb } from '../command.js';
import type { Style } from '../render/style.js';
import { table } from '../render/table.js';
import { plural, printable } from '../render/text.js';
import { required, wholeNumber } from '../with-workspace.js';

/** Exit 0 from --min on, 10 below it or where a case does not hold, 2 where a file cannot be read. */
export const run: Verb = async (words, { compose, style }) => {
  const file = required(words, 'policy', 'policies/cold-storage.yaml');
  if (!file.ok) return file;
  const min = wholeNumber(words.text('min') ?? '0', 100, 'a percentage');
  if (!min.ok) return min;
  const bytes = await compose.files.read(file.value);
  if (!bytes.ok) return bytes;
  const policy = compose.documents.policy(bytes.value, file.value);
  if (!policy.ok) return policy;
  const run = await runCases(compose, words.args, file.value);
  if (!run.ok) return run;
  const { witnesses, seen, percent, beyond, elsewhere } = coverageOf(policy.value, run.value);
  const failed = run.value.filter(({ problems }) => problems.length > 0);
  const missing = witnesses.filter(({ seenIn }) => seenIn === null);
  const enough = percent >= min.value && failed.length === 0;
  return ok({
    schema: 'countersign.policy-coverage/1',
    exit: enough ? 'OK' : 'DENIED',
    data: {
      policy: policy.value.digest,
      cases: run.value.length,
      failed: failed.map((outcome) => outcome.case.name),
      elsewhere,
      percent,
      seen,
      due: witnesses.length,
      witnesses,
      out_of_reach: beyond,
    },
    text: [
      ...missingLines(missing, style),
      ...beyond.map(({ code, why }) => style.dim(`  not asked: ${code}, ${why}`)),
      ...failed.map((outcome) => `  ${style.bad('does not hold')}: ${printable(outcome.case.name)}`),
      ...(elsewhere === 0
        ? []
        : [style.dim(`  ${plural(elsewhere, 'case')} not counted: refused, or of another policy`)]),
      `${enough ? style.good(`${percent} %`) : style.bad(`${percent} %`)}  ${seen} of ${witnesses.length} witnessed by ${plural(run.value.length - elsewhere, 'case')}`,
    ],
  });
};

/** What is missing, one line a code or limit. */
function missingLines(missing: readonly Witness[], style: Style): string[] {
  if (missing.length === 0) return [];
  const aspects = new Map<string, string[]>();
  for (const { kind, name, aspect } of missing) {
    const key = `${kind} ${name}`;
    aspects.set(key, [...(aspects.get(key) ?? []), aspect]);
  }
  const rows = [...aspects].map(([name, list]) => [name, list.join(', ')]);
  return table([{ title: 'missing' }, { title: 'no case shows it' }], rows, style).map((line) => `  ${line}`);
}
