import { keyOfLine, whoseKey } from '../../approval/people.js';
import { ok } from '../../domain/result.js';
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
  return signingReport(words, { compose, style }, fields, file, async (keyFile) => {
    const key = await compose.ssh.publicKeyOf(keyFile);
    return key.ok ? ok(whoseKey(policy.value.document.roles, keyOfLine(key.value))) : key;
  });
};
