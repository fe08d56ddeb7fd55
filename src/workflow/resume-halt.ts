import { textIn } from '../approval/compare-statement.js';
import { checkHaltStatement, HALT_NAMESPACE, haltStatement, type ResumeFields } from '../approval/halt-statement.js';
import { whoseKey } from '../approval/people.js';
import { verifySshsig } from '../approval/sshsig.js';
import { utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatHaltScope } from '../domain/halt-scope.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime, parseTime, type UnixSeconds } from '../domain/time.js';
import type { HaltRecord } from '../journal/state.js';
import { listText } from '../policy/describe.js';
import { judgeResume, type ResumeApproval, type ResumeJudgement } from '../policy/resume.js';
import { type BroughtStatement, type HaltScene, haltScene, policyHalt, standingHalt } from './halt-scene.js';
import { hexDigest } from './policy-life.js';
import type { Archive, Desk, SshSigner } from './ports.js';
import { transactOn } from './transact.js';

export type ResumeSource =
  | { readonly kind: 'key'; readonly keyFile: string }
  | ({ readonly kind: 'signature' } & BroughtStatement)
  /** Nobody signs now: it ends if those who have agreed suffice. */
  | { readonly kind: 'none' };

export interface ResumeOutcome {
  readonly halt: HaltRecord;
  /** Whose word was recorded by this run; null where nobody signed. */
  readonly person: string | null;
  readonly resumed: boolean;
  readonly judgement: ResumeJudgement;
  /** Halts that stand after it. */
  readonly standing: readonly HaltRecord[];
}

/** A halt with what its end still takes. */
export interface HaltOutlook {
  readonly halt: HaltRecord;
  readonly judgement: ResumeJudgement;
}

/** All halts that stand, each with who may end it and when. Nothing is written. */
export async function haltStatus(desk: Desk): Promise<Result<readonly HaltOutlook[], Fault>> {
  const read = await desk.journal.read();
  if (!read.ok) return read;
  if (read.value.halts.size === 0) return ok([]);
  const scene = await haltScene(desk);
  if (!scene.ok) return scene;
  const outlooks: HaltOutlook[] = [];
  for (const halt of scene.value.state.halts.values()) {
    outlooks.push({ halt, judgement: await judge(desk, scene.value, halt) });
  }
  return ok(outlooks);
}

/** The statement for one person, to be signed on a machine of theirs. */
export async function resumeStatement(desk: Desk, id: string | null, person: string): Promise<Result<string, Fault>> {
  const scene = await haltScene(desk);
  if (!scene.ok) return scene;
  const halt = standingHalt(scene.value.state, id);
  if (!halt.ok) return halt;
  const validUntil = scene.value.now + scene.value.policy.document.approvals.validFor;
  const open = await mayAgree(desk, scene.value, halt.value, person, validUntil);
  if (!open.ok) return open;
  return ok(haltStatement(resumeFields(scene.value, halt.value, person, validUntil)));
}

/**
 * Records one person's word for the end of a halt, and ends it where the quorum and the delay of the policy are met. Both
 * entries are written together, and only if the journal still ends where it was judged.
 */
export async function resumeHalt(
  desk: Desk,
  ssh: SshSigner,
  id: string | null,
  source: ResumeSource,
): Promise<Result<ResumeOutcome, Fault>> {
  const loaded = await haltScene(desk);
  if (!loaded.ok) return loaded;
  const scene = loaded.value;
  const found = standingHalt(scene.state, id);
  if (!found.ok) return found;
  const halt = found.value;
  const signed = source.kind === 'none' ? ok(null) : await wordOf(desk, ssh, scene, halt, source);
  if (!signed.ok) return signed;
  const word = signed.value;

  const proven = await provenWords(desk, scene, halt);
  const words = word === null ? proven : [...proven.filter(({ person }) => person !== word.person), word];
  const kept = await transactOn(desk, scene.state, async (tx) => {
    // While a person looked for a token, another one's word may have run out.
    const judgement = judgeResume(policyHalt(halt, scene.state.book), words, scene.policy.document, tx.at);
    if (word !== null) {
      const { person, validUntil, statement, armored } = word;
      tx.append({
        kind: 'halt.resume-approved',
        halt: halt.id,
        person,
        statement: tx.keep(statement),
        signature: armored,
        validUntil: formatTime(validUntil),
      });
    }
    if (judgement.may) {
      const policy = hexDigest(scene.policy.digest);
      tx.append({ kind: 'halt.resumed', halt: halt.id, policy, approvers: judgement.approved });
    }
    return ok(judgement);
  });
  if (!kept.ok) return kept;
  const judgement = kept.value;
  const after = await desk.journal.read();
  if (!after.ok) return after;
  const standing = [...after.value.halts.values()];
  return ok({ halt, person: word?.person ?? null, resumed: judgement.may, judgement, standing });
}

interface Word extends ResumeApproval {
  readonly statement: Uint8Array;
  readonly armored: string;
}

async function wordOf(
  desk: Desk,
  ssh: SshSigner,
  scene: HaltScene,
  halt: HaltRecord,
  source: Exclude<ResumeSource, { kind: 'none' }>,
): Promise<Result<Word, Fault>> {
  const brought = source.kind === 'key' ? await signHere(desk, ssh, scene, halt, source.keyFile) : ok(source);
  if (!brought.ok) return brought;
  const { statement, armored } = brought.value;
  const said = parseTime(textIn(statement, 'valid_until') ?? '');
  if (said === null)
    return fail('E_HALT_BINDING', 'the statement does not say how long it is valid', { remedy: FRESH });
  const proven = proveResume(scene, halt, { statement, armored }, said);
  if (!proven.ok) return proven;
  const { validFor } = scene.policy.document.approvals;
  if (said > scene.now + validFor) {
    return fail('E_HALT_BINDING', 'the statement is valid for longer than the policy allows', { remedy: FRESH });
  }
  const open = await mayAgree(desk, scene, halt, proven.value, said);
  return open.ok ? ok({ person: proven.value, validUntil: said, statement, armored }) : open;
}

