import { readdirSync, readFileSync } from 'node:fs';
import { Psbt } from 'bitcoinjs-lib';
import { parseTranscript, type Transcript } from '../../src/device/transcript.js';
import type { Screen } from '../../src/device/types.js';
import { type Network, parseNetwork } from '../../src/domain/network.js';
import { parseVault } from '../../src/vault/descriptor.js';
import type { Vault } from '../../src/vault/types.js';

/** Recordings of Ledger's Bitcoin app in the Speculos emulator (scripts/record.mjs made them), by model and version. */
const ROOT = new URL('../recordings/', import.meta.url);
export const NANOS = 'nanos-2.2.7';
export const NANOSP = 'nanosp-2.4.6';
export const FOLDERS = [NANOS, NANOSP] as const;

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

/** "nanos-2.2.7/sign-wpkh-1" of every model, or of some; whatever else takes a name takes one of the Nano S without its folder. */
export function recordingNames(prefix: string, folders: readonly string[] = FOLDERS): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, ROOT))
      .filter((name) => name.startsWith(prefix) && name.endsWith('.apdu'))
      .map((name) => `${folder}/${name.replace('.apdu', '')}`)
      .sort(),
  );
}

/** The name without its folder. */
export const plainName = (name: string): string => name.slice(name.indexOf('/') + 1);

const fileOf = (name: string): URL => new URL(name.includes('/') ? name : `${NANOS}/${name}`, ROOT);

export const recordingText = (name: string): string => readFileSync(`${fileOf(name).pathname}.apdu`, 'utf8');

export function readRecording(name: string): Transcript {
  const parsed = parseTranscript(recordingText(name), `${name}.apdu`);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

export function readSidecar<T>(name: string): T {
  return JSON.parse(readFileSync(`${fileOf(name).pathname}.json`, 'utf8'));
}

/** How many inputs the PSBT of a signing has. */
export function inputsOf(name: string): number {
  const { psbt } = readSidecar<SigningSidecar>(name);
  return Psbt.fromBase64(psbt).inputCount;
}

export function outputsOf(name: string): number {
  const { psbt } = readSidecar<SigningSidecar>(name);
  return Psbt.fromBase64(psbt).txOutputs.length;
}

/** How many of these pages the person pressed both buttons on; the last page of a refusal is not among them. */
export function approvedPages(screens: readonly Screen[]): number {
  const asking = /^(?:Continue|Approve|Approve public key|Confirm|Register account|Sign transaction) ?$/;
  return screens.filter(({ title, text }) => asking.test(`${title} ${text}`)).length;
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
