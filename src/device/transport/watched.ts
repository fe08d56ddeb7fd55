import { type Fault, fault } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { SigningWatch } from '../signing-watch.js';
import { type ApduChannel, ChannelError } from '../types.js';

export interface WatchOptions {
  /** A line for the person at the terminal. */
  readonly notice: (line: string) => void;
  /** Whether somebody is there who can do something about a device that does not answer: then nothing is given up. */
  readonly attended: boolean;
  /** Milliseconds of a clock that never goes back. */
  readonly tick: () => number;
  /** An exchange was left to itself: it keeps the process alive for as long as the device says nothing. */
  readonly leftBehind: () => void;
}

/** Seconds that a device may think without a person. The slowest that it does alone, a key derivation, takes two. */
const SILENT = 10;
const GIVEN_UP = 30;
/** The app takes an answer of the host for 5 seconds after it asked. */
const HOST_SLOW = 2_500;
const INTERRUPTED = 0xe000;

/**
 * A channel that notices what is slow. While a person decides there is no limit of any kind. Where the device has to answer
 * by itself and does not, that is said after ten seconds; and where it was asked for nothing that could become a signature
 * and nobody attends, it is given up after thirty: E_DEVICE_STALLED. A signing is never given up: what the device does with
 * it would not be known. And where the host itself was slow to answer the device, that is said too.
 */
export function openWatched(inner: ApduChannel, options: WatchOptions): ApduChannel {
  const watch = new SigningWatch();
  let stalled: Fault | null = null;
  let asked: number | null = null;

  const noteHost = (): void => {
    const took = asked === null ? 0 : options.tick() - asked;
    if (took <= HOST_SLOW) return;
    options.notice(
      `this computer took ${(took / 1000).toFixed(1)} s to answer the device, which gives up after 5: close other programs`,
    );
  };
  const noteAnswer = (apdu: Uint8Array, response: Uint8Array): void => {
    watch.response(apdu, response);
    const word = ((response.at(-2) ?? 0) << 8) | (response.at(-1) ?? 0);
    asked = word === INTERRUPTED ? options.tick() : null;
  };

  return {
    name: inner.name,
    model: async () => (await inner.model?.()) ?? null,
    ...(inner.recordedPsbt === undefined ? {} : { recordedPsbt: inner.recordedPsbt }),
    exchange(apdu) {
      if (stalled !== null) return Promise.reject(new ChannelError(stalled));
      noteHost();
      watch.request(apdu);
      const pending = inner.exchange(apdu).then((response) => {
        noteAnswer(apdu, response);
        return response;
      });
      const wait = waitOf(apdu, watch);
      if (wait === 'a person') return pending;
      return new Promise((resolve, reject) => {
        const said = setTimeout(() => options.notice(silence(inner.name, wait)), SILENT * 1000);
        const givenUp = setTimeout(() => {
          if (wait === 'signing' || options.attended) return;
          stalled = stall(inner.name);
          options.leftBehind();
          reject(new ChannelError(stalled));
        }, GIVEN_UP * 1000);
        const settled = (): void => {
          clearTimeout(said);
          clearTimeout(givenUp);
        };
        pending.then(resolve, reject).finally(settled);
      });
    },
    async close() {
      const closing = inner.close();
      if (stalled === null) return closing;
      // A USB device closes after the answer that it owes, which may never come.
      closing.catch(() => undefined);
      return ok(undefined);
    },
  };
}

/** What an answer waits for: a person, or the device alone, in a signing or outside of one. */
type Wait = 'a person' | 'signing' | 'the device';

function waitOf(apdu: Uint8Array, watch: SigningWatch): Wait {
  const [cla, ins] = apdu;
  if (cla === 0xb0) return 'the device';
  if (cla === 0xe1 && ins === 0x05) return 'the device';
  // Whether a key or an address is shown is the first byte of the request's data.
  if (cla === 0xe1 && (ins === 0x00 || ins === 0x03)) return apdu[5] === 0 ? 'the device' : 'a person';
  const isSigning = watch.sent && (cla === 0xf8 || (cla === 0xe1 && ins === 0x04));
  return isSigning && watch.phase !== 'reviewing' ? 'signing' : 'a person';
}

function silence(name: string, wait: Wait): string {
  const hint =
    wait === 'signing'
      ? 'answer it; else connect the device again, and what it had to sign is sent to it again'
      : 'it is of an earlier command: refuse it there; else connect the device again';
  return `${name} has not answered for ${SILENT} s, and has to by itself: if it shows a question, ${hint}`;
}

function stall(name: string): Fault {
  return fault('E_DEVICE_STALLED', `${name} has not answered for ${GIVEN_UP} s, and has to by itself`, {
    remedy:
      'refuse on the device what it may still show of an earlier command, or connect it again; then run the command again',
  });
}
