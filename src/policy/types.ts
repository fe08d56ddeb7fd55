import type { BatchKind } from '../domain/batch-kind.js';
import type { Hex } from '../domain/bytes.js';
import type { OwnOrigin } from '../domain/coin.js';
import type { SourcePosition } from '../domain/fault.js';
import type { FeeRate } from '../domain/feerate.js';
import type { HaltScope } from '../domain/halt-scope.js';
import type { Network } from '../domain/network.js';
import type { Outpoint } from '../domain/outpoint.js';
import type { WithdrawalRequest } from '../domain/request.js';
import type { Sats } from '../domain/sats.js';
import type { PayableKind, ScriptKind } from '../domain/script.js';
import type { UnixSeconds } from '../domain/time.js';
import type { CoinSources } from '../psbt/sources.js';
import type { PrevoutProof } from '../psbt/types.js';
import type { OwnProof, Vault } from '../vault/types.js';
import type { Counterparties, DestinationAge } from './book-types.js';

export type {
  BookEntry,
  Counterparties,
  CounterpartyAge,
  DestinationAge,
  LoadedBook,
} from './book-types.js';

// ---------------------------------------------------------------- the document (countersign.policy/1)

/** A cap in sats; 0 lets nothing through. `null` stands for the word "unlimited", which lint flags. */
export type Cap = Sats | null;

/** "from" of a quorum: role names. */
export interface Quorum {
  readonly from: readonly string[];
  readonly m: number;
  readonly include?: string;
}

export interface ApprovalTier extends Quorum {
  /** Inclusive upper bound of max(batch, rolling 24 h) for which this tier suffices. */
  readonly upTo: Cap;
  readonly touchRequired: boolean;
}

export interface DenialLimit {
  readonly count: number;
  readonly within: number;
}

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

export interface PolicyDocument {
  readonly schema: 'countersign.policy/1';
  readonly engine: string;
  readonly wallet: {
    readonly id: string;
    readonly network: Network;
    readonly descriptor: string;
    readonly device: { readonly kinds: readonly string[]; readonly app: string; readonly minAppVersion: string };
  };
  readonly version: number;
  readonly prev: string | null;
  readonly effectiveAt: UnixSeconds;
  readonly expiresAt: UnixSeconds;
  /** Role to person to OpenSSH public key lines. People count, not keys. */
  readonly roles: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  readonly changeControl: { readonly sign: Quorum; readonly looseningNotice: number };
  readonly destinations: {
    readonly default: 'deny';
    readonly cooldown: number;
    readonly young: { readonly untilAge: number; readonly each24h: Cap; readonly all24h: Cap };
    readonly bookSign: Quorum;
    /** Absent means none. */
    readonly proof?: 'none' | 'required';
    readonly scriptTypes: readonly PayableKind[];
    readonly defaultCap24h: Cap;
    readonly caps24h: ReadonlyMap<string, Cap>;
  };
  readonly limits: {
    readonly batch: Cap;
    readonly output: Cap;
    readonly rolling: { readonly '1h': Cap; readonly '24h': Cap; readonly '7d': Cap };
    /** Blocks to cap. */
    readonly rollingBlocks: ReadonlyMap<number, Cap>;
    readonly signedUnconfirmed: Cap;
    readonly batches24h: number;
    readonly outputsPerBatch: number;
    readonly reserveFloor: Sats;
    /** All that ever leaves; absent, or null, for no such limit. */
    readonly lifetime?: Cap;
  };
  readonly fees: {
    readonly maxRate: FeeRate;
    readonly minRate: FeeRate;
    readonly maxAbs: Cap;
    readonly maxBpOfExternal: number;
    readonly bpAppliesAbove: Sats;
    readonly max24h: Cap;
  };
  readonly approvals: {
    readonly tierBasis: 'max_of_batch_and_rolling_24h';
    readonly initiatorMayApprove: false;
    readonly validFor: number;
    readonly tiers: readonly ApprovalTier[];
    /** What a payment that repeats one of the last 24 hours brings; absent for a warning alone. */
    readonly duplicateGuard?: 'warn' | 'approve';
  };
  readonly inputs: {
    readonly prevtx: 'required_before_taproot';
    readonly minConfirmations: number;
    readonly minValue: Sats;
    readonly foreign: 'deny';
    readonly forcedReuse: 'quarantine';
    readonly max: number;
  };
  readonly change: { readonly maxOutputs: number; readonly branch: 1; readonly maxGap: number; readonly reuse: 'deny' };
  readonly transaction: {
    readonly sighash: 'all';
    readonly locktime: 'height_up_to_tip';
    readonly versions: readonly number[];
    readonly opReturn: 'deny';
    readonly selfReceive: 'deny';
    /** Whether all that is asked for one script may stand as one output of the sum; absent for no. */
    readonly mergeOutputs?: boolean;
  };
  readonly hours: {
    readonly days: readonly Weekday[];
    /** Seconds since midnight UTC; open at `from`, closed from `to` on. */
    readonly from: number;
    readonly to: number;
    /** YYYY-MM-DD. */
    readonly closedDates: readonly string[];
  };
  readonly screening: {
    readonly lists: readonly {
      readonly id: string;
      readonly pinnedBy: string;
      readonly maxAge: number;
      readonly maxShrinkBp: number;
    }[];
    readonly onHit: 'deny';
    readonly inputsHops: number;
  };
  readonly clock: { readonly maxBack: number; readonly maxAheadOfMtp: number; readonly chainSnapshotMaxAge: number };
  readonly halt: {
    readonly raise: Quorum;
    readonly resume: Quorum & { readonly notBefore: number };
    readonly auto: readonly string[];
    /** So many denials within so many seconds halt everything; left out, no number of them does. */
    readonly denials?: DenialLimit;
  };
  readonly log: {
    readonly origin: string;
    readonly witnesses: { readonly m: number; readonly keys: readonly string[] };
  };
}

