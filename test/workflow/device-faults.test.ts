import { afterAll, describe, expect, it } from 'vitest';
import { createSigner } from '../../src/device/signer.js';
import type { Exchange } from '../../src/device/transcript.js';
import { openInterruptible } from '../../src/device/transport/interruptible.js';
import type { Registration, Signer } from '../../src/device/types.js';
import { toHex } from '../../src/domain/bytes.js';
import { exitCode } from '../../src/domain/exit-codes.js';
import { FAULTS, type FaultTag } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import type { ReturnedSignature } from '../../src/psbt/types.js';
import { A, B, cosigner, multisigStage, removeMultisig, replay, signaturesOf, VAULT } from '../cli/multisig-session.js';
import type { Session } from '../cli/session.js';
import {
  type Disturbance,
  type FaultyDevice,
  faultyDevice,
  isSignPsbt,
  isYield,
  rightStates,
} from '../device/faulty.js';
import { readRecording, readSidecar } from '../device/recordings.js';
import { ALL, disturbances as everyKind, holdingHmac, Tally } from '../device/sweep.js';

/**
 * Commands on a vault of several keys, over a recorded conversation in which one thing goes wrong at one exchange: what the
 * journal says afterwards, the exit code, and what the next attempt comes to. The plain run tries the exchanges at which
 * the conversation changes its subject, with half of the kinds at each in turn; FAULTS=all tries every one of both.
 */
afterAll(removeMultisig);
const tally = new Tally('faults of commands on several signers tried');
afterAll(() => tally.print());

const disturbances = (exchanges: readonly Exchange[], at: number, turn: number): readonly Disturbance[] =>
  everyKind(exchanges, at).filter((_, kind) => ALL || (kind + turn) % 2 === 0);

const CODES = [14, 20, 21, 22, 23, 24, 25];

/** Puts the disturbed device on USB; whoever waits for an answer that does not come presses Ctrl-C. */
function attach(s: Session, device: FaultyDevice, wrap: (signer: Signer) => Signer = (signer) => signer): void {
  s.signer = ({ signal }) => wrap(createSigner(signal ? openInterruptible(device.channel, signal) : device.channel));
  s.interruptible = (work) => {
    const controller = new AbortController();
    device.hanging.then(() => controller.abort());
    return work(controller.signal);
  };
}

function detach(s: Session): void {
  s.interruptible = (work) => work(new AbortController().signal);
}

function checkFault(said: { faults: { tag: FaultTag }[] }, code: number, { kind }: Disturbance, what: string): void {
  const tag = said.faults[0]?.tag ?? 'E_DEMO';
  expect(code, what).toBe(exitCode(FAULTS[tag].exit));
  expect(CODES, what).toContain(code);
  if (kind === 'hangs') expect([code, tag], what).toEqual([25, 'E_DEVICE_INTERRUPTED']);
  if (kind === 'gone') expect([code, tag], what).toEqual([20, 'E_DEVICE_GONE']);
}

const commandAt = (recording: ReturnType<typeof readRecording>, ins: number): number =>
  recording.exchanges.findIndex(({ request }) => request[0] === 0xe1 && request[1] === ins);

async function registrationsOf(s: Session): Promise<readonly Registration[]> {
  const { entries } = await s.json(0, 'audit', 'log');
  return entries
    .map(({ body }: { body: { kind: string } & Registration }) => body)
    .filter(({ kind }: { kind: string }) => kind === 'device.registered')
    .map(({ fingerprint, name, policy, hmac }: Registration) => ({ fingerprint, name, policy, hmac }));
}

describe('device register over a conversation that is disturbed once', () => {
  const recording = readRecording('multisig-register-wsh-a');
  const { registration } = readSidecar<{ registration: Registration }>('multisig-register-wsh-a');
  const { exchanges } = recording;
  const turns = [
    0,
    commandAt(recording, 2),
    commandAt(recording, 3) - 1,
    commandAt(recording, 3),
    exchanges.length - 1,
  ];

  it.each(ALL ? exchanges.map((_, at) => at) : turns)(
    'at exchange %i: nothing is kept unless all of it is right, and the next attempt registers',
    async (at) => {
      let s = await multisigStage('coins');
      for (const disturbance of disturbances(exchanges, at, turns.indexOf(at))) {
        const device = faultyDevice(recording, at, disturbance);
        attach(s, { ...device, channel: holdingHmac(device.channel, exchanges) });
        const head = await s.head();
        const { code, stdout, stderr } = await s.run('device', 'register', '--signer', A, '--json');
        const what = `exchange ${at}, ${JSON.stringify(disturbance)}: ${stdout}${stderr}`;
        tally.count(disturbance, code === 0 ? 'registered' : 'as before');
        if (code === 0) expect(await registrationsOf(s), what).toEqual([registration]);
        else {
          checkFault(JSON.parse(stdout), code, disturbance, what);
          expect(await s.head(), what).toBe(head);
        }
        detach(s);
        if (code === 0) s = await multisigStage('coins');
      }
      await s.expect(0, 'device', 'register', '--signer', A, '--device', replay('register-wsh-a'));
      expect(await registrationsOf(s)).toEqual([registration]);
    },
    600_000,
  );
});

