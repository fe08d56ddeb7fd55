import { formatPath } from '../domain/path.js';
import { scriptText } from './descriptor.js';
import type { Vault } from './types.js';

/** A BIP388 wallet policy: what a Ledger is told about a wallet, and shows when a multisig is registered. */
export interface WalletPolicy {
  /** Descriptor template, for example wpkh(@0/**). */
  readonly template: string;
  /** Key information, one a placeholder: [fingerprint/84'/1'/0']tpub. Ledger wants apostrophes, not h. */
  readonly keys: readonly string[];
}

/** The wallet policy of a vault; `/**` stands for `/<0;1>/*` (BIP388). */
export function walletPolicy(vault: Vault): WalletPolicy {
  const placeholders = vault.keys.map((_, index) => `@${index}/**`);
  return {
    template: scriptText(vault.kind, vault.threshold, placeholders),
    keys: vault.keys.map(({ fingerprint, path, xpub }) => {
      const origin = path.length === 0 ? fingerprint : `${fingerprint}/${formatPath(path)}`;
      return `[${origin}]${xpub}`;
    }),
  };
}
