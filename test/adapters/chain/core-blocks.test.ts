import { Block, Transaction } from 'bitcoinjs-lib';
import { describe, expect, it } from 'vitest';
import { fromCrowdedBlocks } from '../../../src/adapters/chain/core-blocks.js';
import { coreCalls } from '../../../src/adapters/chain/core-calls.js';
import type { CoreRpc, RpcOutcome } from '../../../src/adapters/chain/core-rpc.js';
import { toHex } from '../../../src/domain/bytes.js';
import { ok } from '../../../src/domain/result.js';

function transaction(number: number): Transaction {
  const made = new Transaction();
  made.addInput(Buffer.alloc(32, 1), number);
  made.setWitness(0, [Buffer.alloc(3, number)]);
  made.addOutput(Buffer.from('0014'.padEnd(44, '0'), 'hex'), BigInt(number));
  return made;
}

function blockOf(transactions: readonly Transaction[]): string {
  const block = new Block();
  block.prevHash = Buffer.alloc(32);
  block.merkleRoot = Buffer.alloc(32);
  block.transactions = [...transactions];
  return block.toHex();
}

const list = Array.from({ length: 12 }, (_, number) => transaction(number));
const blocks = new Map([
  [100, 'aa'],
  [101, 'bb'],
]);
const wantedOf = (some: readonly Transaction[], height: number | null) =>
  some.map((one) => ({ txid: one.getId(), height }));

/** A node with these blocks; `asked` are the parameters of its calls. */
function nodeWith(raw: Readonly<Record<string, unknown>>) {
  const asked: unknown[] = [];
  const answer = (params: readonly unknown[]): RpcOutcome => {
    asked.push(params);
    const value = raw[String(params[0])];
    return value === undefined ? { ok: false, error: { code: -5, message: 'Block not found' } } : { ok: true, value };
  };
  const rpc = { name: 'a node', call: async (_: string, params: readonly unknown[]) => ok(answer(params)) };
  return { asked, calls: coreCalls(rpc as unknown as CoreRpc) };
}

describe('transactions of one block', () => {
  it.each([
    [5, 0],
    [6, 1],
    [12, 1],
  ])('%i of them ask for the block %i times', async (count, times) => {
    const { asked, calls } = nodeWith({ aa: blockOf(list) });
    const told: string[] = [];
    const some = list.slice(0, count);
    const found = await fromCrowdedBlocks(calls, wantedOf(some, 100), blocks, (done, of) =>
      told.push(`${done} of ${of}`),
    );
    expect(asked).toEqual(times === 0 ? [] : [['aa', 0]]);
    const due = times === 0 ? [] : some.map((one) => [one.getId(), one.toHex()]);
    expect([...found].map(([txid, bytes]) => [txid, toHex(bytes)])).toEqual(due);
    expect(told).toEqual(times === 0 ? [] : [`${count} of ${count}`]);
  });

  it('of several blocks, and of none, are counted for each block by itself', async () => {
    const { asked, calls } = nodeWith({ aa: blockOf(list), bb: blockOf(list) });
    const wanted = [...wantedOf(list.slice(0, 6), 101), ...wantedOf(list.slice(6, 11), 100), ...wantedOf(list, null)];
    const found = await fromCrowdedBlocks(calls, wanted, blocks);
    expect(asked).toEqual([['bb', 0]]);
    expect(found.size).toBe(6);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a node that does not have the block', {}],
    ['bytes that are no block', { aa: '00'.repeat(100) }],
    ['bytes that end early', { aa: blockOf(list).slice(0, -20) }],
    ['no hexadecimal', { aa: 'xyz' }],
    ['no text', { aa: { hex: '00' } }],
    ['a block of other transactions', { aa: blockOf([transaction(99)]) }],
  ])('%s finds nothing: they are asked for one by one', async (_, raw) => {
    const { calls } = nodeWith(raw);
    expect(await fromCrowdedBlocks(calls, wantedOf(list, 100), blocks)).toEqual(new Map());
  });
});
