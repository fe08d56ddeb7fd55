import { AMOUNT_FAULTS } from './faults/amounts.js';
import { APPROVAL_FAULTS } from './faults/approvals.js';
import { CHAIN_FAULTS } from './faults/chain.js';
import { DEVICE_FAULTS } from './faults/device.js';
import { DOCUMENT_FAULTS } from './faults/documents.js';
import { HALT_FAULTS } from './faults/halts.js';
import { JOURNAL_FAULTS } from './faults/journal.js';
import { LIFECYCLE_FAULTS } from './faults/lifecycle.js';
import { PLAN_FAULTS } from './faults/plan.js';
import { PROOF_FAULTS } from './faults/proofs.js';
import { PSBT_FAULTS } from './faults/psbt.js';
import { SCREENING_FAULTS } from './faults/screening.js';
import { SIGNER_FAULTS } from './faults/signer.js';
import { VAULT_FAULTS } from './faults/vault.js';
import { WORKFLOW_FAULTS } from './faults/workflow.js';
import { err, type Result } from './result.js';

/** Every tag of an expected failure, with its exit code. Append-only: a published tag keeps its meaning. */
export const FAULTS = {
  ...AMOUNT_FAULTS,
  ...DOCUMENT_FAULTS,
  ...VAULT_FAULTS,
  ...PLAN_FAULTS,
  ...PSBT_FAULTS,
  ...APPROVAL_FAULTS,
  ...LIFECYCLE_FAULTS,
  ...JOURNAL_FAULTS,
  ...DEVICE_FAULTS,
  ...WORKFLOW_FAULTS,
  ...CHAIN_FAULTS,
  ...SCREENING_FAULTS,
  ...HALT_FAULTS,
  ...SIGNER_FAULTS,
  ...PROOF_FAULTS,
} as const;

export type FaultTag = keyof typeof FAULTS;

/** A place in an input: a file (as the user named it), and lines and columns that count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** An expected failure. It says what is wrong, where, and what the reader can do about it. */
export interface Fault {
  readonly tag: FaultTag;
  readonly message: string;
  readonly remedy?: string;
  readonly where?: SourcePosition;
}

export interface FaultMore {
  readonly remedy?: string | undefined;
  readonly where?: SourcePosition | undefined;
}

export function fault(tag: FaultTag, message: string, more: FaultMore = {}): Fault {
  return {
    tag,
    message,
    ...(more.remedy === undefined ? {} : { remedy: more.remedy }),
    ...(more.where === undefined ? {} : { where: more.where }),
  };
}

/** A failed result with a fault made in place. */
export function fail(tag: FaultTag, message: string, more: FaultMore = {}): Result<never, Fault> {
  return err(fault(tag, message, more));
}

/** The same fault, placed: for a reader that knows the file and line of the value that another function refused. */
export function at(where: SourcePosition, error: Fault): Fault {
  return error.where === undefined ? { ...error, where } : error;
}

export function formatPosition(where: SourcePosition): string {
  const line = where.line === undefined ? '' : `:${where.line}`;
  const column = where.line === undefined || where.column === undefined ? '' : `:${where.column}`;
  return `${where.file}${line}${column}`;
}
