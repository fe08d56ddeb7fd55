import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAddress } from '../../src/domain/address.js';
import { hash256, toHex } from '../../src/domain/bytes.js';
import { messageHash, messageProblem, toSign, toSpend } from '../../src/psbt/bip322.js';
import { proofOf, SIGNED_KINDS, signedScript } from './bip322-signer.js';

interface Vectors {
  readonly tx_hashes: readonly {
    readonly message: string;
    readonly address: string;
    readonly message_hash: string;
    readonly to_spend_tx_hash: string;
    readonly to_sign_tx_hash: string;
  }[];
  readonly simple: readonly Signed[];
  readonly full: readonly Signed[];
  readonly error: readonly { description: string; message: string; address: string; signature: string }[];
}

interface Signed {
  readonly message: string;
  readonly address: string;
  readonly type: string;
  readonly bip322_signatures: readonly string[];
}

const VECTORS: Vectors = JSON.parse(readFileSync(new URL('../vectors/bip322.json', import.meta.url), 'utf8'));

function scriptOf(address: string): Uint8Array {
  const decoded = decodeAddress(address, 'main');
  if (!decoded.ok) throw new Error(decoded.error.message);
  return decoded.value.script;
}

const txid = (bytes: Uint8Array): string => toHex(hash256(bytes).toReversed());

describe('the vectors of BIP322', () => {
  it.each(VECTORS.tx_hashes.map((one) => [one.message, one] as const))(
    'hash "%s" and its transactions',
    (_, vector) => {
      const script = scriptOf(vector.address);
      expect(toHex(messageHash(vector.message))).toBe(vector.message_hash);
      expect(txid(toSpend(script, vector.message))).toBe(vector.to_spend_tx_hash);
      expect(txid(toSign(script, vector.message).stripped)).toBe(vector.to_sign_tx_hash);
    },
  );

  const signatures = VECTORS.simple.flatMap(({ bip322_signatures, ...one }) =>
    bip322_signatures.map((signature) => [`${one.type} over "${one.message}"`, { ...one, signature }] as const),
  );

  it.each(signatures)('take a simple signature of %s', (_, { address, message, signature }) => {
    expect(messageProblem(scriptOf(address), message, signature)).toBeNull();
    const bare = signature.replace(/^smp/, '');
    expect(messageProblem(scriptOf(address), message, bare)).toBeNull();
    expect(messageProblem(scriptOf(address), `${message} `, signature)).not.toBeNull();
  });

  it.each(VECTORS.error.map((one) => [one.description, one] as const))('refuse: %s', (_, one) => {
    expect(messageProblem(scriptOf(one.address), one.message, one.signature)).not.toBeNull();
  });

  it.each(VECTORS.full.map((one) => [one.type, one] as const))('a full signature of %s is not taken', (_, one) => {
    for (const signature of one.bip322_signatures) {
      expect(messageProblem(scriptOf(one.address), one.message, signature)).not.toBeNull();
    }
  });
});

describe('a simple signature', () => {
  it.each(SIGNED_KINDS)('of %s is taken for its message and its address alone', (kind) => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.integer({ min: 1, max: 200 }), (message, other, seed) => {
        const script = signedScript(kind, seed);
        const proof = proofOf(kind, seed, message);
        expect(messageProblem(script, message, proof)).toBeNull();
        if (other !== message) expect(messageProblem(script, other, proof)).not.toBeNull();
        expect(messageProblem(signedScript(kind, seed + 1), message, proof)).not.toBeNull();
      }),
      { numRuns: 8 },
    );
  });

  it.each(SIGNED_KINDS)('of %s with any one bit changed is refused', (kind) => {
    const message = 'one bit';
    const bytes = Buffer.from(proofOf(kind, 7, message), 'base64');
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(messageProblem(signedScript(kind, 7), message, changed.toString('base64'))).not.toBeNull();
      }),
      { numRuns: 150 },
    );
  });

  it('is never thrown over, whatever it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SIGNED_KINDS), fc.uint8Array({ maxLength: 120 }), (kind, bytes) => {
        expect(messageProblem(signedScript(kind, 3), 'm', Buffer.from(bytes).toString('base64'))).not.toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['nothing', '', 'not base64'],
    ['spaces in it', 'AkcwRAIg M2gB', 'not base64'],
    ['padding left out', 'AUBay6Nw=', 'not base64'],
    ['bytes behind its witness', 'AAA=', 'not a witness'],
    ['the full form', 'fulAAAA', 'another form'],
    ['a proof of funds', 'pofAAAA', 'another form'],
  ])('that is %s says so', (_name, signature, words) => {
    expect(messageProblem(signedScript('p2wpkh', 3), 'm', signature)).toContain(words);
  });

  it('cannot be given for an address before segwit', () => {
    expect(messageProblem(scriptOf('164P4mbDkPcyvRnFGAZd1ThjxSj7Fbsywz'), 'm', 'AA==')).toContain('P2PKH');
  });

  it('of a multisig needs all of its signatures, in the order of the keys', () => {
    const script = signedScript('p2wsh', 5);
    const proof = (signers: readonly number[]): string | null =>
      messageProblem(script, 'm', proofOf('p2wsh', 5, 'm', signers));
    expect(proof([0, 1])).toBeNull();
    expect(proof([0, 2])).toBeNull();
    expect(proof([1, 2])).toBeNull();
    for (const wrong of [[0], [1, 0], [0, 0], [0, 1, 2]]) expect(proof(wrong)).not.toBeNull();
  });
});
