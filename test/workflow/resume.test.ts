import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createSigner } from '../../src/device/signer.js';
import { parseTranscript } from '../../src/device/transcript.js';
import { openReplay } from '../../src/device/transport/replay.js';
import type { ApduChannel, Signer } from '../../src/device/types.js';
import { fault } from '../../src/domain/fault.js';
import { err, ok } from '../../src/domain/result.js';
import type { ReturnedSignature } from '../../src/psbt/types.js';
import { removeAll, Session, stage } from '../cli/session.js';
import { honestSignatures, softSigner } from '../cli/soft-device.mjs';
import { faultyDevice, isSignPsbt, isYield } from '../device/faulty.js';

/**
 * `batch sign --wait` over a device that is unplugged at one exchange and comes back: the same bytes are sent again, and what
 * comes out is what an undisturbed signing gives. The plain run tries the exchanges at which the conversation changes its
 * subject, and some between them; FAULTS=all tries every one.
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
const [FIRST_YIELD = 0] = YIELDS;
const LAST_YIELD = YIELDS.at(-1) ?? 0;
const some = [0, 1, 2, SIGN - 1, SIGN, SIGN + 1, FIRST_YIELD - 1, FIRST_YIELD, FIRST_YIELD + 1, LAST_YIELD, LAST];
const between = [...exchanges.keys()].filter((at) => at % 67 === 5);
const PLACES = ALL ? [...exchanges.keys()] : [...new Set([...some, ...between])].sort((a, b) => a - b);

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  removeAll();
});

let master: Promise<{ readonly s: Session; readonly id: string; readonly transaction: string }> | null = null;

async function ready() {
  master ??= (async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const { transaction } = await copyOf(s).json(0, 'batch', 'sign', id, '--device', `replay:${FILE}`);
    return { s, id, transaction };
  })();
  const { s, id, transaction } = await master;
  return { s: copyOf(s), id, transaction };
}

function copyOf({ folder, now }: Session): Session {
  const copy = mkdtempSync(join(tmpdir(), 'countersign-resume-'));
  folders.push(copy);
  cpSync(folder, copy, { recursive: true });
  const session = new Session(copy);
  session.now = now;
  return session;
}

/** The recorded device: whoever asks it anything but the recorded bytes is refused. */
const whole = (): ApduChannel => openReplay(recording, 'recording');
const unpluggedAt = (at: number): ApduChannel => faultyDevice(recording, at, { kind: 'gone' }).channel;

/** Plugs in one device after another; the last one stays. */
function plugs(s: Session, ...channels: readonly (() => ApduChannel | Signer)[]): { opened: number } {
  const count = { opened: 0 };
  s.signer = () => {
    const next = channels[Math.min(count.opened, channels.length - 1)];
    count.opened += 1;
    const made = next?.();
    if (made === undefined) throw new Error('nothing is plugged in');
    return 'exchange' in made ? createSigner(made) : made;
  };
  return count;
}

/** The kinds of the batch's entries since it was first reserved. */
async function told(s: Session, id: string): Promise<readonly string[]> {
  const { entries } = await s.json(0, 'audit', 'log');
  const kinds = entries
    .filter(({ body }: { body: { batch?: string } }) => body.batch === id)
    .map(({ body }: { body: { kind: string } }) => body.kind);
  return kinds.slice(kinds.indexOf('batch.reserved'));
}

const SENDING = ['batch.verdict', 'batch.sent'];

describe('a device that is unplugged and comes back', () => {
  it.each(PLACES)(
    'at exchange %i: the same transaction',
    async (at) => {
      const { s, id, transaction } = await ready();
      const count = plugs(s, () => unpluggedAt(at), whole);
      const signed = await s.json(0, 'batch', 'sign', id, '--wait', '60');
      expect(signed.transaction).toBe(transaction);
      expect(await s.stateOf(id)).toBe('SIGNED');
      const kinds = await told(s, id);
      if (at > LAST_YIELD) {
        // Every signature was there: nothing is asked again.
        expect([count.opened, kinds]).toEqual([1, ['batch.reserved', ...SENDING, 'batch.signed']]);
      } else if (at < 3) {
        expect(kinds).toEqual(['batch.reserved', ...SENDING, 'batch.signed']);
      } else if (at < SIGN) {
        expect(kinds).toEqual([
          'batch.reserved',
          ...SENDING,
          'batch.released',
          'batch.verdict',
          'batch.reserved',
          ...SENDING,
          'batch.signed',
        ]);
      } else {
        expect(kinds).toEqual(['batch.reserved', ...SENDING, 'batch.unknown', ...SENDING, 'batch.signed']);
      }
      expect(await s.head()).toMatch(/^\d+:/);
      s.remove();
    },
    600_000,
  );

  it('again and again', async () => {
    const { s, id, transaction } = await ready();
    const places = [1, SIGN - 1, SIGN + 10, SIGN + 100, LAST_YIELD];
    const count = plugs(s, ...places.map((at) => () => unpluggedAt(at)), whole);
    const { stdout, stderr } = await s.expect(0, 'batch', 'sign', id, '--wait', '60', '--json');
    expect(JSON.parse(stdout).transaction).toBe(transaction);
    expect(count.opened).toBe(6);
    expect(stderr.match(/Connect the same device again/g)).toHaveLength(5);
    expect(stderr).toContain('0 signatures had come');
  });

  it('is not awaited where nobody is there', async () => {
    const { s, id } = await ready();
    const count = plugs(s, () => unpluggedAt(SIGN + 10), whole);
    expect(await s.faultOf(20, 'batch', 'sign', id)).toBe('E_DEVICE_GONE');
    expect([count.opened, await s.stateOf(id)]).toEqual([1, 'UNKNOWN']);
  });
});

