import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { identify } from '../../src/device/preflight.js';
import { createSigner } from '../../src/device/signer.js';
import { listHid } from '../../src/device/transport/hid.js';
import { type ApduChannel, ChannelError } from '../../src/device/types.js';
import type { Fault } from '../../src/domain/fault.js';
import { honestSignatures } from '../cli/soft-device.mjs';
import { openHid } from './open-hid.js';
import { readRecording, readSidecar, type SigningSidecar, vaultOf } from './recordings.js';
import { recorded, standIn } from './usb.js';

/** Ledger's own transport and node-hid's own JavaScript, over a stand-in for the native binding. */
const bus = standIn();
afterEach(() => bus.clear());

const OK = Uint8Array.of(0x90, 0x00);
const PATH = '/dev/hidraw3';
const ASK = Uint8Array.of(0xb0, 0x01, 0x00, 0x00, 0x00);

async function open(): Promise<ApduChannel> {
  const opened = await openHid('linux');
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ChannelError) return error.fault;
  throw new Error(`no channel fault: ${String(error)}`);
}

describe('the framing of reports', () => {
  it('carries requests and answers of every length, in both directions', async () => {
    const bytes = (maxLength: number) => fc.uint8Array({ minLength: 5, maxLength });
    await fc.assert(
      fc.asyncProperty(bytes(260), bytes(600), async (request, response) => {
        bus.clear();
        const device = bus.plug(PATH, () => response);
        const channel = await open();
        expect(await channel.exchange(request)).toEqual(response);
        expect(device.requests).toEqual([request]);
        expect(device.written).toHaveLength(Math.ceil((request.length + 2) / 59));
        await channel.close();
        expect([device.opened, device.closed]).toEqual([1, 1]);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [57, 1],
    [58, 2],
    [116, 2],
    [117, 3],
  ])('an answer of %i bytes comes in %i reports', async (length, reports) => {
    let seen = 0;
    const tamper = (report: Uint8Array): Uint8Array => {
      seen += 1;
      return report;
    };
    bus.plug(PATH, () => new Uint8Array(length).fill(7), { tamper });
    expect(await (await open()).exchange(ASK)).toEqual(new Uint8Array(length).fill(7));
    expect(seen).toBe(reports);
  });
});

describe('a recorded signing over USB reports', () => {
  it.each(['sign-wpkh-1', 'sign-tr-1', 'sign-sh-wpkh-3'])('%s: identified and signed', async (name) => {
    const sidecar = readSidecar<SigningSidecar>(name);
    const vault = vaultOf(sidecar);
    bus.plug(PATH, recorded(readRecording(name)));
    const signer = createSigner(await open());
    expect(await identify(signer, vault, {})).toMatchObject({ ok: true, value: { fingerprint: 'f5acc2fd' } });
    const signed = await signer.sign(new Uint8Array(Buffer.from(sidecar.psbt, 'base64')), vault, () => {});
    if (!signed.ok) throw new Error(signed.error.fault.message);
    expect(signed.value).toHaveLength(Number(name.slice(-1)));
    if (name === 'sign-wpkh-1') expect(signed.value).toEqual(honestSignatures(Buffer.from(sidecar.psbt, 'base64')));
    expect(await signer.close()).toEqual({ ok: true, value: undefined });
  });
});

describe('reports that go wrong', () => {
  const long = (): Uint8Array => Uint8Array.from([...new Uint8Array(150).fill(7), 0x90, 0x00]);
  const changed = (report: Uint8Array, at: number, by: number): Uint8Array => {
    const copy = report.slice();
    copy[at] = (copy[at] ?? 0) ^ by;
    return copy;
  };

  it.each([
    ['of another channel', 0, 0, 'E_DEVICE_BUSY', 'another program'],
    ['of another channel, in the middle', 1, 1, 'E_DEVICE_BUSY', 'another program'],
    ['with another tag', 0, 2, 'E_DEVICE_PROTOCOL', 'Invalid tag'],
    ['with the wrong number', 0, 4, 'E_DEVICE_PROTOCOL', 'Invalid sequence'],
    ['with the wrong number, at the end', 2, 4, 'E_DEVICE_PROTOCOL', 'Invalid sequence'],
  ])('one %s is told by its cause', async (_, number, byte, tag, words) => {
    bus.plug(PATH, long, { tamper: (report, at) => (at.report === number ? changed(report, byte, 1) : report) });
    const channel = await open();
    const fault = await faultOf(channel.exchange(ASK));
    expect(fault).toMatchObject({ tag, message: expect.stringContaining(words) });
    expect(fault.remedy).toMatch(/Ledger Live|cable/);
  });

  it.each([0, 1, 2, 4])('one of %i bytes does not end the program', async (length) => {
    bus.plug(PATH, long, { tamper: (report, at) => (at.report === 1 ? report.slice(0, length) : report) });
    const fault = await faultOf((await open()).exchange(ASK));
    expect(fault).toMatchObject({ tag: 'E_DEVICE_PROTOCOL', message: expect.stringContaining('too short') });
  });

  it('one that is left out is noticed at the next one', async () => {
    bus.plug(PATH, long, { tamper: (report, at) => (at.report === 1 ? null : report) });
    expect(await faultOf((await open()).exchange(ASK))).toMatchObject({ tag: 'E_DEVICE_PROTOCOL' });
  });

  it('after one, what is left of the answer is never taken for the next answer', async () => {
    let answers = 0;
    const device = bus.plug(
      PATH,
      () => {
        answers += 1;
        return answers === 1 ? long() : OK;
      },
      { tamper: (report, at) => (at.answer === 0 && at.report === 0 ? changed(report, 2, 1) : report) },
    );
    const channel = await open();
    const first = await faultOf(channel.exchange(ASK));
    expect(await faultOf(channel.exchange(ASK))).toEqual(first);
    expect(device.requests).toHaveLength(1);
  });

  it('an answer of another program that lies there first is nobody else’s', async () => {
    const device = bus.plug(PATH, () => OK);
    const channel = await open();
    device.inject(new Uint8Array(64).fill(0xee));
    expect(await faultOf(channel.exchange(ASK))).toMatchObject({ tag: 'E_DEVICE_BUSY' });
  });
});

describe('a cable that is pulled', () => {
  it('while the host writes', async () => {
    bus.plug(PATH, () => OK, { unplugAtWrite: 2 });
    const channel = await open();
    expect(await channel.exchange(ASK)).toEqual(OK);
    const fault = await faultOf(channel.exchange(new Uint8Array(120).fill(1)));
    expect(fault).toMatchObject({ tag: 'E_DEVICE_GONE', message: expect.stringContaining('unplugged') });
    expect(await channel.close()).toEqual({ ok: true, value: undefined });
  });

  it('while the host reads, before the answer and in the middle of it', async () => {
    bus.plug(PATH, () => OK, { unplugAtExchange: 0 });
    expect(await faultOf((await open()).exchange(ASK))).toMatchObject({ tag: 'E_DEVICE_GONE' });
    bus.clear();
    bus.plug(PATH, () => new Uint8Array(100), { tamper: (report, at) => (at.report === 1 ? 'unplug' : report) });
    expect(await faultOf((await open()).exchange(ASK))).toMatchObject({ tag: 'E_DEVICE_GONE' });
  });

  it('between listing and opening', async () => {
    bus.plug(PATH, () => OK, { openError: 'No such device' });
    expect(await openHid('linux')).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_GONE' } });
  });
});

describe('the list', () => {
  it('has every Ledger once, with its model, and opens none', async () => {
    const [a, b] = [bus.plug(PATH, () => OK), bus.plug('/dev/hidraw5', () => OK, { productId: 0x5011, serial: '' })];
    expect(await listHid()).toEqual({
      ok: true,
      value: [
        { path: PATH, productId: 0x1011, model: 'nanos', serial: '0001' },
        { path: '/dev/hidraw5', productId: 0x5011, model: 'nanosp', serial: null },
      ],
    });
    expect([a.opened, b.opened]).toEqual([0, 0]);
  });

  it('is empty where nothing is attached, and does not know every product id', async () => {
    expect(await listHid()).toEqual({ ok: true, value: [] });
    bus.plug(PATH, () => OK, { productId: 0xff11 });
    expect(await listHid()).toMatchObject({ value: [{ model: null, productId: 0xff11 }] });
  });
});
