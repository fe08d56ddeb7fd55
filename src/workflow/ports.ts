import type { HidEntry } from '../device/ledgerjs.js';
import type { Presence, Signer } from '../device/types.js';
import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import type { WithdrawalRequest } from '../domain/request.js';
import type { Result } from '../domain/result.js';
import type { SourceNode } from '../domain/source-tree.js';
import type { UnixSeconds } from '../domain/time.js';
import type { BatchLines } from '../journal/batch-lines.js';
import type { Journal, JournalCopy, RawJournal } from '../journal/port.js';
import type { Book } from '../policy/book.js';
import type { ScreeningList } from '../policy/screening/list.js';
import type { LoadedPolicy } from '../policy/types.js';
import type { ChainBackend, ChainSource } from '../vault/chain.js';
import type { FeeConfig, FeeEstimator, FeeSource } from '../vault/fees.js';
import type { ProvenCoins } from '../vault/proven-coins.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { Deriver } from '../vault/types.js';

/** countersign.yaml (countersign.workspace/1). Paths are relative to the folder that holds it. */
export interface WorkspaceConfig {
  readonly network: Network;
  readonly journal: string;
  /** The address of a journal that several machines share; null for a file. */
  readonly store: string | null;
  readonly policy: string;
  readonly book: string;
  readonly batches: string;
  /** Who plans and abandons here when a command does not say: a person of the policy's roles. */
  readonly officer: string | null;
  /** hid, speculos:URL or replay:FILE. */
  readonly device: string;
  /** In the order in which they are asked. */
  readonly chain: readonly ChainSource[];
  /** By name, the SSH keys of which one has to sign a coin snapshot from a file; none where it need not be signed. */
  readonly snapshotSigners: ReadonlyMap<string, string>;
  /** Where feerates come from; null where nothing is said of them. */
  readonly fees: FeeConfig | null;
}

/** Files, as the person named them. Faults name the file and what to do. */
export interface Files {
  /** "-" reads standard input. */
  read(path: string): Promise<Result<Uint8Array, Fault>>;
  /** Whole or not at all (written aside, synced, renamed); refuses to overwrite a file with other content. */
  writeNew(path: string, bytes: Uint8Array): Promise<Result<void, Fault>>;
  /** The same, readable by its owner alone. */
  writeSecret(path: string, bytes: Uint8Array): Promise<Result<void, Fault>>;
  /** Other content in one durable step, if the file still holds `before` (null: if there is none). */
  replace(path: string, bytes: Uint8Array, before: Uint8Array | null): Promise<Result<void, Fault>>;
  makeFolder(path: string): Promise<Result<void, Fault>>;
  exists(path: string): Promise<boolean>;
  /** The files beside one that are called like it with ".SOMETHING" and the suffix after it, sorted. */
  beside(path: string, suffix: string): Promise<readonly string[]>;
  /** Bytes that can still be written on the medium of a path; null where the system does not say. */
  freeBytes(path: string): Promise<bigint | null>;
  /** Takes bytes of the medium of a path until they are released, or the process ends. E_JOURNAL_ROOM, E_JOURNAL_IO. */
  setAside(path: string, bytes: number): Promise<Result<SetAside, Fault>>;
  /** A path relative to the workspace as one that can be opened. */
  inWorkspace(root: string, path: string): string;
}

/** Room on a medium that nobody else can take. */
export interface SetAside {
  release(): Promise<void>;
}

/** Readers of the documents that people write; each names file, line and remedy. */
export interface Documents {
  /** The values of a YAML or JSON text with their places, before anybody says what they mean. */
  tree(bytes: Uint8Array, file: string): Result<SourceNode, Fault>;
  policy(bytes: Uint8Array, file: string): Result<LoadedPolicy, readonly Fault[]>;
  book(bytes: Uint8Array, file: string, network: Network): Result<Book, readonly Fault[]>;
  requests(bytes: Uint8Array, file: string, network: Network): Result<readonly WithdrawalRequest[], readonly Fault[]>;
  /** A screening list: plain text, or a document of countersign.screening/1. */
  screening(bytes: Uint8Array, file: string, network: Network): Result<ScreeningList, readonly Fault[]>;
  /** A PSBT as a file has it: binary, base64 or hex. */
  psbt(bytes: Uint8Array, file: string): Result<Uint8Array, Fault>;
  /** What `before` proves already is not proven again. */
  snapshot(bytes: Uint8Array, file: string, deriver: Deriver, before?: ProvenCoins): Result<Snapshot, Fault>;
  /** The same, of bytes that the journal vouches for: the derivation of every coin was checked when they came in. */
  knownSnapshot(bytes: Uint8Array, file: string, deriver: Deriver): Result<Snapshot, Fault>;
}

/** What documents that a journal names are read with: their bytes, and the readers of their kinds. */
export interface Archive {
  readonly journal: Pick<Journal, 'blob'>;
  readonly config: Pick<WorkspaceConfig, 'network' | 'policy' | 'book'>;
  readonly ports: { readonly documents: Documents };
}

/** Signing by a person's SSH key. The key never enters this process. */
export interface SshSigner {
  sign(keyFile: string, namespace: string, message: Uint8Array): Promise<Result<string, Fault>>;
  /** "type base64" of KEY.pub. */
  publicKeyOf(keyFile: string): Promise<Result<string, Fault>>;
}

