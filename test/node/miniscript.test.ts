import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex, trustedHex } from '../../src/domain/bytes.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { finalise } from '../../src/psbt/finalise.js';
import { splitPsbt } from '../../src/psbt/parts.js';
import { parseTransaction, serialiseUnsigned } from '../../src/psbt/transaction.js';
import { proveSignatures } from '../../src/psbt/verify.js';
import { ByteWriter } from '../../src/psbt/wire.js';
import { signingKeys } from '../../src/vault/signing-keys.js';
import type { Deriver } from '../../src/vault/types.js';
import { keyHash, valueOrThrow } from '../psbt/fixtures.js';
import { signaturesBy } from '../psbt/miniscript-signer.js';
import { MINISCRIPTS, miniscriptDeriver } from '../vault/miniscripts.js';
import { findNode, RegtestNode } from './node.js';

const program = findNode();
const MINER = keyHash(0x99);
const LOCKED = 'or_d(pk(@1),and_v(v:pkh(@2),older(200)))';

describe.skipIf(program === null)('miniscript before a real node (needs bitcoind or litecoind)', () => {
  let node: RegtestNode;
  const blocks = new Map<string, string>();
  beforeAll(async () => {
    if (program === null) throw new Error('no node');
    node = await RegtestNode.start(program);
    for (const miniscript of [...MINISCRIPTS.map(([one]) => one), LOCKED]) {
      const [block = ''] = await node.mine(1, miniscriptDeriver(miniscript).at(0, 0).script);
      blocks.set(miniscript, block);
    }
    await node.mine(101, MINER);
  }, 180_000);
  afterAll(() => node?.stop());

  const judged = async (transaction: Uint8Array): Promise<{ allowed: boolean; 'reject-reason'?: string }> =>
    (await node.rpc('testmempoolaccept', [toHex(transaction)]))[0];

  /** A PSBT that spends the coin at 0/0 of a vault, made by the block that was mined for it. */
  async function spending(miniscript: string, deriver: Deriver, sequence = 0xfffffffd) {
    const { tx } = await node.rpc('getblock', blocks.get(miniscript));
    const raw = trustedHex(await node.rpc('getrawtransaction', tx[0], false, blocks.get(miniscript)));
    const parsed = parseTransaction(raw);
    const value = parsed.ok ? (parsed.value.outputs[0]?.value ?? 0n) : 0n;
    const { script } = deriver.at(0, 0);
    const coin = {
      outpoint: { txid: tx[0], vout: 0 },
      value,
      script,
      origin: { branch: 0, index: 0 },
      height: 1,
    } as const;
    const fee = 10_000n;
    const payment = { kind: 'payment', requestId: 'r', script: keyHash(0xaa), value: value - fee } as const;
    const plan = {
      version: 2,
      locktime: 0,
      sequence,
      inputs: [{ ...coin, coinbase: true }],
      outputs: [payment],
      fee,
      feerate: 1000n,
      weight: 0n,
      selection: { algorithm: 'srd', waste: 0n, tried: [] },
      seed: '00'.repeat(32),
    } as const;
    return valueOrThrow(buildPsbt(plan, deriver, new Map([[coin.outpoint.txid, raw]])));
  }

  it.each(MINISCRIPTS)('%s: signed by %j, the node would take it', async (miniscript, _, threshold) => {
    const deriver = miniscriptDeriver(miniscript);
    const psbt = await spending(miniscript, deriver);
    const own = signingKeys(deriver.vault);
    // The first and the last of the signers: other ways through the script, where there are any.
    for (const signers of [own.slice(0, threshold), own.slice(-threshold)]) {
      const proven = valueOrThrow(proveSignatures(psbt, deriver, signaturesBy(psbt, signers)));
      const { transaction, txid } = valueOrThrow(finalise(psbt, deriver, proven));
      expect(await judged(transaction)).toMatchObject({ allowed: true, txid });
    }
  });

  it("the branch that waits is its holder's: not before the lock, and with it", async () => {
    const deriver = miniscriptDeriver(LOCKED);
    const [, holder] = deriver.vault.keys;
    const { witnessScript, keys } = deriver.at(0, 0);
    const [, key] = keys;
    if (holder === undefined || key === undefined || witnessScript === undefined) throw new Error('not this vault');
    const recovered = async (sequence: number): Promise<Uint8Array> => {
      const psbt = await spending(LOCKED, deriver, sequence);
      const [signature] = signaturesBy(psbt, [holder]);
      if (signature === undefined) throw new Error('no signature');
      return withWitness(psbt, [signature.signature, key.publicKey, new Uint8Array(0), witnessScript]);
    };
    expect(await judged(await recovered(0xfffffffd))).toMatchObject({ allowed: false });
    expect(await judged(await recovered(200))).toMatchObject({ allowed: false, 'reject-reason': 'non-BIP68-final' });
    await node.mine(100, MINER);
    expect(await judged(await recovered(199))).toMatchObject({ allowed: false });
    expect(await judged(await recovered(200))).toMatchObject({ allowed: true });
  });
});

/** The transaction of a PSBT of one input with a witness that countersign would not make. */
function withWitness(psbt: Uint8Array, items: readonly Uint8Array[]): Uint8Array {
  const { unsigned } = valueOrThrow(splitPsbt(psbt));
  const plain = serialiseUnsigned(unsigned);
  const writer = new ByteWriter().bytes(plain.subarray(0, 4)).uint8(0).uint8(1).bytes(plain.subarray(4, -4));
  writer.compactSize(items.length);
  for (const item of items) writer.lengthPrefixed(item);
  return writer.bytes(plain.subarray(-4)).finish();
}
