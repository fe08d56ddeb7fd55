import { whoseKey } from '../approval/people.js';
import { verifySshsig } from '../approval/sshsig.js';
import { APPROVAL_NAMESPACE, approvalStatement, checkStatement, reviewFingerprint } from '../approval/statement.js';
import { isDefaultKind } from '../device/estimate.js';
import { type Hex, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { formatTime, parseTime, type UnixSeconds } from '../domain/time.js';
import type { ApprovalRecord, BatchRecord } from '../journal/state.js';
import { nextState } from '../journal/transitions.js';
import type { Approval } from '../policy/types.js';
import { type ApprovalScene, proveApproval, statementFields } from './approvals.js';
import { type Assessment, assess } from './assess.js';
import { checkHalts } from './halt-scene.js';
import type { Desk, SshSigner } from './ports.js';
import { objectionsOf, requestOf } from './records.js';
import { findBatch, loadSituation, reusedRequests, type Situation, tiesOf } from './situation.js';

/** A batch with everything that can be said of it now: its bytes, its valid approvals and the verdict under them. */
export interface ReviewedBatch {
  readonly situation: Situation;
  readonly batch: BatchRecord;
  readonly psbt: Uint8Array;
  readonly assessment: Assessment;
  /** Approvals in the journal that do not count, with the reason. */
  readonly discounted: readonly { readonly person: string; readonly why: string }[];
  /** The statements of approvals that help nobody as things are: whoever gave one may give another. */
  readonly spent: ReadonlySet<Hex>;
}

export async function reviewBatch(desk: Desk, id: string): Promise<Result<ReviewedBatch, Fault>> {
  const loaded = await loadSituation(desk);
  if (!loaded.ok) return loaded;
  const situation = loaded.value;
  const found = findBatch(situation.state, id);
  if (!found.ok) return found;
  const batch = found.value;
  const psbt = await desk.journal.blob(batch.psbt);
  if (!psbt.ok) return psbt;
  const requests = batch.requests.map(requestOf);
  const judge = (approvals: readonly Approval[]): Result<Assessment, Fault> =>
    assess(situation, psbt.value, requests, {
      batch: batch.id,
      kind: batch.kind,
      initiator: batch.initiator,
      approvals,
      pending: [],
      reusedRequests: reusedRequests(situation.state, batch.id, requests),
      objections: objectionsOf(batch),
      ...tiesOf(situation.state, batch),
    });
  const bare = judge([]);
  if (!bare.ok) return bare;
  const { valid, discounted } = await countApprovals(desk, situation, batch, bare.value);
  const assessment = judge(valid);
  if (!assessment.ok) return assessment;
  const spent = spentStatements(batch, valid, assessment.value);
  return ok({ situation, batch, psbt: psbt.value, assessment: assessment.value, discounted, spent });
}

/** Over another policy or book than now, or with a key in a file where the tier has come to ask for one that is touched. */
function spentStatements({ approvals }: BatchRecord, valid: readonly Approval[], { verdict }: Assessment): Set<Hex> {
  const asksTouch = verdict.quorum?.tier.touchRequired === true;
  const helps = (one: string) => valid.some(({ person, touch }) => person === one && (touch || !asksTouch));
  return new Set(approvals.filter(({ person }) => !helps(person)).map(({ statement }) => statement));
}

/** Every approval is proven again each time it is counted: signature, person, and that it binds these very bytes. */
async function countApprovals(
  desk: Desk,
  situation: Situation,
  batch: BatchRecord,
  assessment: Assessment,
): Promise<{ valid: Approval[]; discounted: { person: string; why: string }[] }> {
  const valid: Approval[] = [];
  const discounted: { person: string; why: string }[] = [];
  for (const record of batch.approvals) {
    const proven = await readAndProve(desk, sceneOf(situation, batch, assessment), record);
    if (proven.ok) valid.push(proven.value);
    else discounted.push({ person: record.person, why: proven.error.message });
  }
  return { valid, discounted };
}

async function readAndProve(
  desk: Desk,
  scene: ApprovalScene,
  record: ApprovalRecord,
): Promise<Result<Approval, Fault>> {
  const statement = await desk.journal.blob(record.statement);
  return statement.ok ? proveApproval(scene, record, statement.value) : statement;
}

/** One word for all that an approval of this batch would bind, from this machine's own view of it. */
export function fingerprintOf({ situation, batch, assessment }: ReviewedBatch): string {
  const { approver, validUntil, ...shared } = statementFields(sceneOf(situation, batch, assessment), '', 0);
  return reviewFingerprint(shared);
}

function sceneOf(
  { vault, policy, state }: Situation,
  batch: BatchRecord,
  { decoded, facts }: Assessment,
): ApprovalScene {
  return { vault, policy, book: state.book?.digest ?? null, batch, decoded, facts };
}

export type ApprovalSource =
  /** The public key says who it is; ssh-keygen signs with the private one. */
  | { readonly kind: 'key'; readonly keyFile: string }
  /** Made elsewhere over the statement that `batch approve --statement` printed. */
  | { readonly kind: 'signature'; readonly armored: string; readonly statement: Uint8Array };

export interface ApprovalOutcome {
  readonly person: string;
  readonly validUntil: UnixSeconds;
  readonly review: ReviewedBatch;
}

/** The statement for one person, to be signed on a machine of theirs. */
export async function statementFor(desk: Desk, id: string, person: string): Promise<Result<string, Fault>> {
  const review = await reviewBatch(desk, id);
  if (!review.ok) return review;
  const open = mayApprove(review.value, person);
  if (!open.ok) return open;
  const { situation, batch, assessment } = review.value;
  const validUntil = situation.now + situation.policy.document.approvals.validFor;
  return ok(approvalStatement(statementFields(sceneOf(situation, batch, assessment), person, validUntil)));
}

export async function approveBatch(
  desk: Desk,
  ssh: SshSigner,
  id: string,
  source: ApprovalSource,
): Promise<Result<ApprovalOutcome, Fault>> {
  const review = await reviewBatch(desk, id);
  if (!review.ok) return review;
  const signed = source.kind === 'key' ? await signHere(ssh, review.value, source.keyFile) : broughtAlong(source);
  if (!signed.ok) return signed;

  const { situation, batch, assessment } = review.value;
  const { armored, statement } = signed.value;
  const signature = verifySshsig(armored, statement, APPROVAL_NAMESPACE);
  if (!signature.ok) return signature;
  const person = whoseKey(situation.policy.document.roles, signature.value.publicKey);
  if (person === null) return strangeKey(signature.value.publicKey);
  const open = mayApprove(review.value, person);
  if (!open.ok) return open;
  const valid = validityOf(statement, situation);
  if (!valid.ok) {
    return fail('E_APPROVAL_BINDING', `the statement ${valid.error}`, {
      remedy: `print a fresh statement: countersign batch approve ${id} --statement --person ${person}`,
    });
  }
  const validUntil = valid.value;
  const bound = checkStatement(statement, statementFields(sceneOf(situation, batch, assessment), person, validUntil));
  if (!bound.ok) return bound;

  const kept = await desk.journal.transact(async (tx) => {
    const now = findBatch(tx.state, id);
    if (!now.ok) return now;
    const state = { ...review.value.situation, state: tx.state };
    const still = mayApprove({ ...review.value, situation: state, batch: now.value }, person);
    if (!still.ok) return still;
    tx.append({
      kind: 'batch.approved',
      batch: id,
      person,
      statement: tx.keep(statement),
      signature: armored,
      validUntil: formatTime(validUntil),
    });
    return ok(undefined);
  });
  if (!kept.ok) return kept;
  const after = await reviewBatch(desk, id);
  return after.ok ? ok({ person, validUntil, review: after.value }) : after;
}

async function signHere(
  ssh: SshSigner,
  { situation, batch, assessment }: ReviewedBatch,
  keyFile: string,
): Promise<Result<{ armored: string; statement: Uint8Array }, Fault>> {
  const publicKey = await ssh.publicKeyOf(keyFile);
  if (!publicKey.ok) return publicKey;
  const person = whoseKey(situation.policy.document.roles, publicKey.value);
  if (person === null) return strangeKey(publicKey.value);
  const validUntil = situation.now + situation.policy.document.approvals.validFor;
  const statement = utf8(approvalStatement(statementFields(sceneOf(situation, batch, assessment), person, validUntil)));
  const armored = await ssh.sign(keyFile, APPROVAL_NAMESPACE, statement);
  return armored.ok ? ok({ armored: armored.value, statement }) : armored;
}

function broughtAlong(
  source: Extract<ApprovalSource, { kind: 'signature' }>,
): Result<{ armored: string; statement: Uint8Array }, Fault> {
  return ok({ armored: source.armored, statement: source.statement });
}

/** How long a statement says that it is valid, or why not: one that would not count from its first second on is no use. */
function validityOf(statement: Uint8Array, { now, policy }: Situation): Result<UnixSeconds, string> {
  const text = /"valid_until":"([^"]+)"/.exec(Buffer.from(statement).toString('utf8'))?.[1];
  const validUntil = text === undefined ? null : parseTime(text);
  if (validUntil === null) return err('does not say how long it is valid');
  if (validUntil <= now) return err(`ran out at ${formatTime(validUntil)}`);
  if (validUntil > now + policy.document.approvals.validFor) {
    return err(
      `is valid until ${formatTime(validUntil)}, for longer than the policy allows at ${formatTime(now)}, which it is here: the clock where it was printed may be ahead`,
    );
  }
  return ok(validUntil);
}

