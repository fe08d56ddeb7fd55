import { toHex } from '../../domain/bytes.js';
import { type Fault, fail, fault } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { modelOf, type Transcript } from '../transcript.js';
import { type ApduChannel, ChannelError } from '../types.js';
import { OneAtATime } from './one-at-a-time.js';

const NEXT = 'record the session again: a recording is only good for the very requests it was made with';

/**
 * Answers from a recording, strictly: each request must equal the recorded one at its place, and all of them must be
 * asked. Faults: E_REPLAY_DIFFERS and E_REPLAY_EXHAUSTED from `exchange`, E_REPLAY_LEFT_OVER from `close`. After a
 * difference the channel stays broken, and `close` has nothing to add.
 *
 * With `wait` each answer comes after the time that it took when it was recorded.
 */
export function openReplay(
  { header, exchanges }: Transcript,
  file: string,
  wait?: (milliseconds: number) => Promise<void>,
): ApduChannel {
  const name = `replay of ${file}`;
  const guard = new OneAtATime(name);
  let next = 0;
  let broken: Fault | null = null;

  const answer = async (apdu: Uint8Array): Promise<Uint8Array> => {
    if (broken !== null) throw new ChannelError(broken);
    const recorded = exchanges[next];
    const number = next + 1;
    if (recorded === undefined) {
      broken = fault(
        'E_REPLAY_EXHAUSTED',
        `${name}: request ${number} (${toHex(apdu)}) follows the last recorded one`,
        {
          remedy: NEXT,
        },
      );
      throw new ChannelError(broken);
    }
    const difference = describeDifference(recorded.request, apdu);
    if (difference !== null) {
      broken = fault('E_REPLAY_DIFFERS', `${name}: request ${number} of ${exchanges.length} ${difference}`, {
        remedy: NEXT,
      });
      throw new ChannelError(broken);
    }
    next = number;
    if (recorded.time !== undefined) await wait?.(recorded.time.took);
    return recorded.response.slice();
  };

  return {
    name,
    recordedPsbt: header.psbt,
    model: async () => modelOf(header),
    exchange: (apdu) => guard.run(() => answer(apdu)),
    async close(): Promise<Result<void, Fault>> {
      if (!guard.close() || broken !== null || next === exchanges.length) return ok(undefined);
      const left = exchanges.length - next;
      return fail(
        'E_REPLAY_LEFT_OVER',
        `${name}: ${left} of ${exchanges.length} recorded exchanges were not asked for`,
        {
          remedy: NEXT,
        },
      );
    },
  };
}

/** Null where they are equal; else the first place where they differ, with the bytes around it. */
function describeDifference(expected: Uint8Array, got: Uint8Array): string | null {
  const shared = Math.min(expected.length, got.length);
  let place = 0;
  while (place < shared && expected[place] === got[place]) place += 1;
  if (place === expected.length && place === got.length) return null;
  const part = (bytes: Uint8Array): string => {
    const rest = toHex(bytes.subarray(place, place + 16));
    return rest === '' ? 'the end' : `${rest}${bytes.length > place + 16 ? '..' : ''}`;
  };
  return `differs at byte ${place}: recorded ${part(expected)} (${expected.length} bytes), asked ${part(got)} (${got.length} bytes)`;
}
