import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { INPUT } from '../../src/psbt/fields.js';
import { finalSignatures } from '../../src/psbt/final-signatures.js';
import { finalise, withSignatures } from '../../src/psbt/finalise.js';
import { field, type KeyMap, keyedField, writePsbt } from '../../src/psbt/key-map.js';
import { enoughSignatures, partsOf, type SignerPart } from '../../src/psbt/partial.js';
import { splitPsbt } from '../../src/psbt/parts.js';
import { attributeSignatures, proveSignatures, proveSigner } from '../../src/psbt/verify.js';
import { uint32Bytes } from '../../src/psbt/wire.js';
import type { PlainKind } from '../../src/vault/types.js';
import { honestAnswer, type Planned, simplePlan, tagOf, valueOrThrow } from './fixtures.js';

const KINDS = ['wsh(sortedmulti)', 'sh(wsh(sortedmulti))'] as const satisfies readonly PlainKind[];

interface Scene {
  readonly planned: Planned;
  readonly psbt: Uint8Array;
  readonly parts: readonly SignerPart[];
}

/** A batch of three inputs, and what each of its three cosigners signs. */
function sceneOf(kind: PlainKind): Scene {
  const planned = simplePlan(kind, 3);
  const psbt = valueOrThrow(buildPsbt(planned.plan, planned.deriver, planned.previous));
  const everybody = honestAnswer(planned, psbt, 3);
  const attributed = valueOrThrow(attributeSignatures(psbt, planned.deriver, everybody));
  const parts = planned.deriver.vault.keys.map(({ fingerprint: signer }) => ({
    signer,
    signatures: valueOrThrow(
      proveSigner(
        psbt,
        planned.deriver,
        signer,
        attributed.filter((one) => one.signer === signer),
      ),
    ),
  }));
  return { planned, psbt, parts };
}

const SCENES = new Map(KINDS.map((kind) => [kind, sceneOf(kind)]));

