import { Transaction as BitcoinjsTransaction, Psbt } from 'bitcoinjs-lib';
import { describe, expect, it } from 'vitest';
import { trustedHex } from '../../src/domain/bytes.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { finalise } from '../../src/psbt/finalise.js';
import { isSignedByVault } from '../../src/psbt/foreign-spend.js';
import { parseTransaction } from '../../src/psbt/transaction.js';
import type { Prevout } from '../../src/psbt/types.js';
import { proveSignatures } from '../../src/psbt/verify.js';
import type { Deriver } from '../../src/vault/types.js';
import { KINDS } from '../vault/fixtures.js';
import { miniscriptDeriver } from '../vault/miniscripts.js';
import {
  deriverOf,
  honestAnswer,
  keyHash,
  makeCoin,
  privateNode,
  simplePlan,
  taprootSigner,
  valueOrThrow,
} from './fixtures.js';

/** Whether countersign believes that these bytes, whoever shows them, are signed by the vault for the coin of an input. */
function believed(
  bytes: Uint8Array,
  index: number,
  deriver: Deriver,
  coins: readonly (Prevout & { readonly origin: { readonly branch: 0 | 1; readonly index: number } })[],
  unknown: readonly number[] = [],
): boolean {
  const transaction = valueOrThrowText(parseTransaction(bytes));
  const coin = coins[index];
  if (coin === undefined) throw new Error('no such coin');
  const derived = deriver.at(coin.origin.branch, coin.origin.index);
  const prevouts = coins.map((one, place) => (unknown.includes(place) ? null : one));
  return isSignedByVault({ transaction, bytes, index, coin: { prevout: coin, derived }, prevouts }, deriver.vault);
}

function valueOrThrowText<T>(result: { ok: true; value: T } | { ok: false; error: string }): T {
  if (result.ok) return result.value;
  throw new Error(result.error);
}

describe.each(KINDS)('a spend of %s coins', (kind) => {
  const planned = simplePlan(kind);
  const { plan, deriver, previous } = planned;
  const psbt = valueOrThrow(buildPsbt(plan, deriver, previous));
  const { transaction: bytes } = valueOrThrow(
    finalise(psbt, deriver, valueOrThrow(proveSignatures(psbt, deriver, honestAnswer(planned, psbt)))),
  );
  const changed = (change: (transaction: BitcoinjsTransaction) => void): Uint8Array => {
    const transaction = BitcoinjsTransaction.fromBuffer(bytes);
    change(transaction);
    return transaction.toBuffer();
  };

  it('is proven for each input by the signatures that countersign itself asked for', () => {
    for (const index of plan.inputs.keys()) expect(believed(bytes, index, deriver, plan.inputs)).toBe(true);
  });

  it('is not proven where nobody signed it', () => {
    const unsigned = changed((transaction) => {
      for (const input of transaction.ins) Object.assign(input, { witness: [], script: new Uint8Array(0) });
    });
    expect(believed(unsigned, 0, deriver, plan.inputs)).toBe(false);
  });

  it('is not proven by the signatures of another transaction: one sat to somebody else, another coin beside it', () => {
    const paying = changed(({ outs }) => {
      const [out] = outs;
      if (out !== undefined) out.value -= 1n;
    });
    const spending = changed(({ ins }) => {
      const [, second] = ins;
      if (second !== undefined) second.index += 1;
    });
    for (const other of [paying, spending]) expect(believed(other, 0, deriver, plan.inputs)).toBe(false);
  });

  it('is not proven where one bit of the signature is another, or the sighash byte', () => {
    for (const at of [12, 40]) {
      const broken = changed(({ ins }) => {
        const [input] = ins;
        if (input === undefined) return;
        // The first item that is long enough is a signature; in a scriptSig it stands behind its length.
        const item = input.witness.find(({ length }) => length > 60) ?? input.script;
        item[at] = (item[at] ?? 0) ^ 1;
      });
      expect(believed(broken, 0, deriver, plan.inputs)).toBe(false);
    }
    const typed = changed(({ ins }) => {
      const [input] = ins;
      if (input === undefined) return;
      if (kind === 'tr') input.witness = [Uint8Array.of(...(input.witness[0] ?? []), 0)];
      else if (kind === 'pkh') input.script[input.script[0] ?? 0] = 2;
      else
        input.witness
          .find(({ length }) => length > 60)
          ?.set([2], (input.witness.find(({ length }) => length > 60)?.length ?? 0) - 1);
    });
    expect(believed(typed, 0, deriver, plan.inputs)).toBe(false);
  });

  it('is not proven by the signature of another coin of the vault', () => {
    const swapped = changed(({ ins }) => {
      const [first, second] = ins;
      if (first === undefined || second === undefined) return;
      [first.witness, second.witness] = [second.witness, first.witness];
      [first.script, second.script] = [second.script, first.script];
    });
    expect(believed(swapped, 0, deriver, plan.inputs)).toBe(false);
  });

  it('is not proven where its witness has more items than nodes relay', () => {
    const stuffed = changed(({ ins }) => {
      for (const input of ins)
        input.witness = [...Array.from({ length: 101 }, () => new Uint8Array(1)), ...input.witness];
    });
    expect(believed(stuffed, 0, deriver, plan.inputs)).toBe(false);
  });
});