describe('what else may come back', () => {
  const gone = () => unpluggedAt(SIGN + 10);
  const signerWith = (more: Partial<Signer>): Signer => ({ ...softSigner(), ...more });

  it('another device: 24, and what it was sent before stays spent', async () => {
    const { s, id } = await ready();
    plugs(s, gone, () => signerWith({ fingerprint: async () => ok('00000001') }));
    expect(await s.faultOf(24, 'batch', 'sign', id, '--wait', '60')).toBe('E_DEVICE_MISMATCH');
    expect(await s.stateOf(id)).toBe('UNKNOWN');
  });

  it('one with the fingerprint and another account key', async () => {
    const { s, id } = await ready();
    plugs(s, gone, () => signerWith({ xpub: async () => ok('tpubother') }));
    expect(await s.faultOf(24, 'batch', 'sign', id, '--wait', '60')).toBe('E_DEVICE_MISMATCH');
    expect(await s.stateOf(id)).toBe('UNKNOWN');
  });

  it('a person who refuses: the first attempt may have signed, so nothing is given back', async () => {
    for (const [at, state] of [
      [SIGN + 10, 'UNKNOWN'],
      [SIGN - 1, 'RELEASED'],
    ] as const) {
      const { s, id } = await ready();
      const refusal = faultyDevice(recording, FIRST_YIELD, { kind: 'status', word: 0x6985 });
      plugs(
        s,
        () => unpluggedAt(at),
        () => refusal.channel,
      );
      expect(await s.faultOf(23, 'batch', 'sign', id, '--wait', '60')).toBe('E_DEVICE_REFUSED');
      expect(await s.stateOf(id)).toBe(state);
      expect((await s.balance('in a batch')) > 0n).toBe(state === 'UNKNOWN');
    }
  });

  it('nobody: Ctrl-C while it is awaited', async () => {
    const { s, id } = await ready();
    plugs(s, gone, () => signerWith({ appInfo: async () => err(fault('E_DEVICE_INTERRUPTED', 'interrupted')) }));
    expect(await s.faultOf(25, 'batch', 'sign', id, '--wait', '60')).toBe('E_DEVICE_INTERRUPTED');
    expect(await s.stateOf(id)).toBe('UNKNOWN');
  });

  it('a halt, raised while it was away: it is not asked again', async () => {
    const { s, id } = await ready();
    const count = plugs(s, gone, () => {
      return signerWith({
        fingerprint: async () => {
          await s.expect(0, 'halt', 'raise', '--reason', 'stop', '--key', 'keys/carol');
          return ok('f5acc2fd');
        },
        sign: async () => {
          throw new Error('it is not asked to sign');
        },
      });
    });
    await s.expect(12, 'batch', 'sign', id, '--wait', '60');
    expect([count.opened, await s.stateOf(id)]).toEqual([2, 'UNKNOWN']);
  });

  it('a device that had given out something else before it was unplugged: its answer is not taken', async () => {
    const { s, id } = await ready();
    const [one] = honestSignatures(await psbtOf(s, id));
    if (one === undefined) throw new Error('the batch has an input');
    const other = { ...one, signature: changed(one.signature) };
    plugs(s, () => goneAfter([other]), whole);
    expect(await s.faultOf(24, 'batch', 'sign', id, '--wait', '60')).toMatch(/^E_SIG_/);
    expect(await s.stateOf(id)).toBe('UNKNOWN');
    const again = await ready();
    plugs(again.s, () => goneAfter([{ ...one, input: 7 }]), whole);
    expect(await again.s.faultOf(24, 'batch', 'sign', id, '--wait', '60')).toMatch(/^E_SIG_/);
  });
});

async function psbtOf(s: Session, id: string): Promise<Uint8Array> {
  await s.expect(0, 'batch', 'show', id, '--export');
  return readFileSync(s.path(`batches/${id}/unsigned.psbt`));
}

function changed(signature: Uint8Array): Uint8Array {
  const copy = signature.slice();
  copy[20] = (copy[20] ?? 0) ^ 1;
  return copy;
}

/** A device that is unplugged after it gave these. */
function goneAfter(signatures: readonly ReturnedSignature[]): Signer {
  const why = fault('E_DEVICE_GONE', 'the cable was pulled');
  return { ...softSigner(), sign: async () => err({ fault: why, maySign: true, signatures }) };
}

describe('recordings', () => {
  it('there is one for each conversation, and the last is whole', async () => {
    const { s, id, transaction } = await ready();
    const asked: (string | null)[] = [];
    const count = plugs(
      s,
      () => unpluggedAt(FIRST_YIELD),
      () => unpluggedAt(2),
      whole,
    );
    const { signer } = s;
    s.signer = (request) => {
      asked.push(request.record);
      return signer(request);
    };
    s.write('sign.apdu.2', 'something else');
    const signed = await s.json(0, 'batch', 'sign', id, '--wait', '60', '--record', 'sign.apdu');
    expect([signed.transaction, count.opened]).toEqual([transaction, 3]);
    expect(asked).toEqual(['sign.apdu', 'sign.apdu.3', 'sign.apdu.3']);
  });
});
