import { MAX_STATEMENT_BYTES, textIn } from '../approval/compare-statement.js';
import { checkHaltStatement, HALT_NAMESPACE, haltStatement, type RaiseFields } from '../approval/halt-statement.js';
import { whoseKey } from '../approval/people.js';
import { verifySshsig } from '../approval/sshsig.js';
import { sha256Hex, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatHaltScope, type HaltScope, parseHaltScope } from '../domain/halt-scope.js';
import { ok, type Result } from '../domain/result.js';
import { checkLabel, quoted } from '../domain/safe-text.js';
import { formatTime } from '../domain/time.js';
import type { HaltRaised } from '../journal/entries.js';
import { haltMark, unverifiedHalt } from '../journal/halts.js';
import { governingPolicy } from '../journal/policies.js';
import type { HaltRecord, JournalState } from '../journal/state.js';
import { peopleOf } from '../policy/consistency.js';
import { listText } from '../policy/describe.js';
import { mayHalt } from '../policy/resume.js';
import type { LoadedPolicy } from '../policy/types.js';
import { type BroughtStatement, type HaltScene, haltScene } from './halt-scene.js';
import { hexDigest } from './policy-life.js';
import type { Desk, SshSigner } from './ports.js';
import { insist } from './transact.js';

export type RaiseSource =
  | { readonly kind: 'key'; readonly keyFile: string; readonly scope: HaltScope; readonly reason: string }
  | ({ readonly kind: 'signature' } & BroughtStatement)
  /** Nobody signs: it stops everything all the same. */
  | { readonly kind: 'unsigned'; readonly reason: string };

export interface RaiseOutcome {
  readonly halt: HaltRecord;
  readonly policy: LoadedPolicy;
  /** An unverified halt stood already: nothing was written. */
  readonly stood: boolean;
}

/** The statement for one person, to be signed on a machine of theirs, now or beforehand. */
export async function raiseStatement(
  desk: Desk,
  person: string,
  scope: HaltScope,
  reason: string,
): Promise<Result<string, Fault>> {
  const scene = await haltScene(desk);
  if (!scene.ok) return scene;
  const sound = soundWords(scene.value, scope, reason);
  if (!sound.ok) return sound;
  if (!mayHalt(person, scene.value.policy.document)) return strangePerson(person, scene.value);
  return ok(haltStatement(fieldsOf(scene.value, person, scope, reason)));
}

/**
 * Stops everything within a scope, at once. What does not verify stops everything too: at worst one officer clears it, while
 * a halt that is refused over a formality may cost the vault. E_HALT_REPLAY for a statement that had its effect before,
 * E_HALT_SCOPE and E_TEXT_UNSAFE for words that would have to be corrected first, E_SSH_* where the key cannot sign.
 */
export async function raiseHalt(desk: Desk, ssh: SshSigner, source: RaiseSource): Promise<Result<RaiseOutcome, Fault>> {
  const scene = await haltScene(desk);
  if (!scene.ok) return scene;
  const raised = await bodyOf(scene.value, ssh, source);
  if (!raised.ok) return raised;
  const { body, blobs } = raised.value;
  const governing = hexDigest(scene.value.policy.digest);
  const kept = await insist(desk, async (tx) => {
    // Whose key it is goes by the policy of the entry, and another one may have come into force while somebody signed.
    if (governingPolicy(tx.state, tx.at)?.digest !== governing) return ok(null);
    const standing = stands(tx.state, body);
    if (standing !== null) return ok(standing);
    for (const bytes of blobs) tx.keep(bytes);
    return ok(`halt-${tx.append(body).seq}`);
  });
  if (!kept.ok) return kept;
  if (kept.value === null) return raiseHalt(desk, ssh, source);
  const after = await desk.journal.read();
  if (!after.ok) return after;
  const halt = after.value.halts.get(kept.value);
  if (halt === undefined) throw new Error(`${kept.value} is not there after its entry`);
  return ok({ halt, policy: scene.value.policy, stood: scene.value.state.halts.has(halt.id) });
}

/** The halt that the same statement raised, or the one unverified halt that there may be; null where a new one is due. */
function stands({ halts, haltMarks }: JournalState, body: HaltRaised): string | null {
  if (body.source === 'unverified') {
    const standing = unverifiedHalt(halts);
    if (standing !== null) return standing.id;
  }
  const mark = haltMark(body);
  const earlier = mark === null ? undefined : haltMarks.get(mark);
  return earlier !== undefined && halts.has(earlier) ? earlier : null;
}

interface Raised {
  readonly body: HaltRaised;
  readonly blobs: readonly Uint8Array[];
}

async function bodyOf(scene: HaltScene, ssh: SshSigner, source: RaiseSource): Promise<Result<Raised, Fault>> {
  switch (source.kind) {
    case 'unsigned': {
      const sound = checkLabel(source.reason, 'reason');
      if (!sound.ok) return sound;
      return ok(unverified(source.reason, 'nobody signed it', null));
    }
    case 'key': {
      const sound = soundWords(scene, source.scope, source.reason);
      if (!sound.ok) return sound;
      const publicKey = await ssh.publicKeyOf(source.keyFile);
      if (!publicKey.ok) return orUnsigned(publicKey.error);
      const person = whoseKey(scene.policy.document.roles, publicKey.value) ?? 'nobody';
      const statement = utf8(haltStatement(fieldsOf(scene, person, source.scope, source.reason)));
      const armored = await ssh.sign(source.keyFile, HALT_NAMESPACE, statement);
      return armored.ok ? verified(scene, { armored: armored.value, statement }) : orUnsigned(armored.error);
    }
    case 'signature': {
      const size = Math.max(source.statement.length, source.armored.length);
      if (size > MAX_STATEMENT_BYTES) {
        return fail('E_USAGE', 'a statement about a halt and its signature are small; one of these files is not', {
          remedy:
            'name the right files, or stop everything without them: countersign halt raise --unsigned --reason TEXT',
        });
      }
      return verified(scene, source);
    }
  }
}

