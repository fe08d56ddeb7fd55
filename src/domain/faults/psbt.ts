import type { FaultTable } from './meaning.js';

export const PSBT_FAULTS = {
  E_PSBT_PARSE: { exit: 'USAGE', meaning: 'the bytes are not a PSBT (BIP174), or are cut off' },
  E_PSBT_VERSION: { exit: 'USAGE', meaning: 'a PSBT version that this command does not read' },
  E_PREVTX_MISSING: { exit: 'DATA_STALE', meaning: 'the previous transaction of a pre-taproot input is not known' },
  E_PREVTX_MISMATCH: {
    exit: 'INTEGRITY',
    meaning: 'a previous transaction does not hash to the txid, or its output differs',
  },
  E_PSBT_PLAN: {
    exit: 'INTEGRITY',
    meaning: 'a transaction plan contradicts itself: no input, a coin twice, amounts that do not add up',
  },
  E_PSBT_FOREIGN: {
    exit: 'INTEGRITY',
    meaning: 'an input or the change of a transaction is not the script of the vault at the place that it names',
  },
  E_PSBT_SIGHASH: { exit: 'INTEGRITY', meaning: 'an input asks for another sighash than ALL or DEFAULT' },
  E_SIG_MISSING: { exit: 'DEVICE_PROTOCOL', meaning: 'an expected signature was not returned' },
  E_SIG_UNEXPECTED: { exit: 'DEVICE_MISMATCH', meaning: 'a signature for an input or key that was not asked for' },
  E_SIG_ENCODING: {
    exit: 'DEVICE_PROTOCOL',
    meaning: 'a signature is not strict DER, not low-S, or has a wrong length',
  },
  E_SIG_SIGHASH: { exit: 'DEVICE_PROTOCOL', meaning: 'a signature carries another sighash byte than ALL or DEFAULT' },
  E_SIG_INVALID: { exit: 'DEVICE_MISMATCH', meaning: 'a signature does not verify against the sighash of the plan' },
  E_FINAL_MISMATCH: { exit: 'INTEGRITY', meaning: 'the final transaction differs from the plan' },
} as const satisfies FaultTable;
