import { readFileSync } from 'node:fs';
import { Psbt } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256Hex, toHex } from '../../src/domain/bytes.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { decodePsbt } from '../../src/psbt/decode.js';
import { GLOBAL, INPUT, OUTPUT } from '../../src/psbt/fields.js';
import { type Field, field, keyedField, writePsbt } from '../../src/psbt/key-map.js';
import { type PsbtParts, splitPsbt } from '../../src/psbt/parts.js';
import { serialiseOutput } from '../../src/psbt/transaction.js';
import type { DecodedPsbt } from '../../src/psbt/types.js';
import { uint32Bytes } from '../../src/psbt/wire.js';
import { KINDS } from '../vault/fixtures.js';
import { simplePlan, tagOf, valueOrThrow } from './fixtures.js';

interface Vector {
  readonly case: string;
  readonly psbt: string;
}

interface Vectors {
  readonly valid: readonly Vector[];
  readonly invalid: readonly Vector[];
  readonly failSignerChecks?: readonly Vector[];
}

function vectors(name: string): Vectors {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as Vectors;
}

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
const bip174 = vectors('bip174');
const bip370 = vectors('bip370');
const bip371 = vectors('bip371');

const wpkh = simplePlan('wpkh');
const built = valueOrThrow(buildPsbt(wpkh.plan, wpkh.deriver, wpkh.previous));
const multisig = simplePlan('sh(wsh(sortedmulti))');
const builtMultisig = valueOrThrow(buildPsbt(multisig.plan, multisig.deriver, multisig.previous));

/** The built PSBT with its maps changed. */
function edited(edit: (parts: PsbtParts) => Partial<PsbtParts>): Uint8Array {
  const parts = valueOrThrow(splitPsbt(built));
  const { global, inputs, outputs } = { ...parts, ...edit(parts) };
  return writePsbt([global, ...inputs, ...outputs]);
}

const withInputField = (...fields: readonly Field[]): Uint8Array =>
  edited(({ inputs: [first = [], ...rest] }) => ({ inputs: [[...first, ...fields], ...rest] }));

/** The first input with one field replaced, or removed. */
const replacing = (type: number, value: Uint8Array | null): Uint8Array =>
  edited(({ inputs: [first = [], ...rest] }) => ({
    inputs: [
      [...first.filter((entry) => entry.type !== type), ...(value === null ? [] : [field(type, value)])],
      ...rest,
    ],
  }));

const firstInput = (bytes: Uint8Array): DecodedPsbt['inputs'][number] | undefined =>
  valueOrThrow(decodePsbt(bytes)).inputs[0];

describe('vectors of the BIPs', () => {
  test.each([...bip174.valid, ...bip371.valid])('valid: $case', ({ psbt }) => {
    const bytes = fromBase64(psbt);
    const decoded = valueOrThrow(decodePsbt(bytes));
    expect(decoded.malformed).toBeNull();
    expect(decoded.sha256).toBe(sha256Hex(bytes));
  });

  test.each([...bip174.invalid, ...bip371.invalid])('invalid: $case', ({ psbt }) => {
    const decoded = decodePsbt(fromBase64(psbt));
    // A filled-in global transaction can be decoded, and is reported to the policy instead of hidden from it.
    if (decoded.ok) expect(decoded.value.malformed).toMatch(/scriptSig|witness/);
    else expect(decoded.error.tag).toBe('E_PSBT_PARSE');
  });

  test('only the PSBT with a filled-in global transaction decodes, as malformed', () => {
    const malformed = bip174.invalid.filter(({ psbt }) => decodePsbt(fromBase64(psbt)).ok).map((vector) => vector.case);
    expect(malformed).toEqual(['PSBT where one input has a filled scriptSig in the unsigned tx']);
  });

  test.each(bip174.failSignerChecks ?? [])('a signer must refuse, a decoder need not: $case', ({ psbt }) => {
    expect(decodePsbt(fromBase64(psbt)).ok).toBe(true);
  });

  test.each(bip370.valid)('version 2 is named: $case', ({ psbt }) => {
    expect(decodePsbt(fromBase64(psbt))).toMatchObject({
      ok: false,
      error: { tag: 'E_PSBT_VERSION', message: expect.stringContaining('version 2'), remedy: expect.any(String) },
    });
  });

  test.each(bip370.invalid)('version 0 with fields of version 2: $case', ({ case: name, psbt }) => {
    const due = name.startsWith('PSBTv0') || name.includes('UNSIGNED_TX') ? 'E_PSBT_PARSE' : 'E_PSBT_VERSION';
    expect(tagOf(decodePsbt(fromBase64(psbt)))).toBe(due);
  });

  test('agrees with bitcoinjs-lib on the transaction and the derivations', () => {
    for (const { psbt } of [...bip174.valid, ...bip371.valid].filter((vector) => !vector.case.includes('0 inputs'))) {
      const decoded = valueOrThrow(decodePsbt(fromBase64(psbt)));
      const reference = Psbt.fromBase64(psbt);
      expect(decoded.inputs.map(({ outpoint }) => outpoint)).toEqual(
        reference.txInputs.map(({ hash, index }) => ({ txid: toHex(new Uint8Array(hash).reverse()), vout: index })),
      );
      expect(decoded.outputs.map(({ value }) => value)).toEqual(reference.txOutputs.map(({ value }) => value));
      expect(decoded.inputs.map(({ derivations }) => derivations.length)).toEqual(
        reference.data.inputs.map(
          (input) => (input.bip32Derivation ?? []).length + (input.tapBip32Derivation ?? []).length,
        ),
      );
    }
  });
});

