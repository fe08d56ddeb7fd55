import { type Fault, fail } from '../domain/fault.js';
import type { Result } from '../domain/result.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';
import { policyAt } from '../journal/policies.js';
import type { JournalState, PolicyRecord } from '../journal/state.js';
import type { LoadedPolicy } from '../policy/types.js';
import type { Archive, Desk } from './ports.js';

/** The policy of a record, read from the bytes that the journal keeps. */
export async function readPolicyRecord(desk: Archive, record: PolicyRecord): Promise<Result<LoadedPolicy, Fault>> {
  const text = await desk.journal.blob(record.document);
  if (!text.ok) return text;
  const policy = desk.ports.documents.policy(text.value, desk.config.policy);
  if (policy.ok) return policy;
  const [first] = policy.error;
  return fail('E_POLICY_INTEGRITY', `version ${record.version} can no longer be read: ${first?.message ?? ''}`, {
    remedy: 'this version of countersign reads countersign.policy/1 more strictly: use the one that activated it',
  });
}

/**
 * The policy in force at a moment, by default now. The file in the workspace may be absent, or the version that waits, but may not say anything
 * else. E_POLICY_MISSING, E_POLICY_NOT_EFFECTIVE, E_POLICY_INTEGRITY.
 */
export async function activePolicy(
  desk: Desk,
  state: JournalState,
  now: UnixSeconds = desk.ports.clock(),
): Promise<Result<LoadedPolicy, Fault>> {
  const record = policyAt(state, now);
  if (record === null) return nothingInForce(state);
  const policy = await readPolicyRecord(desk, record);
  if (!policy.ok) return policy;
  const path = desk.ports.files.inWorkspace(desk.root, desk.config.policy);
  if (!(await desk.ports.files.exists(path))) return policy;
  const file = await desk.ports.files.read(path);
  if (!file.ok) return file;
  const onDisk = desk.ports.documents.policy(file.value, desk.config.policy);
  const known = [record, state.pendingPolicy].map((one) => `sha256:${one?.digest}`);
  if (onDisk.ok && known.includes(onDisk.value.digest)) return policy;
  const found = onDisk.ok
    ? `digest ${onDisk.value.digest}`
    : `it is not a valid policy: ${onDisk.error[0]?.message ?? ''}`;
  return fail('E_POLICY_INTEGRITY', `${desk.config.policy} is not the active policy ${policy.value.digest}: ${found}`, {
    where: { file: desk.config.policy },
    remedy: 'put the active text back, or raise its version and activate it: countersign policy activate FILE',
  });
}

function nothingInForce({ pendingPolicy }: JournalState): Result<never, Fault> {
  if (pendingPolicy === null) {
    return fail('E_POLICY_MISSING', 'no policy is active: nothing may leave', {
      remedy: 'activate one: countersign policy activate FILE',
    });
  }
  const { version, effectiveAt } = pendingPolicy;
  return fail(
    'E_POLICY_NOT_EFFECTIVE',
    `version ${version} is the only policy, and applies from ${formatTime(effectiveAt)} on`,
    {
      remedy: 'wait until then: nothing may leave without a policy in force',
    },
  );
}
