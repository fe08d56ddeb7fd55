import type { ChainBackend, ChainSource } from '../../vault/chain.js';
import { createCoreBackend } from './core.js';
import { createCoreRpc } from './core-rpc.js';
import { createElectrumBackend } from './electrum.js';
import { createElectrumLine } from './electrum-line.js';
import { createEsploraBackend } from './esplora.js';

/** Makes a back end ready to be asked. `within` says where a file lies that is named relative to the workspace. */
export function openBackend(source: ChainSource, within: (path: string) => string): ChainBackend {
  switch (source.kind) {
    case 'core': {
      const { auth } = source;
      const placed =
        auth.kind === 'cookie'
          ? { ...auth, file: within(auth.file) }
          : { ...auth, passwordFile: within(auth.passwordFile) };
      return createCoreBackend(createCoreRpc(new URL(source.url), placed));
    }
    case 'esplora':
      return createEsploraBackend(new URL(source.url));
    case 'electrum':
      return createElectrumBackend(createElectrumLine(source));
  }
}