/** What has to be there before a conversation begins, and whether somebody is there to see to it. */
export interface Meeting extends Presence {
  /** Name of the app that has to be open; null for any. */
  readonly app: string | null;
  /** Master key fingerprints of which one has to be the device's; null for any. */
  readonly fingerprints: readonly Hex[] | null;
}

export interface DeviceRequest {
  /** hid, speculos:URL or replay:FILE. */
  readonly spec: string;
  /** Where a transcript is to be written, or null. */
  readonly record: string | null;
  /** SHA-256 of the PSBT that is going to be signed, or null; a replay of another PSBT is refused before any exchange. */
  readonly psbt: Hex | null;
  /** Breaks the conversation off: E_DEVICE_INTERRUPTED. */
  readonly signal?: AbortSignal | undefined;
  /** Absent, the one device that is attached is opened as it is; a recording is always what it is. */
  readonly meeting?: Meeting | undefined;
}

export interface OpenedDevice {
  /** What a person is told it is. */
  readonly name: string;
  readonly signer: Signer;
}

export interface Workspace {
  readonly root: string;
  readonly config: WorkspaceConfig;
  readonly journal: Journal;
}

/** What one run of the program has at hand; made in compose.ts and nowhere else. */
export interface Composition {
  readonly version: string;
  readonly clock: () => UnixSeconds;
  /** Fresh random bytes in hex. */
  readonly random: (bytes: number) => Hex;
  readonly files: Files;
  readonly documents: Documents;
  readonly ssh: SshSigner;
  /** Makes back ends ready to be asked; a path in them is relative to the folder. Nothing is sent yet. */
  openChain(sources: readonly ChainSource[], folder: string): Promise<readonly ChainBackend[]>;
  /** Makes sources of feerates ready to be asked; `chain` among them stands for each of these back ends. */
  openFees(
    sources: readonly FeeSource[],
    chain: readonly ChainSource[],
    folder: string,
  ): Promise<readonly FeeEstimator[]>;
  /** A back end as a command line names it. */
  chainSource(text: string, cookie: string | undefined): Promise<Result<ChainSource, Fault>>;
  /** Every Ledger on USB, by what the operating system says of it; none is opened. */
  listDevices(): Promise<Result<readonly HidEntry[], Fault>>;
  openDevice(request: DeviceRequest): Promise<Result<OpenedDevice, Fault>>;
  /** What is wrong with a request and can be told without a device: a name, a recording, the place of one to be made. */
  checkDevice(request: DeviceRequest): Promise<Result<void, Fault>>;
  /** Runs work that wants to end well where a person breaks it off. The second signal ends the process at once. */
  interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /**
   * Opens the workspace of the current folder, or of the folder given on the command line, and verifies all of its journal: of
   * how many entries so many are done is told as it goes.
   */
  openWorkspace(onVerified?: (done: number, of: number) => void): Promise<Result<Workspace, Fault>>;
  /**
   * Reads the batches of the workspace for a list, without verifying what they are derived from where that can be spared: for
   * looking, never for deciding. Where it cannot be, `onVerified` hears of it as that of openWorkspace does.
   */
  readLines<T>(
    work: (lines: BatchLines) => Promise<Result<T, Fault>>,
    onVerified?: (done: number, of: number) => void,
  ): Promise<Result<T, Fault>>;
  /**
   * As openWorkspace, for a command that verifies every entry itself: nothing of the journal is read, and entries are handed out
   * unverified, until its state is asked for.
   */
  openForAudit(): Promise<Result<Workspace, Fault>>;
  /** Copies the bundled data of the demo into a fresh folder, and opens the program on it. */
  rehearse(): Promise<Rehearsal>;
  /** The journal of the workspace as its store has it, unverified: where it cannot be opened. */
  inspectJournal(): Promise<Result<RawJournal, Fault>>;
  /** Makes countersign.yaml, and an empty journal unless it joins one. */
  createWorkspace(folder: string, made: NewWorkspace): Promise<Result<Workspace, Fault>>;
  /**
   * Copies a journal, entry by entry and blob by blob, to a place where there is none: a file, or the address of a shared
   * journal. All of it or nothing; verified by reading it back. A place that holds the very same journal already is left
   * as it is. E_JOURNAL_EXISTS where it holds anything else.
   */
  copyJournal(source: Journal, to: string, progress: (done: number) => void): Promise<Result<JournalCopy, Fault>>;
}

export interface NewWorkspace {
  readonly network: Network;
  /** The address of a shared journal; null for a file in the folder. */
  readonly store: string | null;
  /** The journal is there, begun by somebody else. */
  readonly join: boolean;
}

/** A workspace made of bundled files in a folder of its own, in which time is told and nothing is drawn at random. */
export interface Rehearsal {
  readonly folder: string;
  /** Whether approvals can be signed here; where they cannot, the bundled signatures stand in. */
  readonly hasSshKeygen: boolean;
  /** The program as it would run at a moment. */
  at(now: UnixSeconds): Promise<Composition>;
  /** Removes the folder. */
  dispose(): Promise<void>;
}

/** What workflows need of a composition: an open workspace and the ports. */
export interface Desk extends Workspace {
  readonly ports: Pick<Composition, 'clock' | 'random' | 'documents' | 'files'>;
}