/** A document with what is needed to speak of it: its digest and the line of every field ("limits.rolling.24h"). */
export interface LoadedPolicy {
  readonly document: PolicyDocument;
  /** "sha256:" and the hash of the RFC 8785 form of the parsed document, so comments may change and meaning may not. */
  readonly digest: string;
  readonly file: string;
  where(field: string): SourcePosition;
}

// ---------------------------------------------------------------- facts, decoded from the PSBT's bytes

export interface InputFact {
  readonly index: number;
  readonly outpoint: Outpoint;
  readonly sequence: number;
  readonly value: Sats;
  readonly script: Uint8Array;
  readonly proof: PrevoutProof;
  readonly sighashType: number | null;
  readonly presigned: boolean;
  /** Names of fields that countersign never writes. */
  readonly foreignFields: readonly string[];
  /** Where in the vault it is derived; null for somebody else's coin. */
  readonly origin: OwnOrigin | null;
  /** From the coin snapshot; null where the snapshot does not hold the coin. */
  readonly coin: {
    readonly confirmations: number;
    readonly coinbase: boolean;
    readonly value: Sats;
    /** Other coins of the snapshot on the same script that this PSBT leaves behind. */
    readonly leftOnScript: number;
    /** Change of the batch whose child this is: the journal proves it, whether the snapshot has it or not. */
    readonly isParentChange?: true;
  } | null;
  readonly frozen: string | null;
  /** Where the coin comes from, as the coin snapshot tells; null where nobody looked, or the snapshot has no such coin. */
  readonly sources: CoinSources | null;
}

export interface OutputFact {
  readonly index: number;
  readonly value: Sats;
  readonly script: Uint8Array;
  readonly kind: ScriptKind;
  readonly address: string | null;
  readonly own: OwnProof;
  /** Own, on the change branch, within the gap: the only outputs that do not count as spent. */
  readonly isChange: boolean;
}

export interface Facts {
  readonly psbtSha256: Hex;
  /** The wallet that inputs and change were proven against; the policy must name the same one. */
  readonly vault: Pick<Vault, 'id' | 'network' | 'descriptor'>;
  readonly version: number;
  readonly locktime: number;
  readonly malformed: string | null;
  readonly inputs: readonly InputFact[];
  readonly outputs: readonly OutputFact[];
  /** Inputs minus outputs; negative where a PSBT lies. */
  readonly fee: Sats;
  /** Value of the outputs that are not proven change. */
  readonly external: Sats;
  /** Own inputs minus own proven change: external and fee, as long as there is no foreign input. */
  readonly spend: Sats;
  /** Estimated virtual size of the signed transaction, in vB. */
  readonly vsize: bigint;
}

// ---------------------------------------------------------------- what the journal and the chain say

/** An earlier batch that holds budget. */
export interface SpendRecord {
  readonly batch: string;
  readonly spend: Sats;
  readonly fee: Sats;
  /** External outputs only. */
  readonly outputs: readonly { readonly script: Hex; readonly amount: Sats }[];
  /** What was asked for, where the payee bore its share of the fee and its output is less by that; absent where none did. */
  readonly asked?: readonly { readonly script: Hex; readonly amount: Sats }[];
  readonly inputs: readonly string[];
  /** When the budget was debited; counts as now while unconfirmed. */
  readonly reservedAt: UnixSeconds;
  /** From 6 confirmations on: time and height of the confirmation. */
  readonly confirmed: { readonly at: UnixSeconds; readonly height: number } | null;
}

/** A person whose signature over this batch's statement verified. */
export interface Approval {
  readonly person: string;
  readonly at: UnixSeconds;
  readonly validUntil: UnixSeconds;
  /** A FIDO2 key that attests user presence. */
  readonly touch: boolean;
}

