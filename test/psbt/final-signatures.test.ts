import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { INPUT } from '../../src/psbt/fields.js';
import { finalSignatures } from '../../src/psbt/final-signatures.js';
import { finalise } from '../../src/psbt/finalise.js';
import { field, type KeyMap, writePsbt } from '../../src/psbt/key-map.js';
import { splitPsbt } from '../../src/psbt/parts.js';
import { attributeSignatures, proveSignatures } from '../../src/psbt/verify.js';
import { KINDS } from '../vault/fixtures.js';
import { honestAnswer, simplePlan, tagOf, valueOrThrow } from './fixtures.js';

const SINGLE = KINDS.filter((kind) => !kind.includes('sortedmulti'));

function signed(kind: (typeof KINDS)[number]) {
  const planned = simplePlan(kind);
  const { plan, deriver, previous } = planned;
  const psbt = valueOrThrow(buildPsbt(plan, deriver, previous));
  const proven = valueOrThrow(proveSignatures(psbt, deriver, honestAnswer(planned, psbt)));
  return { deriver, psbt, proven, final: valueOrThrow(finalise(psbt, deriver, proven)) };
}

/** The same PSBT with the final scripts of its first input replaced. */
function withFinal(psbt: Uint8Array, type: number, value: Uint8Array | null): Uint8Array {
  const { global, inputs, outputs } = valueOrThrow(splitPsbt(psbt));
  const change = (map: KeyMap, index: number): KeyMap =>
    index > 0 ? map : [...map.filter((one) => one.type !== type), ...(value === null ? [] : [field(type, value)])];
  return writePsbt([global, ...inputs.map(change), ...outputs]);
}

describe.each(SINGLE)('the final PSBT of %s', (kind) => {
  const { deriver, psbt, proven, final } = signed(kind);
  const type = kind === 'pkh' ? INPUT.FINAL_SCRIPTSIG : INPUT.FINAL_SCRIPTWITNESS;

  it('gives back the signatures that it was made of, and they prove and finalise to the same bytes', () => {
    const found = valueOrThrow(finalSignatures(final.psbt, deriver.vault));
    expect(found.map(({ signature }) => toHex(signature))).toEqual(proven.map(({ signature }) => toHex(signature)));
    const again = valueOrThrow(proveSignatures(psbt, deriver, found));
    expect(again).toEqual(proven);
    expect(valueOrThrow(finalise(psbt, deriver, again))).toEqual(final);
  });

  it.each<[string, Uint8Array | null]>([
    ['no final script', null],
    ['an empty one', Uint8Array.of(0)],
    ['one that is cut off', Uint8Array.of(2, 5, 1)],
    ['an item too many', Uint8Array.of(3, 1, 1, 1, 1, 1, 1)],
    ['something that follows', Uint8Array.of(1, 1, 1, 1, 1, 9)],
  ])('is refused with %s', (_, value) => {
    expect(tagOf(finalSignatures(withFinal(final.psbt, type, value), deriver.vault))).toBe('E_SIG_ENCODING');
  });
});

describe.each(KINDS.filter((kind) => kind.includes('sortedmulti')))('the final PSBT of %s', (kind) => {
  const { deriver, psbt, final } = signed(kind);

  it('gives back signatures without keys; attributed, they prove and finalise to the same bytes', () => {
    const found = valueOrThrow(finalSignatures(final.psbt, deriver.vault));
    expect(found.every(({ publicKey }) => publicKey === null)).toBe(true);
    const named = valueOrThrow(attributeSignatures(psbt, deriver, found));
    const again = valueOrThrow(proveSignatures(psbt, deriver, named));
    expect(valueOrThrow(finalise(psbt, deriver, again))).toEqual(final);
  });

  it.each<[string, Uint8Array | null]>([
    ['no final script', null],
    ['an empty one', Uint8Array.of(0)],
    ['a first item that is not empty', Uint8Array.of(4, 1, 1, 1, 1, 1, 1, 1, 1)],
    ['a signature too few', Uint8Array.of(3, 0, 1, 1, 1, 1)],
    ['a signature too many', Uint8Array.of(5, 0, 1, 1, 1, 1, 1, 1, 1, 1)],
  ])('is refused with %s', (_, value) => {
    const odd = withFinal(final.psbt, INPUT.FINAL_SCRIPTWITNESS, value);
    expect(tagOf(finalSignatures(odd, deriver.vault))).toBe('E_SIG_ENCODING');
  });
});

describe('what is no final PSBT of one key', () => {
  it('is refused: bytes that are no PSBT', () => {
    const { deriver } = signed('wpkh');
    expect(tagOf(finalSignatures(Buffer.from('junk'), deriver.vault))).toBe('E_PSBT_PARSE');
  });

  it('is refused: a scriptSig with an opcode in it', () => {
    const { deriver, final } = signed('pkh');
    const odd = withFinal(final.psbt, INPUT.FINAL_SCRIPTSIG, Uint8Array.of(1, 7, 0x76));
    expect(tagOf(finalSignatures(odd, deriver.vault))).toBe('E_SIG_ENCODING');
  });
});
