import type { BIP32Interface } from 'bip32';
import type { Signer, SigningFailure } from '../../src/device/types.js';
import type { Result } from '../../src/domain/result.js';
import type { ReturnedSignature } from '../../src/psbt/types.js';

export type Answer = Result<readonly ReturnedSignature[], SigningFailure>;
export const root: BIP32Interface;
export function honestSignatures(psbt: Uint8Array): ReturnedSignature[];
export function softSigner(answer?: (psbt: Uint8Array) => Answer | Promise<Answer>): Signer;
