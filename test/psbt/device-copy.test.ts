import { createRequire } from 'node:module';
import { Transaction as ScureTransaction } from '@scure/btc-signer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { decodePsbt } from '../../src/psbt/decode.js';
import { deviceCopy } from '../../src/psbt/device-copy.js';
import { INPUT, OUTPUT } from '../../src/psbt/fields.js';
import {
  type Field,
  field,
  type KeyMap,
  keyedField,
  readKeyMap,
  readMagic,
  writePsbt,
} from '../../src/psbt/key-map.js';
import { type PsbtParts, splitPsbt } from '../../src/psbt/parts.js';
import { parseTransaction } from '../../src/psbt/transaction.js';
import { ByteReader, uint32Bytes } from '../../src/psbt/wire.js';
import type { PlainKind } from '../../src/vault/types.js';
import { KINDS } from '../vault/fixtures.js';
import { makePlan, type Planned, planSpecs, simplePlan, tagOf, valueOrThrow } from './fixtures.js';

/** What the tests ask of Ledger's reader of version 2, the one that its Bitcoin client brings along. */
interface LedgerPsbt {
  deserialize(psbt: Buffer): void;
  getGlobalTxVersion(): number;
  getGlobalFallbackLocktime(): number | undefined;
  getGlobalInputCount(): number;
  getGlobalOutputCount(): number;
  getInputPreviousTxid(index: number): Buffer;
  getInputOutputIndex(index: number): number;
  getInputSequence(index: number): number;
  getInputSighashType(index: number): number | undefined;
  getInputNonWitnessUtxo(index: number): Buffer | undefined;
  getInputBip32Derivation(index: number, key: Buffer): unknown;
  getInputTapBip32Derivation(index: number, key: Buffer): unknown;
  getOutputAmount(index: number): number;
  getOutputScript(index: number): Buffer;
}

// Ledger's packages are CommonJS, and their ES module builds do not load in plain Node.
const here = createRequire(import.meta.url);
const { PsbtV2 } = createRequire(here.resolve('@ledgerhq/hw-app-btc'))('@ledgerhq/psbtv2') as {
  PsbtV2: { new (): LedgerPsbt; getPsbtVersionNumber(psbt: Buffer): number };
};

const { analyzeAllInputs } = here('@ledgerhq/hw-app-btc/lib/signPsbt/inputAnalysis') as {
  analyzeAllInputs(psbt: LedgerPsbt, inputs: number, fingerprint: Buffer, path: string): unknown;
};

const build = ({ plan, deriver, previous }: Planned): Uint8Array => valueOrThrow(buildPsbt(plan, deriver, previous));

function ledgerReads(bytes: Uint8Array): LedgerPsbt {
  const psbt = new PsbtV2();
  psbt.deserialize(Buffer.from(bytes));
  return psbt;
}

/** The maps of a PSBT of any version: global, inputs, outputs. */
function mapsOf(bytes: Uint8Array, count: number): readonly KeyMap[] {
  const reader = new ByteReader(bytes);
  readMagic(reader);
  const maps = Array.from({ length: count }, () => readKeyMap(reader));
  expect([reader.problem, reader.remaining]).toEqual([null, 0]);
  return maps;
}

/** The built PSBT of a simple plan with its maps changed. */
function edited(kind: PlainKind, edit: (parts: PsbtParts) => Partial<PsbtParts>): Uint8Array {
  const parts = valueOrThrow(splitPsbt(build(simplePlan(kind))));
  const { global, inputs, outputs } = { ...parts, ...edit(parts) };
  return writePsbt([global, ...inputs, ...outputs]);
}

const withInputFields =
  (...fields: readonly Field[]) =>
  ({ inputs }: PsbtParts): Partial<PsbtParts> => ({ inputs: inputs.map((map) => [...map, ...fields]) });

/** What stands in each input: key types of BIP174, 370 and 371. 0e, 0f and 10 are outpoint and sequence. */
const INPUT_TYPES: Readonly<Record<PlainKind, readonly string[]>> = {
  pkh: ['00', '06', '0e', '0f', '10'],
  wpkh: ['00', '01', '06', '0e', '0f', '10'],
  'sh(wpkh)': ['00', '01', '04', '06', '0e', '0f', '10'],
  tr: ['01', '0e', '0f', '10', '16'],
  'wsh(sortedmulti)': ['00', '01', '05', '06', '06', '06', '0e', '0f', '10'],
  'sh(wsh(sortedmulti))': ['00', '01', '04', '05', '06', '06', '06', '0e', '0f', '10'],
};