const FRESH = 'print a fresh statement: countersign halt resume --statement --person NAME';

async function signHere(
  desk: Desk,
  ssh: SshSigner,
  scene: HaltScene,
  halt: HaltRecord,
  keyFile: string,
): Promise<Result<BroughtStatement, Fault>> {
  const publicKey = await ssh.publicKeyOf(keyFile);
  if (!publicKey.ok) return publicKey;
  const person = whoseKey(scene.policy.document.roles, publicKey.value);
  if (person === null) return strangeKey(publicKey.value);
  const validUntil = scene.now + scene.policy.document.approvals.validFor;
  // Told before the key is asked for: a token is not touched for nothing.
  const open = await mayAgree(desk, scene, halt, person, validUntil);
  if (!open.ok) return open;
  const statement = utf8(haltStatement(resumeFields(scene, halt, person, validUntil)));
  const armored = await ssh.sign(keyFile, HALT_NAMESPACE, statement);
  return armored.ok ? ok({ armored: armored.value, statement }) : armored;
}

function strangeKey(publicKey: string): Result<never, Fault> {
  return fail('E_HALT_PERSON', `${publicKey} belongs to nobody in the roles of the policy in force`, {
    remedy: 'use the key that the policy lists for you; countersign policy explain shows all of them',
  });
}

/** Whether a person's word is asked for, is not there yet, and would still hold when the halt can end. */
async function mayAgree(
  desk: Desk,
  scene: HaltScene,
  halt: HaltRecord,
  person: string,
  validUntil: UnixSeconds,
): Promise<Result<void, Fault>> {
  const { able, approved, notBefore } = await judge(desk, scene, halt);
  if (approved.includes(person)) {
    return fail('E_HALT_REPLAY', `${person} has agreed to resume ${halt.id} already`, {
      remedy: 'people count, not signatures: another person has to agree',
    });
  }
  const all = judgeResume(policyHalt(halt, scene.state.book), [], scene.policy.document, scene.now);
  if (!all.able.includes(person) && !able.includes(person)) {
    return fail('E_HALT_PERSON', `${person} has no say in the end of ${halt.id}`, {
      remedy: `${listText(able, 'or')} can agree`,
    });
  }
  if (validUntil <= scene.now) {
    return fail('E_HALT_BINDING', `the statement ran out at ${formatTime(validUntil)}`, { remedy: FRESH });
  }
  if (validUntil > notBefore) return ok(undefined);
  const { validFor } = scene.policy.document.approvals;
  return fail(
    'E_HALT_EARLY',
    `${halt.id} can end at ${formatTime(notBefore)} at the earliest, and a word of now runs out at ${formatTime(validUntil)}`,
    { remedy: `agree after ${formatTime(notBefore - validFor)}; until then find out what happened` },
  );
}

async function judge(desk: Desk, scene: HaltScene, halt: HaltRecord): Promise<ResumeJudgement> {
  return judgeResume(
    policyHalt(halt, scene.state.book),
    await provenWords(desk, scene, halt),
    scene.policy.document,
    scene.now,
  );
}

/** Every word is proven again each time it is counted, by the policy in force then. */
export async function provenWords(
  { journal }: Pick<Archive, 'journal'>,
  scene: Pick<HaltScene, 'policy' | 'home' | 'state'>,
  halt: HaltRecord,
): Promise<ResumeApproval[]> {
  const words: ResumeApproval[] = [];
  for (const { person, validUntil, statement, signature } of halt.resumes) {
    const kept = await journal.blob(statement);
    const proven = kept.ok ? proveResume(scene, halt, { statement: kept.value, armored: signature }, validUntil) : kept;
    if (proven.ok && proven.value === person) words.push({ person, validUntil });
  }
  return words;
}

/**
 * Whose word a statement is for the end of this halt, of this journal, under this policy, in the knowledge of the newest
 * halt. One that was signed for an earlier halt, or before a newer one was raised, is another statement.
 * E_HALT_BINDING, E_SSHSIG_*, E_HALT_PERSON.
 */
export function proveResume(
  scene: Pick<HaltScene, 'policy' | 'home' | 'state'>,
  halt: HaltRecord,
  { armored, statement }: BroughtStatement,
  validUntil: UnixSeconds,
): Result<string, Fault> {
  const signature = verifySshsig(armored, statement, HALT_NAMESPACE);
  if (!signature.ok) return signature;
  const person = whoseKey(scene.policy.document.roles, signature.value.publicKey);
  if (person === null) return strangeKey(signature.value.publicKey);
  const bound = checkHaltStatement(statement, resumeFields(scene, halt, person, validUntil));
  return bound.ok ? ok(person) : bound;
}

function resumeFields(
  { home, state, policy }: Pick<HaltScene, 'policy' | 'home' | 'state'>,
  { seq, hash, scope }: HaltRecord,
  person: string,
  validUntil: UnixSeconds,
): ResumeFields {
  return {
    action: 'resume',
    ...home,
    halt: { seq, hash },
    newest: state.newestHalt,
    scope: formatHaltScope(scope),
    policy: policy.digest,
    person,
    validUntil: formatTime(validUntil),
  };
}
