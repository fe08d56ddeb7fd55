/**
 * What a test imports from vitest, under mutation: the same expect, and describe and it that only note down what is to be
 * run, so that runner.mjs can run any test at any time without loading anything anew.
 */
import { expect } from 'vitest';

export { expect };

/** Every test that was noted down: its name with those of its suites, what it does, and the hooks of its suites. */
export const collected = [];

//X
const newHooks = () => ({ beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] });
let suite = { names: [], hooks: [newHooks()] };

export function describe(name, body) {
  const outer = suite;
  suite = { names: [...outer.names, name], hooks: [...outer.hooks, newHooks()] };
  const returned = body();
  suite = outer;
  if (returned instanceof Promise) throw new Error(`${name}: a suite must not wait; compute in its tests`);
}

export function it(name, run) {
  collected.push({ name: [...suite.names, name].join(' > '), run, hooks: suite.hooks });
}

const hook = (kind) => (run) => suite.hooks.at(-1)[kind].push(run);
export const beforeAll = hook('beforeAll');
export const beforeEach = hook('beforeEach');
export const afterEach = hook('afterEach');
export const afterAll = hook('afterAll');

const each = (one) => (rows) => (name, body) => {
  for (const [index, row] of [...rows].entries()) {
    one(`${name} [${index}]`, () => (Array.isArray(row) ? body(...row) : body(row)));
  }
};
describe.each = each(describe);
it.each = each(it);
it.skipIf = (condition) => (condition ? () => {} : it);
