import { randomBytes } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import {
  checkContent,
  FOR_OWNER,
  fileExists,
  filesBeside,
  inFolder,
  makeFolder,
  readBytes,
  writeNewFile,
} from './adapters/files.js';
import { replaceFile } from './adapters/replace-file.js';
import { decodeText } from './adapters/source-text.js';
import type { CreateOptions, OpenOptions } from './adapters/stored-journal.js';
import {
  readWorkspaceConfig,
  WORKSPACE_FILE,
  type WorkspaceFields,
  workspaceTemplate,
} from './adapters/workspace-config.js';
import type { DeviceTime } from './connect.js';
import { type Fault, fail } from './domain/fault.js';
import { err, ok, type Result } from './domain/result.js';
import type { UnixSeconds } from './domain/time.js';
import type { BatchLines } from './journal/batch-lines.js';
import type { Journal, JournalCopy, RawJournal } from './journal/port.js';
import type { Composition, NewWorkspace, Workspace } from './workflow/ports.js';

export interface ComposeOptions {
  readonly version: string;
  /** The folder of the workspace, as the person named it. */
  readonly workspace: string;
  /** The demo and the tests set their own; nothing that a command line or the environment says can. */
  readonly clock?: () => UnixSeconds;
  readonly random?: (bytes: number) => string;
  /** The folder that relative names on the command line start from; the current one, unless this is a rehearsal. */
  readonly base?: string;
  /** How a signal reaches work that wants to end well; without it, a signal ends the process as always. */
  readonly interruptible?: Composition['interruptible'];
  /** --timing and --realtime; neither, where it is left out. */
  readonly timing?: boolean | undefined;
  readonly realtime?: boolean | undefined;
  /** The clock of conversations with a device; the machine's, unless a test tells one. */
  readonly deviceTime?: DeviceTime;
  /** Told of an exchange with a device that nobody waits for any more: it would keep the process alive. */
  readonly leftBehind?: () => void;
}

