import { createRequire } from 'node:module';

/**
 * The one file that loads @bitcoinerlab/miniscript: a CommonJS package of some weight, wanted only where a vault has a
 * miniscript policy, and so never at the start of the program.
 */
type Library = typeof import('@bitcoinerlab/miniscript', { with: { 'resolution-mode': 'require' }});

const load = createRequire(import.meta.url);

export const miniscriptLibrary = (): Library => load('@bitcoinerlab/miniscript');
