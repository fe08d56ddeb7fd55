import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createSigner } from '../../src/device/signer.js';
import { STATUS_WORDS } from '../../src/device/status-words.js';
import { parseTranscript } from '../../src/device/transcript.js';
import { openInterruptible } from '../../src/device/transport/interruptible.js';
import { exitCode } from '../../src/domain/exit-codes.js';
import { FAULTS, type FaultTag } from '../../src/domain/fault.js';
import { removeAll, Session, stage } from '../cli/session.js';
import { type Disturbance, faultyDevice, isSignPsbt, isYield, rightStates } from '../device/faulty.js';

/**
 * `batch sign` over the recorded signing of the demo's first batch, with one thing going wrong at one exchange: what the
 * journal says afterwards, the exit code, and what the next attempt, with a device that works, comes to. The plain run
 * tries the exchanges at which the conversation changes its subject; FAULTS=all tries every one.
 */
const ALL = process.env.FAULTS === 'all';

const FILE = fileURLToPath(new URL('../../examples/demo/recordings/withdrawals.apdu', import.meta.url));
const parsed = parseTranscript(readFileSync(FILE, 'utf8'), FILE);
if (!parsed.ok) throw new Error(parsed.error.message);
const recording = parsed.value;
const { exchanges } = recording;
const SIGN = exchanges.findIndex(({ request }) => isSignPsbt(request));
const YIELDS = exchanges.flatMap(({ response }, at) => (isYield(response) ? [at] : []));
const LAST = exchanges.length - 1;
const TURNS = [0, 2, SIGN - 1, SIGN, SIGN + 40, YIELDS[0] ?? 0, YIELDS.at(-1) ?? 0, LAST];

const folders: string[] = [];
const tried = new Map<string, number>();
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  removeAll();
  const total = [...tried.values()].reduce((sum, n) => sum + n, 0);
  process.stdout.write(
    `faults of batch sign tried: ${total} (${[...tried].map(([k, n]) => `${n} ${k}`).join(', ')})\n`,
  );
});

let master: Promise<{ readonly s: Session; readonly id: string; readonly transaction: string }> | null = null;

/** A workspace with a batch that may be signed, and the transaction that it becomes. */
async function ready() {
  master ??= (async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const undisturbed = copyOf(s);
    const { transaction } = await undisturbed.json(0, 'batch', 'sign', id, '--device', `replay:${FILE}`);
    return { s, id, transaction };
  })();
  const { s, id, transaction } = await master;
  return { s: copyOf(s), id, transaction };
}

function copyOf({ folder, now }: Session): Session {
  const copy = mkdtempSync(join(tmpdir(), 'countersign-faults-'));
  folders.push(copy);
  cpSync(folder, copy, { recursive: true });
  const session = new Session(copy);
  session.now = now;
  return session;
}

const WORDS = [...STATUS_WORDS.keys(), 0x9000, 0xe000, 0x6123];

function disturbances(at: number): readonly Disturbance[] {
  const length = exchanges[at]?.response.length ?? 2;
  return [
    { kind: 'status', word: 0x6985 },
    { kind: 'status', word: WORDS[at % WORDS.length] ?? 0x6f00 },
    { kind: 'gone' },
    { kind: 'hangs' },
    { kind: 'delayed' },
    { kind: 'corrupted', byte: (at * 7) % length },
    { kind: 'truncated', length: length - 3 },
    { kind: 'swapped' },
    { kind: 'repeated' },
  ];
}