/** A key that cannot sign must not leave a person without a way to stop. */
function orUnsigned({ tag, message, where, remedy }: Fault): Result<never, Fault> {
  const way = 'to stop everything without a key, at once: countersign halt raise --unsigned --reason TEXT';
  return fail(tag, message, { where, remedy: remedy === undefined ? way : `${remedy}; ${way}` });
}

/** What was brought becomes a halt in any case; the question is whose. */
function verified(scene: HaltScene, brought: BroughtStatement): Result<Raised, Fault> {
  const { armored, statement } = brought;
  const proven = proveRaise(scene, brought);
  if (!proven.ok) {
    const said = textIn(statement, 'reason');
    const reason = said !== null && checkLabel(said, 'reason').ok ? said : 'a statement that could not be verified';
    return ok(unverified(reason, proven.error.message, brought));
  }
  const { person, scope, reason } = proven.value;
  const known = knownScope(scene, scope).ok;
  const body: HaltRaised = {
    kind: 'halt.raised',
    // A destination or a person that nobody knows here would stop nothing: the widest reading is the safe one.
    scope: known ? formatHaltScope(scope) : 'all',
    reason,
    source: 'person',
    person,
    statement: sha256Hex(statement),
    signature: armored,
  };
  return ok({ body, blobs: [statement] });
}

function unverified(reason: string, problem: string, brought: BroughtStatement | null): Raised {
  const blobs = brought === null ? [] : [brought.statement, utf8(brought.armored)];
  const [statement, signature] = blobs.map((bytes) => sha256Hex(bytes));
  const kept = { ...(statement === undefined ? {} : { statement }), ...(signature === undefined ? {} : { signature }) };
  return { body: { kind: 'halt.raised', scope: 'all', reason, source: 'unverified', problem, ...kept }, blobs };
}

/**
 * Whose word a statement is: all of it is about this journal, and a key signed it that the policy has for a person who may
 * halt. E_HALT_BINDING, E_SSHSIG_*, E_HALT_PERSON.
 */
export function proveRaise(
  scene: Pick<HaltScene, 'policy' | 'home'>,
  { armored, statement }: BroughtStatement,
): Result<{ readonly person: string; readonly scope: HaltScope; readonly reason: string }, Fault> {
  const signature = verifySshsig(armored, statement, HALT_NAMESPACE);
  if (!signature.ok) return signature;
  const { document } = scene.policy;
  const person = whoseKey(document.roles, signature.value.publicKey);
  if (person === null) {
    return fail('E_HALT_PERSON', `${signature.value.publicKey} belongs to nobody in the roles of the policy in force`);
  }
  if (!mayHalt(person, document)) return strangePerson(person, scene);
  const [scope, reason, at] = ['scope', 'reason', 'at'].map((field) => textIn(statement, field) ?? '');
  const read = parseHaltScope(scope ?? '');
  if (!read.ok) return read;
  const sound = checkLabel(reason ?? '', 'reason');
  if (!sound.ok) return sound;
  const fields: RaiseFields = { ...fieldsOf({ ...scene, now: 0 }, person, read.value, sound.value), at: at ?? '' };
  const bound = checkHaltStatement(statement, fields);
  return bound.ok ? ok({ person, scope: read.value, reason: sound.value }) : bound;
}

function fieldsOf(
  { home, now }: Pick<HaltScene, 'home' | 'now'>,
  person: string,
  scope: HaltScope,
  reason: string,
): RaiseFields {
  return { action: 'raise', ...home, scope: formatHaltScope(scope), reason, person, at: formatTime(now) };
}

function strangePerson(person: string, { policy }: Pick<HaltScene, 'policy'>): Result<never, Fault> {
  const able = [...peopleOf(policy.document.halt.raise, policy.document)].sort();
  return fail('E_HALT_PERSON', `${quoted(person)} is nobody whom halt.raise of the policy names`, {
    remedy: `${listText(able, 'or')} can halt`,
  });
}

/** Words that can still be corrected are refused before anybody signs them. */
function soundWords(scene: HaltScene, scope: HaltScope, reason: string): Result<void, Fault> {
  const sound = checkLabel(reason, 'reason');
  return sound.ok ? knownScope(scene, scope) : sound;
}

/** Whether a scope names something of the book or somebody of the policy. E_HALT_SCOPE. */
function knownScope({ state, policy }: HaltScene, scope: HaltScope): Result<void, Fault> {
  switch (scope.kind) {
    case 'all':
      return ok(undefined);
    case 'destination': {
      if (state.book?.entries.has(scope.id) === true) return ok(undefined);
      const remedy = 'countersign book show lists the ids; --scope all stops everything';
      return fail('E_HALT_SCOPE', `the address book has no destination ${scope.id}`, { remedy });
    }
    case 'initiator': {
      const { roles } = policy.document;
      if ([...roles.values()].some((people) => people.has(scope.person))) return ok(undefined);
      const remedy = 'countersign policy explain lists the people; --scope all stops everything';
      return fail('E_HALT_SCOPE', `${scope.person} is nobody in the roles of the policy in force`, { remedy });
    }
  }
}
