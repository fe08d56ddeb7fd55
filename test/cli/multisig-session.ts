import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Psbt } from 'bitcoinjs-lib';
import type { Registration, Signer } from '../../src/device/types.js';
import { encodeAddress } from '../../src/domain/address.js';
import { hash256, toHex } from '../../src/domain/bytes.js';
import { fault } from '../../src/domain/fault.js';
import { err, ok } from '../../src/domain/result.js';
import type { ReturnedSignature } from '../../src/psbt/types.js';
import { createDeriver } from '../../src/vault/derive.js';
import type { Vault } from '../../src/vault/types.js';
import { namedPolicy, policyId } from '../../src/vault/wallet-policy.js';
import { readSidecar, type VaultText, vaultOf } from '../device/recordings.js';
import { masterOf, registrationHmac } from '../device/seeds.js';
import { demoFile, policyText, Session } from './session.js';

/** The 2-of-3 vault of the recordings; its devices are known by these fingerprints. */
export const VAULT: Vault = vaultOf(readSidecar<VaultText>('multisig-register-wsh-a'));
export const [A, B, C] = ['f5acc2fd', '73c5da0a', 'b8688df1'] as const;
export type Fingerprint = typeof A | typeof B | typeof C;

/** `--device` for a recording. */
export const replay = (name: string): string =>
  `replay:${new URL(`../recordings/nanos-2.2.7/multisig-${name}.apdu`, import.meta.url).pathname}`;

const APRIL = '2026-04-01T09:00:00Z';
const JUNE = '2026-06-01T11:30:00Z';

const STEPS: readonly (readonly [stage: MultisigStage, at: string, argv: readonly string[]])[] = [
  ['vault', APRIL, ['init', '.', '--network', 'testnet3']],
  ['vault', APRIL, ['vault', 'import', VAULT.id, 'descriptor.txt']],
  ['coins', APRIL, ['policy', 'sign', 'policy.yaml', '--key', 'keys/frank']],
  ['coins', APRIL, ['policy', 'sign', 'policy.yaml', '--key', 'keys/grace']],
  ['coins', APRIL, ['policy', 'activate', 'policy.yaml']],
  ['coins', APRIL, ['book', 'sign', 'book-1.yaml', '--key', 'keys/bob', '--as', 'bob']],
  ['coins', APRIL, ['book', 'sign', 'book-1.yaml', '--key', 'keys/erin', '--as', 'erin']],
  ['coins', APRIL, ['book', 'import', 'book-1.yaml']],
  ['coins', JUNE, ['coins', 'import', 'coins.json']],
];
export type MultisigStage = 'vault' | 'coins' | 'registered';

const masters = new Map<MultisigStage, Session>();
const copies: Session[] = [];

/** A workspace of the 2-of-3 vault: imported, or with policy, book and coins, or with every device registered as well. */
export async function multisigStage(stage: MultisigStage): Promise<Session> {
  const master = masters.get(stage) ?? (await build(stage));
  masters.set(stage, master);
  const folder = mkdtempSync(join(tmpdir(), 'countersign-multisig-'));
  cpSync(master.folder, folder, { recursive: true });
  const session = new Session(folder);
  copies.push(session);
  return session;
}

/** For afterAll. */
export function removeMultisig(): void {
  for (const session of [...masters.values(), ...copies]) session.remove();
}

/** The files that a workspace is made of, and no workspace yet. */
export function emptyMultisig(vault = VAULT): Session {
  const session = new Session(mkdtempSync(join(tmpdir(), 'countersign-multisig-stage-')));
  copies.push(session);
  session.write('descriptor.txt', `${vault.descriptor}\n`);
  session.write('policy.yaml', multisigPolicy(vault));
  session.write('book-1.yaml', ofVault(demoFile('book-1.yaml'), vault));
  for (const name of ['withdrawals.csv', 'second.csv']) session.write(name, demoFile(name));
  session.write('coins.json', multisigSnapshot(vault));
  return session;
}

/** Policy, book and coins, where the vault is there. */
export async function prepare(session: Session, vault = VAULT): Promise<void> {
  await runSteps(session, 'coins', vault);
}

async function runSteps(session: Session, stage: MultisigStage, vault = VAULT): Promise<void> {
  for (const [due, at, argv] of STEPS) {
    if (due !== stage) continue;
    session.now = at;
    await session.expect(0, ...argv.map((word) => (word === VAULT.id ? vault.id : word)));
  }
}

async function build(stage: MultisigStage): Promise<Session> {
  const session = emptyMultisig();
  await runSteps(session, 'vault');
  if (stage !== 'vault') await runSteps(session, 'coins');
  if (stage !== 'registered') return session;
  for (const fingerprint of [A, B, C]) {
    session.signer = () => cosigner(fingerprint);
    await session.expect(0, 'device', 'register', '--signer', fingerprint, '--device', 'hid');
  }
  return session;
}

