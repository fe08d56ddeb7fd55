import { isRefusal } from '../../src/device/status-words.js';
import type { Transcript } from '../../src/device/transcript.js';
import { type ApduChannel, ChannelError } from '../../src/device/types.js';
import { fault } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';

/** What goes wrong at one exchange of a recorded conversation. It lives with the tests: the program itself holds nothing that lies. */
export type Disturbance =
  /** The device ends the command with this status word instead of its answer. */
  | { readonly kind: 'status'; readonly word: number }
  /** The cable is pulled when the device has the request. */
  | { readonly kind: 'gone' }
  /** No answer ever comes. */
  | { readonly kind: 'hangs' }
  /** The answer takes some turns of the event loop. */
  | { readonly kind: 'delayed' }
  /** One byte of the answer is another: `byte` counts from its start, or from its end where it is negative. */
  | { readonly kind: 'corrupted'; readonly byte: number }
  /** Only so many bytes of the answer arrive. */
  | { readonly kind: 'truncated'; readonly length: number }
  /** This answer and the next one change places. */
  | { readonly kind: 'swapped' }
  /** This answer comes once more, and all others after it are late by one. */
  | { readonly kind: 'repeated' };

export interface FaultyDevice {
  readonly channel: ApduChannel;
  /** Whether the disturbed exchange was reached. */
  disturbed(): boolean;
  /** Whether SIGN_PSBT reached the device. */
  asked(): boolean;
  /** Whether the device itself has made a signature, whatever of it arrived. */
  signed(): boolean;
  /** Resolves when the exchange that hangs has been asked for. */
  readonly hanging: Promise<void>;
}

/** States in which a signing may leave its batch (budget is given back only where nothing can have been signed). */
export type EndState = 'RELEASED' | 'UNKNOWN' | 'SIGNED';

/** The states that are right after a disturbance, by what the device itself knows, which the host does not. */
export function rightStates(device: FaultyDevice, disturbance: Disturbance): readonly EndState[] {
  if (!device.asked()) return ['RELEASED'];
  switch (disturbance.kind) {
    case 'delayed':
      return device.signed() ? ['SIGNED'] : ['RELEASED'];
    case 'gone':
    case 'hangs':
      return ['UNKNOWN'];
    case 'status':
      if (isRefusal(disturbance.word)) return device.signed() ? ['UNKNOWN'] : ['RELEASED'];
      return ['UNKNOWN', 'SIGNED'];
    case 'corrupted':
    case 'truncated':
    case 'swapped':
    case 'repeated':
      // A recording of a refusal ends with one, wherever it was disturbed.
      return device.signed() ? ['UNKNOWN', 'SIGNED'] : ['UNKNOWN', 'RELEASED'];
  }
}

export const isSignPsbt = (apdu: Uint8Array): boolean => apdu[0] === 0xe1 && apdu[1] === 0x04;
/** The answer by which the app hands out a signature: client command YIELD, interrupted. */
export const isYield = (response: Uint8Array): boolean => response[0] === 0x10 && response.at(-2) === 0xe0;

/**
 * The recorded device, which gives its answers in their order whatever it is asked: a device that is out of step, or lies,
 * does not stop where the host would. `at` is the number of the disturbed exchange, from 0.
 */
export function faultyDevice({ header, exchanges }: Transcript, at: number, disturbance: Disturbance): FaultyDevice {
  let next = 0;
  let asked = false;
  let made = false;
  let hangs: () => void = () => {};
  const hanging = new Promise<void>((resolve) => {
    hangs = resolve;
  });
  const source = (place: number): number => {
    if (disturbance.kind === 'swapped' && (place === at || place === at + 1)) return place === at ? at + 1 : at;
    if (disturbance.kind === 'repeated' && place > at) return place - 1;
    return place;
  };
  const answer = async (apdu: Uint8Array): Promise<Uint8Array> => {
    const place = next;
    next += 1;
    asked ||= isSignPsbt(apdu);
    const response = exchanges[source(place)]?.response;
    if (response === undefined) throw gone();
    // A status word stands instead of what the device would have done; everything else happens on the way back.
    const isRefused = place === at && disturbance.kind === 'status';
    made ||= !isRefused && asked && isYield(response);
    if (place !== at) return response.slice();
    switch (disturbance.kind) {
      case 'status':
        return Uint8Array.of(disturbance.word >> 8, disturbance.word & 0xff);
      case 'gone':
        throw gone();
      case 'hangs':
        hangs();
        return new Promise(() => {});
      case 'delayed':
        await new Promise((resolve) => setTimeout(resolve, 1));
        return response.slice();
      case 'corrupted':
        return flipped(response, disturbance.byte);
      case 'truncated':
        return response.slice(0, Math.min(disturbance.length, response.length - 1));
      case 'swapped':
      case 'repeated':
        return response.slice();
    }
  };
  const channel: ApduChannel = { name: 'a faulty device', recordedPsbt: header.psbt, exchange: answer, close };
  return { channel, disturbed: () => next > at, asked: () => asked, signed: () => made, hanging };
}

const close = async () => ok(undefined);

const gone = (): ChannelError => new ChannelError(fault('E_DEVICE_GONE', 'the cable was pulled'));

function flipped(response: Uint8Array, byte: number): Uint8Array {
  const changed = response.slice();
  const index = byte < 0 ? Math.max(0, changed.length + byte) : byte % changed.length;
  changed[index] = (changed[index] ?? 0) ^ 0x01;
  return changed;
}
