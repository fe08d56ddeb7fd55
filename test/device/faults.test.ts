import { afterAll, describe, expect, it } from 'vitest';
import { identify } from '../../src/device/preflight.js';
import { createSigner } from '../../src/device/signer.js';
import { STATUS_WORDS } from '../../src/device/status-words.js';
import { openInterruptible } from '../../src/device/transport/interruptible.js';
import { toHex } from '../../src/domain/bytes.js';
import { exitCode } from '../../src/domain/exit-codes.js';
import { FAULTS, type Fault } from '../../src/domain/fault.js';
import { finalise } from '../../src/psbt/finalise.js';
import { proveSignatures } from '../../src/psbt/verify.js';
import { createDeriver } from '../../src/vault/derive.js';
import { type Disturbance, faultyDevice, isSignPsbt, isYield, rightStates } from './faulty.js';
import {
  NANOS,
  plainName,
  readRecording,
  readSidecar,
  recordingNames,
  type SigningSidecar,
  vaultOf,
} from './recordings.js';

/**
 * One thing goes wrong at one exchange of a recorded signing, and the real path (identify, sign, prove, finalise) runs over
 * it. Held for each: a transaction comes out only if it is the recorded one to the byte; budget would be given back only
 * if the device has made no signature, and is given back where it was never asked or said no; the exit code is the cause's.
 *
 * The plain run tries every exchange of the shortest recordings with every kind of fault, and a sample of the long ones.
 * FAULTS=all tries every exchange of every recording, and every status word at each.
 */
const ALL = process.env.FAULTS === 'all';

const WORDS = [...STATUS_WORDS.keys(), 0x9000, 0xe000, 0x6123, 0x0000];

type Kind = Disturbance['kind'];
const tried = new Map<Kind, number>();
const ends = new Map<string, number>();
const count = <K>(counts: Map<K, number>, key: K): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};
const listed = (counts: Map<string, number>): string => [...counts].map(([name, n]) => `${n} ${name}`).join(', ');
afterAll(() => {
  const total = [...tried.values()].reduce((sum, n) => sum + n, 0);
  process.stdout.write(`faults tried: ${total} (${listed(tried)}); ended ${listed(ends)}\n`);
});

/** Every kind of fault at an exchange; the varying ones vary with its number, or all at once. */
function disturbances(at: number, length: number): readonly Disturbance[] {
  const words = ALL ? WORDS : [WORDS[at % WORDS.length] ?? 0x6f00];
  return [
    ...words.map((word): Disturbance => ({ kind: 'status', word })),
    { kind: 'gone' },
    { kind: 'hangs' },
    { kind: 'delayed' },
    // Somewhere in the answer, and in the status word, where a flipped bit makes another command of it.
    { kind: 'corrupted', byte: (at * 7) % length },
    { kind: 'corrupted', byte: -1 - (at % 2) },
    { kind: 'truncated', length: at % 3 === 0 ? at % 2 : Math.max(0, length - 1 - (at % 5)) },
    { kind: 'swapped' },
    { kind: 'repeated' },
  ];
}

type End =
  | { readonly state: 'RELEASED' | 'UNKNOWN'; readonly fault: Fault }
  | { readonly state: 'SIGNED'; readonly transaction: string };

/** What sign-batch.ts does with the device, and the state in which it leaves the journal. */
async function run(name: string, at: number, disturbance: Disturbance) {
  const sidecar = readSidecar<SigningSidecar>(name);
  const vault = vaultOf(sidecar);
  const psbt = new Uint8Array(Buffer.from(sidecar.psbt, 'base64'));
  const device = faultyDevice(recordingOf(name), at, disturbance);
  const stop = new AbortController();
  const signer = createSigner(openInterruptible(device.channel, stop.signal));
  device.hanging.then(() => stop.abort());

  const end = async (): Promise<End> => {
    const identified = await identify(signer, vault, { minAppVersion: '2.2.7' });
    if (!identified.ok) return { state: 'RELEASED', fault: identified.error };
    const signed = await signer.sign(psbt, vault, () => {});
    if (!signed.ok) return { state: signed.error.maySign ? 'UNKNOWN' : 'RELEASED', fault: signed.error.fault };
    const deriver = createDeriver(vault);
    const proven = proveSignatures(psbt, deriver, signed.value);
    const final = proven.ok ? finalise(psbt, deriver, proven.value) : proven;
    if (!final.ok) return { state: 'UNKNOWN', fault: final.error };
    return { state: 'SIGNED', transaction: toHex(final.value.transaction) };
  };
  const ended = await end();
  await signer.close();
  return { device, end: ended, outcome: sidecar.outcome };
}

