/**
 * Runs tests for Stryker in its own process. Stryker's runner for vitest collects all files anew for each mutant; here they
 * are loaded once, and a mutant costs the milliseconds of the test that notices it. A run tries first what noticed the
 * mutants before, then the quick tests, and ends at the first failure.
 *
 * The price is that tests and mutants share one memory. So a test that has failed is run again with the mutant switched
 * off: where it fails then, something is left behind, and the process is given up and the mutant tried again in a new one.
 */
import { register } from 'node:module';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';

const SUCCESS = 0;
const FAILED = 1;
/** Stryker lets a loop turn a hundred times as often as without a mutant; ten times is enough to know. */
const FEWER_HITS = 10;
/** Microseconds of the processor that one test, or loading one file of them, may take: several times what any of them does. */
const LONGEST = 8_000_000;

/** What the instrumented code looks at: which mutant is on, and where it notes what it passes through. */
globalThis.__stryker__ = globalThis.__stryker__ ?? {};
const stryker = globalThis.__stryker__;

/**
 * Instrumented code asks for hitLimit each time it passes through the mutant, and stops beyond it. A loop that never ends
 * may turn slowly, so it is held by the time that it takes as well: of the processor, which others may be using too.
 */
let hitLimit;
let hits = 0;
let started = 0;
let isTooLong = false;
Object.defineProperty(stryker, 'hitLimit', {
  get: () => {
    hits += 1;
    if (hits % 256 === 0 && process.cpuUsage().user - started > LONGEST) isTooLong = true;
    return isTooLong ? -1 : hitLimit;
  },
  set: (limit) => {
    hitLimit = limit;
    isTooLong = false;
    startClock();
  },
});

function startClock() {
  started = process.cpuUsage().user;
}

class InProcess {
  tests = new Map();
  /** By test: milliseconds, and the round in which it last noticed a mutant. Both outlive a loading. */
  took = new Map();
  noticed = new Map();
  /** By file of tests: the round in which it last noticed a mutant of code that runs while modules are loaded. */
  noticedIn = new Map();
  round = 0;
  generation = 0;
  /** What is loaded was loaded with a mutant on, or counts what it passes through. */
  isSpoilt = false;

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    // vitest's expect wants to know the test that it stands in.
    globalThis.__vitest_worker__ = { config: {}, filepath: '', environment: { name: 'node' }, ctx: {} };
    register('./hooks.mjs', import.meta.url);
  }

  async dryRun() {
    await this.load('counted');
    const results = [];
    const entered = new Set();
    for (const one of this.tests.values()) {
      stryker.currentTestId = one.id;
      const failure = await this.attempt(one, entered);
      stryker.currentTestId = undefined;
      const status = failure === null ? SUCCESS : FAILED;
      const base = { id: one.id, name: one.id, status, timeSpentMs: this.took.get(one.id), fileName: one.file };
      results.push(failure === null ? base : { ...base, failureMessage: String(failure) });
    }
    this.isSpoilt = true;
    return { status: 'complete', tests: results, mutantCoverage: stryker.mutantCoverage };
  }

  async mutantRun({ activeMutant: { id }, testFilter, hitLimit, reloadEnvironment: isStatic }) {
    const most = hitLimit === undefined ? undefined : hitLimit / FEWER_HITS;
    Object.assign(stryker, { activeMutant: isStatic ? id : undefined, hitCount: 0, hitLimit: most });
    if (isStatic) return this.staticRun();
    if (this.isSpoilt || this.tests.size === 0) await this.load();
    const due = (testFilter ?? [...this.tests.keys()]).map((name) => this.tests.get(name));
    stryker.activeMutant = id;
    return this.firstFailure(due, (one) => this.holdsWithout(one));
  }

  /** Code that runs while modules are loaded: loads one file of tests after the other, and only until one notices. */
  async staticRun() {
    this.isSpoilt = true;
    const loadFile = await this.startLoading();
    let nrOfTests = 0;
    for (const file of testFiles().sort((a, b) => rank(this.noticedIn, b) - rank(this.noticedIn, a))) {
      const loaded = await loadFile(file).catch((error) => String(error));
      const result =
        typeof loaded === 'string'
          ? { status: 'killed', killedBy: [], failureMessage: `cannot be loaded: ${loaded}`, nrOfTests: 0 }
          : await this.firstFailure(loaded, () => {});
      nrOfTests += result.nrOfTests ?? 0;
      if (result.status === 'survived') continue;
      this.noticedIn.set(file, ++this.round);
      return { ...result, nrOfTests };
    }
    return { status: 'survived', nrOfTests };
  }

  async firstFailure(due, hold) {
    due.sort(
      (a, b) => rank(this.noticed, b.id) - rank(this.noticed, a.id) || rank(this.took, a.id) - rank(this.took, b.id),
    );
    const entered = new Set();
    for (const [index, one] of due.entries()) {
      const failure = await this.attempt(one, entered);
      if (stryker.hitCount > stryker.hitLimit) return { status: 'timeout', reason: 'a loop turned too often' };
      if (failure === null) continue;
      await hold(one);
      this.noticed.set(one.id, ++this.round);
      return { status: 'killed', killedBy: [one.id], failureMessage: String(failure), nrOfTests: index + 1 };
    }
    return { status: 'survived', nrOfTests: due.length };
  }

  async holdsWithout(one) {
    Object.assign(stryker, { activeMutant: undefined, hitCount: undefined });
    const failure = await this.attempt(one, new Set());
    if (failure !== null) throw new Error(`${one.id} fails without a mutant: ${failure}`);
  }

  async load(kind = '') {
    this.isSpoilt = false;
    const loadFile = await this.startLoading(kind);
    for (const file of testFiles()) await loadFile(file);
  }

  /** Forgets what was loaded; the function that it returns loads one file of tests, and returns these. See hooks.mjs. */
  async startLoading(kind = '') {
    this.generation += 1;
    this.tests.clear();
    const load = (path) => import(`${pathToFileURL(resolve(path)).href}?${this.generation}${kind}`);
    const { collected } = await load('test/mutation/vitest.mjs');
    await load('test/setup.js');
    return async (file) => {
      startClock();
      const before = collected.length;
      await load(file.replace(/\.ts$/, '.js'));
      const found = collected.slice(before).map((one, index) => ({ ...one, id: `${file} ${index} ${one.name}`, file }));
      for (const one of found) this.tests.set(one.id, one);
      return found;
    };
  }

  /** Why a test fails, or null. `entered` holds the suites whose beforeAll this run has done; afterAll is left out. */
  async attempt({ id, run, hooks }, entered) {
    const before = performance.now();
    startClock();
    try {
      for (const suite of hooks.filter((one) => !entered.has(one))) {
        entered.add(suite);
        for (const before of suite.beforeAll) await before();
      }
      for (const before of hooks.flatMap((suite) => suite.beforeEach)) await before();
      await run();
      return null;
    } catch (error) {
      return error ?? 'thrown: nothing';
    } finally {
      for (const after of hooks.flatMap((suite) => suite.afterEach)) await after();
      if (!this.took.has(id)) this.took.set(id, performance.now() - before);
    }
  }
}

const rank = (numbers, key) => numbers.get(key) ?? 0;

const testFiles = () => process.env.MUTATION_TESTS.split(',');

export const strykerPlugins = [{ kind: 'TestRunner', name: 'in-process', factory: () => new InProcess() }];
