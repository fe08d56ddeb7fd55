/** The page docs/mutation.md, from what was measured (results.json) and what is said of mutants that live (reasons.json). */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const SOURCE = 'src/policy/';
export const RESULTS = 'test/mutation/results.json';

const read = (path) => readFileSync(`${ROOT}${path}`, 'utf8');

/** Every file of src/policy/, given below it, sorted. */
export function policyFiles() {
  const files = readdirSync(`${ROOT}${SOURCE}`, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replaceAll('\\', '/'))
    .sort();
}

export const digestOfText = (text) => createHash('sha256').update(text).digest('hex');
export const digestOf = (file) => digestOfText(read(`${SOURCE}${file}`));

export const readResults = () => JSON.parse(read(RESULTS));

const readReasons = () => JSON.parse(read('test/mutation/reasons.json'));

/** Why a mutant lives, where somebody has judged it: the same change on the same line of text, wherever that line is now. */
export function reasonFor(file, { context, from, to }) {
  const found = (readReasons()[file] ?? []).find(
    (one) => one.context === context && one.from === from && (one.to === undefined || one.to === to),
  );
  return found?.why ?? null;
}

const percent = (part, whole) => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`);

function row(name, { killed, timeout, alive, texts }) {
  const all = killed + timeout + alive;
  return `| ${name} | ${all} | ${killed} | ${timeout} | ${alive} | ${percent(killed + timeout, all)} | ${texts} |`;
}

function nameIn(file, { quick }, changed) {
  return [`\`${file}\``, ...(changed.includes(file) ? ['(1)'] : []), ...(quick ? ['(2)'] : [])].join(' ');
}

export function mutationPage() {
  const { files } = readResults();
  const measured = policyFiles().filter((file) => files[file] !== undefined);
  const count = (file) => ({ ...files[file], alive: files[file].alive.length });
  const total = { killed: 0, timeout: 0, alive: 0, texts: 0 };
  for (const file of measured) for (const key of Object.keys(total)) total[key] += count(file)[key];
  const [noticed, all] = [total.killed + total.timeout, total.killed + total.timeout + total.alive];
  const changed = measured.filter((file) => files[file].sha256 !== digestOf(file));
  const missing = policyFiles().filter((file) => files[file] === undefined);
  const judged = measured.reduce(
    (sum, file) => sum + files[file].alive.filter((mutant) => reasonFor(file, mutant) !== null).length,
    0,
  );
  const dates = measured.map((file) => files[file].measured).sort();
  return [
    '# Mutation testing of the policy engine',
    '',
    'Do the tests notice when the code is wrong? [StrykerJS](https://stryker-mutator.io) changes `src/policy/` in one place',
    'after the other, a `<` into a `<=`, a condition into `true`, a body into nothing, and runs the tests each time. A mutant',
    'that no test notices shows a missing test, code that nothing needs, or a change that makes no difference.',
    '',
    `**${percent(noticed, all)}** of ${all} mutants are noticed, in ${missing.length === 0 ? `all ${measured.length} files` : `the ${measured.length} of ${measured.length + missing.length} files that have been measured`}`,
    `(${[...new Set([dates[0], dates.at(-1)])].join(' to ')})${missing.length === 0 ? '.' : '; the others are named below the table.'}`,
    `Besides, ${total.texts} mutants would empty a text or write one where none is. They are not made: most of those texts are`,
    'sentences for people, which tests of whole screens hold, or words of a closed type, which the compiler holds. Counted as',
    `if none of them were noticed, the score would be ${percent(noticed, all + total.texts)}.`,
    '',
    '```sh',
    'npm run mutation                        # all of src/policy/; an hour or more',
    'npm run mutation -- rules windows.ts    # folders and files below src/policy/',
    'npm run mutation -- --alive rules       # only what lived and was not judged: after writing a test',
    'npm run mutation -- --quick prove       # without the slow tests',
    'npm run mutation -- --stale             # files that have changed since they were measured, and new ones',
    'npm run mutation -- --page              # only writes this page from what was measured',
    '```',
    '',
    'How it is measured, and what that leaves out:',
    '',
    '- Each mutant meets the quick tests of its part (`test/mutation/parts.mjs`), and what these let live meets the slow ones.',
    '  Other tests could notice more; none of the mutants listed below has met them.',
    '- Properties are tried 20 times and not hundreds of times (`FC_RUNS`), and a failing one is not shrunk.',
    '- A mutant that makes a loop turn ten times as often, or keeps a test busy for eight seconds, counts as noticed: timed out.',
    '- Mutants are not type-checked first: one that the compiler would refuse counts like any other.',
    '- The runner (`test/mutation/runner.mjs`) loads the tests once and runs them in its own process, which is ten times as',
    '  fast as a vitest run for each mutant; a test that has failed is run again without the mutant, and has to hold.',
    '',
    `Of the ${total.alive} that live, ${judged} were judged to make no difference that matters; the reason stands beside each.`,
    '',
    'This page is written from `test/mutation/results.json` and never by hand; what is said of mutants that live is in',
    '`test/mutation/reasons.json`.',
    '',
    '## By file',
    '',
    '| file | mutants | killed | timed out | alive | noticed | texts, not made |',
    '|---|---|---|---|---|---|---|',
    row('**all**', total),
    ...measured.map((file) => row(nameIn(file, files[file], changed), count(file))),
    '',
    ...(changed.length === 0 ? [] : ['(1) The file has changed since it was measured.', '']),
    ...(measured.every((file) => !files[file].quick)
      ? []
      : ['(2) Only the quick tests of its part were run: the slow ones would notice some of what lives.', '']),
    ...(missing.length === 0 ? [] : [`Not measured yet: ${missing.map((file) => `\`${file}\``).join(', ')}.`, '']),
    '## The mutants that live',
    '',
    ...measured.flatMap((file) => survivors(file, files[file].alive)),
  ].join('\n');
}

function survivors(file, alive) {
  if (alive.length === 0) return [];
  const code = (text) => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``);
  const lines = alive.map((mutant) => {
    const { line, column, mutator, from, to, untested } = mutant;
    const why = reasonFor(file, mutant) ?? (untested ? 'No test that it met runs it.' : 'Not judged yet.');
    return `- ${line}:${column} ${mutator}: ${code(from)} to ${code(to === '' ? 'nothing' : to)}. ${why}`;
  });
  return [`### ${file}`, '', ...lines, ''];
}
