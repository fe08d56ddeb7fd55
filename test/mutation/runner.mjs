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

/** What the instrumented code looks at: which mutant is on, and where it notes what it passes through. */
globalThis.__stryker__ = globalThis.__stryker__ ?? {};
const stryker = globalThis.__stryker__;

class InProcess {
  tests = new Map();
  /** By test: milliseconds, and the round in which it last noticed a mutant. Both outlive a loading. */
  took = new Map();
  noticed = new Map();
  round = 0;
  generation = 0;
  /** What is loaded was loaded with a mutant on. */
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
    await this.load();
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
    return { status: 'complete', tests: results, mutantCoverage: stryker.mutantCoverage };
  }

  async mutantRun({ activeMutant: { id }, testFilter, hitLimit, reloadEnvironment: isStatic }) {
    Object.assign(stryker, { activeMutant: isStatic ? id : undefined, hitCount: 0, hitLimit });
    if (isStatic || this.isSpoilt || this.tests.size === 0) {
      this.isSpoilt = isStatic;
      try {
        await this.load();
      } catch (error) {
        if (!isStatic) throw error;
        return { status: 'killed', killedBy: [], failureMessage: `cannot be loaded: ${error}`, nrOfTests: 0 };
      }
    }
    const due = (testFilter ?? [...this.tests.keys()]).map((name) => this.tests.get(name));
    due.sort((a, b) => rank(this.noticed, b) - rank(this.noticed, a) || rank(this.took, a) - rank(this.took, b));
    stryker.activeMutant = id;
    const entered = new Set();
    for (const [index, one] of due.entries()) {
      const failure = await this.attempt(one, entered);
      if (stryker.hitCount > hitLimit) return { status: 'timeout', reason: 'a loop turned too often' };
      if (failure === null) continue;
      if (!isStatic) await this.holdsWithout(one);
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

  async load() {
    this.generation += 1;
    this.tests.clear();
    const load = (path) => import(`${pathToFileURL(resolve(path)).href}?${this.generation}`);
    const { collected } = await load('test/mutation/vitest.mjs');
    await load('test/setup.js');
    for (const file of process.env.MUTATION_TESTS.split(',')) {
      const before = collected.length;
      await load(file.replace(/\.ts$/, '.js'));
      for (const [index, one] of collected.slice(before).entries()) {
        const id = `${file} ${index} ${one.name}`;
        this.tests.set(id, { ...one, id, file });
      }
    }
  }

  /** Why a test fails, or null. `entered` holds the suites whose beforeAll this run has done; afterAll is left out. */
  async attempt({ id, run, hooks }, entered) {
    const started = performance.now();
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
      if (!this.took.has(id)) this.took.set(id, performance.now() - started);
    }
  }
}

const rank = (numbers, { id }) => numbers.get(id) ?? 0;

export const strykerPlugins = [{ kind: 'TestRunner', name: 'in-process', factory: () => new InProcess() }];
