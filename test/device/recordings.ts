import { readdirSync, readFileSync } from 'node:fs';
import { parseTranscript, type Transcript } from '../../src/device/transcript.js';
import type { Screen } from '../../src/device/types.js';
import { type Network, parseNetwork } from '../../src/domain/network.js';
import { parseVault } from '../../src/vault/descriptor.js';
import type { Vault } from '../../src/vault/types.js';

/** Recordings of Ledger's Bitcoin app 2.2.7 on a Nano S in the Speculos emulator (scripts/record.mjs made them). */
const FOLDER = new URL('../recordings/nanos-2.2.7/', import.meta.url);

/** What stands beside every recording of a signing. */
export interface SigningSidecar {
  readonly name: string;
  readonly network: Network;
  readonly descriptor: string;
  /** Base64. */
  readonly psbt: string;
  readonly fee: string;
  readonly changeOutputs: readonly number[];
  readonly screens: readonly Screen[];
  readonly outcome: { readonly txid: string; readonly transaction: string };
}

export function recordingNames(prefix: string): readonly string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.apdu'))
    .map((name) => name.replace('.apdu', ''))
    .sort();
}

export const recordingText = (name: string): string => readFileSync(new URL(`${name}.apdu`, FOLDER), 'utf8');

export function readRecording(name: string): Transcript {
  const parsed = parseTranscript(recordingText(name), `${name}.apdu`);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

export function readSidecar<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
}

export interface VaultText {
  readonly network: string;
  readonly descriptor: string;
  /** The name, which a registered policy has too; "cold" where it does not matter. */
  readonly vault?: string;
}

export function vaultOf({ network, descriptor, vault: id = 'cold' }: VaultText): Vault {
  const known = parseNetwork(network);
  const vault = known.ok ? parseVault(id, known.value, descriptor) : known;
  if (!vault.ok) throw new Error(vault.error.message);
  return vault.value;
}
