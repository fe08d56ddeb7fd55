import { Psbt, Transaction } from 'bitcoinjs-lib';
import { root } from '../cli/soft-device.mjs';
import type { RegtestNode } from './node.js';

/** A signed transaction, in hex, that spends a coin of the public seed's wpkh account 84'/1'/0' as told. */
export async function spend(
  node: RegtestNode,
  coin: {
    readonly txid: string;
    readonly vout: number;
    readonly block?: string;
    readonly branch: number;
    readonly index: number;
  },
  outputs: readonly { readonly script: Uint8Array; readonly value: bigint }[],
  sequence = 0xfffffffd,
): Promise<{ readonly hex: string; readonly txid: string }> {
  const raw = await node.rpc('getrawtransaction', coin.txid, false, ...(coin.block === undefined ? [] : [coin.block]));
  const previous = Transaction.fromHex(raw);
  const witnessUtxo = previous.outs[coin.vout];
  if (witnessUtxo === undefined) throw new Error('no such output');
  const key = root.derivePath(`84'/1'/0'/${coin.branch}/${coin.index}`);
  const psbt = new Psbt();
  psbt.addInput({ hash: coin.txid, index: coin.vout, sequence, witnessUtxo });
  for (const output of outputs) psbt.addOutput(output);
  psbt.signInput(0, { publicKey: key.publicKey, sign: (hash) => key.sign(Buffer.from(hash)) });
  psbt.finalizeAllInputs();
  const transaction = psbt.extractTransaction(true);
  return { hex: transaction.toHex(), txid: transaction.getId() };
}
