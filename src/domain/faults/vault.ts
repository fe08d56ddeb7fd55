import type { FaultTable } from './meaning.js';

export const VAULT_FAULTS = {
  E_VAULT_ID: {
    exit: 'USAGE',
    meaning: 'the name of a vault is not 1 to 32 of a-z 0-9 -, beginning with a letter or digit',
  },
  E_DESCRIPTOR_SYNTAX: { exit: 'USAGE', meaning: 'an output descriptor is malformed (BIP380)' },
  E_DESCRIPTOR_CHECKSUM: {
    exit: 'USAGE',
    meaning: 'the checksum of a descriptor is missing or does not match (BIP380)',
  },
  E_DESCRIPTOR_UNSUPPORTED: {
    exit: 'USAGE',
    meaning: 'a valid descriptor of a kind that a vault or a destination cannot use',
  },
  E_DESCRIPTOR_KEY: {
    exit: 'USAGE',
    meaning: 'a key expression is malformed, private, of another network, or one of a vault without origin',
  },
  E_SNAPSHOT_SCHEMA: { exit: 'USAGE', meaning: 'a coin snapshot does not follow countersign.snapshot/1' },
  E_SNAPSHOT_NETWORK: { exit: 'USAGE', meaning: 'a coin snapshot is of another network than the vault' },
  E_SNAPSHOT_VAULT: { exit: 'USAGE', meaning: 'a coin snapshot is of another vault' },
  E_SNAPSHOT_COIN: {
    exit: 'USAGE',
    meaning: 'a coin of a snapshot does not belong to the vault, or contradicts its previous transaction',
  },
  E_SNAPSHOT_SOURCES: {
    exit: 'USAGE',
    meaning: 'the sources that a snapshot states contradict the transaction that made a coin',
  },
  E_SNAPSHOT_SIG: {
    exit: 'INTEGRITY',
    meaning: 'a coin snapshot is not signed by a key that countersign.yaml names, or a signature is not over it',
  },
  E_COIN_UNKNOWN: { exit: 'USAGE', meaning: 'an outpoint that the vault does not hold' },
} as const satisfies FaultTable;
