import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Io, runCommandLine } from '../../src/cli/program.js';
import { type ComposeOptions, compose } from '../../src/compose.js';
import type { DeviceTime } from '../../src/connect.js';
import type { Signer } from '../../src/device/types.js';
import { fail } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import { formatTime, parseTime } from '../../src/domain/time.js';
import type { Composition, DeviceRequest } from '../../src/workflow/ports.js';
import { makeToken, publicLine, type SignOptions, softSign, type Token } from '../approval/soft-token.js';
import { softSigner } from './soft-device.mjs';

/** Command lines as an officer types them, in process, on a workspace of their own with told times. */
const DEMO = fileURLToPath(new URL('../../examples/demo', import.meta.url));

/** Monday noon in UTC, ten minutes after the bundled snapshot: everything is open and fresh. */
export const NOON = '2026-06-01T12:00:00Z';
const APRIL = '2026-04-01T09:00:00Z';
const MAY = '2026-05-26T09:00:00Z';
export const SEED = '11'.repeat(32);

/** Officers' keys are made anew for each run; compliance has keys that are touched, as the highest tier asks. */
const PEOPLE = { alice: 'ssh-ed25519', bob: 'ssh-ed25519', carol: 'ssh-ed25519', dave: 'ssh-ed25519' } as const;
const STRANGERS = ['mallory'];
const tokens = new Map<string, Token>(
  [...Object.keys(PEOPLE), ...STRANGERS].map((name) => [name, makeToken('ssh-ed25519')]),
);
for (const name of ['erin', 'frank', 'grace', 'bob-token']) tokens.set(name, makeToken('sk-ssh-ed25519@openssh.com'));

export function tokenOf(person: string): Token {
  const token = tokens.get(person);
  if (token === undefined) throw new Error(`${person} has no key in these tests`);
  return token;
}

/** The demo's policy with the keys of these tests. */
export function policyText(): string {
  return readFileSync(join(DEMO, 'policy.yaml'), 'utf8').replaceAll(/^( {4}(\w+): )"ssh-[^"]*"$/gm, (_, head, name) => {
    return `${head}"${publicLine(tokenOf(name))}"`;
  });
}

export const demoFile = (name: string): string => readFileSync(join(DEMO, name), 'utf8');

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** --timing and --realtime. */
type Manner = Pick<ComposeOptions, 'timing' | 'realtime'>;

export interface StageOptions {
  /** Command lines to leave out, by their first words. */
  readonly until?: 'nothing' | 'init' | 'vault' | 'policy' | 'book' | 'coins';
  readonly policy?: string;
}

export class Session {
  /** The clock, which a device in software may move on while a command runs. */
  now = NOON;
  signer: (request: DeviceRequest) => Signer = () => softSigner();
  /** Whether `hid` is USB, on which a test has plugged something in, and not a device in software. */
  usb = false;
  /** How a signal would reach a command that wants to end well; nobody sends one unless a test does. */
  interruptible: Composition['interruptible'] = (work) => work(new AbortController().signal);
  /** What standard input holds; without it, nobody may read it. */
  stdin: string | null = null;
  /** What a device takes; nobody waits in these tests unless one says so. */
  deviceTime: DeviceTime = { now: () => 0, wait: async () => undefined };
  #drawn = 0;

  constructor(readonly folder: string) {}

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(this.path(name), content);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Seconds that go by whenever somebody looks at the clock. */
  ticks = 0;

  /** What happens elsewhere the next time that somebody signs with their SSH key. */
  whileSigning: (() => Promise<void>) | null = null;

  /** Moves the clock on. */
  wait(seconds: number): void {
    this.now = formatTime(secondsOf(this.now) + seconds);
  }

  async run(...argv: string[]): Promise<Ran> {
    let stdout = '';
    let stderr = '';
    const io: Io = {
      stdout: (text) => {
        stdout += text;
      },
      stderr: (text) => {
        stderr += text;
      },
      colors: false,
      rewrites: false,
    };
    const code = await runCommandLine(argv, ({ workspace, ...manner }) => this.composition(workspace, manner), io);
    return { code, stdout, stderr };
  }

  async composition(workspace?: string, manner: Manner = {}): Promise<Composition> {
    const real = await compose({
      ...manner,
      deviceTime: this.deviceTime,
      version: '0.0.0-test',
      workspace: workspace ?? this.folder,
      base: this.folder,
      clock: () => {
        const now = secondsOf(this.now);
        this.wait(this.ticks);
        return now;
      },
      random: (bytes) => this.#random(bytes),
    });
    return {
      ...real,
      files: {
        ...real.files,
        read: async (path) =>
          path === '-' && this.stdin !== null ? ok(Buffer.from(this.stdin)) : real.files.read(path),
      },
      ssh: {
        sign: async (keyFile, namespace, message) => {
          const meanwhile = this.whileSigning;
          this.whileSigning = null;
          await meanwhile?.();
          return ok(softSign(tokenOf(personOf(keyFile)), message, { namespace }));
        },
        publicKeyOf: async (keyFile) =>
          tokens.has(personOf(keyFile))
            ? ok(publicLine(tokenOf(personOf(keyFile))))
            : fail('E_SSH_KEY', `${keyFile}: the public key cannot be read`),
      },
      interruptible: this.interruptible,
      openDevice: async (request) =>
        request.spec === 'hid' && !this.usb
          ? ok({ name: 'a device in software', signer: this.signer(request) })
          : real.openDevice(request),
    };
  }

