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
      const { url, wallet } = source;
      const rpc = createCoreRpc(new URL(url), placed);
      if (wallet === undefined) return createCoreBackend(rpc);
      const own = createCoreRpc(new URL(`wallet/${encodeURIComponent(wallet)}`, url), placed);
      return createCoreBackend(rpc, { name: wallet, rpc: own });
    }
    case 'esplora':
      return createEsploraBackend(new URL(source.url));
    case 'electrum':
      return createElectrumBackend(createElectrumLine(source));
  }
}
