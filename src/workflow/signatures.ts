import { DOCUMENT_NAMESPACES, type DocumentFields, documentStatement } from '../approval/document-statement.js';
import { whoseKey } from '../approval/people.js';
import { verifySshsig } from '../approval/sshsig.js';
import { utf8 } from '../domain/bytes.js';
import { type Fault, type FaultTag, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { SignatureRecord } from '../journal/entries.js';
import { peopleOf } from '../policy/consistency.js';
import { listText, quorumText } from '../policy/describe.js';
import type { PolicyDocument, Quorum } from '../policy/types.js';

/** An armoured signature, and what a message calls it. */
export interface BroughtSignature {
  readonly from: string;
  readonly armored: string;
}

const TAGS = {
  policy: { sig: 'E_POLICY_SIG', signer: 'E_POLICY_SIGNER', quorum: 'E_POLICY_QUORUM' },
  book: { sig: 'E_BOOK_SIG', signer: 'E_BOOK_SIGNER', quorum: 'E_BOOK_QUORUM' },
} as const satisfies Record<string, Record<string, FaultTag>>;

/**
 * Counts the people of a quorum who signed a document; the names and keys are those of `document`. Every signature that is
 * brought has to verify and to be somebody's, so that a stale or a foreign one is noticed and not skipped; one of a
 * person whom the quorum does not ask is left out. Answers one signature a person, by name.
 */
export function countSignatures(
  fields: DocumentFields,
  brought: readonly BroughtSignature[],
  quorum: Quorum,
  document: PolicyDocument,
): Result<readonly SignatureRecord[], Fault> {
  const eligible = peopleOf(quorum, document);
  const counted = new Map<string, SignatureRecord>();
  for (const { from, armored } of brought) {
    const person = signerOf(fields, from, armored, document);
    if (!person.ok) return person;
    if (eligible.has(person.value) && !counted.has(person.value)) {
      counted.set(person.value, { person: person.value, signature: armored });
    }
  }
  const complete = checkQuorum(fields, new Set(counted.keys()), quorum, document);
  if (!complete.ok) return complete;
  return ok([...counted.values()].sort((a, b) => (a.person < b.person ? -1 : 1)));
}

function signerOf(
  fields: DocumentFields,
  from: string,
  armored: string,
  document: PolicyDocument,
): Result<string, Fault> {
  const where = { file: from };
  const verified = verifySshsig(armored, utf8(documentStatement(fields)), DOCUMENT_NAMESPACES[fields.kind]);
  if (!verified.ok) {
    const { tag, message, remedy } = verified.error;
    if (tag !== 'E_SSHSIG_INVALID') return fail(tag, message, { remedy, where });
    const what = `version ${fields.version} of the ${fields.kind} with the digest ${fields.digest}`;
    return fail(TAGS[fields.kind].sig, `the signature is not over ${what}`, {
      where,
      remedy: `have it signed as it is now: countersign ${fields.kind} sign FILE --key KEY; take the old signature away`,
    });
  }
  const person = whoseKey(document.roles, verified.value.publicKey);
  if (person !== null) return ok(person);
  const whose = document.version === fields.version && fields.kind === 'policy' ? 'this policy' : 'the policy in force';
  return fail(TAGS[fields.kind].signer, `${verified.value.publicKey} belongs to nobody in the roles of ${whose}`, {
    where,
    remedy: 'take the signature away; only people of that policy can sign',
  });
}

function checkQuorum(
  { kind, version }: DocumentFields,
  signed: ReadonlySet<string>,
  quorum: Quorum,
  document: PolicyDocument,
): Result<void, Fault> {
  const needed = quorum.include === undefined ? [] : [...peopleOf({ from: [quorum.include], m: 1 }, document)];
  const lacksRole = needed.length > 0 && !needed.some((person) => signed.has(person));
  if (signed.size >= quorum.m && !lacksRole) return ok(undefined);
  const missing = [...peopleOf(quorum, document)].filter((person) => !signed.has(person)).sort();
  const able = lacksRole && signed.size >= quorum.m ? needed : missing;
  const have = signed.size === 0 ? 'nobody has signed it' : `signed by ${listText([...signed].sort())}`;
  return fail(
    TAGS[kind].quorum,
    `version ${version} of the ${kind} has to be signed by ${quorumText(quorum)}, and ${have}`,
    { remedy: `${listText(able, 'or')} can sign it: countersign ${kind} sign FILE --key KEY` },
  );
}
