import * as v from 'valibot';
import { type Hex, toHex, trustedHex } from '../../domain/bytes.js';
import type { ChainTip } from '../../domain/coin.js';
import { type Fault, fail } from '../../domain/fault.js';
import type { FeeRate } from '../../domain/feerate.js';
import type { Network } from '../../domain/network.js';
import { formatOutpoint, type Outpoint } from '../../domain/outpoint.js';
import { err, ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type {
  Acceptance,
  ChainBackend,
  ChainScan,
  ScanRequest,
  Spender,
  StatedCoin,
  TransactionStatus,
} from '../../vault/chain.js';
import { endless, MOST_SCANNED } from '../../vault/gap-scan.js';
import { acceptanceOf } from './acceptance.js';
import { btc, count, hash, hex, readAnswer } from './answers.js';
import { type CoreRpc, rpcFault } from './core-rpc.js';
import { networkOfGenesis } from './genesis.js';
import { transactionOf } from './raw-transaction.js';

/** RPC_INVALID_ADDRESS_OR_KEY: also "no such transaction", "no such block". */
const NOT_FOUND = -5;
/** RPC_INVALID_PARAMETER: also "block height out of range". */
const OUT_OF_RANGE = -8;
const VERIFY_ERROR = -25;
const VERIFY_REJECTED = -26;
const ALREADY_IN_CHAIN = -27;

/** Looking at more than a month of blocks for one transaction is a question for an index. */
const MOST_BLOCKS = 5000;

/**
 * Scripts beyond the gap that a scan of the UTXO set includes: it walks the whole set whatever is looked for, so they are
 * free, and a second walk is not.
 */
const AHEAD = 1000;

const chainInfo = v.object({
  chain: v.string(),
  blocks: count,
  bestblockhash: hash,
  mediantime: count,
  initialblockdownload: v.boolean(),
});
const scanAnswer = v.object({
  success: v.literal(true),
  height: count,
  bestblock: hash,
  unspents: v.array(v.object({ txid: hash, vout: count, scriptPubKey: hex, amount: btc, height: count })),
});
const header = v.object({ height: count, hash, mediantime: count, time: count });
const acceptAnswer = v.tuple([v.object({ allowed: v.boolean(), 'reject-reason': v.optional(v.string()) })]);
const feeAnswer = v.object({ feerate: v.optional(btc) });
const blockIds = v.object({ hash, height: count, time: count, tx: v.array(hash) });
const blockInputs = v.object({
  tx: v.array(v.object({ txid: hash, vin: v.array(v.object({ txid: v.optional(hash), vout: v.optional(count) })) })),
});

/** Bitcoin Core over JSON-RPC, without a wallet: 0.21 or newer. */
export function createCoreBackend(rpc: CoreRpc): ChainBackend {
  const { name } = rpc;

  async function ask<S extends v.GenericSchema>(
    schema: S,
    method: string,
    params: readonly unknown[] = [],
    patient = false,
  ): Promise<Result<v.InferOutput<S>, Fault>> {
    const called = await rpc.call(method, params, { patient });
    if (!called.ok) return called;
    if (!called.value.ok) return err(rpcFault(name, method, called.value.error));
    return readAnswer(schema, called.value.value, name, method);
  }

  async function syncedInfo(): Promise<Result<v.InferOutput<typeof chainInfo>, Fault>> {
    const info = await ask(chainInfo, 'getblockchaininfo');
    if (!info.ok || !info.value.initialblockdownload || info.value.chain === 'regtest') return info;
    return fail('E_CHAIN_SYNCING', `${name} is still catching up: it is at block ${info.value.blocks}`, {
      remedy: 'wait until bitcoin-cli getblockchaininfo says "initialblockdownload": false',
    });
  }

  async function tip(): Promise<Result<ChainTip, Fault>> {
    const info = await syncedInfo();
    if (!info.ok) return info;
    const { blocks, bestblockhash, mediantime } = info.value;
    return ok({ height: blocks, hash: bestblockhash, medianTimePast: mediantime });
  }

  async function blockHash(height: number): Promise<Result<Hex | null, Fault>> {
    const called = await rpc.call('getblockhash', [height]);
    if (!called.ok) return called;
    if (called.value.ok) return readAnswer(hash, called.value.value, name, 'getblockhash');
    return called.value.error.code === OUT_OF_RANGE
      ? ok(null)
      : err(rpcFault(name, 'getblockhash', called.value.error));
  }

  async function network(): Promise<Result<Network, Fault>> {
    const info = await ask(chainInfo, 'getblockchaininfo');
    if (!info.ok) return info;
    const genesis = await blockHash(0);
    if (!genesis.ok) return genesis;
    // Every regtest chain is somebody's own, and nothing on it is worth anything.
    const found = info.value.chain === 'regtest' ? 'regtest' : networkOfGenesis(genesis.value ?? '');
    if (found !== null) return ok(found);
    return fail('E_CHAIN_NETWORK', `${name} serves a chain that is not Bitcoin's: ${quoted(info.value.chain)}`, {
      remedy: 'name a node of the network that countersign.yaml states',
    });
  }

  async function scanOnce(scripts: readonly Uint8Array[]): Promise<Result<v.InferOutput<typeof scanAnswer>, Fault>> {
    const wanted = scripts.map((script) => ({ desc: `raw(${toHex(script)})` }));
    const called = await rpc.call('scantxoutset', ['start', wanted], { patient: true });
    if (!called.ok) return called;
    if (!called.value.ok) {
      const { error } = called.value;
      if (!/in progress/i.test(error.message)) return err(rpcFault(name, 'scantxoutset', error));
      return fail('E_CHAIN_UNREACHABLE', `${name} runs another scan: ${quoted(error.message)}`, {
        remedy: 'wait for it, or end it: bitcoin-cli scantxoutset abort',
      });
    }
    return readAnswer(scanAnswer, called.value.value, name, 'scantxoutset');
  }

  async function scan({ deriver, lastUsed, gap, onProgress }: ScanRequest): Promise<Result<ChainScan, Fault>> {
    let reach: readonly [number, number] = lastUsed;
    for (;;) {
      const places = new Map<string, { branch: 0 | 1; index: number }>();
      const until = reach.map((last) => last + gap + AHEAD);
      for (const branch of [0, 1] as const) {
        for (let index = 0; index <= (until[branch] ?? 0); index += 1) {
          places.set(toHex(deriver.at(branch, index).script), { branch, index });
          if (index % 100 === 0) onProgress?.(places.size, null);
        }
      }
      const found = await scanOnce([...places.keys()].map(trustedHex));
      if (!found.ok) return found;
      const { unspents, bestblock } = found.value;
      const furthest: [number, number] = [reach[0], reach[1]];
      for (const { scriptPubKey, txid, vout } of unspents) {
        const place = places.get(scriptPubKey);
        if (place === undefined) {
          return fail('E_CHAIN_ANSWER', `${name} answers scantxoutset with ${txid}:${vout}, which was not asked for`);
        }
        furthest[place.branch] = Math.max(furthest[place.branch], place.index);
      }
      // Within the gap of the last one that was looked for: there may be more behind it.
      const isComplete = ([0, 1] as const).every((branch) => furthest[branch] + gap <= (until[branch] ?? 0));
      if (!isComplete) {
        for (const branch of [0, 1] as const) {
          if (furthest[branch] - lastUsed[branch] > MOST_SCANNED) return endless(name, branch);
        }
        reach = furthest;
        continue;
      }
      const block = await ask(header, 'getblockheader', [bestblock]);
      if (!block.ok) return block;
      const { height, mediantime } = block.value;
      const coins = unspents.map(
        ({ txid, vout, amount, scriptPubKey, height: at }): StatedCoin => ({
          outpoint: { txid, vout },
          value: amount,
          script: trustedHex(scriptPubKey),
          height: at,
        }),
      );
      return ok({
        tip: { height, hash: bestblock, medianTimePast: mediantime },
        coins,
        lastUsed: furthest,
      });
    }
  }

  async function transactions(
    wanted: readonly { readonly txid: Hex; readonly height: number | null }[],
    onProgress?: (done: number, of: number) => void,
  ): Promise<Result<ReadonlyMap<Hex, Uint8Array>, Fault>> {
    const blocks = await blockHashes(wanted.flatMap(({ height }) => (height === null ? [] : [height])));
    if (!blocks.ok) return blocks;
    const answers = await rpc.batch(
      'getrawtransaction',
      wanted.map(({ txid, height }) => {
        const block = height === null ? undefined : blocks.value.get(height);
        return block === undefined ? [txid, false] : [txid, false, block];
      }),
      onProgress,
    );
    if (!answers.ok) return answers;
    const found = new Map<Hex, Uint8Array>();
    for (const [index, { txid }] of wanted.entries()) {
      const outcome = answers.value[index];
      if (outcome === undefined) throw new Error('a batch answers each of its calls');
      if (!outcome.ok) {
        if (outcome.error.code === NOT_FOUND) continue;
        return err(rpcFault(name, 'getrawtransaction', outcome.error));
      }
      const raw = readAnswer(hex, outcome.value, name, 'getrawtransaction');
      if (!raw.ok) return raw;
      found.set(txid, trustedHex(raw.value));
    }
    return ok(found);
  }

  async function blockHashes(heights: readonly number[]): Promise<Result<ReadonlyMap<number, Hex>, Fault>> {
    const distinct = [...new Set(heights)];
    const answers = await rpc.batch(
      'getblockhash',
      distinct.map((height) => [height]),
    );
    if (!answers.ok) return answers;
    const hashes = new Map<number, Hex>();
    for (const [index, height] of distinct.entries()) {
      const outcome = answers.value[index];
      if (outcome?.ok !== true) return moved(name);
      const read = readAnswer(hash, outcome.value, name, 'getblockhash');
      if (!read.ok) return read;
      hashes.set(height, read.value);
    }
    return ok(hashes);
  }

  /** Walks the blocks above a height, from the newest down, until `visit` has found what it looks for. */
  async function walk<S extends v.GenericSchema>(
    since: number,
    verbosity: 1 | 2,
    schema: S,
    visit: (block: v.InferOutput<S>) => boolean,
  ): Promise<Result<void, Fault>> {
    const now = await tip();
    if (!now.ok) return now;
    const first = Math.max(0, since + 1, now.value.height - MOST_BLOCKS);
    for (let height = now.value.height; height >= first; height -= 1) {
      const block = await blockHash(height);
      if (!block.ok) return block;
      if (block.value === null) return moved(name);
      const read = await ask(schema, 'getblock', [block.value, verbosity]);
      if (!read.ok) return read;
      if (visit(read.value)) break;
    }
    return ok(undefined);
  }

  async function status(txid: Hex, since: number): Promise<Result<TransactionStatus, Fault>> {
    const pooled = await rpc.call('getmempoolentry', [txid]);
    if (!pooled.ok) return pooled;
    if (pooled.value.ok) return ok({ state: 'mempool' });
    if (pooled.value.error.code !== NOT_FOUND) return err(rpcFault(name, 'getmempoolentry', pooled.value.error));
    let found: TransactionStatus = { state: 'unknown' };
    const walked = await walk(since, 1, blockIds, ({ hash: block, height, time, tx }) => {
      if (!tx.includes(txid)) return false;
      found = { state: 'confirmed', height, blockHash: block, time };
      return true;
    });
    return walked.ok ? ok(found) : walked;
  }

  async function spenders(
    outpoints: readonly Outpoint[],
    since: number,
  ): Promise<Result<ReadonlyMap<string, Spender>, Fault>> {
    const answers = await rpc.batch(
      'gettxout',
      outpoints.map(({ txid, vout }) => [txid, vout, true]),
    );
    if (!answers.ok) return answers;
    const found = new Map<string, Spender>();
    for (const [index, outpoint] of outpoints.entries()) {
      const outcome = answers.value[index];
      if (outcome?.ok !== true) return err(rpcFault(name, 'gettxout', outcome?.error ?? { code: 0, message: 'none' }));
      const isSpent = outcome.value === null;
      found.set(formatOutpoint(outpoint), isSpent ? { state: 'spent', by: null } : { state: 'unspent' });
    }
    const open = new Set([...found].flatMap(([outpoint, { state }]) => (state === 'spent' ? [outpoint] : [])));
    if (open.size === 0) return ok(found);
    const pool = await ask(v.array(hash), 'getrawmempool');
    if (!pool.ok) return pool;
    const pooled = await transactionInputs(pool.value);
    if (!pooled.ok) return pooled;
    const note = (spent: string, by: Hex): void => {
      if (open.delete(spent)) found.set(spent, { state: 'spent', by });
    };
    for (const { txid, inputs } of pooled.value) for (const spent of inputs) note(spent, txid);
    if (open.size === 0) return ok(found);
    const walked = await walk(since, 2, blockInputs, ({ tx }) => {
      for (const { txid, vin } of tx) {
        for (const input of vin) if (input.txid !== undefined) note(`${input.txid}:${input.vout ?? 0}`, txid);
      }
      return open.size === 0;
    });
    return walked.ok ? ok(found) : walked;
  }

  async function transactionInputs(
    txids: readonly Hex[],
  ): Promise<Result<readonly { readonly txid: Hex; readonly inputs: readonly string[] }[], Fault>> {
    const raw = await transactions(txids.map((txid) => ({ txid, height: null })));
    if (!raw.ok) return raw;
    const read: { txid: Hex; inputs: readonly string[] }[] = [];
    for (const [txid, bytes] of raw.value) {
      const transaction = transactionOf(txid, bytes);
      if (transaction === null) {
        return fail('E_CHAIN_ANSWER', `${name} answers ${txid} with bytes that are not that transaction`);
      }
      read.push({
        txid,
        inputs: transaction.ins.map(
          ({ hash: previous, index }) => `${toHex(Uint8Array.from(previous).reverse())}:${index}`,
        ),
      });
    }
    return ok(read);
  }

  async function testAccept(transaction: Uint8Array): Promise<Result<Acceptance, Fault>> {
    const answer = await ask(acceptAnswer, 'testmempoolaccept', [[toHex(transaction)]]);
    if (!answer.ok) return answer;
    const [{ allowed, 'reject-reason': reason = 'no reason given' }] = answer.value;
    return ok(allowed ? { state: 'accepted' } : acceptanceOf(reason));
  }

  async function broadcast(transaction: Uint8Array): Promise<Result<Acceptance, Fault>> {
    const called = await rpc.call('sendrawtransaction', [toHex(transaction)]);
    if (!called.ok) return called;
    if (called.value.ok) return ok({ state: 'accepted' });
    const { error } = called.value;
    switch (error.code) {
      case ALREADY_IN_CHAIN:
        return ok({ state: 'known' });
      case VERIFY_ERROR:
      case VERIFY_REJECTED:
        return ok(acceptanceOf(error.message));
      default:
        return err(rpcFault(name, 'sendrawtransaction', error));
    }
  }

  async function feerate(blocks: number): Promise<Result<FeeRate | null, Fault>> {
    const answer = await ask(feeAnswer, 'estimatesmartfee', [blocks]);
    if (!answer.ok) return answer;
    // BTC per 1,000 vB is what a FeeRate is in sats.
    return ok(answer.value.feerate ?? null);
  }

  return {
    name,
    kind: 'core',
    network,
    tip,
    scan,
    blockHash,
    transactions,
    status,
    spenders,
    testAccept,
    broadcast,
    feerate,
    close: async () => undefined,
  };
}

function moved(name: string): Result<never, Fault> {
  return fail('E_CHAIN_MOVED', `${name} took in a block in the middle of the scan`, {
    remedy: 'run the command again',
  });
}
