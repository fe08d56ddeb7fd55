import { describe, expect, it } from 'vitest';
import { parseTranscript, type Transcript } from '../../src/device/transcript.js';
import { openRecorder } from '../../src/device/transport/record.js';
import { openReplay } from '../../src/device/transport/replay.js';
import { type ApduChannel, ChannelError } from '../../src/device/types.js';
import { trustedHex } from '../../src/domain/bytes.js';
import { fail, fault } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';

const GET_APP = trustedHex('b001000000');
const APP = trustedHex(
  `010c${Buffer.from('Bitcoin Test').toString('hex')}05${Buffer.from('2.2.7').toString('hex')}01009000`,
);
const GET_FINGERPRINT = trustedHex('e105000100');
const FINGERPRINT = trustedHex('f5acc2fd9000');

const transcript: Transcript = {
  header: {
    device: 'nanos',
    app: 'Bitcoin Test',
    version: '2.2.7',
    fingerprint: 'f5acc2fd',
    psbt: null,
    recordedWith: 'countersign 0.1.0',
    note: 'synthetic',
  },
  exchanges: [
    { request: GET_APP, response: APP },
    { request: GET_FINGERPRINT, response: FINGERPRINT },
  ],
};

const faultOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ChannelError)) throw new Error(`no channel error: ${String(error)}`);
  return error.fault;
};

describe('replay', () => {
  it('answers what was recorded and closes without a fault', async () => {
    const channel = openReplay(transcript, 'x.apdu');
    expect(channel.name).toBe('replay of x.apdu');
    expect(channel.recordedPsbt).toBeNull();
    expect(await channel.exchange(GET_APP)).toEqual(APP);
    expect(await channel.exchange(GET_FINGERPRINT)).toEqual(FINGERPRINT);
    expect(await channel.close()).toEqual(ok(undefined));
    expect(await channel.close()).toEqual(ok(undefined));
  });

  it.each([
    ['one byte', 'e105000000', 'request 2 of 2 differs at byte 3: recorded 0100 (5 bytes), asked 0000 (5 bytes)'],
    ['less', 'e1050001', 'differs at byte 4: recorded 00 (5 bytes), asked the end (4 bytes)'],
    ['more', 'e10500010000', 'differs at byte 5: recorded the end (5 bytes), asked 00 (6 bytes)'],
  ])('refuses a request that differs by %s, and stays broken', async (_, request, message) => {
    const channel = openReplay(transcript, 'x.apdu');
    await channel.exchange(GET_APP);
    const fault = await faultOf(channel.exchange(trustedHex(request)));
    expect(fault.tag).toBe('E_REPLAY_DIFFERS');
    expect(fault.message).toContain(message);
    expect(await faultOf(channel.exchange(GET_FINGERPRINT))).toBe(fault);
    expect(await channel.close()).toEqual(ok(undefined));
  });

  it('refuses a request after the last one', async () => {
    const channel = openReplay({ ...transcript, exchanges: [] }, 'x.apdu');
    const { tag, message } = await faultOf(channel.exchange(GET_APP));
    expect([tag, message]).toEqual([
      'E_REPLAY_EXHAUSTED',
      'replay of x.apdu: request 1 (b001000000) follows the last recorded one',
    ]);
  });

  it('says at the end what was left over', async () => {
    const channel = openReplay(transcript, 'x.apdu');
    await channel.exchange(GET_APP);
    expect(await channel.close()).toMatchObject({
      ok: false,
      error: { tag: 'E_REPLAY_LEFT_OVER', message: 'replay of x.apdu: 1 of 2 recorded exchanges were not asked for' },
    });
  });

  it('takes a second exchange at a time, or one after close, for a bug', async () => {
    const channel = openReplay(transcript, 'x.apdu');
    const first = channel.exchange(GET_APP);
    await expect(channel.exchange(GET_FINGERPRINT)).rejects.toThrow('a second exchange while one is pending');
    await first;
    await channel.close();
    await expect(channel.exchange(GET_FINGERPRINT)).rejects.toThrow('after the channel was closed');
  });

  it('gives out copies: a caller that writes into a response does not change the recording', async () => {
    const channel = openReplay(transcript, 'x.apdu');
    (await channel.exchange(GET_APP)).fill(0);
    const again = openReplay(transcript, 'x.apdu');
    expect(await again.exchange(GET_APP)).toEqual(APP);
  });
});

