import { attach, type Reachable, type Wanted } from '../../src/device/attach.js';
import { type ApduChannel, ChannelError } from '../../src/device/types.js';
import { type Fault, fail, fault } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';

const status = (word: number): Uint8Array => Uint8Array.of(word >> 8, word & 0xff);
const OK = status(0x9000);

/** A Ledger in software with its menu, apps, lock and cable. */
export class Ledger {
  app = 'Bitcoin Test';
  version = '2.2.7';
  locked = false;
  plugged = true;
  openError: Fault | null = null;
  /** Answers to "open app", in this order; then it opens. */
  refusals: number[] = [];
  /** The next fingerprint is answered with this word. */
  stumbles: number | null = null;
  asked: string[] = [];
  opened = 0;
  closed = 0;
  /** After an app opened or closed, so many looks pass until it is on USB again. */
  away = 0;

  constructor(
    readonly path: string,
    readonly fingerprint = 'f5acc2fd',
  ) {}

  reachable(): Reachable {
    const name = `Ledger Nano S on USB (${this.path})`;
    return {
      name,
      open: async () => {
        if (this.openError !== null) return fail(this.openError.tag, this.openError.message);
        this.opened += 1;
        return ok(this.#channel(name));
      },
    };
  }

  #channel(name: string): ApduChannel {
    return {
      name,
      exchange: async (apdu) => this.#answer(apdu),
      close: async () => {
        this.closed += 1;
        return ok(undefined);
      },
    };
  }

  #answer(apdu: Uint8Array): Uint8Array {
    const head = Buffer.from(apdu.subarray(0, 2)).toString('hex');
    this.asked.push(head);
    if (this.locked) return status(0x5515);
    if (head === 'b001') {
      const [name, version] = [Buffer.from(this.app), Buffer.from(this.version)];
      return Uint8Array.of(1, name.length, ...name, version.length, ...version, 1, 0, ...OK);
    }
    if (head === 'e0d8') return this.#open(Buffer.from(apdu.subarray(5)).toString('latin1'));
    if (head === 'b0a7') {
      this.app = 'BOLOS';
      this.away = 3;
      return OK;
    }
    if (this.stumbles !== null) {
      const word = this.stumbles;
      this.stumbles = null;
      return status(word);
    }
    return Uint8Array.of(...Buffer.from(this.fingerprint, 'hex'), ...OK);
  }

  #open(name: string): Uint8Array {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return status(refusal);
    this.app = name;
    this.away = 3;
    // The device leaves USB: some say so with a status word, some with nothing at all.
    throw new ChannelError(fault('E_DEVICE_GONE', 'it went away'));
  }
}

interface Desk {
  readonly devices: Ledger[];
  /** What a person does, by the number of the look. */
  readonly acts?: Readonly<Record<number, () => void>>;
  readonly wanted?: Partial<Wanted>;
}

export async function meet({ devices, acts = {}, wanted = {} }: Desk) {
  const notices: string[] = [];
  let looks = 0;
  const found = await attach(
    {
      list: async () => {
        acts[looks]?.();
        looks += 1;
        return ok(
          devices
            .filter((device) => {
              device.away = Math.max(0, device.away - 1);
              return device.plugged && device.away === 0;
            })
            .map((device) => device.reachable()),
        );
      },
      sleep: async () => {
        if (looks > 500) throw new Error('nobody comes');
      },
    },
    {
      patience: null,
      openApp: false,
      notice: (line) => notices.push(line),
      app: 'Bitcoin Test',
      fingerprints: ['f5acc2fd'],
      ...wanted,
    },
  );
  const open = devices.filter((device) => device.opened !== device.closed);
  return { found, notices, looks, open };
}
