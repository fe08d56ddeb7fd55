import type { Hex } from '../domain/bytes.js';
import type { Outpoint } from '../domain/outpoint.js';
import type { Sats } from '../domain/sats.js';
import type { DerivationClaim } from '../vault/types.js';

/** The output that an input spends, as the PSBT itself states it. */
export interface Prevout {
  readonly value: Sats;
  readonly script: Uint8Array;
}

/**
 * How far the PSBT proves its prevout: `proven` by a non_witness_utxo that hashes to the outpoint's txid (and agrees with
 * a witness_utxo, where there is one), `claimed` by a witness_utxo alone, `mismatch` where the two or the txid disagree.
 */
export type PrevoutProof = 'proven' | 'claimed' | 'mismatch' | 'absent';

export interface DecodedInput {
  readonly outpoint: Outpoint;
  readonly sequence: number;
  readonly prevout: Prevout | null;
  readonly proof: PrevoutProof;
  /** PSBT_IN_SIGHASH_TYPE, or null where the field is absent (ALL, or DEFAULT for taproot). */
  readonly sighashType: number | null;
  readonly redeemScript: Uint8Array | null;
  readonly witnessScript: Uint8Array | null;
  /** PSBT_IN_BIP32_DERIVATION and PSBT_IN_TAP_BIP32_DERIVATION. */
  readonly derivations: readonly DerivationClaim[];
  /** Carries a partial, taproot or final signature, or final scripts. */
  readonly presigned: boolean;
  /** Names of fields that countersign never writes, for example "unknown:fc" or "porCommitment". */
  readonly foreignFields: readonly string[];
}

export interface DecodedOutput {
  readonly value: Sats;
  readonly script: Uint8Array;
  readonly redeemScript: Uint8Array | null;
  readonly witnessScript: Uint8Array | null;
  readonly derivations: readonly DerivationClaim[];
}

/** Everything a verdict rests on, decoded from the exact bytes that go to the device. */
export interface DecodedPsbt {
  /** SHA-256 of the bytes that were decoded. */
  readonly sha256: Hex;
  /** Display order. Final for segwit inputs; for pkh inputs it changes with the signatures. */
  readonly unsignedTxid: Hex;
  readonly version: number;
  readonly locktime: number;
  readonly inputs: readonly DecodedInput[];
  readonly outputs: readonly DecodedOutput[];
  /** The global transaction has non-empty scriptSigs or witnesses, which BIP174 forbids. */
  readonly malformed: string | null;
}

/** One signature as a device gave it, not yet believed. */
export interface ReturnedSignature {
  readonly input: number;
  /** 33 bytes, or 32 x-only for a taproot key path; null where the client cannot say which key signed. */
  readonly publicKey: Uint8Array | null;
  /** DER with its sighash byte; for taproot 64 bytes, or 65 with one. */
  readonly signature: Uint8Array;
}

/** A signature that verified against countersign's own sighash, for an expected key and input. */
export interface ProvenSignature extends ReturnedSignature {
  readonly publicKey: Uint8Array;
}

export interface FinalTransaction {
  /** The PSBT with all signatures, finalised (BIP174). */
  readonly psbt: Uint8Array;
  /** Network serialisation, ready to broadcast. */
  readonly transaction: Uint8Array;
  readonly txid: Hex;
  readonly weight: number;
}
