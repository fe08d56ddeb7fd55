/**
 * What a run has found so far, so that one that is ended goes on where it was: reports/mutation/progress-*.jsonl hold which
 * mutants there are, and what became of each as soon as it is known. It is about the files as they are: where one of them
 * has changed it begins anew. Where tests have changed, what was noticed stays noticed, and the rest is tried again.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const FOLDER = 'reports/mutation';
/** Of the files that the run is about. */
let file = '';
const fileOf = (files) =>
  `${FOLDER}/progress-${createHash('sha256').update(`${files}`).digest('hex').slice(0, 8)}.jsonl`;

const slim = ({ fileName, location, mutatorName, replacement, status }) => ({
  fileName,
  location,
  mutatorName,
  replacement,
  status,
});

/** Stryker counts lines and columns from 0 in what it plans and from 1 in what it reports. */
function planned({ mutant }) {
  const fromOne = ({ line, column }) => ({ line: line + 1, column: column + 1 });
  const { start, end } = mutant.location;
  return slim({ ...mutant, location: { start: fromOne(start), end: fromOne(end) } });
}

/** What is known from before of these files with these tests: { plan, results }, or null. */
export function resume(files, tests) {
  file = fileOf(files);
  const header = headerOf(files, tests);
  if (!existsSync(file)) return null;
  const [before, second, ...found] = readFileSync(file, 'utf8').split('\n').flatMap(parsed);
  const plan = second?.plan;
  if (plan === undefined || before.files !== header.files) return null;
  const isSame = before.tests === header.tests;
  const results = found.filter(({ status }) => isSame || !['Survived', 'NoCoverage'].includes(status));
  rewrite(header, plan, results);
  return { plan, results };
}

/** A line that was not written to its end says nothing. */
function parsed(line) {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

/** Begins a new record; a plan is added when it is known. */
export function begin(files, tests) {
  file = fileOf(files);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(file, `${JSON.stringify(headerOf(files, tests))}\n`);
  hasPlan = false;
}

export function forget() {
  rmSync(file, { force: true });
}

function rewrite(...[header, plan, results]) {
  const lines = [header, { plan }, ...results].map((line) => JSON.stringify(line));
  writeFileSync(file, `${lines.join('\n')}\n`);
  hasPlan = true;
}

function headerOf(files, tests) {
  const digest = (paths) => createHash('sha256').update(paths.map((path) => readFileSync(path, 'utf8')).join('\0'));
  return { files: `${files} ${digest(files).digest('hex')}`, tests: `${tests} ${digest(tests).digest('hex')}` };
}

let hasPlan = false;

class Progress {
  onMutationTestingPlanReady({ mutantPlans }) {
    if (file !== '' && !hasPlan) appendFileSync(file, `${JSON.stringify({ plan: mutantPlans.map(planned) })}\n`);
    hasPlan = true;
  }

  onMutantTested(result) {
    if (file !== '' && result.status !== 'Ignored') appendFileSync(file, `${JSON.stringify(slim(result))}\n`);
  }
}

export const strykerPlugins = [{ kind: 'Reporter', name: 'kept', factory: () => new Progress() }];
