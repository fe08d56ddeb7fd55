import * as v from 'valibot';
import { type Hex, toHex, trustedHex } from '../../domain/bytes.js';
import type { ChainTip } from '../../domain/coin.js';
import { type Fault, fail } from '../../domain/fault.js';
import type { FeeRate } from '../../domain/feerate.js';
import type { Network } from '../../domain/network.js';
import type { Outpoint } from '../../domain/outpoint.js';
import { err, ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type {
  Acceptance,
  ChainBackend,
  ChainScan,
  ScanRequest,
  Spender,
  TransactionStatus,
} from '../../vault/chain.js';
import { acceptanceOf } from './acceptance.js';
import { btc, count, hash, hex, readAnswer } from './answers.js';
import { fromCrowdedBlocks } from './core-blocks.js';
import { coreCalls } from './core-calls.js';
import { type CoreRpc, rpcFault } from './core-rpc.js';
import { scanUnspent } from './core-scan.js';
import { scriptsSpent } from './core-sources.js';
import { spendersOf } from './core-spenders.js';
import { walletHistory } from './core-wallet.js';
import { networkOfGenesis } from './genesis.js';

/** RPC_INVALID_ADDRESS_OR_KEY: also "no such transaction", "no such block". */
const NOT_FOUND = -5;
/** RPC_INVALID_PARAMETER: also "block height out of range". */
const OUT_OF_RANGE = -8;
const VERIFY_ERROR = -25;
const VERIFY_REJECTED = -26;
const ALREADY_IN_CHAIN = -27;

/** Looking at more than a month of blocks for one transaction is a question for an index. */
const MOST_BLOCKS = 5000;

const chainInfo = v.object({
  chain: v.string(),
  blocks: count,
  bestblockhash: hash,
  mediantime: count,
  initialblockdownload: v.boolean(),
});
const acceptAnswer = v.tuple([v.object({ allowed: v.boolean(), 'reject-reason': v.optional(v.string()) })]);
const feeAnswer = v.object({ feerate: v.optional(btc) });
const blockIds = v.object({ hash, height: count, time: count, tx: v.array(hash) });
/** A watch-only wallet of the node: its name, and calls to its own address. */
export interface CoreWallet {
  readonly name: string;
  readonly rpc: CoreRpc;
}

/** Bitcoin Core over JSON-RPC, 0.21 or newer; a wallet is asked for history alone. */
export function createCoreBackend(rpc: CoreRpc, wallet: CoreWallet | null = null): ChainBackend {
  const calls = coreCalls(rpc);
  const { name, ask } = calls;

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

  async function scan(request: ScanRequest): Promise<Result<ChainScan, Fault>> {
    if (wallet === null) return scanUnspent(calls, request);
    const lastUsed = await walletHistory(calls, coreCalls(wallet.rpc), wallet.name, request);
    return lastUsed.ok ? scanUnspent(calls, { ...request, lastUsed: lastUsed.value }) : lastUsed;
  }

  async function transactions(
    wanted: readonly { readonly txid: Hex; readonly height: number | null }[],
    onProgress?: (done: number, of: number) => void,
  ): Promise<Result<ReadonlyMap<Hex, Uint8Array>, Fault>> {
    const blocks = await blockHashes(wanted.flatMap(({ height }) => (height === null ? [] : [height])));
    if (!blocks.ok) return blocks;
    const found = new Map(await fromCrowdedBlocks(calls, wanted, blocks.value, onProgress));
    const others = wanted.filter(({ txid }) => !found.has(txid));
    const answers = await rpc.batch(
      'getrawtransaction',
      others.map(({ txid, height }) => {
        const block = height === null ? undefined : blocks.value.get(height);
        return block === undefined ? [txid, false] : [txid, false, block];
      }),
      (done) => onProgress?.(wanted.length - others.length + done, wanted.length),
    );
    if (!answers.ok) return answers;
    for (const [index, { txid }] of others.entries()) {
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

  async function spentScripts(
    wanted: readonly { readonly txid: Hex; readonly height: number | null }[],
  ): Promise<Result<ReadonlyMap<Hex, readonly Uint8Array[]>, Fault>> {
    const blocks = await blockHashes(wanted.flatMap(({ height }) => (height === null ? [] : [height])));
    if (!blocks.ok) return blocks;
    const placed = wanted.flatMap(({ txid, height }) => {
      const block = height === null ? undefined : blocks.value.get(height);
      return block === undefined ? [] : [{ txid, block }];
    });
    return scriptsSpent(calls, placed);
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

  const spenders = (
    outpoints: readonly Outpoint[],
    since: number,
  ): Promise<Result<ReadonlyMap<string, Spender>, Fault>> =>
    spendersOf(calls, outpoints, since, (from, schema, visit) => walk(from, 2, schema, visit), transactions);

  async function testAccept(transaction: Uint8Array): Promise<Result<Acceptance, Fault>> {
    const answer = await ask(acceptAnswer, 'testmempoolaccept', [[toHex(transaction)]]);
    if (!answer.ok) return answer;
    const [{ allowed, 'reject-reason': reason = 'no reason given' }] = answer.value;
    return ok(allowed ? { state: 'accepted' } : acceptanceOf(reason));
  }

  async function broadcast(transaction: Uint8Array): Promise<Result<Acceptance, Fault>> {
    const called = await rpc.call('sendrawtransaction', [toHex(transaction)]);
    if (!called.ok) return called;
    if (called.value.ok) {
      const txid = readAnswer(hash, called.value.value, name, 'sendrawtransaction');
      return txid.ok ? ok({ state: 'accepted' }) : txid;
    }
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
    spentScripts,
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
