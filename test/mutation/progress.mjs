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
let hasPlan = false;
const fileOf = (files, kind) =>
  `${FOLDER}/progress-${kind}-${createHash('sha256').update(`${files}`).digest('hex').slice(0, 8)}.jsonl`;

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

/**
 * What is known from before of these files with these tests: { plan, results }. Null where nothing is, and a new record is
 * begun. Records of whole files and of what lived in them are of different kinds.
 */
export function resume(files, tests, kind) {
  file = fileOf(files, kind);
  mkdirSync(FOLDER, { recursive: true });
  const header = headerOf(files, tests);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').flatMap(parsed) : [];
  const [before, second, ...found] = lines;
  const plan = second?.plan;
  hasPlan = plan !== undefined && before.files === header.files;
  if (!hasPlan) {
    rewrite([header]);
    return null;
  }
  const isSame = before.tests === header.tests;
  const results = found.filter(({ status }) => isSame || !['Survived', 'NoCoverage'].includes(status));
  rewrite([header, { plan }, ...results]);
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

export function forget() {
  rmSync(file, { force: true });
}

function rewrite(lines) {
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

function headerOf(files, tests) {
  const digest = (paths) => createHash('sha256').update(paths.map((path) => readFileSync(path, 'utf8')).join('\0'));
  return { files: `${files} ${digest(files).digest('hex')}`, tests: `${tests} ${digest(tests).digest('hex')}` };
}

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