describe('a global transaction that is not unsigned', () => {
  const withTransaction = (transaction: Uint8Array): Uint8Array =>
    edited(() => ({ global: [field(GLOBAL.UNSIGNED_TX, transaction)] }));
  const transaction = valueOrThrow(splitPsbt(built)).unsigned.stripped;
  const body = transaction.subarray(4, -4);
  const segwit = (witnesses: readonly number[]): Uint8Array =>
    Uint8Array.of(2, 0, 0, 0, 0, 1, ...body, ...witnesses, ...transaction.subarray(-4));

  test('with witnesses it is malformed, under its real txid', () => {
    expect(valueOrThrow(decodePsbt(withTransaction(segwit([1, 1, 0xaa, 0]))))).toMatchObject({
      malformed: expect.stringContaining('witnesses'),
      unsignedTxid: valueOrThrow(decodePsbt(built)).unsignedTxid,
      inputs: [{ proof: 'proven' }, { proof: 'proven' }],
    });
  });

  test('in witness serialisation without a witness it is no transaction', () => {
    expect(tagOf(decodePsbt(withTransaction(segwit([0, 0]))))).toBe('E_PSBT_PARSE');
  });

  test('with a scriptSig it is malformed', () => {
    const signed = Uint8Array.of(...transaction.subarray(0, 41), 1, 0x51, ...transaction.subarray(42));
    expect(valueOrThrow(decodePsbt(withTransaction(signed)))).toMatchObject({
      malformed: expect.stringContaining('input 0'),
    });
    expect(tagOf(decodePsbt(withTransaction(transaction)))).toBeNull();
  });
});

