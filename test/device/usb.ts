import { createRequire } from 'node:module';
import type { Transcript } from '../../src/device/transcript.js';

/**
 * A stand-in for the native part of node-hid and for nothing else: the JavaScript of node-hid and the whole of Ledger's
 * transport run as they are. It speaks the reports of Ledger's framing (64 bytes: channel, tag 5, number of the report,
 * in the first one the length, data) to devices in software, and can do at every report what USB does.
 */
const load = createRequire(import.meta.url);
const ofNodeHid = createRequire(load.resolve('node-hid', { paths: [load.resolve('@ledgerhq/hw-transport-node-hid')] }));

const REPORT = 64;
const TAG = 5;

/** A device in software: what it answers, or null for an answer that never comes. */
export type Respond = (apdu: Uint8Array) => Uint8Array | null | Promise<Uint8Array | null>;

/** What happens to one report on its way to the host: another one, none, or the cable is pulled. */
export type Tamper = (
  report: Uint8Array,
  at: { readonly answer: number; readonly report: number },
) => Uint8Array | 'unplug' | null;

export interface PluggedOptions {
  readonly productId?: number;
  readonly serial?: string;
  /** What hidapi says when the device is opened. */
  readonly openError?: string;
  readonly tamper?: Tamper;
  /** The number of the report, of all that the host writes, at which the cable is pulled. */
  readonly unplugAtWrite?: number;
  /** The same, of exchanges: the device has the request by then. */
  readonly unplugAtExchange?: number;
}

type ReadDone = (error: string | null, data?: Uint8Array) => void;

export class Plugged {
  readonly requests: Uint8Array[] = [];
  /** Reports that the host wrote, as they were. */
  readonly written: Uint8Array[] = [];
  opened = 0;
  closed = 0;
  isGone = false;
  #incoming: Uint8Array[] = [];
  #outgoing: Uint8Array[] = [];
  #reader: ReadDone | null = null;
  #answers = 0;

  constructor(
    readonly path: string,
    readonly respond: Respond,
    readonly options: PluggedOptions = {},
  ) {}

  unplug(): void {
    this.isGone = true;
    const reader = this.#reader;
    this.#reader = null;
    if (reader !== null) setImmediate(() => reader('could not read from HID device: No such device'));
  }

  /** What hidapi's write takes: the report's id, 0, and the report. */
  write(values: readonly number[]): number {
    if (this.isGone) throw new TypeError('Cannot write to hid device: No such device');
    if (values.length !== REPORT + 1 || values[0] !== 0) throw new Error(`a report of ${values.length} bytes`);
    const report = Uint8Array.from(values.slice(1));
    if (this.options.unplugAtWrite === this.written.length) {
      this.unplug();
      throw new TypeError('Cannot write to hid device: No such device');
    }
    this.written.push(report);
    this.#incoming.push(report);
    const apdu = assembled(this.#incoming);
    if (apdu !== null) {
      this.#incoming = [];
      this.#answer(report, apdu);
    }
    return values.length;
  }

  read(done: ReadDone): void {
    if (this.isGone) {
      setImmediate(() => done('could not read from HID device: No such device'));
      return;
    }
    this.#reader = done;
    this.#pump();
  }

  /** A report that nobody here has asked for, as another program's conversation leaves it. */
  inject(report: Uint8Array): void {
    this.#outgoing.push(report);
    this.#pump();
  }

  async #answer(asked: Uint8Array, apdu: Uint8Array): Promise<void> {
    this.requests.push(apdu);
    if (this.options.unplugAtExchange === this.requests.length - 1) {
      this.unplug();
      return;
    }
    const response = await this.respond(apdu);
    if (response === null || this.isGone) return;
    const answer = this.#answers;
    this.#answers += 1;
    for (const [number, report] of reportsOf(asked.subarray(0, 2), response).entries()) {
      const { tamper } = this.options;
      const sent = tamper === undefined ? report : tamper(report, { answer, report: number });
      if (sent === 'unplug') {
        this.unplug();
        return;
      }
      if (sent !== null) this.#outgoing.push(sent);
    }
    this.#pump();
  }

  #pump(): void {
    const reader = this.#reader;
    if (reader === null || this.#outgoing.length === 0) return;
    const report = this.#outgoing.shift();
    this.#reader = null;
    setImmediate(() => reader(null, report));
  }
}

