import { describe, expect, it } from 'vitest';
import { openInterruptible } from '../../src/device/transport/interruptible.js';
import { type ApduChannel, ChannelError } from '../../src/device/types.js';
import { fault } from '../../src/domain/fault.js';
import { err, ok } from '../../src/domain/result.js';

const REQUEST = Uint8Array.of(0xb0, 1, 0, 0);
const ANSWER = Uint8Array.of(0x90, 0);
const INTERRUPTED = { fault: { tag: 'E_DEVICE_INTERRUPTED' } };

/** A device whose answer the test gives, and whose closing waits for that answer as a USB device's does. */
function slowDevice() {
  const waiting: { answer: (response: Uint8Array) => void; fail: (error: unknown) => void }[] = [];
  let pending: Promise<unknown> = Promise.resolve();
  const asked: Uint8Array[] = [];
  const channel: ApduChannel = {
    name: 'slow device',
    recordedPsbt: 'aa'.repeat(32),
    exchange(apdu) {
      asked.push(apdu);
      const exchange = new Promise<Uint8Array>((answer, fail) => waiting.push({ answer, fail }));
      pending = exchange;
      return exchange;
    },
    async close() {
      await pending;
      return err(fault('E_DEVICE_GONE', 'it closed badly'));
    },
  };
  return { channel, waiting, asked };
}

function open() {
  const device = slowDevice();
  const stop = new AbortController();
  return { ...device, stop, opened: openInterruptible(device.channel, stop.signal) };
}

describe('a channel that can be broken off', () => {
  it('is the channel itself while nobody does', async () => {
    const { opened, waiting } = open();
    expect([opened.name, opened.recordedPsbt]).toEqual(['slow device', 'aa'.repeat(32)]);
    const exchange = opened.exchange(REQUEST);
    waiting[0]?.answer(ANSWER);
    expect(await exchange).toBe(ANSWER);
    expect(await opened.close()).toMatchObject({ ok: false, error: { message: 'it closed badly' } });
  });

  it('tells the model as the channel does, and none where it does not or where nobody waits any longer', async () => {
    const { channel } = slowDevice();
    const stop = new AbortController();
    const through = (model?: ApduChannel['model']) =>
      openInterruptible({ ...channel, ...(model === undefined ? {} : { model }) }, stop.signal).model?.();
    expect(await through(async () => 'nanosp')).toBe('nanosp');
    expect(await through(async () => null)).toBeNull();
    expect(await through()).toBeNull();
    const hanging = through(() => new Promise(() => {}));
    stop.abort();
    expect(await hanging).toBeNull();
    expect(await through(async () => 'nanosp')).toBeNull();
  });

  it('passes on how an exchange fails', async () => {
    const { opened, waiting } = open();
    const exchange = opened.exchange(REQUEST);
    const gone = new ChannelError(fault('E_DEVICE_GONE', 'gone'));
    waiting[0]?.fail(gone);
    await expect(exchange).rejects.toBe(gone);
  });

  it('gives up the exchange that waits, and closes without its answer', async () => {
    const { opened, stop } = open();
    const exchange = opened.exchange(REQUEST);
    stop.abort();
    await expect(exchange).rejects.toMatchObject(INTERRUPTED);
    expect(await opened.close()).toEqual(ok(undefined));
  });

  it('asks nothing any more, and closes as the channel does when no answer is due', async () => {
    const { opened, stop, asked } = open();
    stop.abort();
    await expect(opened.exchange(REQUEST)).rejects.toMatchObject(INTERRUPTED);
    expect(asked).toEqual([]);
    expect(await opened.close()).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_GONE' } });
  });

  it.each(['answers', 'fails'])('does not mind a device that %s too late', async (how) => {
    const { opened, stop, waiting } = open();
    const exchange = opened.exchange(REQUEST);
    stop.abort();
    await expect(exchange).rejects.toMatchObject(INTERRUPTED);
    const closed = await opened.close();
    if (how === 'answers') waiting[0]?.answer(ANSWER);
    else waiting[0]?.fail(new ChannelError(fault('E_DEVICE_GONE', 'gone')));
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toEqual(ok(undefined));
  });
});
