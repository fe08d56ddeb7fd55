import { type Fault, fault } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { type ApduChannel, ChannelError } from '../types.js';

/**
 * A channel that a person can break off. From the signal on, the exchange that waits is given up and no further one is
 * begun: both reject with E_DEVICE_INTERRUPTED. What the device does with the request that it has is not known.
 */
export function openInterruptible(inner: ApduChannel, signal: AbortSignal): ApduChannel {
  let isWaiting = false;
  return {
    name: inner.name,
    ...(inner.recordedPsbt === undefined ? {} : { recordedPsbt: inner.recordedPsbt }),
    async model() {
      if (signal.aborted || inner.model === undefined) return null;
      const stop = new AbortController();
      const aborted = new Promise<null>((resolve) => {
        signal.addEventListener('abort', () => resolve(null), { once: true, signal: stop.signal });
      });
      return Promise.race([inner.model(), aborted]).finally(() => stop.abort());
    },
    exchange: (apdu) =>
      new Promise((resolve, reject) => {
        const giveUp = (): void => reject(new ChannelError(interruption(inner.name)));
        if (signal.aborted) {
          giveUp();
          return;
        }
        isWaiting = true;
        signal.addEventListener('abort', giveUp, { once: true });
        const settled = (): void => {
          isWaiting = false;
          signal.removeEventListener('abort', giveUp);
        };
        inner.exchange(apdu).then(resolve, reject).finally(settled);
      }),
    async close() {
      const closing = inner.close();
      if (!(signal.aborted && isWaiting)) return closing;
      // A USB device closes only after the answer that a person owes it: nobody waits for that, nor for how it ends.
      closing.catch(() => undefined);
      return ok(undefined);
    },
  };
}

/** `what` was being talked to: a channel's name, or what the program was about to do. */
export function interruption(what: string): Fault {
  return fault('E_DEVICE_INTERRUPTED', `interrupted by a signal (Ctrl-C): ${what}`, {
    remedy:
      'refuse on the device what it may still show; a batch is RELEASED where nothing can have been signed, and can be signed again; where it is UNKNOWN a signature may exist, and it counts as spent',
  });
}
