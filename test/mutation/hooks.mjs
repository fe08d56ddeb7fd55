/**
 * Where a test imports vitest it gets vitest.mjs, which itself gets the real one. And files of this folder are loaded anew
 * for each generation, the number after the question mark, which what they import takes over.
 */
import { pathToFileURL } from 'node:url';

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
