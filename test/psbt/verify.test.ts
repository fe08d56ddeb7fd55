import { script } from 'bitcoinjs-lib';
import { privateNegate } from 'tiny-secp256k1';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { INPUT } from '../../src/psbt/fields.js';
import { type Field, field, type KeyMap, writePsbt } from '../../src/psbt/key-map.js';
import { splitPsbt } from '../../src/psbt/parts.js';
import type { ReturnedSignature } from '../../src/psbt/types.js';
import { proveSignatures } from '../../src/psbt/verify.js';
import { uint32Bytes } from '../../src/psbt/wire.js';
import type { PlainKind } from '../../src/vault/types.js';
import { KINDS } from '../vault/fixtures.js';
import {
  deriverOf,
  honestAnswer,
  type Planned,
  privateNode,
  simplePlan,
  tagOf,
  taprootSigner,
  valueOrThrow,
} from './fixtures.js';

const ECDSA_KINDS = KINDS.filter((kind) => kind !== 'tr');
const MULTISIG_KINDS = KINDS.filter((kind) => kind.includes('multi'));
const SINGLE_KINDS = KINDS.filter((kind) => !kind.includes('multi'));

interface Case {
  readonly planned: Planned;
  readonly psbt: Uint8Array;
  readonly answer: readonly ReturnedSignature[];
}

function caseOf(kind: PlainKind, planned = simplePlan(kind, 3)): Case {
  const psbt = valueOrThrow(buildPsbt(planned.plan, planned.deriver, planned.previous));
  return { planned, psbt, answer: honestAnswer(planned, psbt) };
}

const CASES = new Map(KINDS.map((kind) => [kind, caseOf(kind)]));

function get(kind: PlainKind): Case {
  const found = CASES.get(kind);
  if (found === undefined) throw new Error(kind);
  return found;
}

/** What becomes of an answer with its second signature changed. */
function prove(kind: PlainKind, change: (signature: ReturnedSignature, all: Case) => Partial<ReturnedSignature>) {
  const all = get(kind);
  const answer = all.answer.map((one, index) => (index === 1 ? { ...one, ...change(one, all) } : one));
  return proveSignatures(all.psbt, all.planned.deriver, answer);
}

const der = (rs: Uint8Array, type = 1): Uint8Array => script.signature.encode(rs, type);
const parsed = (signature: Uint8Array): Uint8Array => script.signature.decode(signature).signature;

/** The PSBT with fields added to its first input, or with some dropped. */
function editedInput(psbt: Uint8Array, edit: (map: KeyMap) => KeyMap): Uint8Array {
  const { global, inputs, outputs } = valueOrThrow(splitPsbt(psbt));
  return writePsbt([global, ...inputs.map((map, index) => (index === 0 ? edit(map) : map)), ...outputs]);
}

describe.each(KINDS)('honest signatures of %s', (kind) => {
  const { planned, psbt, answer } = get(kind);

  test('are proven, in the order of the inputs', () => {
    const proven = valueOrThrow(proveSignatures(psbt, planned.deriver, [...answer].reverse()));
    expect(proven.map(({ input }) => input)).toEqual(answer.map(({ input }) => input));
    const signatures = (list: readonly ReturnedSignature[]) => list.map(({ signature }) => toHex(signature)).sort();
    expect(signatures(proven)).toEqual(signatures(answer));
    for (const { input, publicKey } of proven) {
      const { origin, script: prevout } = planned.plan.inputs[input] ?? { origin: null, script: new Uint8Array() };
      if (origin === null) throw new Error('a signature for an input that is not there');
      const keys = planned.deriver.at(origin.branch, origin.index).keys.map((key) => toHex(key.publicKey));
      if (kind === 'tr') expect(toHex(publicKey)).toBe(toHex(prevout.subarray(2)));
      else expect(keys).toContain(toHex(publicKey));
    }
  });

  test('one that is left out is missing', () => {
    for (let left = 0; left < answer.length; left++) {
      const rest = answer.filter((_, index) => index !== left);
      const result = proveSignatures(psbt, planned.deriver, rest);
      expect(tagOf(result)).toBe('E_SIG_MISSING');
      expect(result).toMatchObject({
        error: {
          message: expect.stringMatching(new RegExp(`input ${answer[left]?.input} \\([0-9a-f]{64}:\\d\\).*key 0?`)),
        },
      });
    }
    expect(tagOf(proveSignatures(psbt, planned.deriver, []))).toBe('E_SIG_MISSING');
  });

  test('one that comes twice is unexpected', () => {
    for (const one of answer)
      expect(tagOf(proveSignatures(psbt, planned.deriver, [...answer, one]))).toBe('E_SIG_UNEXPECTED');
  });

  test('one for an input that is not there is unexpected', () => {
    for (const input of [3, -1, 0.5, Number.NaN, 2 ** 40]) {
      expect(tagOf(prove(kind, () => ({ input })))).toBe('E_SIG_UNEXPECTED');
    }
  });

  test('one of another input is not valid', () => {
    const other = answer.at(-1)?.signature ?? new Uint8Array();
    expect(tagOf(prove(kind, () => ({ signature: other })))).toBe('E_SIG_INVALID');
  });

  test('one by another key is unexpected if it says so, and invalid if it lies', () => {
    const stranger = deriverOf(kind).at(0, 29).keys[0];
    if (stranger === undefined) throw new Error('a script has keys');
    expect(tagOf(prove(kind, () => ({ publicKey: stranger.publicKey })))).toBe('E_SIG_UNEXPECTED');
    const digest = new Uint8Array(32).fill(7);
    const signed = taprootSigner(privateNode(stranger));
    const signature = kind === 'tr' ? (signed.signSchnorr?.(digest) ?? digest) : der(signed.sign(digest));
    expect(tagOf(prove(kind, () => ({ signature })))).toBe('E_SIG_INVALID');
  });

  test('one over another amount is not valid', () => {
    const { deriver, plan, previous } = planned;
    const outputs = plan.outputs.map((output, index) =>
      index === 0 ? { ...output, value: output.value - 1n } : output,
    );
    const other = caseOf(kind, { deriver, previous, plan: { ...plan, outputs, fee: plan.fee + 1n } });
    expect(tagOf(proveSignatures(psbt, deriver, other.answer))).toBe('E_SIG_INVALID');
    expect(tagOf(proveSignatures(other.psbt, deriver, other.answer))).toBeNull();
  });

  test('one that is cut anywhere is refused', () => {
    for (let length = 0; length < (answer[1]?.signature.length ?? 0); length++) {
      const tag = tagOf(prove(kind, ({ signature }) => ({ signature: signature.subarray(0, length) })));
      expect(tag).toBe('E_SIG_ENCODING');
    }
  });

  test('a caller that changes its buffer does not change what was proven', () => {
    const own = answer.map((one) => ({ ...one, signature: new Uint8Array(one.signature) }));
    const proven = valueOrThrow(proveSignatures(psbt, planned.deriver, own));
    const before = proven.map(({ signature }) => toHex(signature));
    for (const { signature } of own) signature.fill(0);
    expect(proven.map(({ signature }) => toHex(signature))).toEqual(before);
  });
});

