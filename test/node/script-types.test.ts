import { Psbt, Transaction } from 'bitcoinjs-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/adapters/chain/open.js';
import { fromHex, toHex, trustedHex } from '../../src/domain/bytes.js';
import type { Coin } from '../../src/domain/coin.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { finalSignatures } from '../../src/psbt/final-signatures.js';
import { finalise, finalMismatch } from '../../src/psbt/finalise.js';
import { splitPsbt } from '../../src/psbt/parts.js';
import type { FinalTransaction, ReturnedSignature } from '../../src/psbt/types.js';
import { attributeSignatures, proveSignatures } from '../../src/psbt/verify.js';
import { planTransactions } from '../../src/selection/plan.js';
import type { TransactionPlan } from '../../src/selection/types.js';
import type { ChainBackend } from '../../src/vault/chain.js';
import { createDeriver } from '../../src/vault/derive.js';
import type { Deriver, PlainKind } from '../../src/vault/types.js';
import { readSidecar, recordingNames, type SigningSidecar, vaultOf as vaultOfRecording } from '../device/recordings.js';
import { deriverOf, honestAnswer, keyHash, tagOf, valueOrThrow } from '../psbt/fixtures.js';
import { KINDS } from '../vault/fixtures.js';
import { findNode, RegtestNode } from './node.js';

const program = findNode();
const MINER = keyHash(0x77);

interface Journey {
  readonly deriver: Deriver;
  readonly plan: TransactionPlan;
  readonly psbt: Uint8Array;
  readonly answers: readonly ReturnedSignature[];
  readonly final: FinalTransaction;
}