describe.each(KINDS)('parts of %s', (kind) => {
  const scene = SCENES.get(kind);
  if (scene === undefined) throw new Error(kind);
  const { planned, psbt, parts } = scene;
  const { deriver } = planned;
  const { vault } = deriver;
  const [first, second, third] = parts;
  if (first === undefined || second === undefined || third === undefined) throw new Error('three cosigners');
  const fileOf = (...some: readonly SignerPart[]): Uint8Array =>
    valueOrThrow(
      withSignatures(
        psbt,
        deriver,
        some.flatMap(({ signatures }) => signatures),
      ),
    );

  /** A file with its first input changed. */
  const edited = (file: Uint8Array, edit: (map: KeyMap) => KeyMap): Uint8Array => {
    const { global, inputs, outputs } = valueOrThrow(splitPsbt(file));
    return writePsbt([global, ...inputs.map((map, index) => (index === 0 ? edit(map) : map)), ...outputs]);
  };

  test('a cosigner signs every input once, and is proven alone', () => {
    for (const { signer, signatures } of parts) {
      expect(signatures.map(({ input }) => input)).toEqual([0, 1, 2]);
      const others = parts.filter((part) => part.signer !== signer);
      for (const other of others) {
        expect(tagOf(proveSigner(psbt, deriver, signer, other.signatures))).toBe('E_SIG_UNEXPECTED');
        expect(tagOf(proveSigner(psbt, deriver, signer, [...signatures, ...other.signatures.slice(0, 1)]))).toBe(
          'E_SIG_UNEXPECTED',
        );
      }
      for (const left of signatures) {
        const rest = signatures.filter((one) => one !== left);
        expect(tagOf(proveSigner(psbt, deriver, signer, rest))).toBe('E_SIG_MISSING');
        expect(tagOf(proveSigner(psbt, deriver, signer, [...signatures, left]))).toBe('E_SIG_UNEXPECTED');
      }
      const swapped = signatures.map((one, index) => ({
        ...one,
        signature: signatures[(index + 1) % 3]?.signature ?? one.signature,
      }));
      expect(tagOf(proveSigner(psbt, deriver, signer, swapped))).toBe('E_SIG_INVALID');
    }
  });

  test('come back out of a file, in the order of the vault, whoever is in it', () => {
    for (const some of [[first], [third, first], [second, third], [third, second, first]]) {
      const found = valueOrThrow(partsOf(fileOf(...some), psbt, deriver));
      expect(found).toEqual(parts.filter((part) => some.includes(part)));
    }
  });

  test('the order of parts and of signatures changes nothing', () => {
    const due = valueOrThrow(finalise(psbt, deriver, enoughSignatures(deriver, [first, second]) ?? []));
    fc.assert(
      fc.property(fc.shuffledSubarray([first, second], { minLength: 2 }), fc.boolean(), (shuffled, reversed) => {
        const order = shuffled.map(({ signer, signatures }) => ({
          signer,
          signatures: reversed ? [...signatures].reverse() : signatures,
        }));
        expect(toHex(fileOf(...order))).toBe(toHex(fileOf(first, second)));
        const final = valueOrThrow(finalise(psbt, deriver, enoughSignatures(deriver, order) ?? []));
        expect(toHex(final.transaction)).toBe(toHex(due.transaction));
        expect(toHex(final.psbt)).toBe(toHex(due.psbt));
      }),
      { numRuns: 10 },
    );
  });

  test('of any two are enough, of one are not, and of three exactly two a input are taken', () => {
    expect(enoughSignatures(deriver, [])).toBeNull();
    for (const one of parts) expect(enoughSignatures(deriver, [one])).toBeNull();
    for (const left of parts) {
      const two = enoughSignatures(
        deriver,
        parts.filter((part) => part !== left),
      );
      expect(valueOrThrow(proveSignatures(psbt, deriver, two ?? []))).toHaveLength(6);
      expect(valueOrThrow(finalise(psbt, deriver, two ?? [])).txid).toMatch(/^[0-9a-f]{64}$/);
    }
    const all = enoughSignatures(deriver, parts) ?? [];
    expect(valueOrThrow(proveSignatures(psbt, deriver, all))).toEqual(all);
    expect(valueOrThrow(finalise(psbt, deriver, all)).transaction.length).toBeGreaterThan(0);
  });

  test('one input with too few makes it too few', () => {
    const short = { ...second, signatures: second.signatures.slice(1) };
    expect(enoughSignatures(deriver, [first, short])).toBeNull();
  });

  test('are found in a final witness too, which does not name their keys', () => {
    const final = valueOrThrow(finalise(psbt, deriver, enoughSignatures(deriver, [first, third]) ?? []));
    expect(valueOrThrow(finalSignatures(final.psbt, vault)).map(({ publicKey }) => publicKey)).toEqual(
      Array(6).fill(null),
    );
    expect(valueOrThrow(partsOf(final.psbt, psbt, deriver))).toEqual([first, third]);
  });

  test('a witness with a signature of nobody is refused', () => {
    const final = valueOrThrow(finalise(psbt, deriver, enoughSignatures(deriver, [first, second]) ?? []));
    const bad = edited(final.psbt, (map) =>
      map.map((one) => {
        if (one.type !== INPUT.FINAL_SCRIPTWITNESS) return one;
        const value = one.value.slice();
        value[20] = (value[20] ?? 0) ^ 1;
        return { ...one, value };
      }),
    );
    expect(tagOf(partsOf(bad, psbt, deriver))).toBe('E_SIG_UNEXPECTED');
  });

  test.each<readonly [string, (map: KeyMap) => KeyMap, string]>([
    ['one signature taken away', (map) => map.filter(({ type }) => type !== INPUT.PARTIAL_SIG), 'E_SIG_MISSING'],
    [
      'a stranger added',
      (map) => [...map, keyedField(INPUT.PARTIAL_SIG, new Uint8Array(33).fill(3), new Uint8Array(71))],
      'E_SIG_UNEXPECTED',
    ],
    [
      'another sighash byte',
      (map) =>
        map.map((one) =>
          one.type === INPUT.PARTIAL_SIG ? { ...one, value: Uint8Array.of(...one.value.slice(0, -1), 0x83) } : one,
        ),
      'E_SIG_SIGHASH',
    ],
    [
      'a bit changed',
      (map) =>
        map.map((one) => {
          if (one.type !== INPUT.PARTIAL_SIG) return one;
          const value = one.value.slice();
          value[10] = (value[10] ?? 0) ^ 1;
          return { ...one, value };
        }),
      'E_SIG_INVALID',
    ],
  ])('a file with %s is refused', (_, edit, tag) => {
    expect(tagOf(partsOf(edited(fileOf(first), edit), psbt, deriver))).toBe(tag);
  });

  test('only signatures are read from a file: scripts, prevouts and sighash types of its own do not matter', () => {
    const odd = edited(fileOf(second), (map) => [
      ...map.filter(({ type }) => type !== INPUT.WITNESS_SCRIPT && type !== INPUT.NON_WITNESS_UTXO),
      field(INPUT.WITNESS_SCRIPT, Uint8Array.of(0x51)),
      field(INPUT.SIGHASH_TYPE, uint32Bytes(0x83)),
    ]);
    expect(valueOrThrow(partsOf(odd, psbt, deriver))).toEqual([second]);
  });

  test('a file without signatures, of another transaction, or that is none', () => {
    expect(tagOf(partsOf(psbt, psbt, deriver))).toBe('E_SIG_MISSING');
    const other = simplePlan(kind, 2);
    const theirs = valueOrThrow(buildPsbt(other.plan, other.deriver, other.previous));
    expect(tagOf(partsOf(theirs, psbt, deriver))).toBe('E_PSBT_CHANGED');
    expect(tagOf(partsOf(Buffer.from('junk'), psbt, deriver))).toBe('E_PSBT_PARSE');
    const { global } = valueOrThrow(splitPsbt(psbt));
    expect(tagOf(partsOf(writePsbt([global]), psbt, deriver))).toBe('E_PSBT_PARSE');
  });

  test('whatever bytes come, the answer is a result', () => {
    const good = fileOf(first, second);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (place, flip) => {
        const bytes = good.slice();
        bytes[place] = (bytes[place] ?? 0) ^ flip;
        const found = partsOf(bytes, psbt, deriver);
        // A change that is not noticed is one in what is not read: then the parts are the true ones.
        if (found.ok) expect(found.value).toEqual([first, second]);
      }),
      { numRuns: 150 },
    );
  });
});

test('a cosigner that the vault does not have is a bug of the caller', () => {
  const { psbt, planned } = sceneOf('wsh(sortedmulti)');
  expect(() => proveSigner(psbt, planned.deriver, '00000000', [])).toThrow('no signer');
});