const recordings = new Map<string, ReturnType<typeof readRecording>>();
function recordingOf(name: string) {
  const read = recordings.get(name) ?? readRecording(name);
  recordings.set(name, read);
  return read;
}

const exitOf = ({ tag }: Fault): number => exitCode(FAULTS[tag].exit);

/** Exit codes of a device or a signature that cannot be believed; never "a fault in the program". */
const DEVICE_EXITS = [20, 21, 22, 23, 24, 25];

async function check(name: string, at: number, disturbance: Disturbance): Promise<void> {
  const { device, end, outcome } = await run(name, at, disturbance);
  count(tried, disturbance.kind);
  count(ends, end.state);
  const what = `${name}, exchange ${at}, ${JSON.stringify(disturbance)}: ${JSON.stringify(end)}`;
  expect(device.disturbed(), what).toBe(true);
  expect(rightStates(device, disturbance), what).toContain(end.state);
  if (end.state === 'SIGNED') {
    expect(plainName(name), what).toMatch(/^sign-/);
    expect(end.transaction, what).toBe(outcome.transaction);
    return;
  }
  const exit = exitOf(end.fault);
  switch (disturbance.kind) {
    case 'status':
      // b008: the registration does not fit.
      expect([...DEVICE_EXITS, 14], what).toContain(exit);
      return;
    case 'gone':
      expect([end.fault.tag, exit], what).toEqual(['E_DEVICE_GONE', 20]);
      return;
    case 'hangs':
      expect([end.fault.tag, exit], what).toEqual(['E_DEVICE_INTERRUPTED', 25]);
      return;
    case 'delayed':
      // A slow answer is no other answer: this ends as it was recorded.
      expect([plainName(name).startsWith('refused-wpkh'), end.fault.tag], what).toEqual([true, 'E_DEVICE_REFUSED']);
      return;
    default:
      expect(DEVICE_EXITS, what).toContain(exit);
  }
}

const LONG = 600;

/** The exchanges at which a long conversation changes its subject, the ones around each, and some in between. */
function sampled(name: string): readonly number[] {
  const { exchanges } = recordingOf(name);
  const sign = exchanges.findIndex(({ request }) => isSignPsbt(request));
  const yields = exchanges.flatMap(({ response }, at) => (isYield(response) ? [at] : []));
  const turns = [0, 1, 2, sign, yields[0] ?? 0, yields.at(-1) ?? 0, exchanges.length - 1];
  const isLong = exchanges.length > LONG;
  const around = isLong ? turns : turns.flatMap((at) => [at - 1, at, at + 1]);
  const step = Math.ceil(exchanges.length / (isLong ? 3 : 8));
  const between = exchanges.map((_, at) => at).filter((at) => at % step === 5);
  return [...new Set([...around, ...between])].filter((at) => at >= 0 && at < exchanges.length).sort((a, b) => a - b);
}

const WHOLE = new Set(['sign-wpkh-1', 'refused-wpkh'].map((name) => `${NANOS}/${name}`));

describe.each([...recordingNames('sign-'), ...recordingNames('refused-wpkh')])(
  '%s, disturbed at one exchange',
  (name) => {
    it('never gives out a transaction but the recorded one, nor gives back what may be spent', async () => {
      const { exchanges } = recordingOf(name);
      const places = ALL || WHOLE.has(name) ? exchanges.keys() : sampled(name);
      for (const at of places) {
        const length = exchanges[at]?.response.length ?? 2;
        for (const disturbance of disturbances(at, length)) await check(name, at, disturbance);
      }
    }, 3_600_000);
  },
);