  /** Runs a command that has to end with this exit code, and says what it printed if it does not. */
  async expect(code: number, ...argv: string[]): Promise<Ran> {
    const ran = await this.run(...argv);
    expect(ran.code, `countersign ${argv.join(' ')}\n${ran.stdout}${ran.stderr}`).toBe(code);
    return ran;
  }

  /** The JSON object of a command with --json; there is exactly one. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into documented objects of many shapes.
  async json(code: number, ...argv: string[]): Promise<any> {
    const { stdout } = await this.expect(code, ...argv, '--json');
    const object = JSON.parse(stdout);
    expect(object.exit).toBe(code);
    return object;
  }

  /** The tag of the first fault of a command that fails. */
  async faultOf(code: number, ...argv: string[]): Promise<string> {
    return (await this.json(code, ...argv)).faults[0].tag;
  }

  /** Plans a file of withdrawals and returns the ids of its batches. */
  async plan(file: string, ...more: string[]): Promise<string[]> {
    const planned = await this.json(0, 'batch', 'plan', file, '--as', 'alice', '--seed', SEED, ...more);
    return planned.batches.map(({ id }: { id: string }) => id);
  }

  async planOne(file: string, ...more: string[]): Promise<string> {
    const [id, ...others] = await this.plan(file, ...more);
    if (id === undefined || others.length > 0) throw new Error(`${file} did not give one batch`);
    return id;
  }

  async approve(id: string, ...people: string[]): Promise<void> {
    for (const person of people) await this.expect(0, 'batch', 'approve', id, '--key', `keys/${person}`);
  }

  /** A withdrawal file planned and approved by two: ready to be signed. */
  async ready(file: string): Promise<string> {
    const id = await this.planOne(file);
    await this.approve(id, 'bob', 'carol');
    return id;
  }

  async stateOf(id: string): Promise<string> {
    return (await this.json(0, 'batch', 'show', id)).batch.state;
  }

  async balance(status: 'available' | 'in a batch' | 'frozen'): Promise<bigint> {
    const { by_status } = await this.json(0, 'vault', 'balance');
    return BigInt(by_status.find((row: { status: string }) => row.status === status).amount);
  }

  async head(): Promise<string> {
    const { head } = await this.json(0, 'audit', 'verify');
    return `${head.seq}:${head.hash}`;
  }

  /** SHA-256 of every file of the workspace but the journal's own, whose head says more than its pages. */
  files(): Record<string, string> {
    return filesUnder(this.folder, this.folder);
  }

  /** Runs `work` and holds it to having changed nothing: no file, no entry. */
  async untouched<T>(work: () => Promise<T>): Promise<T> {
    const before = { files: this.files(), head: await this.head() };
    const result = await work();
    expect({ files: this.files(), head: await this.head() }).toEqual(before);
    return result;
  }

  /** Signs a policy or a book as these people would, each at a machine of their own. */
  async signDocument(kind: 'policy' | 'book', file: string, ...people: string[]): Promise<void> {
    for (const person of people) await this.expect(0, kind, 'sign', file, '--key', `keys/${person}`, '--as', person);
  }

  /** Signs a message in somebody's name, as ssh-keygen would on another machine. */
  sign(person: string, message: string, options: SignOptions = {}): string {
    return softSign(tokenOf(person), Buffer.from(message), options);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #random(bytes: number): string {
    this.#drawn += 1;
    return createHash('sha256')
      .update(`draw ${this.#drawn}`)
      .digest('hex')
      .slice(0, 2 * bytes);
  }
}

function secondsOf(text: string): number {
  const seconds = parseTime(text);
  if (seconds === null) throw new Error(`${text} is not a time`);
  return seconds;
}

const personOf = (keyFile: string): string => keyFile.replace(/^.*\//, '').replace(/\.pub$/, '');

function filesUnder(folder: string, root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) Object.assign(found, filesUnder(path, root));
    else if (!name.startsWith('journal.sqlite')) {
      found[relative(root, path)] = createHash('sha256').update(readFileSync(path)).digest('hex');
    }
  }
  return found;
}