describe.skipIf(program === null)('every script type before a real node (needs bitcoind or litecoind)', () => {
  let node: RegtestNode;
  let backend: ChainBackend;
  const journeys = new Map<PlainKind, Journey>();
  const journeyOf = (kind: PlainKind): Journey => {
    const journey = journeys.get(kind);
    if (journey === undefined) throw new Error(`no journey of ${kind}`);
    return journey;
  };
  const judged = async (transaction: Uint8Array): Promise<{ allowed: boolean; 'reject-reason'?: string }> =>
    (await node.rpc('testmempoolaccept', [toHex(transaction)]))[0];

  /** Coins that the node has, a plan that spends three of them, and the signatures of the test keys. */
  async function travel(kind: PlainKind): Promise<Journey> {
    const deriver = deriverOf(kind);
    const scan = valueOrThrow(await backend.scan({ deriver, lastUsed: [-1, -1], gap: 20 }));
    const previous = valueOrThrow(
      await backend.transactions(scan.coins.map(({ outpoint, height }) => ({ txid: outpoint.txid, height }))),
    );
    const coins = scan.coins.flatMap((stated): Coin[] => {
      const found = deriver.find(stated.script, 30);
      return found === null ? [] : [{ ...stated, origin: found.origin, coinbase: true }];
    });
    const [plan] = valueOrThrow(
      planTransactions({
        vault: deriver.vault,
        coins,
        // More than two coins are worth, so three are spent; one payee bears its share of the fee.
        payments: [
          { requestId: 'a', script: keyHash(0xaa), value: 10_500_000_000n },
          { requestId: 'b', script: keyHash(0xbb), value: 900_000_000n, feePayer: 'payee' },
        ],
        feerate: 5_000n,
        limits: { maxInputs: 10, maxOutputs: 10, maxWeight: 400_000n },
        tipHeight: scan.tip.height,
        seed: '22'.repeat(32),
        nextChange: (n) => deriver.at(1, 10 + n),
      }),
    );
    if (plan === undefined) throw new Error('no plan');
    const psbt = valueOrThrow(buildPsbt(plan, deriver, previous));
    const answers = honestAnswer({ deriver, plan, previous }, psbt);
    const proven = valueOrThrow(proveSignatures(psbt, deriver, answers));
    return { deriver, plan, psbt, answers, final: valueOrThrow(finalise(psbt, deriver, proven)) };
  }

  beforeAll(async () => {
    if (program === null) throw new Error('no node');
    node = await RegtestNode.start(program);
    backend = openBackend({ kind: 'core', url: node.url, auth: { kind: 'cookie', file: node.cookie } }, (path) => path);
    for (const kind of KINDS) {
      const deriver = deriverOf(kind);
      for (const [branch, index] of [
        [0, 0],
        [0, 7],
        [1, 3],
      ] as const)
        await node.mine(1, deriver.at(branch, index).script);
    }
    await node.mine(101, MINER);
    for (const kind of KINDS) journeys.set(kind, await travel(kind));
  }, 180_000);
  afterAll(() => node?.stop());

  describe.each(KINDS)('%s', (kind) => {
    it('the node finds its coins, by the descriptor where it knows that form, and says where they lie', async () => {
      const deriver = deriverOf(kind);
      const scan = valueOrThrow(await backend.scan({ deriver, lastUsed: [-1, -1], gap: 20 }));
      const places = scan.coins.map(({ script, place: { branch, index } }) => {
        expect(toHex(deriver.at(branch, index).script)).toBe(toHex(script));
        return `${branch}/${index}`;
      });
      expect(places.sort()).toEqual(['0/0', '0/7', '1/3']);
      expect(scan.lastUsed).toEqual([7, 3]);
    });

    it('planned, signed by test keys, finalised: the node would take it, at the fee that was planned', async () => {
      const { plan, final } = journeyOf(kind);
      expect(plan.inputs).toHaveLength(3);
      expect(await judged(final.transaction)).toMatchObject({ allowed: true, txid: final.txid });
      const { vsize } = await node.rpc('decoderawtransaction', toHex(final.transaction));
      expect(plan.fee * 1000n).toBeGreaterThanOrEqual(5_000n * BigInt(vsize));
    });

    it('another amount or another script: countersign sees another transaction, the node a signature that does not fit', async () => {
      const { psbt, final } = journeyOf(kind);
      const { unsigned } = valueOrThrow(splitPsbt(psbt));
      const tampered = [
        (to: Transaction): void => {
          const [output] = to.outs;
          if (output !== undefined) output.value -= 1n;
        },
        (to: Transaction): void => {
          const [output] = to.outs;
          if (output !== undefined) output.script = Buffer.from(keyHash(0xee));
        },
        (to: Transaction): void => {
          to.locktime += 1;
          const [input] = to.ins;
          if (input !== undefined) input.sequence = 0;
        },
      ].map((tamper) => {
        const transaction = Transaction.fromBuffer(Buffer.from(final.transaction));
        tamper(transaction);
        return new Uint8Array(transaction.toBuffer());
      });
      for (const bytes of tampered) {
        expect(finalMismatch(unsigned, bytes)).not.toBeNull();
        const answer = await judged(bytes);
        expect(answer).toMatchObject({ allowed: false });
        expect(answer['reject-reason']).toMatch(/script-verify|non-final/);
      }
    });

    it('another signature, or one for another sighash: both refuse it', async () => {
      const { deriver, psbt, answers, final } = journeyOf(kind);
      const [first, ...rest] = answers;
      if (first === undefined) throw new Error('no signature');
      const isTaproot = kind === 'tr';
      const flipped = first.signature.slice();
      // The last byte of s: still DER, still 64 bytes.
      const at = isTaproot ? 63 : flipped.length - 2;
      flipped[at] = (flipped[at] ?? 0) ^ 0x01;
      const sighash = isTaproot
        ? Uint8Array.of(...first.signature, 0x03)
        : Uint8Array.of(...first.signature.slice(0, -1), 0x03);
      for (const [signature, tag] of [
        [flipped, 'E_SIG_INVALID'],
        [sighash, 'E_SIG_SIGHASH'],
      ] as const) {
        expect(tagOf(proveSignatures(psbt, deriver, [{ ...first, signature }, ...rest]))).toBe(tag);
        expect(await judged(replaced(final.transaction, first.signature, signature))).toMatchObject({ allowed: false });
      }
      // The signature of another input is a real one, and fits nowhere else.
      const other = rest.find(({ input }) => input !== first.input);
      if (other === undefined) throw new Error('one input alone');
      expect(tagOf(proveSignatures(psbt, deriver, [{ ...first, signature: other.signature }, ...rest]))).toBe(
        'E_SIG_INVALID',
      );
      expect(await judged(replaced(final.transaction, first.signature, other.signature))).toMatchObject({
        allowed: false,
      });
    });

    it('a witness that lacks something, or has something more: both refuse it', async () => {
      const { deriver, psbt, final } = journeyOf(kind);
      const shapes: readonly ((items: Buffer[]) => Buffer[])[] = [
        (items) => items.slice(1),
        (items) => [...items, Buffer.from([1])],
        () => [],
      ];
      for (const shape of shapes) {
        const transaction = Transaction.fromBuffer(Buffer.from(final.transaction));
        const signed = Psbt.fromBuffer(Buffer.from(final.psbt));
        const [input] = transaction.ins;
        const [field] = signed.data.inputs;
        if (input === undefined || field === undefined) throw new Error('no input');
        if (kind === 'pkh') {
          const cut = shape([input.script.subarray(0, 1), input.script.subarray(1)].map((part) => Buffer.from(part)));
          input.script = Buffer.concat(cut);
          field.finalScriptSig = input.script;
        } else {
          input.witness = shape(input.witness.map((item) => Buffer.from(item)));
          field.finalScriptWitness = witnessBytes(input.witness);
        }
        expect(await judged(new Uint8Array(transaction.toBuffer()))).toMatchObject({ allowed: false });
        const taken = finalSignatures(new Uint8Array(signed.toBuffer()), deriver.vault);
        const named = taken.ok ? attributeSignatures(psbt, deriver, taken.value) : taken;
        const proven = named.ok ? proveSignatures(psbt, deriver, named.value) : named;
        expect(tagOf(proven)).toMatch(/^E_SIG_/);
      }
    });

    it('is mined, and its coin and its change are what was planned', async () => {
      const { plan, final } = journeyOf(kind);
      expect(valueOrThrow(await backend.broadcast(final.transaction))).toEqual({ state: 'accepted' });
      const [block = ''] = await node.mine(1, MINER);
      const { tx } = await node.rpc('getblock', block);
      expect(tx).toContain(final.txid);
      for (const [vout, { value, script }] of plan.outputs.entries()) {
        const { value: btc, scriptPubKey } = await node.rpc('gettxout', final.txid, vout);
        expect([BigInt(Math.round(btc * 1e8)), scriptPubKey.hex]).toEqual([value, toHex(script)]);
      }
    });
  });

  /**
   * The coins of the recordings were made up, so no chain has them; but a node that is told what they are worth judges
   * signatures over them with the same interpreter (signrawtransactionwithkey without keys). Taproot it judges in its
   * mempool alone, above.
   */
  describe.each(recordingNames('sign-').filter((name) => !name.includes('tr')))('recording %s', (name) => {
    const sidecar = readSidecar<SigningSidecar>(name);

    it('the node finds every signature of the Ledger valid, and none of them for another amount', async () => {
      const psbt = Psbt.fromBase64(sidecar.psbt);
      const asked = spentBy(psbt);
      const judge = (transaction: string): Promise<{ complete: boolean }> =>
        node.rpc('signrawtransactionwithkey', transaction, [], asked);
      expect(await judge(sidecar.outcome.transaction)).toMatchObject({ complete: true });
      const lied = Transaction.fromHex(sidecar.outcome.transaction);
      const [output] = lied.outs;
      if (output === undefined) throw new Error('no output');
      output.value += 1n;
      expect(await judge(lied.toHex())).toMatchObject({ complete: false });
      expect(vaultOfRecording(sidecar).kind).toMatch(/pkh/);
    });
  });

  /** Two recordings of one PSBT, by two cosigners, make a transaction; of the largest there is only one. */
  const ofSecond = recordingNames('multisig-sign-').filter((name) => name.endsWith('-b'));
  describe.each(ofSecond.map((name) => name.replace(/-b$/, '-a')))('recordings %s and -b', (name) => {
    it('the node finds the signatures of both Ledgers valid', async () => {
      const sidecars = [name, name.replace(/-a$/, '-b')].map((one) => readSidecar<MultisigSidecar>(one));
      const [first] = sidecars;
      if (first === undefined) throw new Error('no recording');
      const deriver = createDeriver(vaultOfRecording(first));
      const psbt = new Uint8Array(Buffer.from(first.psbt, 'base64'));
      const answers = sidecars.flatMap(({ outcome }) =>
        outcome.map(({ input, publicKey, signature }) => ({
          input,
          publicKey: valueOrThrow(fromHex(publicKey)),
          signature: trustedHex(signature),
        })),
      );
      const proven = valueOrThrow(proveSignatures(psbt, deriver, answers));
      const { transaction } = valueOrThrow(finalise(psbt, deriver, proven));
      const asked = spentBy(Psbt.fromBuffer(Buffer.from(psbt)));
      expect(await node.rpc('signrawtransactionwithkey', toHex(transaction), [], asked)).toMatchObject({
        complete: true,
      });
    });
  });
});

