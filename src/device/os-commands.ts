import { type Fault, fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { statusFault } from './status-words.js';
import { type ApduChannel, ChannelError } from './types.js';

/** BOLOS "open app" (e0 d8 00 00 LC NAME): shown on the device, where a person confirms it. */
export function openAppRequest(name: string): Uint8Array {
  const text = Buffer.from(name, 'ascii');
  return Uint8Array.of(0xe0, 0xd8, 0x00, 0x00, text.length, ...text);
}

/** BOLOS "quit app" (b0 a7 00 00): back to the menu, without a question. */
export const QUIT_APP = Uint8Array.of(0xb0, 0xa7, 0x00, 0x00, 0x00);

const OK = 0x9000;

/**
 * Has the device go one step towards an app: from another app back to the menu, or from the menu into the app, which a
 * person confirms. The device leaves USB after either and comes back as another one, so that this channel is of no further
 * use, and one that breaks instead of answering has done what it was asked. Faults: E_DEVICE_REFUSED where the person
 * refuses, E_DEVICE_APP where the app is not installed, E_DEVICE_LOCKED.
 */
export async function stepTowardsApp(
  channel: ApduChannel,
  wanted: string,
  atMenu: boolean,
): Promise<Result<void, Fault>> {
  const during = atMenu ? `asking the device to open the app "${wanted}"` : 'asking the device to leave its app';
  try {
    const answer = await channel.exchange(atMenu ? openAppRequest(wanted) : QUIT_APP);
    const word = ((answer.at(-2) ?? 0) << 8) | (answer.at(-1) ?? 0);
    if (word === OK) return ok(undefined);
    if (word === NOT_INSTALLED) {
      return err(
        fault('E_DEVICE_APP', `the app "${wanted}" is not installed on the device`, {
          remedy: 'install it with Ledger Live, and run the command again',
        }),
      );
    }
    return err(statusFault(word, during));
  } catch (error) {
    if (!(error instanceof ChannelError)) throw error;
    return error.fault.tag === 'E_DEVICE_GONE' ? ok(undefined) : err(error.fault);
  }
}

const NOT_INSTALLED = 0x6807;