const STEPS = [
  ['init', APRIL, ['init', '.', '--network', 'testnet3']],
  ['vault', APRIL, ['vault', 'import', 'demo-cold', 'descriptor.txt']],
  ['policy', APRIL, ['policy', 'sign', 'policy.yaml', '--key', 'keys/frank']],
  ['policy', APRIL, ['policy', 'sign', 'policy.yaml', '--key', 'keys/grace']],
  ['policy', APRIL, ['policy', 'activate', 'policy.yaml']],
  ['book', APRIL, ['book', 'sign', 'book-1.yaml', '--key', 'keys/bob', '--as', 'bob']],
  ['book', APRIL, ['book', 'sign', 'book-1.yaml', '--key', 'keys/erin', '--as', 'erin']],
  ['book', APRIL, ['book', 'import', 'book-1.yaml']],
  ['book', MAY, ['book', 'sign', 'book-2.yaml', '--key', 'keys/bob', '--as', 'bob']],
  ['book', MAY, ['book', 'sign', 'book-2.yaml', '--key', 'keys/erin', '--as', 'erin']],
  ['book', MAY, ['book', 'import', 'book-2.yaml']],
  ['coins', '2026-06-01T11:30:00Z', ['coins', 'import', 'coins.json']],
] as const;
const STAGES = ['nothing', 'init', 'vault', 'policy', 'book', 'coins'] as const;

const staged = new Map<string, Session>();
const copies: Session[] = [];

/** A workspace that has come as far as `until`. Each way there is gone once a file; every caller gets a copy. */
export async function stage({ until = 'coins', policy = policyText() }: StageOptions = {}): Promise<Session> {
  const key = `${until} ${policy}`;
  const master = staged.get(key) ?? (await build(until, policy));
  staged.set(key, master);
  const folder = mkdtempSync(join(tmpdir(), 'countersign-session-'));
  cpSync(master.folder, folder, { recursive: true });
  const session = new Session(folder);
  copies.push(session);
  return session;
}

async function build(until: (typeof STAGES)[number], policy: string): Promise<Session> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-stage-'));
  const session = new Session(folder);
  for (const name of ['descriptor.txt', 'book-1.yaml', 'book-2.yaml', 'coins.json', 'withdrawals.csv', 'second.csv']) {
    session.write(name, demoFile(name));
  }
  session.write('policy.yaml', policy);
  for (const [name, at, argv] of STEPS) {
    if (STAGES.indexOf(name) > STAGES.indexOf(until)) break;
    session.now = at;
    await session.expect(0, ...argv);
  }
  return session;
}

/** For afterAll: removes every folder that `stage` made. */
export function removeAll(): void {
  for (const session of [...staged.values(), ...copies]) session.remove();
}

const BOOK = [...demoFile('book-1.yaml').matchAll(/id: (\S+)\n {4}address: (\S+)/g)].map(([, id, address]) => ({
  id: id ?? '',
  address: address ?? '',
}));

/** The address of a destination of the book. */
export function addressOf(id: string): string {
  const entry = BOOK.find((one) => one.id === id);
  if (entry === undefined) throw new Error(`${id} is not in the book`);
  return entry.address;
}

/** Destinations of the book, all of them old enough. */
export const destinations = (): readonly string[] => BOOK.map(({ id }) => id);

/** A file of withdrawals: [request id, destination, sats]. */
export function csv(rows: readonly (readonly [id: string, destination: string, amount: string | bigint])[]): string {
  const lines = rows.map(([id, destination, amount]) => `${id},${addressOf(destination)},${amount},,`);
  return `${['id,address,amount,label,reference', ...lines].join('\n')}\n`;
}

export interface SnapshotChange {
  readonly height?: number;
  readonly takenAt?: string;
  readonly medianTimePast?: string;
  readonly feerate?: string | null;
  readonly network?: string;
  /** How many of the coins are left, from the first. */
  readonly coins?: number;
  /** Outpoints that are no longer there. */
  readonly spent?: readonly string[];
  readonly confirmed?: Readonly<Record<string, { height: number; time: string }>>;
}

/** The demo's snapshot with some things changed. */
export function snapshot(change: SnapshotChange = {}): string {
  const base = JSON.parse(demoFile('coins.json'));
  if (change.height !== undefined) base.tip.height = change.height;
  if (change.takenAt !== undefined) base.taken_at = change.takenAt;
  if (change.medianTimePast !== undefined) base.tip.median_time_past = change.medianTimePast;
  if (change.network !== undefined) base.network = change.network;
  if (change.feerate !== undefined) base.feerate = change.feerate;
  if (change.feerate === null) delete base.feerate;
  if (change.coins !== undefined) base.coins = base.coins.slice(0, change.coins);
  const gone = new Set(change.spent);
  base.coins = base.coins.filter(({ outpoint }: { outpoint: string }) => !gone.has(outpoint));
  if (change.confirmed !== undefined) base.confirmed_transactions = change.confirmed;
  return JSON.stringify(base, null, 1);
}
