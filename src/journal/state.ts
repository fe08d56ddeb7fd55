import type { BatchKind } from '../domain/batch-kind.js';
import type { Hex } from '../domain/bytes.js';
import type { ChainTip } from '../domain/coin.js';
import type { Fault } from '../domain/fault.js';
import type { HaltScope } from '../domain/halt-scope.js';
import type { Result } from '../domain/result.js';
import type { Sats } from '../domain/sats.js';
import type { UnixSeconds } from '../domain/time.js';
import type { Entry, PayableRecord, RequestRecord } from './entries.js';
import type { Ground } from './ground.js';

/**
 * DRAFT: planned, nothing debited. RESERVED: debited, no APDU that could sign was sent. SENT: such an APDU may have been
 * sent. PARTIAL: cosigners of a multisig vault have signed, or may have on other machines; further ones may be asked.
 * SIGNED: all signatures exist. UNKNOWN: they may. BROADCAST: a back end took the transaction. CONFIRMED: buried on the
 * chain. REPLACED and CONFLICTED: a coin of it was spent by another batch, or by a foreign transaction, and that is buried.
 * ABANDONED and RELEASED batches hold no budget; in every state between RESERVED and them it stays debited, however few
 * signatures there are, until the chain has settled it.
 */
export type BatchState =
  | 'DRAFT'
  | 'RESERVED'
  | 'SENT'
  | 'PARTIAL'
  | 'UNKNOWN'
  | 'SIGNED'
  | 'BROADCAST'
  | 'CONFIRMED'
  | 'REPLACED'
  | 'CONFLICTED'
  | 'RELEASED'
  | 'ABANDONED';

/** What one cosigner has signed of a batch: `part` names the PSBT with those signatures. */
export interface PartRecord {
  /** Master key fingerprint. */
  readonly signer: Hex;
  readonly part: Hex;
  readonly at: UnixSeconds;
  readonly source: 'device' | 'file';
}

export interface ApprovalRecord {
  readonly person: string;
  readonly statement: Hex;
  readonly signature: string;
  readonly at: UnixSeconds;
  readonly validUntil: UnixSeconds;
}

/** What took a coin of a batch for good, as far as the chain was known. */
export interface SettledRecord {
  readonly at: UnixSeconds;
  /** The state that it was in, and falls back to should the chain be reorganised. */
  readonly from: BatchState;
  /** In REPLACED the id of the batch, in CONFLICTED the txid of the foreign transaction. */
  readonly by: string;
  /** The coin that the foreign transaction spends, and the height of its block; null in REPLACED. */
  readonly spent: { readonly outpoint: string; readonly height: number } | null;
}

/** What one person said against a batch. It is denied from then on, for good. */
export interface ObjectionRecord {
  readonly kind: 'rejected' | 'withdrawn';
  readonly person: string;
  readonly at: UnixSeconds;
  /** Of a rejection. */
  readonly reason: string | null;
}

export interface BatchRecord {
  readonly id: string;
  readonly kind: BatchKind;
  readonly state: BatchState;
  readonly plannedAt: UnixSeconds;
  /** Sequence number and hash of the entry that planned it: approvals bind it. */
  readonly plannedSeq: number;
  readonly plannedHash: Hex;
  /** Sequence number of the entry that changed it last: one of its own, or of the batch that took its place. */
  readonly changedSeq: number;
  readonly psbt: Hex;
  readonly plan: Hex;
  readonly requests: readonly RequestRecord[];
  readonly inputs: readonly string[];
  /** `change` is the index on the change branch of an own change output, null for a payment. */
  readonly outputs: readonly { readonly script: Hex; readonly amount: Sats; readonly change: number | null }[];
  readonly spend: Sats;
  readonly fee: Sats;
  readonly initiator: string;
  readonly parts: readonly string[];
  /** The batch in whose place it is to confirm; it spends every coin of that one. */
  readonly replaces: string | null;
  /** That one, and what that one replaced, and so on: the oldest first. Only one of all of them can confirm. */
  readonly lineage: readonly string[];
  /** The newest batch that was planned, or reserved again, in the place of this one. */
  readonly replacedBy: string | null;
  /** Of a child: the batch whose change it spends. */
  readonly childOf: string | null;
  /** Height of the newest block that was known when it was planned; 0 for none. */
  readonly plannedHeight: number;
  /** One a person: an approval that ran out may be renewed, which replaces it. */
  readonly approvals: readonly ApprovalRecord[];
  readonly objections: readonly ObjectionRecord[];
  /** The newest verdict; a reservation rests on it. */
  readonly verdict: {
    readonly at: UnixSeconds;
    readonly seq: number;
    readonly stage: 'plan' | 'sign';
    readonly decision: 'ALLOW' | 'NEED' | 'DENY';
    readonly policy: Hex;
  } | null;
  /** When the budget was debited; null in a DRAFT. */
  readonly reservedAt: UnixSeconds | null;
  readonly signed: {
    readonly at: UnixSeconds;
    readonly txid: Hex;
    readonly signedPsbt: Hex;
    readonly transaction: Hex;
    /** Height of the newest block that was known then: the transaction can only be in a later one. */
    readonly tipHeight: number;
  } | null;
  /** When it was first broadcast; null before. */
  readonly broadcastAt: UnixSeconds | null;
  /** One a cosigner, in the order in which they came. */
  readonly partials: readonly PartRecord[];
  /** From 6 confirmations on, as `confirmationOf` has it: what is said of its block frees nothing early. */
  readonly confirmed: { readonly at: UnixSeconds; readonly height: number } | null;
  /** In REPLACED and CONFLICTED. */
  readonly settled: SettledRecord | null;
  /** Why it was released, unknown or abandoned. */
  readonly reason: string | null;
}