/** How Ledger's client names what it found; multisig goes by a registered policy, not by this. */
const LEDGER_TYPES: Readonly<Record<PlainKind, string | undefined>> = {
  pkh: undefined,
  wpkh: 'p2wpkh',
  'sh(wpkh)': 'p2sh',
  tr: 'p2tr',
  'wsh(sortedmulti)': undefined,
  'sh(wsh(sortedmulti))': 'p2sh',
};

describe.each(KINDS)('the copy of a PSBT of %s', (kind) => {
  test('is the same transaction to the client of Ledger and to @scure/btc-signer', () => {
    fc.assert(
      fc.property(planSpecs, (spec) => {
        const planned = makePlan(kind, spec);
        const psbt = build(planned);
        const copy = valueOrThrow(deviceCopy(psbt, planned.deriver.vault));
        const decoded = valueOrThrow(decodePsbt(psbt));

        const ledger = ledgerReads(copy);
        expect(PsbtV2.getPsbtVersionNumber(Buffer.from(copy))).toBe(2);
        expect(ledger.getGlobalTxVersion()).toBe(2);
        expect(ledger.getGlobalFallbackLocktime()).toBe(decoded.locktime);
        expect(ledger.getGlobalInputCount()).toBe(decoded.inputs.length);
        expect(ledger.getGlobalOutputCount()).toBe(decoded.outputs.length);
        for (const [index, { outpoint, sequence }] of decoded.inputs.entries()) {
          expect(toHex(new Uint8Array(ledger.getInputPreviousTxid(index)).reverse())).toBe(outpoint.txid);
          expect(ledger.getInputOutputIndex(index)).toBe(outpoint.vout);
          expect(ledger.getInputSequence(index)).toBe(sequence);
        }
        for (const [index, { value, script }] of decoded.outputs.entries()) {
          expect(BigInt(ledger.getOutputAmount(index))).toBe(value);
          expect(toHex(ledger.getOutputScript(index))).toBe(toHex(script));
        }

        const scure = ScureTransaction.fromPSBT(copy, { allowUnknownOutputs: true, disableScriptCheck: true });
        expect(toHex(scure.unsignedTx)).toBe(toHex(valueOrThrow(splitPsbt(psbt)).unsigned.stripped));
      }),
      { numRuns: 15 },
    );
  });

  test('has the fields that the device reads, and no others', () => {
    const planned = simplePlan(kind);
    const [, ...maps] = mapsOf(valueOrThrow(deviceCopy(build(planned), planned.deriver.vault)), 6);
    const types = maps.map((map) => map.map(({ type }) => type.toString(16).padStart(2, '0')));
    expect(types.slice(0, 2)).toEqual([INPUT_TYPES[kind], INPUT_TYPES[kind]]);
    const [first, change, last] = types.slice(2);
    expect([first, last]).toEqual([
      ['03', '04'],
      ['03', '04'],
    ]);
    const derivations = planned.deriver.vault.keys.map(() => (kind === 'tr' ? '07' : '02'));
    expect(change).toEqual([...derivations, '03', '04'].sort());
  });

  test('is of one account and script type to the client of Ledger', () => {
    const planned = simplePlan(kind, 3);
    const [key] = planned.deriver.vault.keys;
    if (key === undefined) throw new Error('a vault has keys');
    const ledger = ledgerReads(valueOrThrow(deviceCopy(build(planned), planned.deriver.vault)));
    const analysis = analyzeAllInputs(ledger, 3, Buffer.from(key.fingerprint, 'hex'), 'm/0');
    expect(analysis).toMatchObject({ accountPath: [...key.path], internalInputIndices: [0, 1, 2] });
    expect(analysis).toHaveProperty('detectedScriptType', LEDGER_TYPES[kind]);
  });

  test('says where the keys are', () => {
    const planned = simplePlan(kind);
    const ledger = ledgerReads(valueOrThrow(deviceCopy(build(planned), planned.deriver.vault)));
    for (const [index, { origin }] of planned.plan.inputs.entries()) {
      for (const { publicKey, fingerprint, path } of planned.deriver.at(origin.branch, origin.index).keys) {
        const due = { masterFingerprint: Buffer.from(fingerprint, 'hex'), path: [...path] };
        if (kind === 'tr') {
          const key = Buffer.from(publicKey.subarray(1));
          expect(ledger.getInputTapBip32Derivation(index, key)).toEqual({ hashes: [], ...due });
        } else {
          expect(ledger.getInputBip32Derivation(index, Buffer.from(publicKey))).toEqual(due);
        }
      }
    }
  });

  test('carries previous transactions without their witnesses, under the same txid', () => {
    const planned = simplePlan(kind);
    const ledger = ledgerReads(valueOrThrow(deviceCopy(build(planned), planned.deriver.vault)));
    for (const [index, { outpoint }] of planned.plan.inputs.entries()) {
      const previous = ledger.getInputNonWitnessUtxo(index);
      if (kind === 'tr') {
        expect(previous).toBeUndefined();
      } else {
        const full = parseTransaction(planned.previous.get(outpoint.txid) ?? new Uint8Array());
        expect(toHex(previous ?? new Uint8Array())).toBe(full.ok ? toHex(full.value.stripped) : 'unreadable');
      }
    }
  });
});