const ofVault = (text: string, vault: Vault): string => text.replaceAll('demo-cold', vault.id);

/** The demo's policy for this vault, which is smaller. */
export function multisigPolicy(vault = VAULT): string {
  return ofVault(policyText(), vault)
    .replace(/descriptor: "[^"]*"/, `descriptor: "${vault.descriptor}"`)
    .replace(/reserve_floor: "\d+"/, 'reserve_floor: "1000000000"');
}

/** Of 3 BTC each: a batch of the demo needs several of them. */
const COINS = 12;

/** The demo's snapshot with small coins of this vault, each from a transaction of its own. */
export function multisigSnapshot(vault = VAULT): string {
  const base = JSON.parse(demoFile('coins.json'));
  const deriver = createDeriver(vault);
  base.vault = vault.id;
  base.descriptor_checksum = vault.descriptor.split('#')[1];
  base.previous_transactions = {};
  base.coins = base.coins.slice(0, COINS).map((coin: { height: number }, index: number) => {
    const { script } = deriver.at(0, index);
    const value = 300_000_000n + BigInt(index);
    const bytes = transactionTo(script, value, index);
    const txid = toHex(Uint8Array.from(hash256(bytes)).reverse());
    base.previous_transactions[txid] = toHex(bytes);
    return { ...coin, value: `${value}`, outpoint: `${txid}:0`, script: toHex(script), branch: 0, index };
  });
  return JSON.stringify(base);
}

function transactionTo(script: Uint8Array, value: bigint, salt: number): Uint8Array {
  const amount = Buffer.alloc(8);
  amount.writeBigUInt64LE(value);
  return Buffer.concat([
    Buffer.from('0200000001', 'hex'),
    Buffer.alloc(32, `salt ${salt}`),
    Buffer.from('00000000' + '00' + 'ffffffff' + '01', 'hex'),
    amount,
    Buffer.from([script.length]),
    script,
    Buffer.alloc(4),
  ]);
}

/** The signatures that an honest cosigner gives, by bitcoinjs-lib and not by our own code. */
export function signaturesOf(fingerprint: Fingerprint, psbt: Uint8Array): ReturnedSignature[] {
  const signing = Psbt.fromBuffer(Buffer.from(psbt));
  const master = masterOf(fingerprint);
  return signing.data.inputs.map(({ partialSig = [] }, input) => {
    const before = new Set(partialSig.map(({ pubkey }) => toHex(pubkey)));
    signing.signInputHD(input, master);
    const own = signing.data.inputs[input]?.partialSig?.find(({ pubkey }) => !before.has(toHex(pubkey)));
    if (own === undefined) throw new Error(`${fingerprint} has no key for input ${input}`);
    return { input, publicKey: new Uint8Array(own.pubkey), signature: new Uint8Array(own.signature) };
  });
}

export interface Cosigner {
  /** Other seeds give other keys and other HMACs: what a device has after it was wiped. */
  readonly seed?: Fingerprint;
  readonly answer?: (psbt: Uint8Array) => ReturnType<Signer['sign']>;
  readonly register?: Signer['register'];
  readonly address?: string;
}

/** A device in software that holds the key of one cosigner, and keeps to its registrations as a Ledger does. */
export function cosigner(
  fingerprint: Fingerprint,
  { answer, register, address, seed = fingerprint }: Cosigner = {},
): Signer {
  const fits = (vault: Vault, registration: Registration | null | undefined): boolean =>
    registration?.hmac === registrationHmac(seed, policyId(namedPolicy(vault)));
  const b008 = fault('E_DEVICE_UNREGISTERED', 'status word b008');
  return {
    model: async () => 'nanos',
    appInfo: async () => ok({ name: 'Bitcoin Test', version: '2.2.7' }),
    fingerprint: async () => ok(fingerprint),
    xpub: async (path) => ok(masterOf(fingerprint).derivePath(path).neutered().toBase58()),
    register:
      register ??
      (async (vault) => {
        const policy = policyId(namedPolicy(vault));
        return ok({ name: vault.id, policy, hmac: registrationHmac(seed, policy) });
      }),
    address: async (vault, branch, index, registration) => {
      if (!fits(vault, registration)) return err(b008);
      return ok(address ?? encodeAddress(createDeriver(vault).at(branch, index).script, vault.network) ?? '');
    },
    sign: async (psbt, vault, _progress, registration) => {
      if (!fits(vault, registration)) return err({ fault: b008, maySign: false });
      return answer === undefined ? ok(signaturesOf(fingerprint, psbt)) : answer(psbt);
    },
    close: async () => ok(undefined),
  };
}
