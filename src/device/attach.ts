import type { Hex } from '../domain/bytes.js';
import { type Fault, type FaultTag, fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { stepTowardsApp } from './os-commands.js';
import { DASHBOARD } from './preflight.js';
import { createSigner } from './signer.js';
import { noDevice } from './transport/hid.js';
import { interruption } from './transport/interruptible.js';
import type { ApduChannel, AppInfo, Presence } from './types.js';

/** A device that can be opened, whatever it turns out to be. */
export interface Reachable {
  /** What a person is told it is: "Ledger Nano S on USB (/dev/hidraw3)". */
  readonly name: string;
  open(): Promise<Result<ApduChannel, Fault>>;
}

/** Where devices are looked for, and how time passes. */
export interface Surroundings {
  list(): Promise<Result<readonly Reachable[], Fault>>;
  /** Resolves after so many milliseconds. */
  sleep(milliseconds: number): Promise<void>;
}

/** What has to be there before a conversation begins. */
export interface Wanted extends Presence {
  /** Name of the app that has to be open; null for any. */
  readonly app: string | null;
  /** Master key fingerprints of which one has to be the device's; null for any. */
  readonly fingerprints: readonly Hex[] | null;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds between two looks. */
const EVERY = 500;
/** After it opened or left an app, a device is away from USB for a few seconds: nobody has to be patient for that. */
const RETURNS_WITHIN = 15_000;
/** How often a device may be asked for its app before something else is wrong. */
const MOST_REQUESTS = 6;

/**
 * Finds the one device that is wanted and opens it. It is known by what it says of itself: with several attached, each is
 * opened in turn and asked for its fingerprint. Where nothing fits yet and somebody is there to do something about it, what is
 * missing is said once and looked for again, until it is there, the patience is at its end, or the signal comes.
 *
 * Nothing is asked of a device that leads to a signature. A single device that nobody waits for is not asked anything at all.
 * Faults: E_DEVICE_SEVERAL where several would do; E_DEVICE_INTERRUPTED; else what was missing last.
 */
export async function attach(around: Surroundings, wanted: Wanted): Promise<Result<ApduChannel, Fault>> {
  let waited = 0;
  let requests = 0;
  let returning = 0;
  let said = '';
  for (;;) {
    if (wanted.signal?.aborted === true) return err(interruption('no device was asked'));
    const seen = await look(around, wanted, requests < MOST_REQUESTS);
    if (seen.kind === 'found') return ok(seen.channel);
    if (seen.kind === 'asked') {
      requests += 1;
      returning = RETURNS_WITHIN;
    }
    const { fault: missing } = seen;
    const isReturning = returning > 0;
    const isOver = !isReturning && wanted.patience !== null && waited >= wanted.patience * 1000;
    if (isOver || !PASSING.has(missing.tag)) return err(missing);
    if (missing.message !== said && !isReturning) {
      wanted.notice(waitingLine(missing));
      said = missing.message;
    }
    await around.sleep(EVERY);
    if (isReturning) returning -= EVERY;
    else waited += EVERY;
  }
}

/** What a person can change by doing something at the device or its cable. */
const PASSING: ReadonlySet<FaultTag> = new Set([
  'E_DEVICE_ABSENT',
  'E_DEVICE_GONE',
  'E_DEVICE_LOCKED',
  'E_DEVICE_APP',
  'E_DEVICE_BUSY',
  'E_DEVICE_MISMATCH',
  // The system gives a device that was just plugged in to its user a moment later.
  'E_DEVICE_PERMISSION',
]);

function waitingLine({ message, remedy }: Fault): string {
  const advice = remedy === undefined ? '' : `; ${remedy.replace(/,? and run the command again$/, '')}`;
  return `waiting for the device (Ctrl-C ends it): ${message}${advice}`;
}

type Seen =
  | { readonly kind: 'found'; readonly channel: ApduChannel }
  /** It is on its way to the app that is wanted. */
  | { readonly kind: 'asked'; readonly fault: Fault }
  | { readonly kind: 'missing'; readonly fault: Fault };

async function look(around: Surroundings, wanted: Wanted, mayAsk: boolean): Promise<Seen> {
  const listed = await around.list();
  if (!listed.ok) return { kind: 'missing', fault: listed.error };
  const [only, ...others] = listed.value;
  if (only !== undefined && others.length === 0 && wanted.patience === 0 && !wanted.openApp) {
    const opened = await only.open();
    return opened.ok ? { kind: 'found', channel: opened.value } : { kind: 'missing', fault: opened.error };
  }
  const met: Met[] = [];
  for (const device of listed.value) met.push(await meet(device, wanted, mayAsk, listed.value.length > 1));
  return judge(met, wanted);
}

/** What came of a device that was opened, or not. */
interface Met {
  readonly name: string;
  readonly channel: ApduChannel | null;
  readonly fingerprint: Hex | null;
  readonly fault: Fault | null;
  readonly asked: boolean;
}

async function meet(device: Reachable, wanted: Wanted, mayAsk: boolean, several: boolean): Promise<Met> {
  const base: Met = { name: device.name, channel: null, fingerprint: null, fault: null, asked: false };
  const opened = await device.open();
  if (!opened.ok) return { ...base, fault: opened.error };
  const channel = opened.value;
  const leave = async (more: Partial<Met>): Promise<Met> => {
    await channel.close();
    return { ...base, ...more };
  };
  const signer = createSigner(channel);
  const app = await signer.appInfo();
  if (!app.ok) return leave({ fault: app.error });
  if (wanted.app !== null && app.value.name !== wanted.app) {
    const missing = otherApp(app.value, wanted.app, device.name);
    if (!wanted.openApp || !mayAsk) return leave({ fault: missing });
    const atMenu = app.value.name === DASHBOARD;
    if (atMenu) wanted.notice(`${device.name}: confirm on the device that it opens the app "${wanted.app}"`);
    const stepped = await stepTowardsApp(channel, wanted.app, atMenu);
    return leave(stepped.ok ? { fault: missing, asked: true } : { fault: stepped.error });
  }
  if (wanted.fingerprints === null && !several) return { ...base, channel };
  const fingerprint = await signer.fingerprint();
  if (!fingerprint.ok) return leave({ fault: fingerprint.error });
  if (wanted.fingerprints === null || wanted.fingerprints.includes(fingerprint.value)) {
    return { ...base, channel, fingerprint: fingerprint.value };
  }
  return leave({
    fingerprint: fingerprint.value,
    fault: stranger(fingerprint.value, wanted.fingerprints, device.name),
  });
}

function otherApp({ name }: AppInfo, wanted: string, device: string): Fault {
  const open = name === DASHBOARD ? 'no app is open' : `the app "${name}" is open`;
  return fault('E_DEVICE_APP', `${device}: ${open}, and "${wanted}" is needed`, {
    remedy: `open the app "${wanted}" on the device (--open-app asks it to), and run the command again`,
  });
}

function stranger(found: Hex, wanted: readonly Hex[], device: string): Fault {
  return fault(
    'E_DEVICE_MISMATCH',
    `${device}: its master fingerprint is ${found}, and ${wanted.join(' or ')} is wanted`,
    {
      remedy: "connect the vault's own device; with a passphrase, unlock it with the PIN of that passphrase",
    },
  );
}

/** One fits: it is the one. None: what is in the way of each. Several: nobody but a person chooses. */
async function judge(met: readonly Met[], { fingerprints }: Wanted): Promise<Seen> {
  const fitting = met.filter(({ channel }) => channel !== null);
  const [one, ...more] = fitting;
  if (one !== undefined && one.channel !== null && more.length === 0) return { kind: 'found', channel: one.channel };
  for (const { channel } of fitting) await channel?.close();
  if (more.length > 0) return { kind: 'missing', fault: several(fitting) };
  const [first, ...rest] = met;
  if (first === undefined) return { kind: 'missing', fault: noDevice() };
  const asked = met.find((device) => device.asked);
  const kind = asked === undefined ? 'missing' : 'asked';
  if (rest.length === 0) return { kind, fault: first.fault ?? noDevice() };
  const found = met.map(({ name, fault: why, fingerprint }) => {
    const what = fingerprint === null ? (why?.message ?? '') : `fingerprint ${fingerprint}`;
    return what.startsWith(name) ? what : `${name}: ${what}`;
  });
  const due = fingerprints === null ? 'ready' : `ready as ${fingerprints.join(' or ')}`;
  // One that did not tell its fingerprint may be the one that is wanted: what is in its way comes first.
  const why = (met.find((device) => device.fingerprint === null) ?? first).fault;
  return {
    kind,
    fault: fault(why?.tag ?? 'E_DEVICE_MISMATCH', `none of ${met.length} Ledgers is ${due}: ${found.join('; ')}`, {
      remedy: why?.remedy,
    }),
  };
}

function several(fitting: readonly Met[]): Fault {
  const found = fitting.map(({ name, fingerprint }) => `${name}, fingerprint ${fingerprint ?? 'unknown'}`).join('; ');
  const distinct = new Set(fitting.map(({ fingerprint }) => fingerprint)).size > 1;
  return fault('E_DEVICE_SEVERAL', `${fitting.length} Ledgers would do: ${found}`, {
    remedy: distinct
      ? 'say which one is meant: --signer FINGERPRINT'
      : 'they hold the same keys: leave one of them connected, the one whose screen you read',
  });
}