/** A thief's transaction: the second of its inputs is a coin of the vault, the first somebody else's. */
function theft(kind: (typeof KINDS)[number], sighash: number, signers: number) {
  const deriver = deriverOf(kind);
  const origin = { branch: 0, index: 4 } as const;
  const { coin, previous } = makeCoin(deriver, { origin, value: 90_000n, vout: 1, segwit: false, salt: 9 });
  const derived = deriver.at(0, 4);
  const strange = { value: 50_000n, script: keyHash(0xcc), origin };
  const psbt = new Psbt();
  psbt.addInput({ hash: 'ab'.repeat(32), index: 0, witnessUtxo: strange, finalScriptWitness: Uint8Array.of(1, 1, 1) });
  psbt.addInput({
    hash: coin.outpoint.txid,
    index: coin.outpoint.vout,
    sighashType: sighash,
    ...(kind === 'tr'
      ? { witnessUtxo: coin, tapInternalKey: derived.keys[0]?.publicKey.subarray(1) ?? new Uint8Array() }
      : { nonWitnessUtxo: previous }),
    ...(derived.redeemScript === undefined ? {} : { redeemScript: derived.redeemScript }),
    ...(derived.witnessScript === undefined ? {} : { witnessScript: derived.witnessScript }),
  });
  psbt.addOutput({ script: keyHash(1), value: 60_000n });
  psbt.addOutput({ script: keyHash(2), value: 70_000n });
  for (const key of derived.keys.slice(0, signers)) {
    const node = privateNode(key);
    psbt.signInput(1, kind === 'tr' ? taprootSigner(node) : node, [sighash]);
  }
  psbt.finalizeInput(1);
  const bytes = psbt.extractTransaction(true).toBuffer();
  return { bytes, deriver, coins: [strange, coin] };
}

describe.each(KINDS)('a theft of a %s coin', (kind) => {
  it.each([
    ['ALL', 0x01],
    ['NONE', 0x02],
    ['SINGLE', 0x03],
    ['ALL, anyone can pay', 0x81],
    ['NONE, anyone can pay', 0x82],
    ['SINGLE, anyone can pay', 0x83],
  ])('is proven whatever its signature leaves out: %s', (_, sighash) => {
    const { bytes, deriver, coins } = theft(kind, sighash, deriverOf(kind).vault.threshold);
    expect(believed(bytes, 1, deriver, coins)).toBe(true);
    // Only taproot signs what the other inputs spend, unless it leaves them out.
    expect(believed(bytes, 1, deriver, coins, [0])).toBe(kind !== 'tr' || sighash > 0x80);
  });
});

describe('a vault of several keys', () => {
  it.each(['wsh(sortedmulti)', 'sh(wsh(sortedmulti))'] as const)('%s is not proven by one of them', (kind) => {
    const { bytes, deriver, coins } = theft(kind, 1, 2);
    const transaction = BitcoinjsTransaction.fromBuffer(bytes);
    const witness = transaction.ins[1]?.witness ?? [];
    expect(witness).toHaveLength(4);
    // The same signature twice is one signer.
    for (const items of [
      [witness[0], witness[1], witness[3]],
      [witness[0], witness[1], witness[1], witness[3]],
    ]) {
      transaction.setWitness(
        1,
        items.flatMap((item) => item ?? []),
      );
      expect(believed(transaction.toBuffer(), 1, deriver, coins)).toBe(false);
    }
  });

  it('of miniscript is proven by the keys of any of its ways, also of one that waits for a time lock, and by no fewer', () => {
    const deriver = miniscriptDeriver('or_d(multi(2,@1,@2),and_v(v:pkh(@3),older(52560)))');
    const origin = { branch: 0, index: 0 } as const;
    const { coin } = makeCoin(deriver, { origin, value: 90_000n, vout: 0, segwit: false, salt: 3 });
    const { keys, witnessScript = new Uint8Array() } = deriver.at(0, 0);
    const transaction = new BitcoinjsTransaction();
    transaction.addInput(trustedHex(coin.outpoint.txid).reverse(), 0, 52560);
    transaction.addOutput(keyHash(5), 80_000n);
    const hash = transaction.hashForWitnessV0(0, witnessScript, coin.value, 1);
    const signatureOf = (position: number): Uint8Array => {
      const key = keys[position];
      if (key === undefined) throw new Error('no such key');
      return der(privateNode(key).sign(Buffer.from(hash)));
    };
    const shown = (...positions: number[]): boolean => {
      transaction.setWitness(0, [...positions.map(signatureOf), new Uint8Array(0), witnessScript]);
      return believed(transaction.toBuffer(), 0, deriver, [coin]);
    };
    expect([shown(0), shown(1), shown(0, 1), shown(2)]).toEqual([false, false, true, true]);
  });
});

/** DER of a signature of 64 bytes, with the byte of SIGHASH_ALL. */
function der(signature: Uint8Array): Uint8Array {
  const integer = (bytes: Uint8Array): number[] => {
    const digits = [...bytes];
    while (digits[0] === 0) digits.shift();
    if ((digits[0] ?? 0) >= 0x80) digits.unshift(0);
    return [2, digits.length, ...digits];
  };
  const body = [...integer(signature.subarray(0, 32)), ...integer(signature.subarray(32))];
  return Uint8Array.of(0x30, body.length, ...body, 1);
}
