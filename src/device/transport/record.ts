import { equalBytes, toHex } from '../../domain/bytes.js';
import type { Fault } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { parseAppInfo } from '../app-info.js';
import type { LedgerModel } from '../models.js';
import {
  type Exchange,
  type ExchangeTime,
  formatTranscript,
  type TranscriptHeader,
  UNKNOWN_DEVICE,
} from '../transcript.js';
import { type ApduChannel, ChannelError } from '../types.js';
import { OneAtATime } from './one-at-a-time.js';

export interface RecordOptions {
  /** What the recording cannot learn from the exchanges. */
  readonly header: Pick<TranscriptHeader, 'psbt' | 'recordedWith' | 'note'>;
  /** Puts the whole text in its place at once (written beside, then renamed), so that no half transcript is ever left. */
  readonly write: (text: string) => Promise<Result<void, Fault>>;
  /** Milliseconds from any moment on, never backwards; where it is there, each exchange is kept with its time. */
  readonly now?: (() => number) | undefined;
}

const GET_APP = Uint8Array.of(0xb0, 0x01, 0x00, 0x00);
const GET_FINGERPRINT = Uint8Array.of(0xe1, 0x05);

/**
 * Keeps all that passes through another channel, and writes it as a transcript when the channel is closed. The header's
 * model is the channel's; app, version and fingerprint are what the device itself said. An exchange without a response
 * cannot stand in the format's lines: it is kept as a comment, and replay ends there.
 */
export function openRecorder(inner: ApduChannel, { header, write, now }: RecordOptions): ApduChannel {
  const guard = new OneAtATime(`${inner.name}, recorded`);
  const exchanges: Exchange[] = [];
  const failures: string[] = [];
  let began: number | null = null;
  /** Asked for while the device is surely there. */
  let model: LedgerModel | null | undefined;

  const text = (): string => {
    const app = firstAnswer(exchanges, GET_APP);
    const info = app === null ? null : parseAppInfo(app);
    const fingerprint = firstAnswer(exchanges, GET_FINGERPRINT);
    const learned = {
      app: info?.name ?? null,
      version: info?.version ?? null,
      fingerprint: fingerprint?.length === 4 ? toHex(fingerprint) : null,
    };
    const device = model ?? UNKNOWN_DEVICE;
    return formatTranscript({ header: { device, ...header, ...learned }, exchanges }) + failures.join('');
  };

  return {
    name: `${inner.name}, recorded`,
    ...(inner.recordedPsbt === undefined ? {} : { recordedPsbt: inner.recordedPsbt }),
    model: async () => (await inner.model?.()) ?? null,
    exchange: (apdu) =>
      guard.run(async () => {
        const request = apdu.slice();
        if (model === undefined) model = (await inner.model?.()) ?? null;
        const asked = now?.() ?? null;
        began ??= asked;
        try {
          const response = await inner.exchange(apdu);
          const time = asked === null || began === null ? {} : { time: timeOf(began, asked, now?.() ?? asked) };
          exchanges.push({ request, response: response.slice(), ...time });
          return response;
        } catch (error) {
          const why =
            error instanceof ChannelError ? `${error.fault.tag}: ${error.fault.message}` : 'fault in the program';
          failures.push(`# after exchange ${exchanges.length}: ${toHex(request)} had no response (${oneLine(why)})\n`);
          throw error;
        }
      }),
    async close() {
      if (!guard.close()) return ok(undefined);
      const closed = await inner.close();
      const written = await write(text());
      return closed.ok ? written : closed;
    },
  };
}

/** Rounded at both ends, so that no exchange begins before the one before it has ended. */
function timeOf(began: number, asked: number, answered: number): ExchangeTime {
  const at = Math.round(asked - began);
  return { at, took: Math.round(answered - began) - at };
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');

/** Data of the first successful answer to a request that begins so. */
function firstAnswer(exchanges: readonly Exchange[], start: Uint8Array): Uint8Array | null {
  for (const { request, response } of exchanges) {
    const isIt = equalBytes(request.subarray(0, start.length), start);
    if (isIt && response.at(-2) === 0x90 && response.at(-1) === 0x00) return response.subarray(0, -2);
  }
  return null;
}
