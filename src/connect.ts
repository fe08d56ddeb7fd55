import { checkNewFile, fileExists, readBytes, writeNewFile } from './adapters/files.js';
import { attach, type Reachable, type Wanted } from './device/attach.js';
import type { HidEntry } from './device/ledgerjs.js';
import { isTimed } from './device/recording/times.js';
import { createSigner } from './device/signer.js';
import { checkTranscriptPsbt, parseTranscript } from './device/transcript.js';
import { hidName, listHid, openHidEntry } from './device/transport/hid.js';
import { interruption, openInterruptible } from './device/transport/interruptible.js';
import { openRecorder } from './device/transport/record.js';
import { openReplay } from './device/transport/replay.js';
import { openSpeculos } from './device/transport/speculos.js';
import { openWatched } from './device/transport/watched.js';
import type { ApduChannel } from './device/types.js';
import { type Fault, fail } from './domain/fault.js';
import { ok, type Result } from './domain/result.js';
import type { DeviceRequest, OpenedDevice } from './workflow/ports.js';

/** How conversations with a device are held, whatever the verb. */
export interface Manner {
  /** --timing: a recording keeps when each exchange began and how long it took. */
  readonly timing: boolean;
  /** --realtime: a replay takes the time that the device took. */
  readonly realtime: boolean;
  readonly time: DeviceTime;
  /** Told of an exchange that nobody waits for any more: it would keep the process alive. */
  readonly leftBehind?: (() => void) | undefined;
}

/** A clock for what a device takes; told by tests, of the machine otherwise. */
export interface DeviceTime {
  /** Milliseconds from any moment on, never backwards. */
  now(): number;
  wait(milliseconds: number): Promise<void>;
}

/**
 * Opens what `--device` names, once it is as the request wants it, with a recorder around it where `--record` asks for one:
 * what is recorded begins with the device that was chosen.
 */
export async function connect(
  request: DeviceRequest,
  version: string,
  named: (path: string) => string,
  manner: Manner,
): Promise<Result<OpenedDevice, Fault>> {
  const fits = checkManner(request, manner);
  if (!fits.ok) return fits;
  const record = request.record === null ? null : named(request.record);
  if (record !== null) {
    const free = await checkRecord(record);
    if (!free.ok) return free;
  }
  const opened = await attachChannel(request, named, manner);
  if (!opened.ok) return opened;
  const inner = opened.value;
  const channel =
    record === null
      ? inner
      : openRecorder(inner, {
          header: {
            psbt: request.psbt,
            recordedWith: `countersign ${version}`,
            note: `recorded from ${inner.name}`,
          },
          write: (text) => writeNewFile(record, Buffer.from(text)),
          now: manner.timing ? manner.time.now : undefined,
        });
  return ok({ name: channel.name, signer: createSigner(channel) });
}

/**
 * Finds what `connect` would stumble over with any device: a misspelt name, a recording that cannot be read or is of
 * another PSBT, a place where no recording can be written. Sends nothing, and opens nothing that another may need.
 */
export async function checkRequest(
  request: DeviceRequest,
  named: (path: string) => string,
  manner: Manner,
): Promise<Result<void, Fault>> {
  if (request.signal?.aborted === true) return { ok: false, error: interruption('no device was asked yet') };
  const fits = checkManner(request, manner);
  if (!fits.ok) return fits;
  if (request.record !== null) {
    const record = named(request.record);
    const free = await checkRecord(record);
    const writable = free.ok ? await checkNewFile(record) : free;
    if (!writable.ok) return writable;
  }
  // A Ledger is plugged in when it is asked for, and may be another program's until then.
  if (request.spec === 'hid') return ok(undefined);
  const opened = await reach(request, named, manner);
  if (!opened.ok) return opened;
  // A replay that nobody has asked has exchanges left over: that is no fault here.
  await opened.value.close();
  return ok(undefined);
}

/** An option that would say nothing is a mistake. */
function checkManner({ spec, record }: DeviceRequest, { timing, realtime }: Manner): Result<void, Fault> {
  if (timing && record === null) {
    return fail('E_USAGE', '--timing is for a recording, and none is made', { remedy: 'name it: --record FILE' });
  }
  if (realtime && !spec.startsWith('replay:')) {
    return fail('E_USAGE', `--realtime is for a recording, and ${JSON.stringify(spec)} takes its own time`, {
      remedy: 'leave it out, or name a recording: --device replay:FILE',
    });
  }
  return ok(undefined);
}

