import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseTranscript } from '../../src/device/transcript.js';
import type { Registration } from '../../src/device/types.js';
import { toHex } from '../../src/domain/bytes.js';
import { parseTime } from '../../src/domain/time.js';
import { csv, demoFile, Session, stage } from '../cli/session.js';
import type { Rig } from './killing.js';

const SCRIPT = fileURLToPath(new URL('./crash-signing.child.mjs', import.meta.url));
const SOFT = fileURLToPath(new URL('./crash.child.mjs', import.meta.url));
export const JOURNAL = 'journal.sqlite';

/** One command line as the child ran it. */
export interface Line {
  readonly argv: readonly string[];
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What it did that is durable, and its exchanges with the device, in order. */
  readonly moments: readonly string[];
}

export interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly Line[];
  readonly stderr: string;
}

/** The answer of the device to one exchange, as something other than the device gave it. */
export interface Change {
  readonly exchange: number;
  readonly response: string;
}

/** What was asked in a recording, and the words of the seed that signs in its place. */
export interface Graft {
  readonly psbt: string;
  readonly registration: Registration;
  readonly words: string;
}

export interface Run {
  readonly folder: string;
  readonly now: string;
  readonly lines: readonly (readonly string[])[];
  readonly dieAt?: number;
  readonly change?: Change | undefined;
  /** A file that takes all the room of its disk from a moment on. */
  readonly fill?: { readonly at: string; readonly file: string };
  /** Whether the journal is in PostgreSQL: then its statements are moments too. */
  readonly shared?: boolean;
  /** What `--signer FINGERPRINT` is asked with a recording of another PSBT. */
  readonly grafts?: Readonly<Record<string, Graft>> | undefined;
  /** What the process runs under: a program with its arguments. */
  readonly under?: readonly string[];
  readonly uid?: number;
}

/** Runs command lines of the built program in a fresh process, which may be told to die. */
export function runLines({ under = [], uid, ...job }: Run): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const [program = '', ...words] = [...under, process.execPath, SCRIPT];
    const child = spawn(program, words, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (_, signal) => {
      const lines = stdout.split('\n').filter((line) => line !== '');
      resolve({ signal, stderr, lines: lines.map((line): Line => JSON.parse(line)) });
    });
    child.stdin.end(JSON.stringify({ ...job, now: parseTime(job.now) }));
  });
}

export const RECORDING = 'withdrawals.apdu';

/** The exchanges of the recording that matter: the first that asks for signatures, the first and the last that bring one. */
export function exchangesOf(recording: string) {
  const parsed = parseTranscript(recording, RECORDING);
  if (!parsed.ok) throw new Error(parsed.error.message);
  const { exchanges } = parsed.value;
  const isYield = (response: Uint8Array): boolean => response[0] === 0x10 && response.at(-2) === 0xe0;
  const last = exchanges.findLastIndex(({ response }) => isYield(response));
  const wrong = exchanges[last]?.response.slice();
  const place = (wrong?.length ?? 0) - 10;
  if (wrong === undefined) throw new Error('no exchange brings a signature');
  wrong[place] = (wrong[place] ?? 0) ^ 1;
  return {
    count: exchanges.length,
    asks: exchanges.findIndex(({ request }) => request[0] === 0xe1 && request[1] === 0x04),
    firstYield: exchanges.findIndex(({ response }) => isYield(response)),
    lastYield: last,
    wrong: toHex(wrong),
  };
}

/**
 * A workspace with the batch of the demo, planned and approved, and the recording of its signing. It is a copy that only
 * processes of their own have opened: what this process still holds open is not in its folder. The caller removes it.
 */
export async function readyToSign(): Promise<{ readonly s: Session; readonly id: string }> {
  const planned = await stage();
  planned.write(RECORDING, demoFile(`recordings/${RECORDING}`));
  planned.write('probe.csv', csv([['PROBE', 'client-01', 1_000_000n]]));
  const id = await planned.ready('withdrawals.csv');
  return { s: await closedCopy(planned), id };
}

/** The rig of a batch that is ready to be signed; `fresh` makes workspaces like it. */
export async function rigOf(
  { folder, now }: Pick<Session, 'folder' | 'now'>,
  batch: string,
  fresh: () => Promise<string>,
  more: Pick<Rig, 'done' | 'shared' | 'grafts'> = {},
): Promise<Rig> {
  const { lines } = await runLines({ folder, now, lines: [['batch', 'show', batch, '--json']] });
  const { inputs, spend } = JSON.parse(lines[0]?.stdout ?? 'null').batch;
  return { now, batch, coins: inputs, spend: BigInt(spend), fresh, ...more };
}

/** A copy of a workspace with its journal in one file, as the last process that had it open leaves it. */
export async function closedCopy(of: Session): Promise<Session> {
  const s = new Session(mkdtempSync(join(tmpdir(), 'countersign-closed-')));
  cpSync(of.folder, s.folder, { recursive: true });
  const { lines } = await runLines({ folder: s.folder, now: s.now, lines: [['batch', 'list']] });
  if (lines[0]?.code !== 0 || existsSync(s.path(`${JOURNAL}-wal`))) throw new Error('the journal was not closed');
  return s;
}

export interface SoftEnded {
  readonly code: number | null;
  readonly said: string;
}

/** A signing that has not ended by then hangs. It waits 2 s for a lock, a few times, on a machine that may be busy. */
const HANGS_MS = 90_000;

/**
 * `batch sign` of the built program in a process of its own, with a device in software that takes its time (ms). One that hangs
 * is killed, and has no exit code.
 */
export function signSoftly(s: Session, id: string, slow: number, onSaid?: (text: string) => void): Promise<SoftEnded> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [SOFT], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        onSaid?.(text);
      });
    }
    const hangs = setTimeout(() => child.kill('SIGKILL'), HANGS_MS);
    child.on('close', (code) => {
      clearTimeout(hangs);
      resolve({ code, said });
    });
    child.stdin.end(JSON.stringify({ folder: s.folder, now: parseTime(s.now), argv: ['batch', 'sign', id], slow }));
  });
}

export const signWords = (id: string, ...more: string[]): string[] => [
  ...['batch', 'sign', id, '--device', `replay:${RECORDING}`, ...more, '--json'],
];

/** The moment as the number of an exchange that was sent, or null. */
export const sentBy = (moment: string): number | null => {
  const found = /^exchange ([0-9]+): after$/.exec(moment);
  return found === null ? null : Number(found[1]);
};
