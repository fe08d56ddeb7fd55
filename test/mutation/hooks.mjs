/**
 * Where a test imports vitest it gets vitest.mjs, which itself gets the real one. And files of this folder are loaded anew
 * for each generation, the text after the question mark, which what they import takes over. Instrumented code counts what it
 * passes through, which makes it several times as slow: only a generation of which the name ends in COUNTED does.
 */
import { pathToFileURL } from 'node:url';

/** How the name of a generation ends that is loaded to learn which tests pass through which mutants. */
const COUNTED = 'counted';

/** Stryker runs in a copy of the project, which is not where this file is loaded from. */
const root = pathToFileURL(`${process.cwd()}/`).href;
const ours = `${root}test/mutation/vitest.mjs`;

export async function resolve(specifier, context, next) {
  const [parent, generation] = (context.parentURL ?? '').split('?');
  if (specifier === 'vitest' && parent !== ours) return { url: `${ours}?${generation}`, shortCircuit: true };
  const found = await next(specifier, context);
  const isOurs = found.url.startsWith(root) && !found.url.includes('/node_modules/') && !found.url.includes('?');
  return isOurs && generation !== undefined ? { ...found, url: `${found.url}?${generation}` } : found;
}

const COUNTING = /\bstryCov_\w+\("[^()]*\)/g;

export async function load(url, context, next) {
  const loaded = await next(url, context);
  const [file, generation] = url.split('?');
  if (generation === undefined || generation.endsWith(COUNTED) || !file.includes('/src/policy/')) return loaded;
  return { ...loaded, source: String(loaded.source).replaceAll(COUNTING, '0') };
}
