import type { FaultTable } from './meaning.js';

export const WORKFLOW_FAULTS = {
  E_USAGE: { exit: 'USAGE', meaning: 'the words of the command are off' },
  E_WORKSPACE_MISSING: { exit: 'USAGE', meaning: 'there is no countersign.yaml here' },
  E_WORKSPACE_SCHEMA: { exit: 'USAGE', meaning: 'countersign.yaml does not follow countersign.workspace/1' },
  E_VAULT_MISSING: { exit: 'DATA_STALE', meaning: 'no vault has been imported' },
  E_COINS_MISSING: { exit: 'DATA_STALE', meaning: 'no coins have been imported' },
  E_POLICY_MISSING: { exit: 'DATA_STALE', meaning: 'no policy is active' },
  E_POLICY_INTEGRITY: {
    exit: 'INTEGRITY',
    meaning: 'the policy or book file differs from the one that the journal activated',
  },
  E_REQUEST_ID_REUSE: { exit: 'DENIED', meaning: 'a request id was used before, with other content' },
  E_DENIED: { exit: 'DENIED', meaning: 'the policy denies' },
  E_APPROVALS_MISSING: { exit: 'APPROVALS_MISSING', meaning: 'the quorum is not complete' },
  E_DEMO: { exit: 'FAULT', meaning: 'a step of the demo ended otherwise than it should' },
  E_PSBT_CHANGED: { exit: 'INTEGRITY', meaning: 'the PSBT is not the one that the verdict was given for' },
  E_PROOF_UNCONFIRMED: {
    exit: 'FAULT',
    meaning: 'policy prove built a counterexample that the engine does not confirm: one of them is wrong',
  },
} as const satisfies FaultTable;