describe('vault address --verify over a conversation that is disturbed once', () => {
  const recording = readRecording('multisig-address-wsh-a');
  const { exchanges } = recording;
  const words = ['vault', 'address', '3', '--verify'];
  const turns = [0, 2, commandAt(recording, 3), exchanges.length - 1];

  it.each(ALL ? exchanges.map((_, at) => at) : turns)(
    'at exchange %i: no other address is taken for the vault’s, and the next attempt shows it',
    async (at) => {
      const s = await multisigStage('registered');
      const { address } = readSidecar<{ address: string }>('multisig-address-wsh-a');
      const before = { files: s.files(), head: await s.head() };
      for (const disturbance of disturbances(exchanges, at, turns.indexOf(at))) {
        attach(s, faultyDevice(recording, at, disturbance));
        const { code, stdout, stderr } = await s.run(...words, '--json');
        const what = `exchange ${at}, ${JSON.stringify(disturbance)}: ${stdout}${stderr}`;
        tally.count(disturbance, code === 0 ? 'shown' : 'not shown');
        const said = JSON.parse(stdout);
        if (code === 0) expect(said, what).toMatchObject({ address, verified_on_device: true });
        else checkFault(said, code, disturbance, what);
      }
      detach(s);
      expect({ files: s.files(), head: await s.head() }).toEqual(before);
      await s.expect(0, ...words, '--device', replay('address-wsh-a'));
    },
    600_000,
  );
});

interface SigningSidecar {
  readonly psbt: string;
  readonly registration: Registration;
  readonly outcome: readonly { readonly input: number; readonly publicKey: string; readonly signature: string }[];
}

describe('batch sign with the first of several signers, over a conversation that is disturbed once', () => {
  const recording = readRecording('multisig-sign-wsh-1-a');
  const sidecar = readSidecar<SigningSidecar>('multisig-sign-wsh-1-a');
  const recorded = new Uint8Array(Buffer.from(sidecar.psbt, 'base64'));
  const { exchanges } = recording;
  const sign = exchanges.findIndex(({ request }) => isSignPsbt(request));
  const yields = exchanges.flatMap(({ response }, at) => (isYield(response) ? [at] : []));
  const turns = [0, sign, sign + 40, yields[0] ?? 0, exchanges.length - 1];

  /**
   * The recording is of another PSBT than a batch of this workspace: the device is asked for the recorded one, and where it
   * gives the recorded signatures, those of the batch stand in for them; where it gives anything else, damaged ones.
   */
  function grafted(signer: Signer): Signer {
    return {
      ...signer,
      async sign(psbt, _vault, progress) {
        const answer = await signer.sign(recorded, VAULT, progress, sidecar.registration);
        if (!answer.ok) return answer;
        const asRecorded = answer.value.map(({ input, publicKey, signature }) => ({
          input,
          publicKey: toHex(publicKey ?? new Uint8Array()),
          signature: toHex(signature),
        }));
        const own = signaturesOf(A, psbt);
        return ok(JSON.stringify(asRecorded) === JSON.stringify(sidecar.outcome) ? own : own.map(damaged));
      },
    };
  }

  const damaged = (one: ReturnedSignature): ReturnedSignature => ({
    ...one,
    signature: one.signature.map((byte, at) => (at === 20 ? byte ^ 1 : byte)),
  });

  it.each(ALL ? exchanges.map((_, at) => at) : turns)(
    'at exchange %i: the journal, the exit code and the next attempts are right',
    async (at) => {
      for (const disturbance of disturbances(exchanges, at, turns.indexOf(at))) {
        const s = await multisigStage('registered');
        const id = await s.ready('second.csv');
        const device = faultyDevice(recording, at, disturbance);
        attach(s, device, grafted);
        const { code, stdout, stderr } = await s.run('batch', 'sign', id, '--signer', A, '--json');
        const said = JSON.parse(stdout);
        const state = await s.stateOf(id);
        const what = `exchange ${at}, ${JSON.stringify(disturbance)}: ${state}, ${stdout}${stderr}`;
        tally.count(disturbance, state);
        expect(device.disturbed(), what).toBe(true);
        const right = rightStates(device, disturbance).map((one) => (one === 'SIGNED' ? 'PARTIAL' : one));
        expect(right, what).toContain(state);
        expect((await s.balance('in a batch')) > 0n, what).toBe(state !== 'RELEASED');
        if (state === 'PARTIAL') expect([code, said.signed_by], what).toEqual([0, [A]]);
        else {
          checkFault(said, code, disturbance, what);
          expect(said.state, what).toBe(state);
        }

        // The next attempts, with devices that work: whoever has signed is not asked twice.
        detach(s);
        s.signer = () => cosigner(A);
        if (state !== 'PARTIAL') await s.expect(0, 'batch', 'sign', id, '--signer', A);
        s.signer = () => cosigner(B);
        await s.expect(0, 'batch', 'sign', id, '--signer', B);
        expect(await s.stateOf(id), what).toBe('SIGNED');
        s.remove();
      }
    },
    600_000,
  );
});