describe('record', () => {
  const header = { psbt: null, recordedWith: 'countersign 0.1.0', note: 'synthetic' };

  const recorder = (inner: ApduChannel) => {
    const written: string[] = [];
    const channel = openRecorder(inner, {
      header,
      write: async (text) => {
        written.push(text);
        return ok(undefined);
      },
    });
    return { channel, written };
  };

  const read = (text: string | undefined): Transcript => {
    const result = parseTranscript(text ?? '', 'x.apdu');
    if (!result.ok) throw new Error(result.error.message);
    return result.value;
  };

  it('writes what passed, once, with app, version and fingerprint as the device told them', async () => {
    const { channel, written } = recorder(openReplay(transcript, 'x.apdu'));
    await channel.exchange(GET_APP);
    await channel.exchange(GET_FINGERPRINT);
    expect(written).toEqual([]);
    await channel.close();
    await channel.close();
    expect(written.map(read)).toEqual([transcript]);
  });

  it('writes none for what the device did not tell', async () => {
    const { channel, written } = recorder(openReplay({ ...transcript, exchanges: [] }, 'x.apdu'));
    await channel.close();
    expect(read(written[0]).header).toMatchObject({ app: null, version: null, fingerprint: null });
  });

  it.each([
    ['nanosp', 'nanosp'],
    [null, 'unknown'],
    ['none that tells', 'unknown'],
  ] as const)('names the model as the channel tells it, never as anybody says: %s', async (told, word) => {
    let asked = 0;
    const inner: ApduChannel = {
      name: 'device',
      exchange: async () => APP,
      close: async () => ok(undefined),
      ...(told === 'none that tells'
        ? {}
        : {
            model: async () => {
              asked += 1;
              return told;
            },
          }),
    };
    const { channel, written } = recorder(inner);
    await channel.exchange(GET_APP);
    await channel.exchange(GET_APP);
    expect(asked).toBeLessThanOrEqual(1);
    await channel.close();
    const recording = read(written[0]);
    expect(recording.header.device).toBe(word);
    const replayed = openReplay(recording, 'x.apdu');
    expect(await replayed.model?.()).toBe(told === 'nanosp' ? told : null);
  });

  it('keeps an exchange that failed as a comment, passes the failure on, and still writes the rest', async () => {
    const gone = fault('E_DEVICE_GONE', 'unplugged\nin the middle');
    const inner: ApduChannel = {
      name: 'device',
      exchange: async (apdu) => {
        if (apdu[0] === 0xb0) return APP;
        throw new ChannelError(gone);
      },
      close: async () => ok(undefined),
    };
    const { channel, written } = recorder(inner);
    await channel.exchange(GET_APP);
    expect(await faultOf(channel.exchange(GET_FINGERPRINT))).toBe(gone);
    await channel.close();
    expect(read(written[0]).exchanges).toEqual([transcript.exchanges[0]]);
    expect(written[0]).toMatch(
      /\n# after exchange 1: e105000100 had no response \(E_DEVICE_GONE: unplugged in the middle\)\n$/,
    );
  });

  it('reports a transcript that could not be written', async () => {
    const refused = fail('E_FILE_EXISTS', 'exists');
    const channel = openRecorder(openReplay({ ...transcript, exchanges: [] }, 'x.apdu'), {
      header,
      write: async () => refused,
    });
    expect(await channel.close()).toEqual(refused);
  });
});
