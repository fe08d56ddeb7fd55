import { toHex } from '../../domain/bytes.js';
import type { Fault } from '../../domain/fault.js';
import type { Result } from '../../domain/result.js';
import type { HaltRecord } from '../../journal/state.js';
import type { FinalTransaction } from '../../psbt/types.js';
import { signingKeys } from '../../vault/signing-keys.js';
import type { Vault } from '../../vault/types.js';
import type { Style } from './style.js';
import { plural } from './text.js';

const pathsOf = (files: readonly Result<string, Fault>[]): string[] =>
  files.flatMap((file) => (file.ok ? [file.value] : []));

export function finalData(
  { txid, weight, transaction }: FinalTransaction,
  files: readonly Result<string, Fault>[],
): Record<string, unknown> {
  return { txid, weight, transaction: toHex(transaction), files: pathsOf(files) };
}

export function finalLines(
  { txid, weight }: FinalTransaction,
  signatures: number,
  files: readonly Result<string, Fault>[],
  style: Style,
): string[] {
  const [first = '', ...others] = pathsOf(files);
  return [
    `${style.good('proven')}  ${plural(signatures, 'signature')}, each for an expected key and input, over countersign's own sighash`,
    `${style.good('equal')}   the final transaction was parsed again and pays what was planned (${Math.ceil(weight / 4)} vB)`,
    `txid    ${txid}`,
    `files   ${first}`,
    ...others.map((file) => `        ${file}`),
  ];
}

export function heldData(heldBy: readonly HaltRecord[]): Record<string, unknown> {
  return { held: true, halts: heldBy.map((halt) => halt.id) };
}

export function heldLines(heldBy: readonly HaltRecord[], style: Style): string[] {
  return [`${style.bad('HALTED')}  in the meantime ${heldBy.map((halt) => halt.id).join(' and ')} was raised`];
}

/** Of a transaction that is complete: the journal has it, and nothing else. */
export function heldWholeLines(id: string, txid: string): string[] {
  return [
    `batch ${id} is SIGNED and held: it counts as spent, the journal keeps the transaction, and it is not released`,
    `txid    ${txid}`,
    `once the halt has ended: countersign batch show ${id} --export`,
  ];
}

/** Who has signed a multisig batch and who can still, by master key fingerprints. */
export interface Progress {
  readonly signers: readonly string[];
  readonly left: readonly string[];
  readonly vault: Pick<Vault, 'kind' | 'threshold' | 'keys' | 'miniscript'>;
}

/** A device may hold several keys: what counts is how many keys have signed. */
const missingOf = ({ signers, vault }: Progress): number =>
  Math.max(0, vault.threshold - signingKeys(vault).filter(({ fingerprint }) => signers.includes(fingerprint)).length);

export function partData(progress: Progress): Record<string, unknown> {
  return { signed_by: progress.signers, missing: missingOf(progress), can_sign: progress.left };
}

export function partLines(progress: Progress & { readonly id: string }, file: string, style: Style): string[] {
  const { id, signers, left } = progress;
  return [
    `signed  ${signers.length === 0 ? 'by nobody yet' : `by ${signers.join(', ')}`}`,
    `${style.warn('missing')} ${plural(missingOf(progress), 'key')} more, of ${left.join(', ')}: countersign batch sign ${id} --signer FINGERPRINT, or countersign batch combine ${id} FILE`,
    `file    ${file}`,
  ];
}

/** One name for one set of signers: a file is never overwritten with other content. */
export function partName(signers: readonly string[]): string {
  return `partial-${[...signers].sort().join('-')}.psbt`;
}
