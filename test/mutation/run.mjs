/**
 * Mutation testing of src/policy/: changes the code in one place after the other and asks whether a test notices.
 *
 *   npm run mutation                        all of src/policy/: an hour or more
 *   npm run mutation -- rules windows.ts    what is named, below src/policy/
 *   npm run mutation -- --alive rules       only the mutants that lived and were not judged: after writing a test
 *   npm run mutation -- --quick prove       without the slow tests
 *   npm run mutation -- --stale             files that have changed since they were measured, and new ones
 *   npm run mutation -- --page              only writes the page docs/mutation.md from results.json
 *
 * What it finds is merged into results.json, by file, and docs/mutation.md is written from that.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Stryker } from '@stryker-mutator/core';
import { PARTS, partOf } from './parts.mjs';
import { forget, resume } from './progress.mjs';
import {
  digestOf,
  digestOfText,
  mutationPage,
  policyFiles,
  RESULTS,
  readResults,
  reasonFor,
  SOURCE,
} from './report.mjs';

const args = process.argv.slice(2);
const names = args.filter((arg) => !arg.startsWith('-'));
const isNamed = (file) => names.length === 0 || names.some((name) => file === name || file.startsWith(`${name}/`));
const isCurrent = (file) => readResults().files[file]?.sha256 === digestOf(file);
const ONLY_ALIVE = args.includes('--alive');
/** What the quick tests let live stays alive: a lower score, sooner. */
const QUICK = args.includes('--quick');

/** Texts. Most are sentences for people or words of a closed type: see the page. */
const EXCLUDED = ['StringLiteral'];
const NOTICED = ['Killed', 'RuntimeError', 'Timeout'];

if (!args.includes('--page')) {
  const chosen = policyFiles().filter(
    (file) => isNamed(file) && !(args.includes('--stale') && isCurrent(file)) && (!ONLY_ALIVE || isCurrent(file)),
  );
  if (chosen.length === 0) {
    process.stderr.write(`nothing to measure in ${SOURCE} ${names.join(' ')}\n`);
    process.exitCode = 2;
  }
  for (const part of PARTS) {
    const files = chosen.filter((file) => partOf(file) === part);
    if (files.length === 0) continue;
    if (ONLY_ALIVE) await measureAlive(part, files);
    else {
      // As they are now: somebody may change one while it is measured.
      const sources = new Map(files.map((file) => [file, readFileSync(SOURCE + file, 'utf8')]));
      save(sources, await measure(part, files));
    }
  }
}
writeFileSync('docs/mutation.md', mutationPage());

/** All mutants of the files, each with what became of it: with the quick tests, then with the slow ones. */
async function measure({ quick, slow }, files) {
  const all = await resumable(
    quick,
    files.map((file) => SOURCE + file),
  );
  const open = [...all.values()].filter(({ status }) => ['Survived', 'NoCoverage'].includes(status));
  if (open.length > 0 && !QUICK) {
    const found = await stage(slow, [...new Set(open.map(rangeOf))]);
    for (const [key, mutant] of found) if (NOTICED.includes(mutant.status)) all.set(key, mutant);
  }
  return [...all.values()];
}

/** Those that lived and that nobody has judged, once more: what is noticed now leaves the list. */
async function measureAlive({ quick, slow }, files) {
  const results = readResults();
  const wanted = files.flatMap((file) =>
    results.files[file].alive
      .filter((mutant) => reasonFor(file, mutant) === null)
      .map((mutant) => ({
        fileName: SOURCE + file,
        location: locationOf(mutant),
        mutatorName: mutant.mutator,
        replacement: mutant.to,
      })),
  );
  if (wanted.length === 0) return;
  const tests = QUICK ? quick : [...quick, ...slow];
  const found = await resumable(
    tests,
    files.map((file) => SOURCE + file),
    wanted,
  );
  for (const file of files) {
    const entry = results.files[file];
    const living = [];
    for (const mutant of entry.alive) {
      const place = { fileName: SOURCE + file, location: locationOf(mutant) };
      const again = found.get(keyOf({ ...place, mutatorName: mutant.mutator, replacement: mutant.to }));
      if (again !== undefined && NOTICED.includes(again.status)) {
        if (again.status === 'Timeout') entry.timeout += 1;
        else entry.killed += 1;
      } else {
        const { untested, ...rest } = mutant;
        living.push(again === undefined || again.status === 'NoCoverage' ? mutant : rest);
      }
    }
    entry.alive = living;
    if (!QUICK) delete entry.quick;
  }
  write(results);
  forget();
}

