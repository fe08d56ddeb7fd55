import type { BatchKind } from '../../domain/batch-kind.js';
import type { OwnOrigin } from '../../domain/coin.js';
import type { Fault, SourcePosition } from '../../domain/fault.js';
import type { HaltScope } from '../../domain/halt-scope.js';
import type { Network } from '../../domain/network.js';
import type { Path } from '../../domain/path.js';
import type { WithdrawalRequest } from '../../domain/request.js';
import type { Result } from '../../domain/result.js';
import type { Sats } from '../../domain/sats.js';
import type { SourceNode } from '../../domain/source-tree.js';
import type { UnixSeconds } from '../../domain/time.js';
import type { PrevoutProof } from '../../psbt/types.js';
import type { Decision, EvaluationInput, Halt, Verdict } from '../types.js';
import type { Moment } from './moment.js';

// ---------------------------------------------------------------- a file of cases

/** A verdict that a case expects, or that its documents are refused before any rule is asked. */
export type Expectation =
  | {
      readonly kind: 'verdict';
      readonly decision: Decision;
      /** All codes that deny or need. */
      readonly codes: readonly string[];
      /** All codes that warn; null where the case does not say. */
      readonly warns: readonly string[] | null;
      readonly findings: readonly ExpectedFinding[];
    }
  | { readonly kind: 'refused'; readonly faults: readonly string[] };

/** What one finding must say; fields that are absent are not looked at. */
export interface ExpectedFinding {
  readonly code: string;
  readonly subject?: string;
  readonly outcome?: string;
  readonly measured?: string;
  readonly limit?: string;
  readonly headroom?: string;
  readonly freesAt?: string;
}

/** A case whose frame was read: its content is read once the policy is at hand, which says the network. */
export interface Case {
  readonly name: string;
  readonly file: string;
  readonly where: SourcePosition;
  /** As the case file writes it; null where the command line says which policy. */
  readonly policy: string | null;
  /** Fields of the policy to put others in the place of. */
  readonly changes: ReadonlyMap<string, SourceNode>;
  readonly expect: Expectation | null;
  /** Everything else, with the defaults of the file laid under. */
  readonly content: SourceNode;
}

// ---------------------------------------------------------------- the content of a case

/** A place of the vault, an id of the book, an id of a descriptor and an index (okx/5), an address, or script:HEX. */
export interface Target {
  readonly text: string;
  readonly where: SourcePosition;
}

export interface Payment {
  readonly to: Target;
  readonly amount: Sats;
  /** What the request says of the address; of a target "okx/5" destination okx and index 5 unless it is said. */
  readonly destination?: string;
  readonly index?: number;
}

/** An entry of the book of a case. */
export type CaseBookEntry = { readonly since?: Moment; readonly proven?: boolean } & (
  | { readonly to: Target }
  | { readonly descriptor: Target; readonly maxIndex?: number }
);

export interface CaseInput {
  readonly coin?: string;
  readonly value?: Sats;
  readonly at?: OwnOrigin;
  /** Somebody else's script. */
  readonly of?: Target;
  readonly confirmations?: number;
  readonly coinbase?: boolean;
  readonly proof?: PrevoutProof;
  readonly frozen?: string;
  readonly inSnapshot?: boolean;
  readonly snapshotValue?: Sats;
  readonly othersOnScript?: number;
  readonly sighash?: number;
  readonly sequence?: number;
  readonly presigned?: boolean;
  readonly foreignFields?: readonly string[];
  /** Scripts that the coin comes from, and how many more of them nothing tells. */
  readonly from?: readonly Target[];
  readonly untold?: number;
}

export interface CaseOutput extends Payment {
  /** A path that the output claims with a key of the vault: "1/42" below the account, or a whole one. */
  readonly claims?: { readonly path: Path; readonly origin: OwnOrigin | null };
}

export interface CaseChange {
  readonly amount: Sats;
  readonly at?: OwnOrigin;
  readonly claimed?: boolean;
}

export interface CaseSpend {
  readonly batch?: string;
  readonly spend: Sats;
  readonly fee?: Sats;
  readonly pays?: readonly Payment[];
  readonly confirmed?: Moment;
  readonly reserved?: Moment;
  readonly height?: number;
  readonly inputs?: readonly string[];
  /** How many alike; 1 unless given. */
  readonly times?: number;
}

export interface CaseHalt {
  readonly scope?: HaltScope;
  readonly since?: Moment;
  readonly reason?: string;
  readonly source?: Halt['source'];
}

export interface CaseApproval {
  readonly person: string;
  readonly at?: Moment;
  readonly until?: Moment;
  readonly touch?: boolean;
}

/** A screening list: its entries, or its very text. */
export interface CaseScreening {
  readonly entries?: readonly Target[];
  readonly text?: string;
  readonly issued?: Moment;
  readonly expires?: Moment;
  readonly pinnedBy?: string;
  /** How many scripts the list before had, and how many of them are gone. */
  readonly before?: number;
  readonly removed?: number;
  /** Places of the vault that it holds, besides those that the batch shows. */
  readonly own?: readonly OwnOrigin[];
}

export interface CaseRequest extends Payment {
  readonly id?: string;
  readonly feePayer?: 'vault' | 'payee';
}

export type CaseRequests =
  | { readonly kind: 'list'; readonly list: readonly CaseRequest[] }
  | { readonly kind: 'text'; readonly format: 'csv' | 'json'; readonly text: string };

export interface CaseContent {
  readonly now: UnixSeconds;
  readonly kind?: BatchKind;
  readonly book?: ReadonlyMap<string, CaseBookEntry>;
  readonly pay?: readonly Payment[];
  readonly requests?: CaseRequests;
  readonly outputs?: readonly CaseOutput[];
  readonly change?: readonly CaseChange[];
  readonly inputs?: readonly CaseInput[];
  readonly fee?: Sats;
  readonly vsize?: number;
  readonly version?: number;
  readonly locktime?: number;
  readonly malformed?: string;
  readonly psbt?: string;
  readonly vault?: { readonly id?: string; readonly network?: Network; readonly descriptor?: string };
  readonly balance?: Sats;
  readonly tip?: number;
  readonly mtp?: Moment;
  readonly snapshot?: Moment;
  readonly lastEntry?: Moment;
  readonly lastChange?: number;
  readonly usedChange?: readonly number[];
  readonly initiator?: string;
  readonly approvals?: readonly CaseApproval[];
  readonly earlier?: readonly CaseSpend[];
  readonly reusedRequests?: readonly string[];
  readonly screening?: ReadonlyMap<string, CaseScreening>;
  readonly halts?: readonly CaseHalt[];
  readonly rejected?: readonly string[];
  readonly withdrawn?: readonly string[];
}

/** Readers of formats, which this room leaves to others. */
export interface CaseReaders {
  requests(
    text: string,
    format: 'csv' | 'json',
    file: string,
    network: Network,
  ): Result<readonly WithdrawalRequest[], readonly Fault[]>;
  psbt(text: string, file: string): Result<Uint8Array, Fault>;
}

// ---------------------------------------------------------------- what came of it

export interface CaseOutcome {
  readonly case: Case;
  /** Null where documents were refused. */
  readonly judged: { readonly input: EvaluationInput; readonly verdict: Verdict } | null;
  readonly refused: readonly Fault[];
  /** "DENY LIMIT_24H WARN LOOKALIKE", "REFUSED E_AMOUNT_SYNTAX". */
  readonly summary: string;
  /** What differs from the expectation, in whole sentences; empty where the case holds. */
  readonly problems: readonly string[];
}