interface MultisigSidecar extends Omit<SigningSidecar, 'outcome'> {
  readonly outcome: readonly { readonly input: number; readonly publicKey: string; readonly signature: string }[];
}

const btcOf = (sats: bigint): string => `${sats / 100_000_000n}.${(sats % 100_000_000n).toString().padStart(8, '0')}`;

/** The coins that a PSBT spends, as signrawtransactionwithkey wants to be told of them. */
function spentBy(psbt: Psbt): readonly Record<string, unknown>[] {
  return psbt.txInputs.map(({ hash, index }, input) => {
    const { nonWitnessUtxo, redeemScript, witnessScript } = psbt.data.inputs[input] ?? {};
    const output = Transaction.fromBuffer(nonWitnessUtxo ?? Buffer.alloc(0)).outs[index];
    if (output === undefined) throw new Error('no such output');
    return {
      txid: Buffer.from(hash).reverse().toString('hex'),
      vout: index,
      scriptPubKey: toHex(output.script),
      amount: btcOf(output.value),
      ...(redeemScript === undefined ? {} : { redeemScript: toHex(redeemScript) }),
      ...(witnessScript === undefined ? {} : { witnessScript: toHex(witnessScript) }),
    };
  });
}

/** The transaction with one signature for another, in script or witness. */
function replaced(bytes: Uint8Array, signature: Uint8Array, by: Uint8Array): Uint8Array {
  const transaction = Transaction.fromBuffer(Buffer.from(bytes));
  for (const input of transaction.ins) {
    input.witness = input.witness.map((item) => (toHex(item) === toHex(signature) ? Buffer.from(by) : item));
    const place = Buffer.from(input.script).indexOf(Buffer.from(signature));
    if (place < 1) continue;
    input.script = Buffer.concat([
      input.script.subarray(0, place - 1),
      Buffer.from([by.length]),
      by,
      input.script.subarray(place + signature.length),
    ]);
  }
  return new Uint8Array(transaction.toBuffer());
}

/** PSBT_IN_FINAL_SCRIPTWITNESS of items that are short. */
function witnessBytes(items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([
    Buffer.from([items.length]),
    ...items.flatMap((item) => [Buffer.from([item.length]), Buffer.from(item)]),
  ]);
}