describe.each(['wsh(sortedmulti)', 'sh(wsh(sortedmulti))'] as const)('the copy of %s for one cosigner', (kind) => {
  const planned = simplePlan(kind);
  const { vault } = planned.deriver;

  test.each(vault.keys.map(({ fingerprint }) => fingerprint))(
    '%s: scripts whole, and its own derivations alone',
    (own) => {
      const all = mapsOf(valueOrThrow(deviceCopy(build(planned), vault)), 6);
      const one = mapsOf(valueOrThrow(deviceCopy(build(planned), vault, own)), 6);
      const isOwn = ({ value }: Field): boolean => toHex(value.subarray(0, 4)) === own;
      const place = (map: number): number => (map <= 2 ? INPUT.BIP32_DERIVATION : OUTPUT.BIP32_DERIVATION);
      const kept = all.map((map, index) => map.filter((one) => index === 0 || one.type !== place(index) || isOwn(one)));
      expect(one).toEqual(kept);
      const derivations = one.map((map, index) => map.filter(({ type }) => index > 0 && type === place(index)).length);
      expect(derivations).toEqual([0, 1, 1, 0, 1, 0]);
    },
  );

  test('somebody else: refused before the device is asked', () => {
    expect(tagOf(deviceCopy(build(planned), vault, '00000000'))).toBe('E_PSBT_FOREIGN');
  });
});

describe('what is stripped', () => {
  const copy = (kind: PlainKind, edit: (parts: PsbtParts) => Partial<PsbtParts>): string =>
    toHex(valueOrThrow(deviceCopy(edited(kind, edit), simplePlan(kind).deriver.vault)));

  test.each([
    ['a sighash type of ALL', field(INPUT.SIGHASH_TYPE, uint32Bytes(1))],
    ['a signature', keyedField(INPUT.PARTIAL_SIG, new Uint8Array(33).fill(3), new Uint8Array(71))],
    ['a final script', field(INPUT.FINAL_SCRIPTWITNESS, Uint8Array.of(0))],
    ["somebody else's key", keyedField(INPUT.BIP32_DERIVATION, new Uint8Array(33).fill(3), new Uint8Array(12))],
    ['a field of unknown type', keyedField(0xfc, Uint8Array.of(1), new Uint8Array(300))],
  ])('%s on the inputs', (_name, extra) => {
    expect(copy('wpkh', withInputFields(extra))).toBe(copy('wpkh', () => ({})));
  });

  test('derivations of others, or of our receive branch, on payments', () => {
    const [change] = simplePlan('wpkh').plan.outputs.filter((output) => output.kind === 'change');
    if (change === undefined) throw new Error('the plan has change');
    const { keys } = simplePlan('wpkh').deriver.at(0, 4);
    const receive = uint32s(keys[0]?.fingerprint ?? '', keys[0]?.path ?? []);
    const claims = [
      keyedField(OUTPUT.BIP32_DERIVATION, new Uint8Array(33).fill(3), new Uint8Array(12)),
      keyedField(OUTPUT.BIP32_DERIVATION, keys[0]?.publicKey ?? new Uint8Array(33), receive),
    ];
    const claiming = ({ outputs: [first = [], ...rest] }: PsbtParts) => ({ outputs: [[...first, ...claims], ...rest] });
    expect(copy('wpkh', claiming)).toBe(copy('wpkh', () => ({})));
  });

  test('a previous transaction on taproot, even where a witness_utxo is absent', () => {
    const { previous, plan } = simplePlan('tr');
    const proofs = ({ inputs }: PsbtParts) => ({
      inputs: inputs.map((map, index) => [
        ...map.filter(({ type }) => type !== INPUT.WITNESS_UTXO),
        field(INPUT.NON_WITNESS_UTXO, previous.get(plan.inputs[index]?.outpoint.txid ?? '') ?? new Uint8Array()),
      ]),
    });
    expect(copy('tr', proofs)).toBe(copy('tr', () => ({})));
  });

  function uint32s(fingerprint: string, path: readonly number[]): Uint8Array {
    return Uint8Array.of(...Buffer.from(fingerprint, 'hex'), ...path.flatMap((step) => [...uint32Bytes(step)]));
  }
});