const MACHINE_TIME: DeviceTime = {
  now: () => performance.now(),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** Beside countersign.yaml: the newest entry of a shared journal that this machine knows. */
const SEEN_FILE = 'journal.seen';

/** Where adapters meet ports. What a command does not use is not loaded. */
export async function compose(options: ComposeOptions): Promise<Composition> {
  const clock = options.clock ?? (() => Math.floor(Date.now() / 1000));
  const random = options.random ?? ((bytes: number) => randomBytes(bytes).toString('hex'));
  const root = resolve(options.workspace);
  const base = options.base ?? process.cwd();
  const { timing = false, realtime = false, deviceTime: time = MACHINE_TIME, leftBehind } = options;
  const manner = { timing, realtime, time, leftBehind };
  const named = (path: string): string => (path === '-' ? path : inFolder(base, path));
  return {
    version: options.version,
    clock,
    random,
    files: {
      read: (path) => readBytes(named(path), path),
      writeNew: (path, bytes) => writeNewFile(named(path), bytes),
      writeSecret: (path, bytes) => writeNewFile(named(path), bytes, FOR_OWNER),
      replace: (path, bytes, before) => replaceFile(named(path), bytes, before),
      makeFolder: (path) => makeFolder(named(path)),
      exists: (path) => fileExists(named(path)),
      beside: async (path, suffix) => (path === '-' ? [] : filesBeside(named(path), path, suffix)),
      freeBytes: async (path) => (await import('./adapters/room.js')).freeBytes(named(path)),
      setAside: async (path, bytes) => (await import('./adapters/room.js')).setAside(named(path), bytes),
      inWorkspace: inFolder,
    },
    documents: (await import('./documents.js')).documents,
    ssh: {
      sign: async (keyFile, namespace, message) =>
        (await import('./adapters/ssh-keygen.js')).signWithSshKeygen({
          keyFile: named(keyFile),
          namespace,
          message,
          // A FIDO2 token waits for a touch: the person has to be told.
          onNotice: (text) => {
            if (/presence|touch|PIN/i.test(text)) process.stderr.write(text);
          },
        }),
      publicKeyOf: async (keyFile) => (await import('./adapters/ssh-keygen.js')).publicKeyOf(named(keyFile)),
    },
    openChain: async (sources, folder) => {
      const { openBackend } = await import('./adapters/chain/open.js');
      return sources.map((source) => openBackend(source, (path) => inFolder(folder, path)));
    },
    openFees: async (sources, chain, folder) => {
      const { openFees } = await import('./adapters/chain/open-fees.js');
      return openFees(sources, chain, (path) => inFolder(folder, path));
    },
    chainSource: async (text, cookie) => (await import('./adapters/chain/sources.js')).parseSource(text, cookie),
    listDevices: async () => (await import('./device/transport/hid.js')).listHid(),
    openDevice: async (request) => (await import('./connect.js')).connect(request, options.version, named, manner),
    checkDevice: async (request) => (await import('./connect.js')).checkRequest(request, named, manner),
    interruptible: options.interruptible ?? ((work) => work(new AbortController().signal)),
    rehearse: async () => (await import('./rehearse.js')).rehearse(options.version, compose),
    openWorkspace: (onVerified) => openWorkspace(root, { clock, onVerified }, openJournalOf),
    readLines: (work, onVerified) => readLines(root, { clock, onVerified }, work),
    openForAudit: () => openWorkspace(root, { clock }, deferJournalOf),
    inspectJournal: () => inspectJournal(root),
    copyJournal: async (source, to, progress) => copyTo(source, to, named, clock, progress),
    createWorkspace: (folder, made) => createWorkspace(resolve(root, folder), made, clock, random),
  };
}

async function openWorkspace(
  root: string,
  options: OpenOptions,
  open: typeof openJournalOf,
): Promise<Result<Workspace, Fault>> {
  const config = await readConfig(root);
  if (!config.ok) return config;
  const begin = () => open(root, config.value, options);
  const journal = config.value.store === null ? await begin() : await openShared(begin, root);
  return journal.ok ? ok({ root, config: config.value, journal: journal.value }) : journal;
}

/** A file and what is beside it are put back together; a server is put back, and the machines remember. */
async function openShared(begin: () => Promise<Result<Journal, Fault>>, root: string): Promise<Result<Journal, Fault>> {
  return (await import('./adapters/seen-journal.js')).openSeen(begin, inFolder(root, SEEN_FILE));
}

async function readLines<T>(
  root: string,
  options: OpenOptions,
  work: (lines: BatchLines) => Promise<Result<T, Fault>>,
): Promise<Result<T, Fault>> {
  const config = await readConfig(root);
  if (!config.ok) return config;
  const { journal, store } = config.value;
  if (store !== null) {
    // Also a list is none of a journal that was put back.
    const seen = await openShared(() => deferJournalOf(root, config.value, { clock: options.clock }), root);
    if (!seen.ok) return seen;
    await seen.value.close();
    return (await import('./adapters/postgres/journal.js')).readSharedLines(store, options, work);
  }
  return (await import('./adapters/sqlite-journal.js')).readLinesOf(inFolder(root, journal), options, work);
}

async function inspectJournal(root: string): Promise<Result<RawJournal, Fault>> {
  const config = await readConfig(root);
  if (!config.ok) return config;
  const { journal, store } = config.value;
  if (store !== null)
    return fail('E_JOURNAL_SCHEMA', 'the rows of a shared journal are looked at by its database alone');
  return (await import('./adapters/inspect-sqlite.js')).inspectSqlite(inFolder(root, journal));
}

async function readConfig(root: string): Promise<Result<WorkspaceFields, Fault>> {
  const path = inFolder(root, WORKSPACE_FILE);
  if (!(await fileExists(path))) {
    return fail('E_WORKSPACE_MISSING', `there is no ${WORKSPACE_FILE} in ${root}`, {
      remedy: 'go to the folder of the workspace, name it with --workspace, or make one: countersign init',
    });
  }
  const bytes = await readBytes(path);
  if (!bytes.ok) return bytes;
  const text = decodeText(bytes.value, WORKSPACE_FILE);
  if (!text.ok) return text;
  return readWorkspaceConfig(text.value, WORKSPACE_FILE);
}

/** What is not used is not loaded: a workspace with a file never meets the driver of PostgreSQL. */
async function openJournalOf(
  root: string,
  { journal, store }: WorkspaceFields,
  options: OpenOptions,
): Promise<Result<Journal, Fault>> {
  if (store !== null) return (await import('./adapters/postgres/journal.js')).openSharedJournal(store, options);
  return (await import('./adapters/sqlite-journal.js')).openJournal(inFolder(root, journal), options);
}

async function deferJournalOf(
  root: string,
  { journal, store }: WorkspaceFields,
  options: OpenOptions,
): Promise<Result<Journal, Fault>> {
  if (store !== null) return (await import('./adapters/postgres/journal.js')).deferredSharedJournal(store, options);
  return (await import('./adapters/sqlite-journal.js')).deferredJournal(inFolder(root, journal), options);
}

async function createJournalOf(
  root: string,
  { journal, store }: WorkspaceFields,
  options: CreateOptions,
): Promise<Result<Journal, Fault>> {
  if (store !== null) return (await import('./adapters/postgres/journal.js')).createSharedJournal(store, options);
  return (await import('./adapters/sqlite-journal.js')).createJournal(inFolder(root, journal), options);
}

async function copyTo(
  source: Journal,
  to: string,
  named: (path: string) => string,
  clock: () => UnixSeconds,
  progress: (done: number) => void,
): Promise<Result<JournalCopy, Fault>> {
  const { copyJournal } = await import('./adapters/copy-journal.js');
  if (/^postgres(ql)?:/.test(to)) {
    const { sharedPlace } = await import('./adapters/postgres/journal.js');
    const place = sharedPlace(to, { clock });
    return place.ok ? copyJournal(source, place.value, progress) : place;
  }
  const { filePlace } = await import('./adapters/sqlite-journal.js');
  return copyJournal(source, filePlace(named(to), to, { clock }), progress);
}

/** What editors check policies and books against. They hold nothing of the workspace, so they may be there before it is. */
async function schemasOf(root: string): Promise<readonly { readonly path: string; readonly bytes: Uint8Array }[]> {
  const { publishedFiles, SCHEMA_FOLDER } = await import('./policy/published.js');
  const folder = inFolder(root, SCHEMA_FOLDER);
  return publishedFiles().map(([name, text]) => ({ path: inFolder(folder, name), bytes: Buffer.from(text) }));
}

/** Before anything is made: a schema that somebody changed is not overwritten. */
async function checkSchemas(root: string): Promise<Result<void, Fault>> {
  for (const { path, bytes } of await schemasOf(root)) {
    const free = await checkContent(path, bytes);
    if (!free.ok) return free;
  }
  return ok(undefined);
}

async function writeSchemas(root: string): Promise<Result<void, Fault>> {
  for (const { path, bytes } of await schemasOf(root)) {
    const made = await makeFolder(dirname(path));
    const written = made.ok ? await writeNewFile(path, bytes) : made;
    if (!written.ok) return written;
  }
  return ok(undefined);
}

async function createWorkspace(
  root: string,
  { network, store, join }: NewWorkspace,
  clock: () => UnixSeconds,
  random: (bytes: number) => string,
): Promise<Result<Workspace, Fault>> {
  const path = inFolder(root, WORKSPACE_FILE);
  if (await fileExists(path)) {
    return fail('E_FILE_EXISTS', `there is a ${WORKSPACE_FILE} in ${root} already`, {
      remedy: 'choose another folder; a workspace is never overwritten',
    });
  }
  const free = await checkSchemas(root);
  if (!free.ok) return free;
  const made = await makeFolder(root);
  if (!made.ok) return made;
  const template = workspaceTemplate(network, store);
  const config = readWorkspaceConfig(template, WORKSPACE_FILE);
  if (!config.ok) throw new Error(`the template of ${WORKSPACE_FILE} cannot be read: ${config.error.message}`);
  const journal = join
    ? await joinJournal(root, config.value, clock)
    : await beginOrGoOn(root, config.value, { clock, network, nonce: random(32) });
  if (!journal.ok) return journal;
  // The journal first, since nothing is left behind where there cannot be one; countersign.yaml last, since a folder with it
  // is a workspace that can be opened.
  const schemas = await writeSchemas(root);
  const written = schemas.ok ? await writeNewFile(path, Buffer.from(template)) : schemas;
  if (written.ok) return ok({ root, config: config.value, journal: journal.value });
  await journal.value.close();
  return written;
}

/**
 * A new journal; or, in a file, the one that a process began which ended before it had written countersign.yaml: it holds its
 * opening and nothing else.
 */
async function beginOrGoOn(
  root: string,
  config: WorkspaceFields,
  options: CreateOptions,
): Promise<Result<Journal, Fault>> {
  const made = await createJournalOf(root, config, options);
  if (made.ok || made.error.tag !== 'E_JOURNAL_EXISTS' || config.store !== null) return made;
  const opened = await openJournalOf(root, config, { clock: options.clock });
  if (!opened.ok) return made;
  const state = await opened.value.read();
  if (state.ok && state.value.head?.seq === 0 && state.value.network === options.network) return opened;
  await opened.value.close();
  return err({ ...made.error, remedy: 'choose another folder, or work with the journal that is there: give --join' });
}

/** The journal that others have begun. E_USAGE where it is of another network. */
async function joinJournal(
  root: string,
  config: WorkspaceFields,
  clock: () => UnixSeconds,
): Promise<Result<Journal, Fault>> {
  const opened = await openJournalOf(root, config, { clock });
  if (!opened.ok) {
    if (opened.error.tag !== 'E_JOURNAL_MISSING' || config.store !== null) return opened;
    const remedy = `put it there first, as countersign journal copy ${inFolder(root, config.journal)} does elsewhere; or name a shared one: --store`;
    return err({ ...opened.error, remedy });
  }
  const state = await opened.value.read();
  if (state.ok && state.value.network === config.network) return opened;
  await opened.value.close();
  if (!state.ok) return state;
  return fail('E_USAGE', `the journal there is of ${state.value.network}, not of ${config.network}`, {
    remedy: `give --network ${state.value.network}, or another journal`,
  });
}
