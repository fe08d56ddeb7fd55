import type { Hex } from '../domain/bytes.js';
import { canonicalJson } from '../domain/canonical-json.js';
import type { Fault } from '../domain/fault.js';
import type { Result } from '../domain/result.js';
import { compareStatement, type StatementJson } from './compare-statement.js';

/** The SSHSIG namespace of what a person says against a batch. */
export const OBJECTION_NAMESPACE = 'countersign-object@v1';

const SCHEMA = 'countersign.objection/1';

interface Common {
  readonly network: string;
  readonly vault: string;
  readonly batch: string;
  /** SHA-256 of the PSBT. */
  readonly psbt: Hex;
  /** The entry that planned the batch. */
  readonly journal: { readonly seq: number; readonly hash: Hex };
  readonly person: string;
}

export type ObjectionFields =
  | (Common & { readonly action: 'reject'; readonly reason: string })
  /** `approval` is the SHA-256 of the statement of the approval that is taken back. */
  | (Common & { readonly action: 'withdraw'; readonly approval: Hex });

/** The text that is signed: canonical JSON (RFC 8785) of schema countersign.objection/1, without a line end. */
export function objectionStatement(fields: ObjectionFields): string {
  return canonicalJson(statementJson(fields));
}

function statementJson(fields: ObjectionFields): StatementJson {
  const { action, network, vault, batch, psbt, journal, person } = fields;
  return {
    schema: SCHEMA,
    action,
    network,
    vault,
    batch,
    psbt_sha256: psbt,
    journal: { seq: journal.seq, hash: journal.hash },
    person,
    ...(fields.action === 'reject' ? { reason: fields.reason } : { approval: fields.approval }),
  };
}

/** Whether a statement is, byte for byte, the one that these fields make. E_OBJECTION_BINDING names what differs. */
export function checkObjection(statement: Uint8Array, expected: ObjectionFields): Result<void, Fault> {
  return compareStatement(statement, statementJson(expected), 'E_OBJECTION_BINDING');
}