describe('what the device must not be asked', () => {
  const tag = (kind: PlainKind, edit: (parts: PsbtParts) => Partial<PsbtParts>): string | null =>
    tagOf(deviceCopy(edited(kind, edit), simplePlan(kind).deriver.vault));
  const drop =
    (...types: readonly number[]) =>
    ({ inputs }: PsbtParts) => ({ inputs: inputs.map((map) => map.filter(({ type }) => !types.includes(type))) });

  test('another sighash than ALL or DEFAULT', () => {
    for (const type of [2, 3, 0x81, 0x83]) {
      const asking = withInputFields(field(INPUT.SIGHASH_TYPE, uint32Bytes(type)));
      expect(KINDS.map((kind) => tag(kind, asking))).toEqual(KINDS.map(() => 'E_PSBT_SIGHASH'));
    }
  });

  test('an unproven or contradictory prevout', () => {
    for (const kind of KINDS.filter((one) => one !== 'tr')) {
      expect(tag(kind, drop(INPUT.NON_WITNESS_UTXO))).toBe('E_PREVTX_MISSING');
    }
    expect(tag('tr', drop(INPUT.WITNESS_UTXO))).toBe('E_PREVTX_MISSING');
    const swapped = ({ inputs }: PsbtParts) => ({ inputs: [...inputs].reverse() });
    expect(tag('wpkh', swapped)).toBe('E_PREVTX_MISMATCH');
  });

  test('an input that does not claim to be ours', () => {
    expect(tag('wpkh', drop(INPUT.BIP32_DERIVATION))).toBe('E_PSBT_FOREIGN');
    expect(tag('tr', drop(INPUT.TAP_BIP32_DERIVATION))).toBe('E_PSBT_FOREIGN');
  });

  test('taproot with ALL keeps its sighash type, because the signature is longer', () => {
    const asking = edited('tr', withInputFields(field(INPUT.SIGHASH_TYPE, uint32Bytes(1))));
    const ledger = ledgerReads(valueOrThrow(deviceCopy(asking, simplePlan('tr').deriver.vault)));
    expect(ledger.getInputSighashType(0)).toBe(1);
    const usual = edited('tr', withInputFields(field(INPUT.SIGHASH_TYPE, uint32Bytes(0))));
    expect(
      ledgerReads(valueOrThrow(deviceCopy(usual, simplePlan('tr').deriver.vault))).getInputSighashType(0),
    ).toBeUndefined();
  });

  test('bytes that are no PSBT', () => {
    expect(tagOf(deviceCopy(new Uint8Array(4), simplePlan('tr').deriver.vault))).toBe('E_PSBT_PARSE');
  });
});

test('counts are CompactSize numbers: 253 inputs', () => {
  const planned = makePlan('tr', {
    coins: Array.from({ length: 253 }, (_, salt) => ({
      origin: { branch: 0, index: 1 },
      value: 1_000n,
      vout: 0,
      segwit: false,
      salt,
    })),
    payments: [{ script: Uint8Array.of(0x51), value: 1_000n }],
    change: null,
    fee: 0n,
    locktime: 0,
    sequence: 0,
  });
  const ledger = ledgerReads(valueOrThrow(deviceCopy(build(planned), planned.deriver.vault)));
  expect(ledger.getGlobalInputCount()).toBe(253);
});