/** As `stage`, from where an earlier run was ended; of whole files, or of the mutants of them that are given. */
async function resumable(tests, files, wanted) {
  const before = resume(files, tests, wanted === undefined ? 'all' : 'alive');
  const known = new Map((before?.results ?? []).map((mutant) => [keyOf(mutant), mutant]));
  const due = (wanted ?? before?.plan)?.filter((mutant) => mutant.status !== 'Ignored' && !known.has(keyOf(mutant)));
  const ignored = (before?.plan ?? []).filter(({ status }) => status === 'Ignored');
  const ranges = due === undefined ? files : [...new Set(due.map(rangeOf))];
  const found = ranges.length === 0 ? [] : await stage(tests, ranges);
  return new Map([...ignored.map((mutant) => [keyOf(mutant), mutant]), ...known, ...found]);
}

async function stage(tests, mutate) {
  process.env.FC_RUNS = '20';
  process.env.MUTATION_TESTS = tests.join(',');
  const mutator = { excludedMutations: EXCLUDED };
  const stryker = new Stryker({ configFile: 'test/mutation/stryker.config.json', mutate, mutator });
  const results = await stryker.runMutationTest();
  return new Map(results.map((mutant) => [keyOf(mutant), mutant]));
}

/** On one line, and so short that a list of it can be read. */
function short(code = '') {
  const flat = code.replace(/\s+/g, ' ').trim();
  return flat.length <= 90 ? flat : `${flat.slice(0, 60)} ... ${flat.slice(-25)}`;
}

function pathOf(fileName) {
  return fileName.slice(fileName.lastIndexOf(SOURCE));
}

function keyOf({ fileName, location: { start, end }, mutatorName, replacement }) {
  return [pathOf(fileName), start.line, start.column, end.line, end.column, mutatorName, short(replacement)].join(' ');
}

/** Stryker counts columns from 1 in what it reports and from 0 in what it is asked for. */
function rangeOf({ fileName, location: { start, end } }) {
  return `${pathOf(fileName)}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`;
}

function locationOf({ line, column, end }) {
  return { start: { line, column }, end: { line: end[0], column: end[1] } };
}

function save(sources, mutants) {
  const results = readResults();
  for (const [file, source] of sources) {
    const made = mutants.filter(({ fileName }) => pathOf(fileName) === SOURCE + file);
    const own = made.filter(({ mutatorName }) => !EXCLUDED.includes(mutatorName));
    const count = (...statuses) => own.filter(({ status }) => statuses.includes(status)).length;
    const text = source.split('\n');
    results.files[file] = {
      sha256: digestOfText(source),
      measured: new Date().toISOString().slice(0, 10),
      killed: count('Killed', 'RuntimeError'),
      timeout: count('Timeout'),
      texts: made.length - own.length,
      ...(QUICK ? { quick: true } : {}),
      alive: own.filter(({ status }) => !NOTICED.includes(status)).map((mutant) => alive(mutant, text)),
    };
  }
  write(results);
  forget();
}

function write({ files }) {
  const present = policyFiles().filter((file) => files[file] !== undefined);
  const sorted = { files: Object.fromEntries(present.map((file) => [file, files[file]])) };
  writeFileSync(RESULTS, `${JSON.stringify(sorted, null, 1)}\n`);
}

/** Line and column as editors count them, the line as it stands, and what was changed into what. */
function alive({ location: { start, end }, mutatorName, replacement, status }, text) {
  const lines = text.slice(start.line - 1, end.line);
  lines.push((lines.pop() ?? '').slice(0, end.column - 1));
  return {
    line: start.line,
    column: start.column,
    end: [end.line, end.column],
    context: (text[start.line - 1] ?? '').trim(),
    mutator: mutatorName,
    from: short(lines.join('\n').slice(start.column - 1)),
    to: short(replacement),
    ...(status === 'NoCoverage' ? { untested: true } : {}),
  };
}