/** A halt that stands. */
export interface Halt {
  readonly id: string;
  readonly scope: HaltScope;
  /** Of a halted destination: the script that it had when it was halted; null for one by a descriptor. */
  readonly script: Hex | null;
  /** Of a halted destination: the ids under which the book has it now. */
  readonly names: readonly string[];
  readonly since: UnixSeconds;
  readonly reason: string;
  readonly source: 'person' | 'unverified' | 'automatic';
}

/** One person's word against this batch. */
export interface Objection {
  readonly kind: 'rejected' | 'withdrawn';
  readonly person: string;
  readonly at: UnixSeconds;
}

export interface PolicyState {
  readonly spends: readonly SpendRecord[];
  /** By script, in hex. Of a descriptor those of its scripts that a verdict can ask for. */
  readonly destinations: ReadonlyMap<Hex, DestinationAge>;
  readonly counterparties: Counterparties;
  /** Confirmed coins that no earlier batch holding budget spends; this batch's own inputs are still among them. */
  readonly confirmedBalance: Sats;
  readonly tip: { readonly height: number; readonly medianTimePast: UnixSeconds };
  /** When the coin snapshot was taken in. */
  readonly snapshotAt: UnixSeconds;
  /** Time of the newest journal entry: a clock behind it was set back. */
  readonly lastEntryAt: UnixSeconds;
  /** Own change scripts that have been used before (hex). */
  readonly usedChange: ReadonlySet<Hex>;
  /** Highest index known to be used on the change branch, -1 if none: the gap counts from it. */
  readonly lastUsedChange: number;
  readonly initiator: string;
  readonly approvals: readonly Approval[];
  /** Request ids that another batch holds with other content, or that this batch repeats. */
  readonly reusedRequests: readonly string[];
  /** All that stand, whether they concern this batch or not. */
  readonly halts: readonly Halt[];
  readonly objections: readonly Objection[];
  /** The screening lists in force, by their ids; only those that the policy names are asked. */
  readonly screening: ReadonlyMap<string, ScreeningState>;
}

/** A screening list in force, and what is known of how it came in. */
export interface ScreeningState {
  readonly issuedAt: UnixSeconds;
  /** From then on it says nothing any more; null where it does not say so itself. */
  readonly expiresAt: UnixSeconds | null;
  /** The person who signed for it. */
  readonly pinnedBy: string;
  /** In hex. */
  readonly scripts: ReadonlySet<Hex>;
  /** The list that it took the place of: how many scripts that had, and how many of them this one lacks. */
  readonly before: { readonly scripts: number; readonly removed: number } | null;
  /** Scripts of the vault that it holds (hex), besides those that a batch shows. */
  readonly own: readonly Hex[];
}

export interface EvaluationInput {
  readonly policy: LoadedPolicy;
  /** What the batch was planned as, and is approved as. */
  readonly kind: BatchKind;
  readonly facts: Facts;
  readonly requests: readonly WithdrawalRequest[];
  readonly state: PolicyState;
  readonly now: UnixSeconds;
}

// ---------------------------------------------------------------- the verdict

export type Decision = 'ALLOW' | 'NEED' | 'DENY';

/** What one rule found. Every rule reports, also when it is content: an auditor sees that it was asked. */
export interface Finding {
  /** Stable, append-only: LIMIT_24H, YOUNG_AGGREGATE, ... */
  readonly code: string;
  /** The rule that speaks: "limits.rolling.24h". */
  readonly rule: string;
  readonly outcome: 'pass' | 'warn' | 'need' | 'deny';
  /** What it is about, where a rule speaks several times: a book id, "output 3", "input 0". */
  readonly subject?: string;
  /** In the unit of the limit; sats as decimal digits. */
  readonly measured?: string;
  readonly limit?: string;
  /**
   * What may still be added; never negative. A pass counts this batch in and says what is left after it; a denial leaves
   * it out and says what a batch in its place may take.
   */
  readonly headroom?: string;
  readonly unit?: 'sat' | 'sat/vB' | 'vB' | 'bp' | 'count' | 's' | 'people';
  /** When the rule would let this batch pass if nothing else happens (ISO 8601), where time alone can cure it. */
  readonly freesAt?: string;
  readonly where: SourcePosition;
  /** One sentence, complete in itself. */
  readonly text: string;
  /** Who can change it, or what to do. */
  readonly remedy?: string;
}

export interface Verdict {
  readonly decision: Decision;
  /** Sorted by outcome, code, subject: independent of the order of rules, outputs and approvals. */
  readonly findings: readonly Finding[];
  readonly psbtSha256: Hex;
  readonly policy: string;
  readonly spend: Sats;
  readonly fee: Sats;
  readonly evaluatedAt: UnixSeconds;
  readonly quorum: {
    readonly tier: ApprovalTier;
    readonly basis: Sats;
    readonly approved: readonly string[];
    readonly missing: number;
  } | null;
}
