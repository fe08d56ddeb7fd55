import type { BatchKind } from '../domain/batch-kind.js';
import type { Hex } from '../domain/bytes.js';

/** Amounts in entries are decimal strings of sats; times are ISO 8601 with Z; hashes are lower-case hex. */
type AmountText = string;
type TimeText = string;

export interface RequestRecord {
  readonly id: string;
  readonly address: string;
  readonly script: Hex;
  readonly amount: AmountText;
  /** The payee bears its share of the fee; absent where the vault does, as in entries from before there was a choice. */
  readonly feePayer?: 'payee';
  /** As the request declared them; the digest of a request leaves them out, since the script is what is paid. */
  readonly destination?: string;
  readonly index?: number;
  readonly label?: string;
  readonly reference?: string;
}

export interface OutputRecord {
  readonly script: Hex;
  readonly amount: AmountText;
  /** Index on the vault's change branch, where the output was proven to be own change. */
  readonly change?: number;
}

/** What a destination of the book stands for: one script, or those of a descriptor at the indexes 0 to `maxIndex`. */
export type PayableRecord = { readonly script: Hex } | { readonly descriptor: string; readonly maxIndex: number };

/** One person's word for a document: an armoured SSHSIG over its statement. */
export interface SignatureRecord {
  readonly person: string;
  readonly signature: string;
}

/** The machine that made a coin snapshot: its name in countersign.yaml, and its armoured SSHSIG over the snapshot. */
export interface SnapshotSigner {
  readonly name: string;
  readonly signature: string;
}

