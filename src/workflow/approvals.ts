import { whoseKey } from '../approval/people.js';
import { verifySshsig } from '../approval/sshsig.js';
import { APPROVAL_NAMESPACE, checkStatement, type StatementFields } from '../approval/statement.js';
import { toHex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import type { UnixSeconds } from '../domain/time.js';
import type { ApprovalRecord, BatchRecord } from '../journal/state.js';
import type { Approval, Facts, LoadedPolicy } from '../policy/types.js';
import type { DecodedPsbt } from '../psbt/types.js';
import type { Vault } from '../vault/types.js';

/** What a statement binds beside its batch: all of a moment that must not change until the device signs. */
export interface ApprovalScene {
  readonly vault: Vault;
  readonly policy: LoadedPolicy;
  /** Digest of the address book; null where there is none. */
  readonly book: string | null;
  readonly batch: BatchRecord;
  readonly decoded: Pick<DecodedPsbt, 'sha256' | 'unsignedTxid'>;
  readonly facts: Pick<Facts, 'inputs' | 'outputs' | 'spend' | 'fee'>;
}

/** What an approver signs: everything that must not change between the approval and the signature of the device. */
export function statementFields(
  { vault, policy, book, batch, decoded, facts }: ApprovalScene,
  person: string,
  validUntil: UnixSeconds,
): StatementFields {
  return {
    network: vault.network,
    vault: vault.id,
    descriptor: vault.descriptor,
    batch: batch.id,
    kind: batch.kind,
    replaces: batch.replaces,
    childOf: batch.childOf,
    psbt: decoded.sha256,
    txid: decoded.unsignedTxid,
    inputs: facts.inputs.map((input) => ({ outpoint: formatOutpoint(input.outpoint), amount: input.value })),
    outputs: facts.outputs.map((output) => ({
      script: toHex(output.script),
      amount: output.value,
      change: output.isChange,
    })),
    spend: facts.spend,
    fee: facts.fee,
    policy: policy.digest,
    book,
    journal: { seq: batch.plannedSeq, hash: batch.plannedHash },
    initiator: batch.initiator,
    approver: person,
    validUntil,
  };
}

/**
 * Proves an approval of the journal: its statement is, byte for byte, the one of this batch in this scene, and one of the
 * person's keys in the policy signed it. E_APPROVAL_BINDING, E_SSHSIG_*, E_APPROVER_UNKNOWN.
 */
export function proveApproval(
  scene: ApprovalScene,
  { person, at, validUntil, signature }: ApprovalRecord,
  statement: Uint8Array,
): Result<Approval, Fault> {
  const bound = checkStatement(statement, statementFields(scene, person, validUntil));
  if (!bound.ok) return bound;
  const signed = verifySshsig(signature, statement, APPROVAL_NAMESPACE);
  if (!signed.ok) return signed;
  if (whoseKey(scene.policy.document.roles, signed.value.publicKey) !== person) {
    return fail('E_APPROVER_UNKNOWN', `the key that signed is not one of ${person}'s keys in the active policy`);
  }
  return ok({ person, at, validUntil, touch: signed.value.touch });
}
