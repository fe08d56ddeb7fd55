import type { FaultTable } from './meaning.js';

/** Putting a policy or an address book into force: signatures, the chain of versions, time. */
export const LIFECYCLE_FAULTS = {
  E_POLICY_ROLLBACK: { exit: 'INTEGRITY', meaning: 'a policy is older than the newest version that the journal knows' },
  E_POLICY_FORK: { exit: 'INTEGRITY', meaning: 'the journal knows another policy of the same version' },
  E_POLICY_GAP: { exit: 'INTEGRITY', meaning: 'a policy leaves out a version' },
  E_POLICY_CHAIN: { exit: 'INTEGRITY', meaning: 'prev of a policy is not the digest of the version before' },
  E_POLICY_WALLET: { exit: 'INTEGRITY', meaning: 'a policy is of another wallet than the vault here' },
  E_POLICY_SIG: { exit: 'INTEGRITY', meaning: 'a signature is not over this policy' },
  E_POLICY_SIGNER: { exit: 'DENIED', meaning: 'a policy is signed by a key of nobody in the policy in force' },
  E_POLICY_QUORUM: { exit: 'APPROVALS_MISSING', meaning: 'too few people have signed a policy' },
  E_POLICY_NOTICE: { exit: 'DENIED', meaning: 'a policy that loosens takes effect before its notice has passed' },
  E_POLICY_EXPIRED: { exit: 'DENIED', meaning: 'a policy that has expired cannot be put into force' },
  E_POLICY_NOT_EFFECTIVE: { exit: 'DENIED', meaning: 'the first policy of a journal does not apply yet' },
  E_BOOK_ROLLBACK: { exit: 'INTEGRITY', meaning: 'an address book is older than the one in force' },
  E_BOOK_FORK: { exit: 'INTEGRITY', meaning: 'the journal knows another address book of the same version' },
  E_BOOK_GAP: { exit: 'INTEGRITY', meaning: 'an address book leaves out a version' },
  E_BOOK_CHAIN: { exit: 'INTEGRITY', meaning: 'prev of an address book is not the digest of the version before' },
  E_BOOK_WALLET: { exit: 'INTEGRITY', meaning: 'an address book is of another wallet than the vault here' },
  E_BOOK_SIG: { exit: 'INTEGRITY', meaning: 'a signature is not over this address book' },
  E_BOOK_SIGNER: { exit: 'DENIED', meaning: 'an address book is signed by a key of nobody in the policy in force' },
  E_BOOK_QUORUM: { exit: 'APPROVALS_MISSING', meaning: 'too few people have signed an address book' },
} as const satisfies FaultTable;
