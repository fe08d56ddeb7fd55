import { afterAll, describe, expect, it } from 'vitest';
import { identify } from '../../src/device/preflight.js';
import { deviceAddress } from '../../src/device/screens.js';
import { createSigner } from '../../src/device/signer.js';
import type { Exchange } from '../../src/device/transcript.js';
import { openInterruptible } from '../../src/device/transport/interruptible.js';
import type { Registration, Signer } from '../../src/device/types.js';
import { toHex } from '../../src/domain/bytes.js';
import { exitCode } from '../../src/domain/exit-codes.js';
import { FAULTS, type Fault, fault } from '../../src/domain/fault.js';
import { proveSigner } from '../../src/psbt/verify.js';
import { createDeriver } from '../../src/vault/derive.js';
import type { Vault } from '../../src/vault/types.js';
import { namedPolicy, policyId } from '../../src/vault/wallet-policy.js';
import { type Disturbance, faultyDevice, isSignPsbt, isYield, rightStates } from './faulty.js';
import { readRecording, readSidecar, recordingNames, type VaultText, vaultOf } from './recordings.js';
import { disturbances, holdingHmac, isAddress, places, Tally } from './sweep.js';

/**
 * One thing goes wrong at one exchange of a recorded conversation with a cosigner's device: signing its part, registering
 * the vault's policy, showing an address (also of vaults of one key). Held for each: no signature, registration or address
 * is accepted but the right one; budget would be given back only where the device has made no signature; the fault is one
 * of a device, with the code of its cause. What the journal comes to is test/workflow/device-faults.test.ts.
 */
interface Sidecar extends VaultText {
  readonly registration?: Registration;
  readonly index?: number;
  readonly psbt?: string;
  /** Of a signing that was not refused. */
  readonly outcome?: readonly { readonly input: number; readonly publicKey: string; readonly signature: string }[];
}

type End =
  /** What was accepted, as text, and whether it is what it should be. */
  | { readonly state: 'PARTIAL' | 'REGISTERED' | 'SHOWN'; readonly isRight: boolean }
  | { readonly state: 'RELEASED' | 'UNKNOWN' | 'FAILED'; readonly fault: Fault };

const tally = new Tally('faults of several signers tried');
afterAll(() => tally.print());

const failed = (error: Fault): End => ({ state: 'FAILED', fault: error });
const signerOf = (vault: Vault, { registration }: Sidecar): string =>
  registration?.fingerprint ?? vault.keys[0]?.fingerprint ?? '';

/** What sign-part.ts does with the device, and the state in which it leaves a batch that nobody else has signed. */
async function signing(signer: Signer, vault: Vault, sidecar: Sidecar): Promise<End> {
  const expected = signerOf(vault, sidecar);
  const psbt = new Uint8Array(Buffer.from(sidecar.psbt ?? '', 'base64'));
  const identified = await identify(signer, vault, { expected });
  if (!identified.ok) return { state: 'RELEASED', fault: identified.error };
  const signed = await signer.sign(psbt, vault, () => {}, sidecar.registration);
  if (!signed.ok) return { state: signed.error.maySign ? 'UNKNOWN' : 'RELEASED', fault: signed.error.fault };
  const proven = proveSigner(psbt, createDeriver(vault), expected, signed.value);
  if (!proven.ok) return { state: 'UNKNOWN', fault: proven.error };
  const found = proven.value.map(({ input, publicKey, signature }) => ({
    input,
    publicKey: toHex(publicKey),
    signature: toHex(signature),
  }));
  return { state: 'PARTIAL', isRight: JSON.stringify(found) === JSON.stringify(sidecar.outcome) };
}

/** What register-device.ts does with it. */
async function registering(signer: Signer, vault: Vault, sidecar: Sidecar): Promise<End> {
  const fingerprint = signerOf(vault, sidecar);
  const identified = await identify(signer, vault, { expected: fingerprint });
  if (!identified.ok) return failed(identified.error);
  const given = await signer.register(vault);
  if (!given.ok) return failed(given.error);
  const registration = { fingerprint, ...given.value };
  const address = await signer.address(vault, 0, 0, registration, 'silently');
  if (!address.ok) return failed(address.error);
  if (address.value !== addressOf(vault, 0)) return failed(fault('E_DEVICE_MISMATCH', address.value));
  const isRight = JSON.stringify(registration) === JSON.stringify(sidecar.registration);
  return { state: 'REGISTERED', isRight: isRight && registration.policy === policyId(namedPolicy(vault)) };
}