/** The APDU in the reports so far, or null while some of it is missing. The framing is held to its letter. */
function assembled(reports: readonly Uint8Array[]): Uint8Array | null {
  const [first] = reports;
  if (first === undefined) return null;
  for (const [number, report] of reports.entries()) {
    if (report[0] !== first[0] || report[1] !== first[1]) throw new Error('the host changed its channel');
    if (report[2] !== TAG || report[3] !== number >> 8 || report[4] !== (number & 0xff)) throw new Error('bad report');
  }
  const length = ((first[5] ?? 0) << 8) | (first[6] ?? 0);
  const data = reports.flatMap((report, number) => [...report.subarray(number === 0 ? 7 : 5)]);
  return data.length < length ? null : Uint8Array.from(data.slice(0, length));
}

function reportsOf(channel: Uint8Array, response: Uint8Array): readonly Uint8Array[] {
  const data = Uint8Array.of(response.length >> 8, response.length & 0xff, ...response);
  const reports: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += REPORT - 5) {
    const report = new Uint8Array(REPORT);
    report.set([...channel, TAG, reports.length >> 8, reports.length & 0xff]);
    report.set(data.subarray(at, at + REPORT - 5), 5);
    reports.push(report);
  }
  return reports;
}

/** The USB bus of this process: what is on it changes while the program runs. */
export class Bus {
  devices: Plugged[] = [];
  /** Called at every look at the bus, with its number from 1. */
  onLook: (look: number) => void = () => {};
  looks = 0;
  /** What the loader of the native binding says where it is missing. */
  loadError: string | null = null;

  plug(path: string, respond: Respond, options: PluggedOptions = {}): Plugged {
    const device = new Plugged(path, respond, options);
    this.devices.push(device);
    return device;
  }

  /** Pulls every cable. */
  clear(): void {
    for (const device of this.devices) device.unplug();
    this.devices = [];
    this.loadError = null;
    this.onLook = () => {};
    this.looks = 0;
  }
}

/** Puts the stand-in where node-hid looks for its binding, before it is first loaded in this process. */
export function standIn(): Bus {
  const bus = new Bus();
  const at = ofNodeHid.resolve('pkg-prebuilds/bindings');
  const found = (path: string): Plugged | undefined => bus.devices.find((one) => one.path === path && !one.isGone);

  // node-hid copies the methods of the native class one by one, so they have to be enumerable.
  function HID(this: { device: Plugged }, path: string): void {
    const device = found(path);
    const refusal = device === undefined ? 'No such file or directory' : device.options.openError;
    if (device === undefined || refusal !== undefined) {
      throw new TypeError(
        `cannot open device with path ${path}: Failed to open a device with path '${path}': ${refusal}`,
      );
    }
    device.opened += 1;
    this.device = device;
  }
  HID.prototype.getDeviceInfo = () => ({ product: 'Nano S' });
  HID.prototype.write = function (this: { device: Plugged }, values: readonly number[]): number {
    return this.device.write(values);
  };
  HID.prototype.read = function (this: { device: Plugged }, done: ReadDone): void {
    this.device.read(done);
  };
  HID.prototype.close = function (this: { device: Plugged }): void {
    this.device.closed += 1;
  };
  HID.prototype.readInterrupt = () => {};

  const devices = (vendor: number, product: number): readonly object[] => {
    if (vendor !== 0x2c97 || product !== 0) throw new Error('only Ledgers are looked for');
    bus.looks += 1;
    bus.onLook(bus.looks);
    return bus.devices
      .filter(({ isGone }) => !isGone)
      .flatMap(({ path, options: { productId = 0x1011, serial = '0001' } }) =>
        [0, 1].map((number) => ({
          path: number === 0 ? path : `${path}-u2f`,
          vendorId: 0x2c97,
          productId,
          serialNumber: serial,
          interface: number,
          usagePage: number === 0 ? 0xffa0 : 0xf1d0,
        })),
      );
  };
  const binding = { HID, HIDAsync: class {}, devices };
  const bindings = (): typeof binding => {
    if (bus.loadError !== null) throw new Error(bus.loadError);
    return binding;
  };
  const module = { id: at, filename: at, loaded: true, exports: bindings, children: [], paths: [] };
  Object.assign(load.cache, { [at]: module });
  return bus;
}

/** A device that answers a recording, request by request; what differs, or comes after its end, it answers with 6f00. */
export function recorded({ exchanges }: Pick<Transcript, 'exchanges'>): Respond {
  let next = 0;
  return (apdu) => {
    const exchange = exchanges[next];
    next += 1;
    const isAsked = exchange !== undefined && Buffer.compare(exchange.request, apdu) === 0;
    return isAsked ? exchange.response : Uint8Array.of(0x6f, 0x00);
  };
}