/** A destination of the book. */
export type BookAge = PayableRecord & {
  readonly id: string;
  readonly label: string;
  /** When the journal saw this id with this script or descriptor first, or again after a removal. */
  readonly since: UnixSeconds;
  /** Whether the version in force holds a proof of control for it. */
  readonly proven?: true;
};

export interface PolicyRecord {
  readonly digest: Hex;
  readonly version: number;
  readonly document: Hex;
  readonly effectiveAt: UnixSeconds;
}

/** A wallet policy as a device registered it. */
export interface RegistrationRecord {
  readonly fingerprint: Hex;
  readonly name: string;
  readonly policy: Hex;
  readonly hmac: Hex;
  readonly at: UnixSeconds;
}

/** The screening list of an id that is in force: the one that came in last. */
export interface ScreeningRecord {
  readonly list: string;
  readonly document: Hex;
  readonly set: Hex;
  readonly issuer: string | null;
  readonly issuedAt: UnixSeconds;
  readonly expiresAt: UnixSeconds | null;
  readonly importedAt: UnixSeconds;
  readonly scripts: number;
  readonly unusable: number;
  readonly pinnedBy: string;
  /** How many scripts the list before had, and how many of them are gone; null for the first. */
  readonly before: { readonly scripts: number; readonly removed: number } | null;
  /** Scripts of the vault that were found on it. */
  readonly own: readonly Hex[];
}

/** A halt that stands. */
export interface HaltRecord {
  /** halt-SEQ, by the entry that raised it; statements bind its place. */
  readonly id: string;
  readonly seq: number;
  readonly hash: Hex;
  readonly at: UnixSeconds;
  readonly scope: HaltScope;
  /** Of a halted destination: what the book had for it when it was halted. */
  readonly payable: PayableRecord | null;
  readonly reason: string;
  readonly source:
    | { readonly kind: 'person'; readonly person: string }
    | { readonly kind: 'unverified'; readonly problem: string }
    | { readonly kind: 'automatic'; readonly trigger: string };
  /** Who agreed to its end since the newest halt; one a person. */
  readonly resumes: readonly ApprovalRecord[];
}

/** A verdict that denied: its entry, and the first batch of the plan that was denied as a whole. */
export interface DenialRecord {
  readonly seq: number;
  readonly at: UnixSeconds;
  /** Null at signing, where each denial counts. */
  readonly plan: string | null;
}

/** Everything that the entries say, folded. Rebuilt from nothing by `audit verify`. */
export interface JournalState {
  readonly head: { readonly seq: number; readonly hash: Hex; readonly at: UnixSeconds } | null;
  readonly network: string | null;
  readonly vault: { readonly id: string; readonly network: string; readonly descriptor: string } | null;
  /** In force when the newest entry was written. Ask `policyAt` (policies.ts) for what applies at a later moment. */
  readonly policy: PolicyRecord | null;
  /** The newest version, while it waits for its effectiveAt. */
  readonly pendingPolicy: PolicyRecord | null;
  readonly book: {
    readonly digest: Hex;
    readonly version: number;
    readonly document: Hex;
    readonly entries: ReadonlyMap<string, BookAge>;
  } | null;
  readonly coins: { readonly snapshot: Hex; readonly tip: ChainTip; readonly importedAt: UnixSeconds } | null;
  /** The newest registration of each device, by master key fingerprint. */
  readonly registrations: ReadonlyMap<Hex, RegistrationRecord>;
  /** By list id. */
  readonly screening: ReadonlyMap<string, ScreeningRecord>;
  /** Outpoint to reason. */
  readonly frozen: ReadonlyMap<string, string>;
  readonly batches: ReadonlyMap<string, BatchRecord>;
  /** Sequence number of the newest entry that changed a batch; -1 while there are none. */
  readonly batchesSeq: number;
  /** Request id to the batch that holds it (live or signed) and the digest of the request. */
  readonly requests: ReadonlyMap<string, { readonly batch: string; readonly digest: Hex }>;
  /** Digest of every request that was ever planned, also of abandoned batches: an id never changes what it pays. */
  readonly requestDigests: ReadonlyMap<string, Hex>;
  /** Outpoint to the one batch that holds it. */
  readonly heldCoins: ReadonlyMap<string, string>;
  /** Hash of the first entry: statements that are of no batch bind the journal by it. */
  readonly origin: Hex | null;
  /** Where the journal goes on, once it was moved; null while this is it. */
  readonly movedTo: string | null;
  /** The halts that stand, oldest first. */
  readonly halts: ReadonlyMap<string, HaltRecord>;
  /** What halts were raised upon, ever, to their ids: a statement or a finding stops once (see haltMark). */
  readonly haltMarks: ReadonlyMap<string, string>;
  /** Place of the newest halt that was not unverified, standing or not: who agrees to resume has to know of it. */
  readonly newestHalt: { readonly seq: number; readonly hash: Hex } | null;
  /** The newest denials since the last halt for repeated ones. */
  readonly denials: readonly DenialRecord[];
  /** The entries on which every decision rests: null before the opening, and never afterwards. */
  readonly ground: Ground | null;
}

/** The state after one more entry, or why the entry does not follow from those before it. */
export type Fold = (state: JournalState, entry: Entry) => Result<JournalState, Fault>;