/** What happened. One entry is one fact; the states of batches, coins, policy and book are folded from them. */
export type EntryBody =
  | {
      readonly kind: 'journal.opened';
      readonly schema: 'countersign.journal/1';
      readonly network: string;
      readonly nonce: Hex;
    }
  | {
      /** The last entry of a journal that goes on elsewhere: nothing may follow it here. */
      readonly kind: 'journal.moved';
      /** The file as a person named it, or the address, which has no password. */
      readonly to: string;
    }
  | { readonly kind: 'vault.imported'; readonly vault: string; readonly network: string; readonly descriptor: string }
  | {
      readonly kind: 'policy.activated';
      readonly digest: Hex;
      readonly version: number;
      /** SHA-256 of the document's text, kept as a blob. */
      readonly document: Hex;
      /** When it begins to apply, as the document says; where that is later than the entry, it is pending until then. */
      readonly effectiveAt: TimeText;
      /** Digest of the policy whose quorum signed it; absent in the first, which its own people signed. */
      readonly under?: Hex;
      readonly signatures: readonly SignatureRecord[];
    }
  | {
      readonly kind: 'book.changed';
      readonly digest: Hex;
      readonly version: number;
      readonly document: Hex;
      /** Digest of the policy whose quorum signed the book. */
      readonly under: Hex;
      readonly signatures: readonly SignatureRecord[];
      /**
       * A destination's age runs from the entry that added it; changing its script or descriptor, or raising its maxIndex,
       * is a removal and an addition.
       */
      readonly added: readonly (PayableRecord & { readonly id: string; readonly label: string })[];
      readonly removed: readonly (PayableRecord & { readonly id: string })[];
      /** Descriptors whose maxIndex was lowered: they keep their age. Absent where there are none. */
      readonly narrowed?: readonly { readonly id: string; readonly maxIndex: number }[];
      /** Every entry of this version that holds a proof of control. Absent where none does. */
      readonly proven?: readonly string[];
    }
  | {
      readonly kind: 'coins.imported';
      readonly snapshot: Hex;
      readonly height: number;
      readonly hash: Hex;
      readonly medianTimePast: number;
      readonly coins: number;
      readonly total: AmountText;
      /** Coins that were not known before and that no batch made or spends; absent in a first import, and where there are none. */
      readonly deposits?: { readonly coins: number; readonly total: AmountText };
      /** Absent where no key was asked for, and where the coins came from a back end and not from a file. */
      readonly signer?: SnapshotSigner;
    }
  /** A person approved the vault's wallet policy on a device; the device's HMAC proves it to that device alone. */
  | {
      readonly kind: 'device.registered';
      /** Master key fingerprint. */
      readonly fingerprint: Hex;
      /** The name that the device shows the policy under. */
      readonly name: string;
      /** The policy's id (BIP388, as Ledger's Bitcoin app computes it). */
      readonly policy: Hex;
      readonly hmac: Hex;
      readonly app: string;
      readonly version: string;
    }
  | {
      readonly kind: 'screening.imported';
      readonly list: string;
      /** SHA-256 of the list's bytes, kept as a blob: what was signed. */
      readonly document: Hex;
      /** SHA-256 of what was read from them, kept as a blob: the scripts, and the lines that could not be used. */
      readonly set: Hex;
      readonly issuedAt: TimeText;
      readonly expiresAt?: TimeText;
      /** Who issues it, as it says itself. */
      readonly issuer?: string;
      readonly scripts: number;
      /** How many lines of it could not be used. */
      readonly unusable: number;
      /** Digest of the policy whose people sign for it. */
      readonly under: Hex;
      readonly pin: SignatureRecord;
      /** The set of the list that it takes the place of, and how many of its scripts are gone. */
      readonly before?: Hex;
      readonly removed: number;
      /** So many indexes of each branch of the vault were looked up in it, and every coin; what was found, as scripts. */
      readonly searched: number;
      readonly own: readonly Hex[];
    }
  | { readonly kind: 'coin.frozen'; readonly outpoint: string; readonly reason: string; readonly by: string }
  | { readonly kind: 'coin.unfrozen'; readonly outpoint: string; readonly reason: string; readonly by: string }
  | {
      readonly kind: 'batch.planned';
      readonly batch: string;
      /** Absent for a withdrawal, as in entries from before there was anything else. */
      readonly batchKind?: Exclude<BatchKind, 'withdrawal'>;
      /** SHA-256 of the unsigned PSBT, kept as a blob. */
      readonly psbt: Hex;
      /** SHA-256 of the canonical plan (seed, feerate, selection), kept as a blob. */
      readonly plan: Hex;
      readonly requests: readonly RequestRecord[];
      /** Outpoints, TXID:VOUT. */
      readonly inputs: readonly string[];
      /** All outputs in the order of the transaction, proven change marked. */
      readonly outputs: readonly OutputRecord[];
      /** Own inputs minus own proven outputs: what leaves, fee included. */
      readonly spend: AmountText;
      readonly fee: AmountText;
      readonly initiator: string;
      /** Batches that one plan was split into name each other here. */
      readonly parts: readonly string[];
      /** The batch whose coins it takes, all of them, so that only one of the two can confirm. Absent for any other. */
      readonly replaces?: string;
      /** Of a child: the batch whose change it spends. */
      readonly childOf?: string;
    }
  | {
      readonly kind: 'batch.verdict';
      readonly batch: string;
      readonly stage: 'plan' | 'sign';
      readonly psbt: Hex;
      readonly policy: Hex;
      readonly decision: 'ALLOW' | 'NEED' | 'DENY';
      readonly codes: readonly string[];
      /** SHA-256 of the canonical verdict, kept as a blob. */
      readonly verdict: Hex;
    }
  | {
      readonly kind: 'batch.approved';
      readonly batch: string;
      readonly person: string;
      /** SHA-256 of the statement that was signed, kept as a blob. */
      readonly statement: Hex;
      /** Armoured SSHSIG. */
      readonly signature: string;
      readonly validUntil: TimeText;
    }
  | {
      readonly kind: 'batch.reserved';
      readonly batch: string;
      readonly psbt: Hex;
      readonly spend: AmountText;
      readonly fee: AmountText;
      readonly outputs: readonly OutputRecord[];
      readonly approvers: readonly string[];
    }
  /** Written before the first APDU that could lead to a signature; from here on a crash means UNKNOWN. */
  | {
      readonly kind: 'batch.sent';
      readonly batch: string;
      readonly psbt: Hex;
      readonly device: DeviceRecord;
      /** Whose approvals the verdict right before this entry counted. */
      readonly approvers: readonly string[];
    }
  /** The PSBT was handed out, for cosigners on other machines to sign: from here on a crash and a silence look alike. */
  | {
      readonly kind: 'batch.exported';
      readonly batch: string;
      readonly psbt: Hex;
      /** Whose approvals the verdict right before this entry counted. */
      readonly approvers: readonly string[];
    }
  /** One cosigner of a multisig vault has signed every input, and every signature is proven. */
  | {
      readonly kind: 'batch.partial';
      readonly batch: string;
      readonly psbt: Hex;
      /** Master key fingerprint. */
      readonly signer: Hex;
      /** SHA-256 of the PSBT with this cosigner's signatures alone, kept as a blob. */
      readonly part: Hex;
      readonly signatures: number;
      /** From a device that was asked here, or out of a PSBT from another machine. */
      readonly source: 'device' | 'file';
    }
  /** A further device was asked and cannot have signed; what others have signed, or may have, stays spent. */
  | { readonly kind: 'batch.declined'; readonly batch: string; readonly fault: string; readonly reason: string }
  /** The device answered, and no signature can have been made: the reservation is given back. */
  | { readonly kind: 'batch.released'; readonly batch: string; readonly fault: string; readonly reason: string }
  /** A signature may exist outside this journal: the reservation stays spent until reconciled. */
  | { readonly kind: 'batch.unknown'; readonly batch: string; readonly fault: string; readonly reason: string }
  | {
      readonly kind: 'batch.signed';
      readonly batch: string;
      readonly psbt: Hex;
      readonly signedPsbt: Hex;
      readonly transaction: Hex;
      readonly txid: Hex;
      readonly signatures: number;
    }
  /** The chain has buried the transaction (6 confirmations): from here on it counts from `time`, not from now. */
  | {
      readonly kind: 'batch.confirmed';
      readonly batch: string;
      readonly txid: Hex;
      readonly height: number;
      readonly time: TimeText;
    }
  /** At least one back end has taken the transaction, or knew it. */
  | {
      readonly kind: 'batch.broadcast';
      readonly batch: string;
      readonly txid: Hex;
      /** The back ends that took it, by the names that people are told. */
      readonly to: readonly string[];
    }
  /** The block that buried it is no longer of the chain: it counts as now again. */
  | { readonly kind: 'batch.unconfirmed'; readonly batch: string; readonly txid: Hex; readonly reason: string }
  /** Another batch of this journal is confirmed that spends a coin of it: this one can never confirm beside it. */
  | { readonly kind: 'batch.replaced'; readonly batch: string; readonly by: string }
  /** A transaction that is of no batch is buried, and spends a coin of it. */
  | {
      readonly kind: 'batch.conflicted';
      readonly batch: string;
      readonly txid: Hex;
      /** TXID:VOUT: the coin of the batch, or of the batch whose change it spends. */
      readonly outpoint: string;
      readonly height: number;
    }
  /** What stood against it is no longer of the chain: it is again what it was, and counts. */
  | { readonly kind: 'batch.unsettled'; readonly batch: string; readonly reason: string }
  | { readonly kind: 'batch.abandoned'; readonly batch: string; readonly reason: string; readonly by: string }
  /** One person's word against the batch: from here on it is denied, whoever approves. */
  | {
      readonly kind: 'batch.rejected';
      readonly batch: string;
      readonly person: string;
      readonly reason: string;
      /** SHA-256 of the statement that was signed, kept as a blob. */
      readonly statement: Hex;
      readonly signature: string;
    }
  /** The approver takes the approval back, for good: from here on the batch is denied. */
  | {
      readonly kind: 'batch.withdrawn';
      readonly batch: string;
      readonly person: string;
      readonly statement: Hex;
      readonly signature: string;
    }
  | HaltRaised
  /** One person's word for the end of a halt. */
  | {
      readonly kind: 'halt.resume-approved';
      readonly halt: string;
      readonly person: string;
      readonly statement: Hex;
      readonly signature: string;
      readonly validUntil: TimeText;
    }
  | {
      readonly kind: 'halt.resumed';
      readonly halt: string;
      /** Digest of the policy whose quorum and delay were met. */
      readonly policy: Hex;
      /** Whose word it was. */
      readonly approvers: readonly string[];
    };