async function check(at: number, disturbance: Disturbance): Promise<void> {
  const { s, id, transaction } = await ready();
  const device = faultyDevice(recording, at, disturbance);
  s.signer = ({ signal }) => createSigner(signal ? openInterruptible(device.channel, signal) : device.channel);
  // Whoever waits for an answer that does not come presses Ctrl-C.
  s.interruptible = (work) => {
    const controller = new AbortController();
    device.hanging.then(() => controller.abort());
    return work(controller.signal);
  };
  const { code, stdout, stderr } = await s.run('batch', 'sign', id, '--json');
  tried.set(disturbance.kind, (tried.get(disturbance.kind) ?? 0) + 1);
  const said = JSON.parse(stdout);
  const state = await s.stateOf(id);
  const what = `exchange ${at}, ${JSON.stringify(disturbance)}: ${state}, ${stdout}${stderr}`;
  expect(device.disturbed(), what).toBe(true);
  expect(rightStates(device, disturbance), what).toContain(state);
  expect((await s.balance('in a batch')) > 0n, what).toBe(state !== 'RELEASED');

  if (state === 'SIGNED') {
    expect([code, said.transaction], what).toEqual([0, transaction]);
  } else {
    const tag: FaultTag = said.faults[0].tag;
    expect([code, said.state], what).toEqual([exitCode(FAULTS[tag].exit), state]);
    expect([14, 20, 21, 22, 23, 24, 25], what).toContain(code);
    if (disturbance.kind === 'hangs') expect([code, tag], what).toEqual([25, 'E_DEVICE_INTERRUPTED']);
  }

  // The next attempt, with a device that works and nobody who is in a hurry.
  s.interruptible = (work) => work(new AbortController().signal);
  const again = ['batch', 'sign', id, '--device', `replay:${FILE}`];
  if (state === 'RELEASED') {
    expect((await s.json(0, ...again)).transaction, what).toBe(transaction);
    expect(await s.stateOf(id), what).toBe('SIGNED');
  } else {
    expect(await s.untouched(() => s.faultOf(15, ...again)), what).toBe('E_BATCH_STATE');
  }
  s.remove();
}

describe('batch sign over a conversation that is disturbed once', () => {
  const places = ALL ? [...exchanges.keys()] : TURNS;
  it.each(places)(
    'at exchange %i: the journal, the exit code and the next attempt are right',
    async (at) => {
      for (const disturbance of disturbances(at)) await check(at, disturbance);
    },
    600_000,
  );
});

describe('a signal that comes when the device has answered all', () => {
  it('takes nothing away: the signatures are proven and kept', async () => {
    const { s, id, transaction } = await ready();
    const controller = new AbortController();
    const device = faultyDevice(recording, LAST, { kind: 'delayed' });
    s.interruptible = (work) => work(controller.signal);
    s.signer = () => ({
      ...createSigner(openInterruptible(device.channel, controller.signal)),
      async close() {
        controller.abort();
        return device.channel.close();
      },
    });
    expect((await s.json(0, 'batch', 'sign', id)).transaction).toBe(transaction);
    expect(await s.stateOf(id)).toBe('SIGNED');
  });
});

describe('what is wrong with --device and --record is found before anything is reserved', () => {
  it.each([
    ['a device that is none', ['--device', 'usb'], 'E_USAGE', 2],
    ['a recording that is not there', ['--device', 'replay:absent.apdu'], 'E_FILE_MISSING', 2],
    ['a recording that is none', ['--device', 'replay:withdrawals.csv'], 'E_TRANSCRIPT_FORM', 2],
    [
      'a recording of another batch',
      ['--device', `replay:${FILE.replace('withdrawals', 'second')}`],
      'E_TRANSCRIPT_OTHER',
      13,
    ],
    ['an emulator elsewhere', ['--device', 'speculos:http://192.0.2.1:5000'], 'E_DEVICE_ADDRESS', 2],
    ['a record into no folder', ['--device', `replay:${FILE}`, '--record', 'absent/r.apdu'], 'E_FILE_MISSING', 2],
    ['a record into a file', ['--device', `replay:${FILE}`, '--record', 'policy.yaml/r.apdu'], 'E_FILE_MISSING', 2],
    ['a record over a file', ['--device', `replay:${FILE}`, '--record', 'policy.yaml'], 'E_FILE_EXISTS', 2],
    ['a record into no folder, with a Ledger', ['--record', 'absent/r.apdu'], 'E_FILE_MISSING', 2],
  ] as const)('%s', async (_, words, tag, code) => {
    const { s, id } = await ready();
    s.signer = () => {
      throw new Error('no device may be opened');
    };
    expect(await s.untouched(() => s.faultOf(code, 'batch', 'sign', id, ...words))).toBe(tag);
    expect(await s.stateOf(id)).toBe('DRAFT');
  });

  it('a signal that came before', async () => {
    const { s, id } = await ready();
    s.interruptible = (work) => work(AbortSignal.abort());
    expect(await s.untouched(() => s.faultOf(25, 'batch', 'sign', id))).toBe('E_DEVICE_INTERRUPTED');
    expect(await s.stateOf(id)).toBe('DRAFT');
  });
});