function strangeKey(publicKey: string): Result<never, Fault> {
  return fail('E_APPROVER_UNKNOWN', `${publicKey} belongs to nobody in the roles of the active policy`, {
    remedy: 'use the key that the policy lists for you; countersign policy explain shows all of them',
  });
}

function mayApprove({ batch, situation, assessment, spent }: ReviewedBatch, person: string): Result<void, Fault> {
  // RESERVED too: what a crash left there can only go on with approvals that still stand, and they may have run out.
  // Further cosigners are asked for the same bytes while the approvals stand; a batch of one key is not asked for again.
  const isOver = isDefaultKind(situation.vault.kind) && (batch.state === 'SENT' || batch.state === 'UNKNOWN');
  if (isOver || nextState(batch.state, 'batch.approved') === null) {
    return fail('E_BATCH_STATE', `batch ${batch.id} is ${batch.state}: there is nothing left to approve`, {
      remedy: `see what became of it: countersign batch show ${batch.id}`,
    });
  }
  const roles = situation.policy.document.roles;
  if (![...roles.values()].some((people) => people.has(person))) {
    return fail('E_APPROVER_UNKNOWN', `${JSON.stringify(person)} is nobody in the roles of the active policy`, {
      remedy: `name one of ${[...new Set([...roles.values()].flatMap((people) => [...people.keys()]))].sort().join(', ')}`,
    });
  }
  if (person === batch.initiator) {
    return fail('E_DENIED', `${person} planned batch ${batch.id}, and the approval of the initiator does not count`, {
      remedy: 'ask another person of the policy to approve it',
    });
  }
  const standing = batch.approvals.find(
    (approval) => approval.person === person && approval.validUntil > situation.now && !spent.has(approval.statement),
  );
  if (standing !== undefined) {
    return fail(
      'E_APPROVAL_REPLAY',
      `${person} has approved batch ${batch.id} already, valid until ${formatTime(standing.validUntil)}`,
      {
        remedy: 'people count, not signatures: another person has to approve',
      },
    );
  }
  const halted = checkHalts(situation.state, situation.vault.network, batch);
  if (!halted.ok) return halted;
  if (assessment.verdict.decision === 'DENY') {
    return fail('E_DENIED', `the policy denies batch ${batch.id}: no approval can change that`, {
      remedy: `see why: countersign batch check ${batch.id}`,
    });
  }
  return ok(undefined);
}