describe.each(ECDSA_KINDS)('an ECDSA signature of %s', (kind) => {
  test('with a high S', () => {
    const tag = tagOf(
      prove(kind, ({ signature }) => {
        const rs = parsed(signature);
        return { signature: der(Uint8Array.of(...rs.subarray(0, 32), ...privateNegate(rs.subarray(32)))) };
      }),
    );
    expect(tag).toBe('E_SIG_ENCODING');
  });

  test.each([0x00, 0x02, 0x03, 0x81, 0x82, 0x83, 0xff])('with the sighash byte %i', (type) => {
    const result = prove(kind, ({ signature }) => ({ signature: Uint8Array.of(...signature.subarray(0, -1), type) }));
    expect(tagOf(result)).toBe('E_SIG_SIGHASH');
    expect(result).toMatchObject({
      error: { message: expect.stringContaining(`0x${type.toString(16).padStart(2, '0')}`) },
    });
  });

  test('that is not DER, or out of range', () => {
    expect(tagOf(prove(kind, ({ signature }) => ({ signature: parsed(signature) })))).toBe('E_SIG_ENCODING');
    const padded = ({ signature }: ReturnedSignature) => {
      const [tag = 0, length = 0, ...rest] = signature;
      return { signature: Uint8Array.of(tag, length + 1, ...rest.slice(0, -1), 0, 1) };
    };
    expect(tagOf(prove(kind, padded))).toBe('E_SIG_ENCODING');
    const zero = (): Partial<ReturnedSignature> => ({ signature: Uint8Array.of(0x30, 6, 2, 1, 0, 2, 1, 1, 1) });
    expect(tagOf(prove(kind, zero))).toBe('E_SIG_ENCODING');
    const large = Uint8Array.of(0x30, 0x27, 2, 0x22, 1, ...new Uint8Array(33), 2, 1, 1, 1);
    expect(tagOf(prove(kind, () => ({ signature: large })))).toBe('E_SIG_ENCODING');
  });
});