describe('any bytes', () => {
  const expectTotal = (bytes: Uint8Array): void => {
    const decoded = decodePsbt(bytes);
    if (!decoded.ok) expect(['E_PSBT_PARSE', 'E_PSBT_VERSION']).toContain(decoded.error.tag);
  };

  test('random bytes never throw, with and without the magic', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expectTotal(bytes);
        expectTotal(Uint8Array.of(0x70, 0x73, 0x62, 0x74, 0xff, ...bytes));
        expectTotal(Uint8Array.of(...built.subarray(0, 200), ...bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['wpkh', built],
    ['sh(wsh(sortedmulti))', builtMultisig],
  ])('every truncation of a PSBT of %s is refused, and so is a byte more', (_kind, bytes) => {
    for (let length = 0; length < bytes.length; length++) {
      expect(tagOf(decodePsbt(bytes.subarray(0, length)))).toBe('E_PSBT_PARSE');
    }
    expect(tagOf(decodePsbt(bytes))).toBeNull();
    for (const extra of [0, 1]) expect(tagOf(decodePsbt(Uint8Array.of(...bytes, extra)))).toBe('E_PSBT_PARSE');
  });

  test.each(KINDS)('%s: a flipped bit never proves another amount or script', (kind) => {
    const planned = simplePlan(kind);
    const bytes = valueOrThrow(buildPsbt(planned.plan, planned.deriver, planned.previous));
    const truth = new Map(planned.plan.inputs.map((coin) => [`${coin.outpoint.txid}:${coin.outpoint.vout}`, coin]));
    for (let at = 0; at < 2 * bytes.length; at++) {
      const flipped = new Uint8Array(bytes);
      flipped[at >> 1] = (flipped[at >> 1] ?? 0) ^ (at % 2 === 0 ? 0x01 : 0x80);
      const decoded = decodePsbt(flipped);
      if (!decoded.ok) continue;
      for (const { proof, prevout, outpoint } of decoded.value.inputs) {
        if (proof !== 'proven') continue;
        const coin = truth.get(`${outpoint.txid}:${outpoint.vout}`);
        // An outpoint moved to another output of the same previous transaction is proven for that output.
        const due = coin ?? { value: BigInt(outpoint.vout), script: Uint8Array.of(0x6a) };
        expect(prevout).toEqual({ value: due.value, script: due.script });
      }
    }
  });

  test('a caller that changes its buffer does not change the facts', () => {
    const bytes = new Uint8Array(built);
    const decoded = valueOrThrow(decodePsbt(bytes));
    const before = toHex(decoded.outputs[0]?.script ?? new Uint8Array());
    bytes.fill(0xff);
    expect(toHex(decoded.outputs[0]?.script ?? new Uint8Array())).toBe(before);
  });
});

describe('how far a prevout is proven', () => {
  const coin = wpkh.plan.inputs[0];
  if (coin === undefined) throw new Error('the plan has inputs');
  const witnessUtxo = (value: bigint, script = coin.script): Uint8Array => serialiseOutput({ value, script });
  const otherPrevious = wpkh.previous.get(wpkh.plan.inputs[1]?.outpoint.txid ?? '') ?? new Uint8Array();

  test('by its previous transaction, with or without a witness_utxo', () => {
    const due = { proof: 'proven', prevout: { value: coin.value, script: coin.script } };
    expect(firstInput(built)).toMatchObject(due);
    expect(firstInput(replacing(INPUT.WITNESS_UTXO, null))).toMatchObject(due);
  });

  test('a witness_utxo alone only claims', () => {
    expect(firstInput(replacing(INPUT.NON_WITNESS_UTXO, null))).toMatchObject({
      proof: 'claimed',
      prevout: { value: coin.value },
    });
  });

  test('a witness_utxo that disagrees by one satoshi or in its script', () => {
    const due = { proof: 'mismatch', prevout: null };
    expect(firstInput(replacing(INPUT.WITNESS_UTXO, witnessUtxo(coin.value + 1n)))).toMatchObject(due);
    expect(firstInput(replacing(INPUT.WITNESS_UTXO, witnessUtxo(coin.value, Uint8Array.of(0x51))))).toMatchObject(due);
    expect(firstInput(replacing(INPUT.WITNESS_UTXO, witnessUtxo(coin.value)))).toMatchObject({ proof: 'proven' });
  });

  test('a previous transaction with another txid', () => {
    expect(firstInput(replacing(INPUT.NON_WITNESS_UTXO, otherPrevious))).toMatchObject({
      proof: 'mismatch',
      prevout: null,
    });
  });

  test('neither field', () => {
    const stripped = edited(({ inputs: [first = [], ...rest] }) => ({
      inputs: [first.filter(({ type }) => type > INPUT.WITNESS_UTXO), ...rest],
    }));
    expect(firstInput(stripped)).toMatchObject({ proof: 'absent', prevout: null });
  });

  test('amounts up to 21,000,000 BTC and no further', () => {
    const claim = (value: bigint): Uint8Array =>
      edited(({ inputs: [, ...rest] }) => ({ inputs: [[field(INPUT.WITNESS_UTXO, witnessUtxo(value))], ...rest] }));
    expect(firstInput(claim(2_100_000_000_000_000n))).toMatchObject({ proof: 'claimed' });
    expect(tagOf(decodePsbt(claim(2_100_000_000_000_001n)))).toBe('E_PSBT_PARSE');
    expect(tagOf(decodePsbt(replacing(INPUT.WITNESS_UTXO, Uint8Array.of(...witnessUtxo(1n), 0))))).toBe('E_PSBT_PARSE');
  });

  test('a previous transaction that is none', () => {
    expect(tagOf(decodePsbt(replacing(INPUT.NON_WITNESS_UTXO, Uint8Array.of(1, 2, 3))))).toBe('E_PSBT_PARSE');
  });
});

describe('fields', () => {
  test.each([
    ['a partial signature', keyedField(INPUT.PARTIAL_SIG, new Uint8Array(33).fill(2), new Uint8Array(71))],
    ['a final scriptSig', field(INPUT.FINAL_SCRIPTSIG, Uint8Array.of(0))],
    ['a final witness', field(INPUT.FINAL_SCRIPTWITNESS, Uint8Array.of(0))],
    ['a taproot key signature', field(INPUT.TAP_KEY_SIG, new Uint8Array(64))],
    ['a taproot script signature', keyedField(INPUT.TAP_SCRIPT_SIG, new Uint8Array(64), new Uint8Array(65))],
  ])('%s makes an input presigned', (_name, extra) => {
    expect(firstInput(withInputField(extra))).toMatchObject({ presigned: true, foreignFields: [] });
  });

  test('a sighash type is reported as it stands', () => {
    expect(firstInput(withInputField(field(INPUT.SIGHASH_TYPE, uint32Bytes(0x83))))).toMatchObject({
      sighashType: 0x83,
    });
  });

  test.each([
    ['porCommitment', field(INPUT.POR_COMMITMENT, Uint8Array.of(1))],
    ['sha256Preimage', keyedField(INPUT.SHA256, new Uint8Array(32), Uint8Array.of(1))],
    ['tapMerkleRoot', field(INPUT.TAP_MERKLE_ROOT, new Uint8Array(32))],
    ['unknown:fc', keyedField(0xfc, Uint8Array.of(1, 2), new Uint8Array(0))],
    ['unknown:123', keyedField(0x123, new Uint8Array(0), new Uint8Array(0))],
    [
      'tapLeafHashes',
      keyedField(INPUT.TAP_BIP32_DERIVATION, new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(36))),
    ],
  ])('%s is named as foreign', (name, extra) => {
    expect(firstInput(withInputField(extra))?.foreignFields).toEqual([name]);
  });

  test('a derivation whose path is not whole', () => {
    const bip32 = (length: number): Field =>
      keyedField(INPUT.BIP32_DERIVATION, new Uint8Array(33), new Uint8Array(length));
    const taproot = (value: Uint8Array): Field => keyedField(INPUT.TAP_BIP32_DERIVATION, new Uint8Array(32), value);
    expect([3, 4, 5, 7, 8].map((length) => tagOf(decodePsbt(withInputField(bip32(length)))))).toEqual([
      'E_PSBT_PARSE',
      null,
      'E_PSBT_PARSE',
      'E_PSBT_PARSE',
      null,
    ]);
    expect([4, 5, 8, 9].map((length) => tagOf(decodePsbt(withInputField(taproot(new Uint8Array(length))))))).toEqual([
      'E_PSBT_PARSE',
      null,
      'E_PSBT_PARSE',
      null,
    ]);
    expect(tagOf(decodePsbt(withInputField(taproot(Uint8Array.of(200, 0, 0, 0, 0)))))).toBe('E_PSBT_PARSE');
  });

  test('a key that stands twice, in each kind of map', () => {
    const twice = (extra: Field) => [extra, extra];
    const unknown = keyedField(0xf0, Uint8Array.of(7), Uint8Array.of(1));
    for (const bytes of [
      edited(({ global }) => ({ global: [...global, ...twice(unknown)] })),
      withInputField(...twice(unknown)),
      edited(({ outputs: [first = [], ...rest] }) => ({ outputs: [[...first, ...twice(unknown)], ...rest] })),
    ]) {
      expect(decodePsbt(bytes)).toMatchObject({
        error: { tag: 'E_PSBT_PARSE', message: expect.stringContaining('twice') },
      });
    }
    expect(tagOf(decodePsbt(withInputField(unknown)))).toBeNull();
  });

  test('version 0 may be said; 1 has no meaning, with or without a global transaction', () => {
    const version = (value: number) => field(GLOBAL.VERSION, uint32Bytes(value));
    expect(tagOf(decodePsbt(edited(({ global }) => ({ global: [...global, version(0)] }))))).toBeNull();
    expect(tagOf(decodePsbt(edited(({ global }) => ({ global: [...global, version(1)] }))))).toBe('E_PSBT_PARSE');
    expect(tagOf(decodePsbt(edited(() => ({ global: [version(1)] }))))).toBe('E_PSBT_VERSION');
    expect(tagOf(decodePsbt(edited(() => ({ global: [field(GLOBAL.VERSION, Uint8Array.of(2))] }))))).toBe(
      'E_PSBT_PARSE',
    );
  });

  test('an output that carries fields of version 2', () => {
    const bytes = edited(({ outputs: [first = [], ...rest] }) => ({
      outputs: [[...first, field(OUTPUT.AMOUNT, new Uint8Array(8))], ...rest],
    }));
    expect(decodePsbt(bytes)).toMatchObject({ error: { message: expect.stringContaining('output 0') } });
  });

  test('lengths must be in their shortest form', () => {
    expect(tagOf(decodePsbt(Uint8Array.of(...built.subarray(0, 5), 0xfd, 1, 0, ...built.subarray(6))))).toBe(
      'E_PSBT_PARSE',
    );
  });
});
