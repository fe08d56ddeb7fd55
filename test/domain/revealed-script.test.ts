import { payments } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex, trustedHex } from '../../src/domain/bytes.js';
import { revealedScripts } from '../../src/domain/revealed-script.js';

const SIGNATURE = trustedHex(`30440220${'11'.repeat(32)}0220${'22'.repeat(32)}01`);
/** The generator of secp256k1, and twice it. */
const KEY = trustedHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798');
const OTHER = trustedHex('02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5');
const NOTHING = new Uint8Array();

const revealed = (input: Uint8Array | undefined, witness: readonly Uint8Array[] | undefined = []): string[] =>
  revealedScripts(input ?? NOTHING, witness).map(toHex);
const hex = (output: Uint8Array | undefined): string => toHex(output ?? NOTHING);
const multisig = payments.p2ms({ m: 1, pubkeys: [KEY, OTHER] });
const unlocking = payments.p2ms({ m: 1, pubkeys: [KEY, OTHER], signatures: [SIGNATURE] });

/** bitcoinjs-lib makes both sides, spending and spent. */
describe('what an input shows of the script that it spent', () => {
  it('P2PKH: its key, in the scriptSig', () => {
    const { input, output } = payments.p2pkh({ pubkey: KEY, signature: SIGNATURE });
    expect(revealed(input)).toContain(hex(output));
  });

  it('P2WPKH: its key, in the witness', () => {
    const { witness, output } = payments.p2wpkh({ pubkey: KEY, signature: SIGNATURE });
    expect(revealed(NOTHING, witness)).toContain(hex(output));
  });

  it('P2SH around P2WPKH: the program, with the witness and without', () => {
    const { input, output, witness } = payments.p2sh({
      redeem: payments.p2wpkh({ pubkey: KEY, signature: SIGNATURE }),
    });
    expect(revealed(input, witness)).toEqual([hex(output)]);
    expect(revealed(input)).toEqual([hex(output)]);
  });

  it('P2SH: its redeem script', () => {
    const { input, output } = payments.p2sh({ redeem: { ...multisig, ...unlocking } });
    expect(revealed(input)).toEqual([hex(output)]);
  });

  it('P2WSH, and P2SH around it: its witness script', () => {
    const inner = payments.p2wsh({ redeem: { ...multisig, ...unlocking } });
    expect(revealed(NOTHING, inner.witness)).toEqual([hex(inner.output)]);
    const outer = payments.p2sh({ redeem: inner });
    expect(revealed(outer.input, outer.witness)).toEqual([hex(outer.output)]);
  });

  it.each<[string, Uint8Array, readonly Uint8Array[]]>([
    ['nothing at all', NOTHING, []],
    ['a taproot key path', NOTHING, [new Uint8Array(64)]],
    ['a taproot key path with a sighash byte', NOTHING, [new Uint8Array(65)]],
    ['a taproot key path with an annex', NOTHING, [new Uint8Array(64), Uint8Array.of(0x50, 1)]],
    ['a taproot script path', NOTHING, [Uint8Array.of(0x51), Uint8Array.of(0xc0, ...KEY.subarray(1))]],
    ['a taproot script path two deep', NOTHING, [Uint8Array.of(0x51), new Uint8Array(33 + 64).fill(0xc1)]],
    ['a bare key', Uint8Array.of(SIGNATURE.length, ...SIGNATURE), []],
    ['a bare multisig', Uint8Array.of(0, SIGNATURE.length, ...SIGNATURE), []],
    ['an empty witness script', NOTHING, [NOTHING]],
    ['a scriptSig that does more than push', Uint8Array.of(0x51, 0xac), []],
    ['a push that is cut off', Uint8Array.of(5, 1, 2), []],
    ['a length that is cut off', Uint8Array.of(0x4d, 1), []],
    ['a scriptSig with a witness and no program in it', Uint8Array.of(1, 0x51), [SIGNATURE, KEY]],
  ])('%s shows no script', (_, scriptSig, witness) => {
    expect(revealed(scriptSig, witness)).toEqual([]);
  });

  it('reads pushes of every length', () => {
    const redeem = new Uint8Array(300).fill(0x51);
    const { output } = payments.p2sh({ redeem: { output: redeem } });
    const sizes = [
      [0x4d, 44, 1],
      [0x4e, 44, 1, 0, 0],
    ];
    for (const size of sizes) expect(revealed(Uint8Array.of(0x51, ...size, ...redeem))).toEqual([hex(output)]);
  });

  it('never throws, whatever the bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 120 });
    fc.assert(
      fc.property(bytes, fc.array(bytes, { maxLength: 4 }), (scriptSig, witness) => {
        for (const script of revealedScripts(scriptSig, witness)) expect([22, 23, 25, 34]).toContain(script.length);
      }),
    );
  });
});
