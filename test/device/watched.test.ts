import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openWatched } from '../../src/device/transport/watched.js';
import { type ApduChannel, ChannelError } from '../../src/device/types.js';
import { ok } from '../../src/domain/result.js';
import { readRecording } from './recordings.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const APP = Uint8Array.of(0xb0, 0x01, 0, 0, 0);
const FINGERPRINT = Uint8Array.of(0xe1, 0x05, 0, 1, 0);
const KEY = Uint8Array.of(0xe1, 0x00, 0, 1, 1, 0);
const KEY_SHOWN = Uint8Array.of(0xe1, 0x00, 0, 1, 1, 1);
const REGISTER = Uint8Array.of(0xe1, 0x02, 0, 1, 0);
const OK = Uint8Array.of(0x90, 0);

function device(attended: boolean) {
  const answers: ((response: Uint8Array) => void)[] = [];
  const notices: string[] = [];
  let now = 0;
  let left = 0;
  let closed: Promise<unknown> = Promise.resolve();
  const inner: ApduChannel = {
    name: 'slow device',
    exchange: () => {
      const exchange = new Promise<Uint8Array>((resolve) => answers.push(resolve));
      closed = exchange;
      return exchange;
    },
    close: async () => {
      await closed;
      return ok(undefined);
    },
  };
  const channel = openWatched(inner, {
    attended,
    notice: (line) => notices.push(line),
    tick: () => now,
    leftBehind: () => {
      left += 1;
    },
  });
  const passes = async (seconds: number): Promise<void> => {
    now += seconds * 1000;
    await vi.advanceTimersByTimeAsync(seconds * 1000);
  };
  const answer = async (response: Uint8Array = OK): Promise<void> => {
    answers.at(-1)?.(response);
    await vi.advanceTimersByTimeAsync(0);
  };
  return { channel, notices, passes, answer, left: () => left };
}

/** What has become of an exchange so far. */
function state(exchange: Promise<Uint8Array>): { is: string } {
  const seen = { is: 'pending' };
  exchange.then(
    () => {
      seen.is = 'answered';
    },
    (error: unknown) => {
      seen.is = error instanceof ChannelError ? error.fault.tag : String(error);
    },
  );
  return seen;
}

describe('a device that has to answer by itself', () => {
  it.each([
    ['its app', APP],
    ['its fingerprint', FINGERPRINT],
    ['a key that it does not show', KEY],
  ])('%s: said after ten seconds, given up after thirty', async (_, apdu) => {
    const { channel, notices, passes, left } = device(false);
    const seen = state(channel.exchange(apdu));
    await passes(9.9);
    expect(notices).toEqual([]);
    await passes(0.1);
    expect(notices).toEqual([expect.stringContaining('has not answered for 10 s')]);
    await passes(19.9);
    expect(seen.is).toBe('pending');
    await passes(0.1);
    expect([seen.is, left()]).toEqual(['E_DEVICE_STALLED', 1]);
    // Nothing further goes out, and closing does not wait for the answer.
    await expect(channel.exchange(APP)).rejects.toMatchObject({ fault: { tag: 'E_DEVICE_STALLED' } });
    expect(await channel.close()).toEqual(ok(undefined));
  });

  it('is waited for as long as somebody attends, and its late answer counts', async () => {
    const { channel, notices, passes, answer, left } = device(true);
    const exchange = channel.exchange(FINGERPRINT);
    await passes(600);
    expect(notices).toHaveLength(1);
    await answer();
    expect(await exchange).toEqual(OK);
    expect(left()).toBe(0);
    expect(await channel.close()).toEqual(ok(undefined));
  });

  it('nothing is said of an answer in time', async () => {
    const { channel, notices, passes, answer } = device(false);
    const exchange = channel.exchange(APP);
    await passes(9);
    await answer();
    expect(await exchange).toEqual(OK);
    await passes(100);
    expect(notices).toEqual([]);
  });
});

describe('a person who decides', () => {
  it.each([
    ['a key that is shown', KEY_SHOWN],
    ['a registration', REGISTER],
  ])('%s has no limit', async (_, apdu) => {
    const { channel, notices, passes, answer } = device(false);
    const exchange = channel.exchange(apdu);
    await passes(3600);
    await answer();
    expect(await exchange).toEqual(OK);
    expect(notices).toEqual([]);
  });
});

describe('a signing', () => {
  const { exchanges } = readRecording('sign-wpkh-1');
  const start = exchanges.findIndex(({ request }) => request[1] === 0x04);

  it('is never given up; what the device owes by itself is said, what a person owes is not', async () => {
    const { channel, notices, passes, answer } = device(false);
    const silent: number[] = [];
    for (const [at, { request, response }] of exchanges.slice(start).entries()) {
      const exchange = channel.exchange(request);
      const before = notices.length;
      await passes(45);
      if (notices.length > before) silent.push(at);
      await answer(response);
      expect(await exchange).toEqual(response);
    }
    const total = exchanges.length - start;
    const unsaid = [...Array(total).keys()].filter((at) => !silent.includes(at));
    // The exchanges without a word are those of the review, in one piece, and not at either end.
    expect(unsaid.length).toBeGreaterThan(0);
    expect(unsaid.at(-1)).toBe((unsaid[0] ?? 0) + unsaid.length - 1);
    expect(unsaid[0]).toBeGreaterThan(0);
    expect(unsaid.at(-1)).toBeLessThan(total - 1);
    expect(notices.every((line) => line.includes('sent to it again'))).toBe(true);
  });

  it('tells that the host was slow', async () => {
    const { channel, notices, passes, answer } = device(false);
    for (const [slow, expected] of [
      [2.5, 0],
      [2.6, 1],
    ] as const) {
      const first = exchanges[start];
      if (first === undefined) throw new Error('the recording signs');
      const exchange = channel.exchange(first.request);
      await answer(first.response);
      await exchange;
      await passes(slow);
      const next = channel.exchange(Uint8Array.of(0xf8, 1, 0, 1, 0));
      await answer();
      await next;
      expect(notices).toHaveLength(expected);
    }
    expect(notices[0]).toContain('this computer took 2.6 s');
  });
});
