import { keyOfLine, whoseKey } from '../../approval/people.js';
import type { Fault } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { peopleOf } from '../../policy/consistency.js';
import { quorumText } from '../../policy/describe.js';
import type { PolicyDocument } from '../../policy/types.js';
import { policyFields } from '../../workflow/policy-life.js';
import type { Verb } from '../command.js';
import { signingReport, statementReport } from '../render/signing.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace: an auditor has the file and a key. */
export const run: Verb = async (words, { compose, style }) => {
  const file = argument(words, 0);
  const bytes = await compose.files.read(file);
  if (!bytes.ok) return bytes;
  const policy = compose.documents.policy(bytes.value, file);
  if (!policy.ok) return policy;
  const fields = policyFields(policy.value);
  if (words.flag('statement')) return ok(statementReport(fields));
  const { document } = policy.value;
  const nameOf = async (keyFile: string): Promise<Result<string | null, Fault>> => {
    const key = await compose.ssh.publicKeyOf(keyFile);
    return key.ok ? ok(whoseKey(document.roles, keyOfLine(key.value))) : key;
  };
  return signingReport(words, { compose, style }, fields, file, nameOf, (person) => doubtOf(person, document));
};

/** Whose signatures count is up to the policy in force, which need not be here: of a first version it is this one. */
function doubtOf(person: string, document: PolicyDocument): string | null {
  const { sign } = document.changeControl;
  if (peopleOf(sign, document).has(person)) return null;
  return `by this policy ${person} is not asked to sign: it takes ${quorumText(sign)}`;
}
