import { Block } from 'bitcoinjs-lib';
import { type Hex, trustedHex } from '../../domain/bytes.js';
import { compactSizeLength } from '../../domain/script.js';
import { txidOf } from '../transaction-id.js';
import { hex, readAnswer } from './answers.js';
import type { CoreCalls } from './core-calls.js';

/**
 * So many transactions of one block are asked for one by one. For each of them the node reads its whole block, which takes
 * it as long as it takes here to look through that block once.
 */
const ONE_BY_ONE = 5;

type Wanted = { readonly txid: Hex; readonly height: number | null };

/**
 * Raw transactions out of blocks that hold many of those that are wanted, each block asked for once. What a node does not
 * answer, or answers in a form that is not known, is left out: it is then asked for by itself.
 */
export async function fromCrowdedBlocks(
  { rpc, name }: CoreCalls,
  wanted: readonly Wanted[],
  blocks: ReadonlyMap<number, Hex>,
  onProgress?: (done: number, of: number) => void,
): Promise<ReadonlyMap<Hex, Uint8Array>> {
  const byBlock = new Map<Hex, Set<Hex>>();
  for (const { txid, height } of wanted) {
    const block = height === null ? undefined : blocks.get(height);
    if (block !== undefined) byBlock.set(block, (byBlock.get(block) ?? new Set()).add(txid));
  }
  const found = new Map<Hex, Uint8Array>();
  for (const [block, txids] of byBlock) {
    if (txids.size <= ONE_BY_ONE) continue;
    const called = await rpc.call('getblock', [block, 0]);
    const raw = called.ok && called.value.ok ? readAnswer(hex, called.value.value, name, 'getblock') : null;
    if (raw?.ok !== true) continue;
    for (const [txid, bytes] of transactionsIn(trustedHex(raw.value), txids)) found.set(txid, bytes);
    onProgress?.(found.size, wanted.length);
  }
  return found;
}

/** Bytes of a block's header: version, two hashes, time, target and nonce. */
const HEADER = 80;

/**
 * Those transactions of a block; none where the bytes are no block, as those of another chain may not be. Each is as long as
 * its one form; behind one that is written in another nothing is found, since no bytes hash to what is wanted.
 */
function transactionsIn(bytes: Uint8Array, txids: ReadonlySet<Hex>): ReadonlyMap<Hex, Uint8Array> {
  const found = new Map<Hex, Uint8Array>();
  try {
    const transactions = Block.fromBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).transactions ?? [];
    let start = HEADER + compactSizeLength(transactions.length);
    for (const transaction of transactions) {
      const raw = bytes.subarray(start, start + transaction.byteLength());
      start += raw.length;
      const txid = txidOf(raw, transaction);
      // A copy: few may be wanted of a block of megabytes.
      if (txids.has(txid)) found.set(txid, raw.slice());
    }
  } catch {
    // The library has no other way of saying that bytes are not a block.
    return new Map();
  }
  return found;
}
