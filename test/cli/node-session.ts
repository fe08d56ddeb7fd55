import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex } from '../../src/domain/bytes.js';
import { createDeriver } from '../../src/vault/derive.js';
import { descriptorChecksum } from '../../src/vault/descriptor.js';
import { readSidecar, type VaultText, vaultOf } from '../device/recordings.js';
import type { Ran, Session } from './session.js';

/** Calls as Bitcoin Core makes them (test/vectors/core-signer.json), on a workspace of the demo. */
export interface CallForm {
  readonly argv: readonly string[];
  readonly stdin?: string;
}

export interface CoreCall {
  readonly name: string;
  readonly forms: Readonly<Record<'quoted' | 'words', CallForm>>;
  /** JSON schema of what the node reads. */
  readonly reads: object;
}

export const CALLS: readonly CoreCall[] = JSON.parse(
  readFileSync(new URL('../vectors/core-signer.json', import.meta.url), 'utf8'),
).calls;

export const FINGERPRINT = 'f5acc2fd';
const sidecar = readSidecar<VaultText & { readonly index: number; readonly address: string }>('address-wpkh');

/** The demo's vault, and the address of it that a recording shows. */
export const VAULT = vaultOf(sidecar);
export const ADDRESS = sidecar.address;
export const ADDRESS_DEVICE = `replay:${fileURLToPath(new URL('../recordings/nanos-2.2.7/address-wpkh.apdu', import.meta.url))}`;

/** A descriptor as Core infers it from one script: with the public key and no extended one. */
export function inferred(branch: 0 | 1, index: number): string {
  const [key] = createDeriver(VAULT).at(branch, index).keys;
  const body = `wpkh([${FINGERPRINT}/84h/1h/0h/${branch}/${index}]${toHex(key?.publicKey ?? new Uint8Array())})`;
  return `${body}#${descriptorChecksum(body)}`;
}

export interface Filled {
  readonly fingerprint?: string;
  readonly chain?: string;
  readonly descriptor?: string;
  readonly psbt?: string;
}

/** What stands behind the command of -signer=, and on standard input. */
export function callOf(name: string, values: Filled = {}, form: 'quoted' | 'words' = 'words'): CallForm {
  const call = CALLS.find((one) => one.name === name);
  if (call === undefined) throw new Error(`${name} is no call of a node`);
  const meaning = {
    fingerprint: FINGERPRINT,
    chain: 'test',
    descriptor: inferred(0, sidecar.index),
    psbt: '',
    ...values,
  };
  const fill = (text: string): string => text.replace(/\{(\w+)\}/g, (_, key) => meaning[key as keyof typeof meaning]);
  const { argv, stdin } = call.forms[form];
  return { argv: argv.map(fill), ...(stdin === undefined ? {} : { stdin: fill(stdin) }) };
}

/** Runs a call as the node would, with the command of -signer= in front. */
export async function asNode(
  s: Session,
  { argv, stdin }: CallForm,
  command: readonly string[] = ['signer'],
): Promise<Ran> {
  s.stdin = stdin ?? null;
  try {
    return await s.run(...command, ...argv);
  } finally {
    s.stdin = null;
  }
}

/** What a node makes of an answer (src/common/run_command.cpp): the first line of stdout, or the error with that of stderr. */
export function readAsNode({ code, stdout, stderr }: Ran): { readonly json: unknown } | { readonly error: string } {
  const first = (text: string): string => text.split('\n')[0] ?? '';
  if (code !== 0) return { error: `returned ${code}: ${first(stderr)}` };
  return { json: JSON.parse(first(stdout)) };
}

/** The unsigned PSBT of a batch in base64, as a node has it from walletprocesspsbt. */
export function unsignedOf(s: Session, id: string): string {
  return readFileSync(s.path(`batches/${id}/unsigned.psbt`)).toString('base64');
}
