import { textIn } from '../approval/compare-statement.js';
import {
  checkObjection,
  OBJECTION_NAMESPACE,
  type ObjectionFields,
  objectionStatement,
} from '../approval/objection-statement.js';
import { whoseKey } from '../approval/people.js';
import { verifySshsig } from '../approval/sshsig.js';
import { utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { checkLabel } from '../domain/safe-text.js';
import { governingPolicy } from '../journal/policies.js';
import type { BatchRecord, JournalState } from '../journal/state.js';
import { nextState } from '../journal/transitions.js';
import { peopleOf } from '../policy/consistency.js';
import { listText } from '../policy/describe.js';
import type { LoadedPolicy, PolicyDocument } from '../policy/types.js';
import type { BroughtStatement } from './halt-scene.js';
import { type HaltScene, haltSceneOf } from './halt-scene.js';
import { hexDigest } from './policy-life.js';
import type { Desk, SshSigner } from './ports.js';
import { findBatch } from './situation.js';

/** What is said against a batch: no, with a reason; or that one's own approval no longer stands. */
export type Objecting = { readonly action: 'reject'; readonly reason: string } | { readonly action: 'withdraw' };

export type ObjectionSource =
  | ({ readonly kind: 'key'; readonly keyFile: string } & { readonly objecting: Objecting })
  | ({ readonly kind: 'signature'; readonly action: Objecting['action'] } & BroughtStatement);

/** What an objection is judged by. Coins and the file of the policy are not looked at: to say no must always be possible. */
interface Scene {
  readonly state: JournalState;
  readonly policy: LoadedPolicy;
}

/** Everybody whose approval some tier asks for: which tier it is may change with every other batch. */
export function mayReject(person: string, document: PolicyDocument): boolean {
  return document.approvals.tiers.some((tier) => peopleOf(tier, document).has(person));
}

/** Who has a say about a batch that is there: that is asked first, since without a policy there is none. */
async function sceneOf(desk: Desk, id: string): Promise<Result<HaltScene, Fault>> {
  const read = await desk.journal.read();
  if (!read.ok) return read;
  const found = findBatch(read.value, id);
  return found.ok ? haltSceneOf(desk, read.value, desk.ports.clock()) : found;
}

/** The statement for one person, to be signed on a machine of theirs. */
export async function objectionFor(
  desk: Desk,
  id: string,
  person: string,
  objecting: Objecting,
): Promise<Result<string, Fault>> {
  const scene = await sceneOf(desk, id);
  if (!scene.ok) return scene;
  const fields = openFields(scene.value, id, person, objecting);
  return fields.ok ? ok(objectionStatement(fields.value)) : fields;
}

/** Records one person's no, or the withdrawal of an approval: the batch is denied from then on. */
export async function objectToBatch(
  desk: Desk,
  ssh: SshSigner,
  id: string,
  source: ObjectionSource,
): Promise<Result<{ readonly batch: BatchRecord; readonly person: string }, Fault>> {
  const loaded = await sceneOf(desk, id);
  if (!loaded.ok) return loaded;
  const scene = loaded.value;
  const found = findBatch(scene.state, id);
  if (!found.ok) return found;
  const signed = source.kind === 'key' ? await signHere(ssh, scene, id, source) : ok(source);
  if (!signed.ok) return signed;
  const { armored, statement } = signed.value;
  const action = source.kind === 'key' ? source.objecting.action : source.action;
  const said: Objecting = action === 'reject' ? { action, reason: textIn(statement, 'reason') ?? '' } : { action };
  const person = proveObjection(scene, found.value, said, { armored, statement });
  if (!person.ok) return person;
  const open = openFields(scene, id, person.value, said);
  if (!open.ok) return open;

  const kept = await desk.journal.transact(async (tx) => {
    const inForce = governingPolicy(tx.state, tx.at);
    if (inForce?.digest !== hexDigest(scene.policy.digest)) return otherPolicy();
    // A withdrawal names the approval that it takes back, which its giver may have renewed meanwhile.
    const now = findBatch(tx.state, id);
    if (!now.ok) return now;
    const still = proveObjection({ ...scene, state: tx.state }, now.value, said, { armored, statement });
    if (!still.ok) return still;
    const common = { batch: id, person: person.value, statement: tx.keep(statement), signature: armored };
    if (said.action === 'reject') tx.append({ kind: 'batch.rejected', ...common, reason: said.reason });
    else tx.append({ kind: 'batch.withdrawn', ...common });
    return ok(undefined);
  });
  if (!kept.ok) return kept;
  const after = await desk.journal.read();
  if (!after.ok) return after;
  const batch = findBatch(after.value, id);
  return batch.ok ? ok({ batch: batch.value, person: person.value }) : batch;
}

/** Whose key it is goes by the policy of the entry; a person who signed in the last second of another may have a new key. */
function otherPolicy(): Result<never, Fault> {
  return fail('E_JOURNAL_LOCKED', 'another policy came into force in the meantime; nothing of this was kept', {
    remedy: 'run the same command again',
  });
}

async function signHere(
  ssh: SshSigner,
  scene: Scene,
  id: string,
  { keyFile, objecting }: Extract<ObjectionSource, { kind: 'key' }>,
): Promise<Result<BroughtStatement, Fault>> {
  const publicKey = await ssh.publicKeyOf(keyFile);
  if (!publicKey.ok) return publicKey;
  const person = whoseKey(scene.policy.document.roles, publicKey.value);
  if (person === null) return strangeKey(publicKey.value);
  const fields = openFields(scene, id, person, objecting);
  if (!fields.ok) return fields;
  const statement = utf8(objectionStatement(fields.value));
  const armored = await ssh.sign(keyFile, OBJECTION_NAMESPACE, statement);
  return armored.ok ? ok({ armored: armored.value, statement }) : armored;
}

function strangeKey(publicKey: string): Result<never, Fault> {
  return fail('E_OBJECTION_PERSON', `${publicKey} belongs to nobody in the roles of the policy in force`, {
    remedy: 'use the key that the policy lists for you; to stop everything at once: countersign halt raise',
  });
}

/** What the person would sign now, if there is something left to say. */
function openFields(
  { state, policy }: Scene,
  id: string,
  person: string,
  objecting: Objecting,
): Result<ObjectionFields, Fault> {
  const found = findBatch(state, id);
  if (!found.ok) return found;
  const batch = found.value;
  if (objecting.action === 'reject') {
    const sound = checkLabel(objecting.reason, 'reason');
    if (!sound.ok) return sound;
    if (!mayReject(person, policy.document)) {
      const tiers = policy.document.approvals.tiers.flatMap((tier) => [...peopleOf(tier, policy.document)]);
      return fail('E_OBJECTION_PERSON', `${person} is in no role that approves batches`, {
        remedy: `${listText([...new Set(tiers)].sort(), 'or')} can reject it; to stop everything: countersign halt raise`,
      });
    }
  }
  const open = stillOpen(batch, objecting);
  if (!open.ok) return open;
  return fieldsOf(state, batch, person, objecting);
}

function stillOpen(batch: BatchRecord, { action }: Objecting): Result<void, Fault> {
  if (nextState(batch.state, action === 'reject' ? 'batch.rejected' : 'batch.withdrawn') !== null) return ok(undefined);
  const isSent = batch.state !== 'ABANDONED' && batch.state !== 'RELEASED';
  return fail('E_BATCH_STATE', `batch ${batch.id} is ${batch.state}: it is too late to speak against it`, {
    remedy: isSent
      ? 'a halt keeps its transaction from being released here: countersign halt raise'
      : `nothing is left to do: countersign batch show ${batch.id}`,
  });
}

function fieldsOf(
  { vault }: Pick<JournalState, 'vault'>,
  batch: BatchRecord,
  person: string,
  objecting: Objecting,
): Result<ObjectionFields, Fault> {
  if (vault === null) return fail('E_VAULT_MISSING', `batch ${batch.id} was planned before there was a vault`);
  const common = {
    network: vault.network,
    vault: vault.id,
    batch: batch.id,
    psbt: batch.psbt,
    journal: { seq: batch.plannedSeq, hash: batch.plannedHash },
    person,
  };
  if (objecting.action === 'reject') return ok({ ...common, ...objecting });
  const approval = batch.approvals.find((one) => one.person === person);
  if (approval !== undefined) return ok({ ...common, ...objecting, approval: approval.statement });
  return fail('E_OBJECTION_PERSON', `${person} has no approval of batch ${batch.id} to take back`, {
    remedy: `to speak against a batch that one has not approved: countersign batch reject ${batch.id} --reason TEXT`,
  });
}

/**
 * Whose word a statement is against a batch, of the people whom the policy has. E_SSHSIG_*, E_OBJECTION_PERSON,
 * E_OBJECTION_BINDING.
 */
export function proveObjection(
  { state, policy }: Pick<Scene, 'policy'> & { readonly state: Pick<JournalState, 'vault'> },
  batch: BatchRecord,
  objecting: Objecting,
  { armored, statement }: BroughtStatement,
): Result<string, Fault> {
  const signature = verifySshsig(armored, statement, OBJECTION_NAMESPACE);
  if (!signature.ok) return signature;
  const person = whoseKey(policy.document.roles, signature.value.publicKey);
  if (person === null) return strangeKey(signature.value.publicKey);
  const fields = fieldsOf(state, batch, person, objecting);
  if (!fields.ok) return fields;
  const bound = checkObjection(statement, fields.value);
  return bound.ok ? ok(person) : bound;
}
