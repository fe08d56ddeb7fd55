import type { Hex } from '../domain/bytes.js';
import { sha256, sha256Hex, utf8 } from '../domain/bytes.js';
import { formatPath } from '../domain/path.js';
import { compactSizeLength } from '../domain/script.js';
import { vaultText } from './descriptor.js';
import type { Vault } from './types.js';

/** A BIP388 wallet policy: what a Ledger is told about a wallet, and shows when a multisig is registered. */
export interface WalletPolicy {
  /** Descriptor template, for example wpkh(@0/**). */
  readonly template: string;
  /** Key information, one a placeholder: [fingerprint/84'/1'/0']tpub. Ledger wants apostrophes, not h. */
  readonly keys: readonly string[];
}

/** A policy under the name that it is registered by: the device shows the name whenever it is asked to spend. */
export interface NamedPolicy extends WalletPolicy {
  /** 1 to 64 printable ASCII characters without a space at either end. */
  readonly name: string;
}

/** The wallet policy of a vault; `/**` stands for `/<0;1>/*` (BIP388). */
export function walletPolicy(vault: Vault): WalletPolicy {
  const placeholders = vault.keys.map((_, index) => `@${index}/**`);
  return {
    template: vaultText(vault, placeholders),
    keys: vault.keys.map(({ fingerprint, path, xpub }) => {
      const origin = path.length === 0 ? fingerprint : `${fingerprint}/${formatPath(path)}`;
      return `[${origin}]${xpub}`;
    }),
  };
}

/** The policy as a device registers it: under the name of the vault, which every name of a vault is fit for. */
export function namedPolicy(vault: Vault): NamedPolicy {
  return { ...walletPolicy(vault), name: vault.id };
}

/** Version 2 of the serialisation: the template by its hash (doc/wallet.md of Ledger's Bitcoin app). */
const POLICY_VERSION = 2;

/**
 * The bytes whose SHA-256 is the policy's id: version, name, length and hash of the template, number of keys and the root
 * of their Merkle tree (doc/wallet.md of Ledger's Bitcoin app). Whatever of these changes, the id changes with it.
 */
export function serialisePolicy({ name, template, keys }: NamedPolicy): Uint8Array {
  const text = utf8(template);
  return Uint8Array.of(
    POLICY_VERSION,
    ...compactSize(name.length),
    ...utf8(name),
    ...compactSize(text.length),
    ...sha256(text),
    ...compactSize(keys.length),
    ...merkleRoot(keys.map((key) => sha256(Uint8Array.of(0, ...utf8(key))))),
  );
}

/** The id that the device gives a registered policy, 32 bytes in hex. Computed here, so that it need not be believed. */
export function policyId(policy: NamedPolicy): Hex {
  return sha256Hex(serialisePolicy(policy));
}

/** Lengths of a policy are far below 2^16. */
function compactSize(length: number): readonly number[] {
  return compactSizeLength(length) === 1 ? [length] : [0xfd, length & 0xff, length >> 8];
}

/** RFC 6962, section 2.1: the left half of a tree is the largest power of two below its size. */
function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) throw new Error('a wallet policy has at least one key');
  if (leaves.length === 1) return only;
  const left = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return sha256(Uint8Array.of(1, ...merkleRoot(leaves.slice(0, left)), ...merkleRoot(leaves.slice(left))));
}