/** From this entry on nothing within the scope is approved, signed or released. The halt is called halt-SEQ. */
export type HaltRaised = {
  readonly kind: 'halt.raised';
  /** all, destination:ID or initiator:NAME. */
  readonly scope: string;
  readonly reason: string;
} & (
  | {
      readonly source: 'person';
      readonly person: string;
      readonly statement: Hex;
      /** Armoured SSHSIG. */
      readonly signature: string;
    }
  /** It stops all the same. What was brought is kept as it was, as blobs; neither where nothing was. */
  | {
      readonly source: 'unverified';
      /** Why it is nobody's word. */
      readonly problem: string;
      readonly statement?: Hex;
      readonly signature?: Hex;
    }
  | {
      readonly source: 'automatic';
      readonly trigger: string;
      /** SHA-256 of canonical JSON: what was found, kept as a blob. */
      readonly evidence: Hex;
    }
);

export type EntryKind = EntryBody['kind'];

export interface DeviceRecord {
  readonly app: string;
  readonly version: string;
  readonly fingerprint: Hex;
}

/** A recorded fact in its place. `hash` is the RFC 6962 leaf hash of the canonical JSON of the other four fields. */
export interface Entry {
  /** Counts from 0. */
  readonly seq: number;
  readonly at: TimeText;
  /** Hash of the entry before; 64 zeros for the first. */
  readonly prev: Hex;
  readonly body: EntryBody;
  readonly hash: Hex;
}

/** An entry with the canonical text of its body, so that verifying or keeping it need not write that text again. */
export interface WrittenEntry {
  readonly entry: Entry;
  readonly text: string;
}
