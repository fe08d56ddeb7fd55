import type { FaultTable } from './meaning.js';

export const APPROVAL_FAULTS = {
  E_SSH_KEYGEN: { exit: 'USAGE', meaning: 'ssh-keygen is missing or did not sign' },
  E_SSH_KEY: { exit: 'USAGE', meaning: 'a key file is missing or is not an SSH key' },
  E_SSHSIG_FORM: { exit: 'INTEGRITY', meaning: 'a signature is not an SSHSIG of a supported kind' },
  E_SSHSIG_NAMESPACE: { exit: 'INTEGRITY', meaning: 'a signature was made for another namespace' },
  E_SSHSIG_INVALID: { exit: 'INTEGRITY', meaning: 'a signature does not verify' },
  E_APPROVER_UNKNOWN: { exit: 'DENIED', meaning: 'the key belongs to nobody in the roles of the policy' },
  E_APPROVAL_BINDING: { exit: 'INTEGRITY', meaning: 'an approval is over another statement than that of this batch' },
  E_APPROVAL_REPLAY: { exit: 'DENIED', meaning: 'this person has approved this batch already' },
} as const satisfies FaultTable;
