import type { Hex } from '../domain/bytes.js';
import { canonicalJson } from '../domain/canonical-json.js';
import type { Fault } from '../domain/fault.js';
import type { Result } from '../domain/result.js';
import { compareStatement, type StatementJson } from './compare-statement.js';

/** The SSHSIG namespace of halts: neither an approval nor anything else that a person signed raises or ends one. */
export const HALT_NAMESPACE = 'countersign-halt@v1';

const SCHEMA = 'countersign.halt/1';

interface Place {
  readonly seq: number;
  readonly hash: Hex;
}

/** Of which journal a statement is: it stops nothing anywhere else. */
interface Home {
  readonly network: string;
  readonly vault: string | null;
  /** Hash of the journal's first entry. */
  readonly journal: Hex;
}

/** One person's word for a halt. It may be signed beforehand and kept: it has its effect once, whenever it is brought. */
export interface RaiseFields extends Home {
  readonly action: 'raise';
  readonly scope: string;
  readonly reason: string;
  readonly person: string;
  /** When it was written, UTC; nothing is measured from it. */
  readonly at: string;
}

/** One person's word for the end of one halt, under one policy, in the knowledge of every halt up to the newest. */
export interface ResumeFields extends Home {
  readonly action: 'resume';
  readonly halt: Place;
  /** The newest halt that is somebody's word or the program's; null where there was none ("none" in the statement). */
  readonly newest: Place | null;
  readonly scope: string;
  readonly policy: string;
  readonly person: string;
  readonly validUntil: string;
}

export type HaltFields = RaiseFields | ResumeFields;

/** The text that is signed: canonical JSON (RFC 8785) of schema countersign.halt/1, without a line end. */
export function haltStatement(fields: HaltFields): string {
  return canonicalJson(statementJson(fields));
}

function statementJson(fields: HaltFields): StatementJson {
  const { action, network, vault, journal, scope, person } = fields;
  const common = { schema: SCHEMA, action, network, vault: vault ?? 'none', journal, scope, person };
  if (fields.action === 'raise') return { ...common, reason: fields.reason, at: fields.at };
  const { halt, newest, policy, validUntil } = fields;
  return {
    ...common,
    halt: { seq: halt.seq, hash: halt.hash },
    newest_halt: newest === null ? 'none' : { seq: newest.seq, hash: newest.hash },
    policy,
    valid_until: validUntil,
  };
}

/** Whether a statement is, byte for byte, the one that these fields make. E_HALT_BINDING names the first that differs. */
export function checkHaltStatement(statement: Uint8Array, expected: HaltFields): Result<void, Fault> {
  return compareStatement(statement, statementJson(expected), 'E_HALT_BINDING');
}