async function checkRecord(record: string): Promise<Result<void, Fault>> {
  if (!(await fileExists(record))) return ok(undefined);
  return fail('E_FILE_EXISTS', `${record} exists already, and a recording is never overwritten`, {
    where: { file: record },
    remedy: 'give another name with --record',
  });
}

/** A recording is what it is; a device is looked for, and waited for where somebody is there. */
async function attachChannel(
  request: DeviceRequest,
  named: (path: string) => string,
  manner: Manner,
): Promise<Result<ApduChannel, Fault>> {
  const { time, leftBehind = () => {} } = manner;
  const { spec, signal, meeting } = request;
  const interruptible = (channel: ApduChannel): ApduChannel =>
    signal === undefined ? channel : openInterruptible(channel, signal);
  if (spec.startsWith('replay:')) {
    const replay = await reach(request, named, manner);
    return replay.ok ? ok(interruptible(replay.value)) : replay;
  }
  const wanted: Wanted = {
    patience: 0,
    openApp: false,
    notice: () => {},
    app: null,
    fingerprints: null,
    ...meeting,
    signal,
  };
  const { notice, patience } = wanted;
  const watched = (channel: ApduChannel): ApduChannel =>
    openWatched(interruptible(channel), {
      notice,
      attended: patience !== 0,
      tick: time.now,
      leftBehind,
    });
  const list = async (): Promise<Result<readonly Reachable[], Fault>> => {
    if (spec !== 'hid') {
      const open = async () => reach(request, named, manner);
      return ok([{ name: spec, open: async () => mapped(await open(), watched) }]);
    }
    const listed = await listHid();
    if (!listed.ok) return listed;
    const open = async (entry: HidEntry) => mapped(await openHidEntry(process.platform, entry), watched);
    return ok(listed.value.map((entry) => ({ name: hidName(entry), open: () => open(entry) })));
  };
  return attach({ list, sleep: time.wait }, wanted);
}

function mapped(
  opened: Result<ApduChannel, Fault>,
  wrap: (channel: ApduChannel) => ApduChannel,
): Result<ApduChannel, Fault> {
  return opened.ok ? ok(wrap(opened.value)) : opened;
}

/** Everything but USB, which has several devices. */
async function reach(
  { spec, psbt }: DeviceRequest,
  named: (path: string) => string,
  manner: Manner,
): Promise<Result<ApduChannel, Fault>> {
  if (spec.startsWith('speculos:')) return openSpeculos(spec.slice('speculos:'.length));
  if (spec.startsWith('replay:')) return openRecording(spec.slice('replay:'.length), psbt, named, manner);
  return fail('E_USAGE', `${JSON.stringify(spec)} is not a device`, {
    remedy: 'use hid, speculos:http://127.0.0.1:5000 or replay:FILE',
  });
}

async function openRecording(
  file: string,
  psbt: string | null,
  named: (path: string) => string,
  { realtime, time }: Manner,
): Promise<Result<ApduChannel, Fault>> {
  const bytes = await readBytes(named(file), file);
  if (!bytes.ok) return bytes;
  const transcript = parseTranscript(Buffer.from(bytes.value).toString('utf8'), file);
  if (!transcript.ok) return transcript;
  if (transcript.value.header.redacted !== undefined) {
    return fail('E_TRANSCRIPT_REDACTED', `${file} is redacted: pseudonyms stand where the device's answers were`, {
      where: { file },
      remedy: 'replay the recording that it was made from; a redacted one is for reading and checking alone',
    });
  }
  if (psbt !== null) {
    const same = checkTranscriptPsbt(transcript.value.header.psbt, psbt, file);
    if (!same.ok) return same;
  }
  if (!realtime) return ok(openReplay(transcript.value, file));
  if (!isTimed(transcript.value)) {
    return fail('E_USAGE', `${file} has no times: it was recorded without --timing`, {
      where: { file },
      remedy: 'leave --realtime out: the recording answers as well, at once',
    });
  }
  return ok(openReplay(transcript.value, file, time.wait));
}
