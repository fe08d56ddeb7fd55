import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import type { Result } from '../domain/result.js';
import type { ReturnedSignature } from '../psbt/types.js';
import type { Vault } from '../vault/types.js';
import type { LedgerModel } from './models.js';

/** Bytes out, bytes in: the one thing that hid, speculos, replay and record have in common. One exchange at a time. */
export interface ApduChannel {
  /** What a person is told it is: "Nano S on USB", "replay of FILE". */
  readonly name: string;
  /** Only on a recording: SHA-256 of the one PSBT that it can sign, null where it signs none. */
  readonly recordedPsbt?: Hex | null;
  /**
   * Which model it is, as the device or its recording tells, never as a person says; null where nothing tells. Asked for
   * before the first exchange or between two of them; absent where the channel cannot know.
   */
  model?(): Promise<LedgerModel | null>;
  /** The response with its two status bytes. Rejects only with a ChannelError. */
  exchange(apdu: Uint8Array): Promise<Uint8Array>;
  close(): Promise<Result<void, Fault>>;
}

/** A failure of the channel itself, as opposed to a status word; carried through hw-transport by its `fault`. */
export class ChannelError extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
    this.name = 'ChannelError';
  }
}

/** BOLOS "get app and version" (b0 01 00 00). */
export interface AppInfo {
  readonly name: string;
  readonly version: string;
}

/** A device that has shown itself to be the vault's: right app, network, fingerprint and account key. */
export interface IdentifiedDevice {
  readonly app: AppInfo;
  /** Null where the channel does not tell it. */
  readonly model: LedgerModel | null;
  readonly fingerprint: Hex;
}

/**
 * A wallet policy that a device has registered, as the device's answer and the journal have it. The HMAC proves to that
 * device, and to no other, that a person approved the policy on its screen: without it the device signs for no multisig.
 */
export interface Registration {
  /** Master key fingerprint of the device. */
  readonly fingerprint: Hex;
  readonly name: string;
  /** The policy's id: SHA-256 of its serialisation. */
  readonly policy: Hex;
  /** 32 bytes. */
  readonly hmac: Hex;
}

/** Whether somebody is there who can do something about a device: connect it, unlock it, open its app. */
export interface Presence {
  /** Seconds to wait for that; null for as long as it takes, 0 for not at all. */
  readonly patience: number | null;
  /** Whether the device may be asked to open its app, which a person confirms on it. */
  readonly openApp: boolean;
  /** A line for that person. */
  readonly notice: (line: string) => void;
}

export type SigningPhase = 'loading' | 'reviewing' | 'signing';

export interface SigningProgress {
  readonly phase: SigningPhase;
  /** Exchanges done, of the number that the size of the transaction lets expect. */
  readonly exchanges: number;
  readonly expected: number;
  readonly signatures: number;
  /** The output that is under review, as the device counts them: from 1, without change. Null outside of the review. */
  readonly output: { readonly number: number; readonly of: number } | null;
}

/** How a signing attempt ended without signatures: the journal decides by `maySign` whether budget can be given back. */
export interface SigningFailure {
  readonly fault: Fault;
  /** False only where the device cannot have made a signature: nothing was sent, or it refused before the first yield. */
  readonly maySign: boolean;
  /** What the device gave before it failed, unproven; absent where that is nothing. */
  readonly signatures?: readonly ReturnedSignature[];
}

export interface Signer {
  /** As the channel tells it: without an exchange. */
  model(): Promise<LedgerModel | null>;
  appInfo(): Promise<Result<AppInfo, Fault>>;
  fingerprint(): Promise<Result<Hex, Fault>>;
  /** The account key at a BIP32 path, serialised for the network; `display` shows it on the device first. */
  xpub(path: string, display: boolean): Promise<Result<string, Fault>>;
  /**
   * Has the person at the device approve the vault's wallet policy. The answer's id is the one computed here.
   * E_DEVICE_UNSUPPORTED, E_DEVICE_MISMATCH (the device gave another id), and those of the channel.
   */
  register(vault: Vault): Promise<Result<Pick<Registration, 'name' | 'policy' | 'hmac'>, Fault>>;
  /**
   * Shows an address of the vault on the device and returns what the device computed; asked `silently`, it only computes.
   * A multisig vault needs the registration: E_DEVICE_UNREGISTERED where it is absent or not of this vault.
   */
  address(
    vault: Vault,
    branch: 0 | 1,
    index: number,
    registration?: Registration | null,
    how?: 'shown' | 'silently',
  ): Promise<Result<string, Fault>>;
  /** A multisig vault needs the registration, as `address` does. */
  sign(
    psbt: Uint8Array,
    vault: Vault,
    onProgress: (progress: SigningProgress) => void,
    registration?: Registration | null,
  ): Promise<Result<readonly ReturnedSignature[], SigningFailure>>;
  close(): Promise<Result<void, Fault>>;
}

/**
 * One page of the device as the person will read it: its first line, and the lines under it with line breaks between them;
 * `text` is empty on a page of a single line.
 */
export interface Screen {
  readonly title: string;
  readonly text: string;
}

/** What a prediction goes by; null where the channel or the app has not told it. */
export interface SeenDevice {
  readonly model: LedgerModel | null;
  /** Of the app. */
  readonly version: string | null;
}

export type Prediction =
  | {
      readonly kind: 'predicted';
      readonly model: LedgerModel;
      /** Version of the app that the pages were recorded with. */
      readonly recorded: string;
      /** The version that is open; another one than the recorded may differ in details. */
      readonly version: string | null;
      readonly screens: readonly Screen[];
      /** How many of them the person approves with both buttons. */
      readonly approvals: number;
    }
  | { readonly kind: 'unpredicted'; readonly why: string };

export interface DevicePreview {
  readonly prediction: Prediction;
  readonly exchanges: number;
  /** Host and device time without the person, in seconds, from 20 ms an exchange (see docs/device.md). */
  readonly seconds: number;
}