/** What `vault address --verify` does with it. */
async function showing(signer: Signer, vault: Vault, sidecar: Sidecar): Promise<End> {
  const identified = await identify(signer, vault, { expected: signerOf(vault, sidecar) });
  if (!identified.ok) return failed(identified.error);
  const index = sidecar.index ?? 0;
  const address = await signer.address(vault, 0, index, sidecar.registration);
  if (!address.ok) return failed(address.error);
  const isRight = address.value === addressOf(vault, index);
  return isRight ? { state: 'SHOWN', isRight } : failed(fault('E_DEVICE_MISMATCH', address.value));
}

const addressOf = (vault: Vault, index: number): string =>
  deviceAddress(createDeriver(vault).at(0, index).script, vault.network);

const isRegister = (apdu: Uint8Array): boolean => apdu[0] === 0xe1 && apdu[1] === 0x02;

type Talk = typeof signing;

async function check(name: string, talk: Talk, at: number, disturbance: Disturbance): Promise<void> {
  const recording = readRecordingOnce(name);
  const sidecar = readSidecar<Sidecar>(name);
  const device = faultyDevice(recording, at, disturbance);
  const stop = new AbortController();
  device.hanging.then(() => stop.abort());
  const signer = createSigner(openInterruptible(holdingHmac(device.channel, recording.exchanges), stop.signal));
  const end = await talk(signer, vaultOf(sidecar), sidecar);
  await signer.close();

  tally.count(disturbance, end.state);
  const what = `${name}, exchange ${at}, ${JSON.stringify(disturbance)}: ${JSON.stringify(end)}`;
  expect(device.disturbed(), what).toBe(true);
  if (talk === signing) {
    const right = rightStates(device, disturbance).map((state) => (state === 'SIGNED' ? 'PARTIAL' : state));
    expect(right, what).toContain(end.state);
  }
  if ('isRight' in end) {
    expect(end.isRight, what).toBe(true);
    expect(name, what).not.toMatch(/refused|stale|wrong/);
    return;
  }
  const { tag } = end.fault;
  const exit = exitCode(FAULTS[tag].exit);
  expect([14, 20, 21, 22, 23, 24, 25], what).toContain(exit);
  if (disturbance.kind === 'gone') expect([tag, exit], what).toEqual(['E_DEVICE_GONE', 20]);
  if (disturbance.kind === 'hangs') expect([tag, exit], what).toEqual(['E_DEVICE_INTERRUPTED', 25]);
  // A slow answer is no other answer: this ends as it was recorded.
  if (disturbance.kind === 'delayed') expect(tag, what).toBe(recordedFault(name));
}

function recordedFault(name: string): string {
  if (name.includes('stale')) return 'E_DEVICE_UNREGISTERED';
  return name.includes('wrong') ? 'E_DEVICE_MISMATCH' : 'E_DEVICE_REFUSED';
}

const read = new Map<string, ReturnType<typeof readRecording>>();
function readRecordingOnce(name: string) {
  const recording = read.get(name) ?? readRecording(name);
  read.set(name, recording);
  return recording;
}

/** Where a conversation changes its subject. */
function turnsOf(exchanges: readonly Exchange[]): readonly number[] {
  const commands = exchanges.flatMap(({ request }, at) =>
    isSignPsbt(request) || isRegister(request) || isAddress(request) ? [at] : [],
  );
  const yields = exchanges.flatMap(({ response }, at) => (isYield(response) ? [at] : []));
  return [...commands, ...yields.slice(0, 1), ...yields.slice(-1)];
}

const CONVERSATIONS: readonly (readonly [name: string, talk: Talk])[] = [
  ...[
    ...recordingNames('multisig-sign-'),
    ...recordingNames('multisig-stale-hmac-sign'),
    ...recordingNames('multisig-wrong'),
  ].map((name) => [name, signing] as const),
  ...recordingNames('multisig-register-').map((name) => [name, registering] as const),
  ...[
    ...recordingNames('address-'),
    ...recordingNames('multisig-address-'),
    ...recordingNames('multisig-stale-hmac-address'),
  ].map((name) => [name, showing] as const),
];

describe.each(CONVERSATIONS)('%s, disturbed at one exchange', (name, talk) => {
  it('accepts nothing but what was recorded, and ends with the fault of its cause', async () => {
    const { exchanges } = readRecordingOnce(name);
    for (const at of places(exchanges, turnsOf(exchanges))) {
      for (const disturbance of disturbances(exchanges, at)) await check(name, talk, at, disturbance);
    }
  }, 3_600_000);
});

it('every recording of several signers is among them', () => {
  const names = CONVERSATIONS.map(([name]) => name);
  expect(recordingNames('multisig-').filter((name) => !names.includes(name))).toEqual([]);
});
