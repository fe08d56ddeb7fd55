import * as v from 'valibot';
import { type Hex, toHex } from '../../domain/bytes.js';
import { type Fault, fail } from '../../domain/fault.js';
import { formatOutpoint, type Outpoint } from '../../domain/outpoint.js';
import { err, ok, type Result } from '../../domain/result.js';
import type { ChainBackend, Spender } from '../../vault/chain.js';
import { count, hash, readAnswer } from './answers.js';
import type { CoreCalls } from './core-calls.js';
import { rpcFault } from './core-rpc.js';
import { transactionOf } from './raw-transaction.js';

/** RPC_METHOD_NOT_FOUND: gettxspendingprevout came with Core 24. */
const UNKNOWN_METHOD = -32601;

const spending = v.array(v.object({ txid: hash, vout: count, spendingtxid: v.optional(hash) }));
const blockInputs = v.object({
  tx: v.array(v.object({ txid: hash, vin: v.array(v.object({ txid: v.optional(hash), vout: v.optional(count) })) })),
});
export type BlockInputs = v.InferOutput<typeof blockInputs>;

/** Walks the blocks above a height from the newest down, with all inputs, until `visit` has found what it looks for. */
export type WalkInputs = (
  since: number,
  schema: typeof blockInputs,
  visit: (block: BlockInputs) => boolean,
) => Promise<Result<void, Fault>>;

/** Who spent these outpoints: the set of unspent outputs says whether, the mempool and the blocks above `since` say who. */
export async function spendersOf(
  calls: CoreCalls,
  outpoints: readonly Outpoint[],
  since: number,
  walk: WalkInputs,
  transactions: ChainBackend['transactions'],
): Promise<Result<ReadonlyMap<string, Spender>, Fault>> {
  const { rpc, name } = calls;
  const answers = await rpc.batch(
    'gettxout',
    outpoints.map(({ txid, vout }) => [txid, vout, true]),
  );
  if (!answers.ok) return answers;
  const found = new Map<string, Spender>();
  const open = new Map<string, Outpoint>();
  for (const [index, outpoint] of outpoints.entries()) {
    const outcome = answers.value[index];
    if (outcome?.ok !== true) return err(rpcFault(name, 'gettxout', outcome?.error ?? { code: 0, message: 'none' }));
    const isSpent = outcome.value === null;
    found.set(formatOutpoint(outpoint), isSpent ? { state: 'spent', by: null } : { state: 'unspent' });
    if (isSpent) open.set(formatOutpoint(outpoint), outpoint);
  }
  if (open.size === 0) return ok(found);
  const note = (spent: string, by: Hex): void => {
    if (open.delete(spent)) found.set(spent, { state: 'spent', by });
  };
  const pooled = await inMempool(calls, [...open.values()], transactions);
  if (!pooled.ok) return pooled;
  for (const [spent, by] of pooled.value) note(spent, by);
  if (open.size === 0) return ok(found);
  const walked = await walk(since, blockInputs, ({ tx }) => {
    for (const { txid, vin } of tx) {
      for (const input of vin) if (input.txid !== undefined) note(`${input.txid}:${input.vout ?? 0}`, txid);
    }
    return open.size === 0;
  });
  return walked.ok ? ok(found) : walked;
}

/** By "TXID:VOUT", the transactions of the mempool that spend outpoints; the node is asked for them alone where it can be. */
async function inMempool(
  calls: CoreCalls,
  outpoints: readonly Outpoint[],
  transactions: ChainBackend['transactions'],
): Promise<Result<ReadonlyMap<string, Hex>, Fault>> {
  const { rpc, name } = calls;
  const asked = await rpc.call('gettxspendingprevout', [outpoints.map(({ txid, vout }) => ({ txid, vout }))]);
  if (!asked.ok) return asked;
  if (!asked.value.ok) {
    if (asked.value.error.code === UNKNOWN_METHOD) return wholeMempool(calls, transactions);
    return err(rpcFault(name, 'gettxspendingprevout', asked.value.error));
  }
  const read = readAnswer(spending, asked.value.value, name, 'gettxspendingprevout');
  if (!read.ok) return read;
  return ok(
    new Map(
      read.value.flatMap(({ txid, vout, spendingtxid }) =>
        spendingtxid === undefined ? [] : [[formatOutpoint({ txid, vout }), spendingtxid] as const],
      ),
    ),
  );
}

async function wholeMempool(
  { ask, name }: CoreCalls,
  transactions: ChainBackend['transactions'],
): Promise<Result<ReadonlyMap<string, Hex>, Fault>> {
  const pool = await ask(v.array(hash), 'getrawmempool');
  if (!pool.ok) return pool;
  const raw = await transactions(pool.value.map((txid) => ({ txid, height: null })));
  if (!raw.ok) return raw;
  const spent = new Map<string, Hex>();
  for (const [txid, bytes] of raw.value) {
    const transaction = transactionOf(txid, bytes);
    if (transaction === null) {
      return fail('E_CHAIN_ANSWER', `${name} answers ${txid} with bytes that are not that transaction`);
    }
    for (const { hash: previous, index } of transaction.ins) {
      spent.set(`${toHex(Uint8Array.from(previous).reverse())}:${index}`, txid);
    }
  }
  return ok(spent);
}
