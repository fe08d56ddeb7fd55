/**
 * The parts of src/policy/ with the tests that judge them. Every mutant meets the quick tests; the slow ones only what the
 * quick ones let live. A part's `src` are paths below src/policy/, folders with a slash at the end; a file belongs to the
 * first part that names it, and to 'core' where none does.
 */
import { readdirSync } from 'node:fs';

const tests = (...names) => names.map((name) => `test/policy/${name}.test.ts`);

/** The parts of what a policy bounds are tried by themselves: bound.test.ts asks for whole bounds, which takes longer. */
const BOUND_PARTS = ['bound/calendar', 'bound/schedule', 'bound/people', 'bound/limits', 'bound/rehearse'];

const SLOW = ['bench/coverage', 'bound', 'bound-brute', 'cases', 'codes', 'properties', 'prove', 'shipped', 'sound'];
const OTHERS = [
  'classify',
  'describe',
  'documents',
  'fields',
  'consistency',
  'json-schema',
  'other-engines',
  'public-key',
];

/** Every quick test that is not about documents, classes or bounds judges the rules; a new one does so without being named. */
const judges = readdirSync('test/policy')
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -'.test.ts'.length))
  .filter((name) => !SLOW.includes(name) && !OTHERS.some((other) => name.startsWith(other)));

const core = {
  quick: tests(...judges, 'codes', 'screening/edges', 'screening/rules', 'screening/list'),
  slow: tests('cases'),
};

export const PARTS = [
  {
    name: 'screening',
    src: ['screening/', 'rules/screening/'],
    quick: tests('screening/edges', 'screening/rules', 'screening/list', 'codes'),
    slow: tests('cases'),
  },
  { name: 'rules', src: ['rules/'], ...core },
  {
    name: 'documents',
    src: [
      'load.ts',
      'not-enforced.ts',
      'consistency.ts',
      'fields.ts',
      'lint.ts',
      'explain.ts',
      'describe.ts',
      'field-words.ts',
      'published.ts',
      'public-key.ts',
    ],
    quick: tests(
      'documents-load',
      'documents-lint',
      'documents-lint-edges',
      'documents-explain',
      'documents-explain-words',
      'public-key',
      'describe',
      'fields',
      'consistency',
      'published',
      'json-schema',
    ),
    slow: tests('shipped', 'cases', 'limits', 'hours'),
  },
  // All of it runs while modules are loaded, so that each mutant loads its tests anew: few of them.
  {
    name: 'schema',
    src: ['schema.ts'],
    quick: tests('documents-schema-edges', 'documents-load', 'json-schema'),
    slow: tests('shipped'),
  },
  {
    name: 'books',
    src: [
      'book.ts',
      'book-index.ts',
      'book-types.ts',
      'scripts-of-book.ts',
      'counterparties.ts',
      'proof.ts',
      'alike.ts',
    ],
    quick: tests('books', 'documents-book', 'counterparties', 'counterparties-words', 'book-index', 'destinations'),
    slow: tests('shipped', 'cases'),
  },
  {
    name: 'classify',
    src: ['classify/', 'classify.ts'],
    quick: tests('classify', 'classify-parts', 'classify-quorums', 'classify-words'),
    slow: tests('classify-properties'),
  },
  // Whole bounds take a hundred times as long as their parts.
  {
    name: 'bounds',
    src: ['bound/bound.ts', 'bound/powers.ts', 'bound/types.ts'],
    quick: tests('bound/powers', 'bound', 'screening/prove'),
    slow: tests('bound-brute'),
  },
  { name: 'bound', src: ['bound/'], quick: tests(...BOUND_PARTS), slow: tests('bound', 'prove', 'bound-brute') },
  {
    name: 'probes',
    src: ['prove/probes.ts', 'prove/screening-edges.ts'],
    quick: tests('prove/probes', 'screening/prove'),
    slow: tests('prove'),
  },
  {
    name: 'prove',
    src: ['prove/'],
    quick: tests('prove/arguments', 'screening/prove'),
    slow: tests('prove', 'bound-brute'),
  },
  {
    name: 'bench',
    src: ['bench/'],
    quick: tests(
      'bench/content',
      'bench/content-book',
      'bench/case-file',
      'bench/form',
      'bench/limits',
      'bench/witnesses',
      'bench/outlook',
    ),
    slow: [
      ...tests('cases', 'bench/coverage', 'shipped'),
      'test/cli/policy-bench.test.ts',
      'test/workflow/simulate.test.ts',
    ],
  },
  {
    name: 'sound',
    src: ['sound.ts'],
    quick: tests('sound-values', 'sound', 'facts', 'evaluate'),
    slow: tests('cases'),
  },
  { name: 'core', src: [], ...core },
];

/** The part of a file, given below src/policy/. */
export function partOf(file) {
  const names = (path) => (path.endsWith('/') ? file.startsWith(path) : file === path);
  return PARTS.find(({ src }) => src.some(names)) ?? PARTS[PARTS.length - 1];
}