describe('a taproot signature', () => {
  test.each([0x00, 0x01, 0x02, 0x83])('with the sighash byte %i, which was not asked for', (type) => {
    const tag = tagOf(prove('tr', ({ signature }) => ({ signature: Uint8Array.of(...signature, type) })));
    expect(tag).toBe('E_SIG_SIGHASH');
  });

  test('of 63 or 66 bytes, or out of range', () => {
    expect(tagOf(prove('tr', () => ({ signature: new Uint8Array(63) })))).toBe('E_SIG_ENCODING');
    expect(tagOf(prove('tr', () => ({ signature: new Uint8Array(66) })))).toBe('E_SIG_ENCODING');
    expect(tagOf(prove('tr', () => ({ signature: new Uint8Array(64) })))).toBe('E_SIG_INVALID');
    expect(tagOf(prove('tr', () => ({ signature: new Uint8Array(64).fill(0xff) })))).toBe('E_SIG_INVALID');
  });

  test('may name its signer by the output key or the internal key, and by no other', () => {
    const { planned } = get('tr');
    const { origin, script: prevout } = planned.plan.inputs[1] ?? { origin: null, script: new Uint8Array() };
    if (origin === null) throw new Error('the plan has a second input');
    const [key] = planned.deriver.at(origin.branch, origin.index).keys;
    expect(tagOf(prove('tr', () => ({ publicKey: prevout.subarray(2) })))).toBeNull();
    expect(tagOf(prove('tr', () => ({ publicKey: key?.publicKey.subarray(1) ?? null })))).toBeNull();
    expect(tagOf(prove('tr', () => ({ publicKey: key?.publicKey ?? null })))).toBe('E_SIG_UNEXPECTED');
  });

  test('with ALL, where the PSBT asks for it, and then only so', () => {
    const { planned, psbt } = get('tr');
    const asking = editedInput(psbt, (map) => [...map, field(INPUT.SIGHASH_TYPE, uint32Bytes(1))]);
    const answer = honestAnswer(planned, asking);
    expect(answer.map(({ signature }) => signature.length)).toEqual([65, 64, 64]);
    expect(tagOf(proveSignatures(asking, planned.deriver, answer))).toBeNull();
    expect(tagOf(proveSignatures(asking, planned.deriver, get('tr').answer))).toBe('E_SIG_SIGHASH');
    expect(tagOf(proveSignatures(psbt, planned.deriver, answer))).toBe('E_SIG_SIGHASH');
  });
});

describe.each(SINGLE_KINDS)('a signature of %s that does not name its key', (kind) => {
  test('is by the only key', () => {
    const { planned, psbt, answer } = get(kind);
    const anonymous = answer.map((one) => ({ ...one, publicKey: null }));
    expect(tagOf(proveSignatures(psbt, planned.deriver, anonymous))).toBeNull();
  });
});

describe.each(MULTISIG_KINDS)('multisig %s', (kind) => {
  const { planned, psbt, answer } = get(kind);

  test('a signature must name its key', () => {
    expect(tagOf(prove(kind, () => ({ publicKey: null })))).toBe('E_SIG_UNEXPECTED');
  });

  test('a third signature is one too many, valid or not', () => {
    const { origin } = planned.plan.inputs[0] ?? { origin: null };
    if (origin === null) throw new Error('the plan has inputs');
    const third = planned.deriver.at(origin.branch, origin.index).keys[2]?.publicKey ?? null;
    const result = proveSignatures(psbt, planned.deriver, [
      ...answer,
      { input: 0, publicKey: third, signature: new Uint8Array(71) },
    ]);
    expect(result).toMatchObject({
      error: { tag: 'E_SIG_UNEXPECTED', message: expect.stringContaining('one signature more') },
    });
  });

  test('a signature under the name of another cosigner is not valid', () => {
    const swapped = answer.map((one, index) => ({ ...one, publicKey: answer[index ^ 1]?.publicKey ?? null }));
    expect(tagOf(proveSignatures(psbt, planned.deriver, swapped))).toBe('E_SIG_INVALID');
  });
});

describe('a PSBT that is not what countersign built', () => {
  const { planned, psbt, answer } = get('wpkh');
  const proveEdited = (edit: (map: KeyMap) => KeyMap): string | null =>
    tagOf(proveSignatures(editedInput(psbt, edit), planned.deriver, answer));
  const without = (type: number) => (map: KeyMap) => map.filter((entry: Field) => entry.type !== type);

  test('is refused before any signature is looked at', () => {
    expect(proveEdited((map) => map)).toBeNull();
    expect(proveEdited(without(INPUT.NON_WITNESS_UTXO))).toBe('E_PREVTX_MISSING');
    expect(proveEdited((map) => map.filter(({ type }) => type > INPUT.WITNESS_UTXO))).toBe('E_PREVTX_MISSING');
    const short = field(INPUT.WITNESS_UTXO, Uint8Array.of(...new Uint8Array(8), 1, 0x51));
    expect(proveEdited((map) => [...without(INPUT.WITNESS_UTXO)(map), short])).toBe('E_PREVTX_MISMATCH');
    expect(proveEdited(without(INPUT.BIP32_DERIVATION))).toBe('E_PSBT_FOREIGN');
    expect(proveEdited((map) => [...map, field(INPUT.REDEEM_SCRIPT, Uint8Array.of(0x51))])).toBe('E_PSBT_FOREIGN');
    expect(proveEdited((map) => [...map, field(INPUT.SIGHASH_TYPE, uint32Bytes(1))])).toBeNull();
    for (const type of [0, 2, 3, 0x81, 0x101]) {
      expect(proveEdited((map) => [...map, field(INPUT.SIGHASH_TYPE, uint32Bytes(type))])).toBe('E_PSBT_SIGHASH');
    }
    expect(tagOf(proveSignatures(psbt.subarray(1), planned.deriver, answer))).toBe('E_PSBT_PARSE');
  });

  test('and so is that of another vault', () => {
    expect(tagOf(proveSignatures(psbt, deriverOf('sh(wpkh)'), answer))).toBe('E_PSBT_FOREIGN');
  });
});
