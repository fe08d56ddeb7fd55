import { Block, type Transaction } from 'bitcoinjs-lib';
import * as v from 'valibot';
import { type Hex, hash256, sha256, toHex, trustedHex } from '../../domain/bytes.js';
import type { ChainTip } from '../../domain/coin.js';
import { type Fault, fail, fault } from '../../domain/fault.js';
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
  TransactionStatus,
} from '../../vault/chain.js';
import { gapScan, type ScriptView } from '../../vault/gap-scan.js';
import type { DerivedScript } from '../../vault/types.js';
import { acceptanceOf } from './acceptance.js';
import { btcPerKvb, count, hash, hex, readAnswer } from './answers.js';
import type { ElectrumError, ElectrumLine } from './electrum-line.js';
import { networkOfGenesis } from './genesis.js';
import { transactionOf } from './raw-transaction.js';
import { steadyTip } from './steady-tip.js';

const HEADER_BYTES = 80;
const OP_RETURN = 0x6a;
/** The median of the last eleven block times (BIP113). */
const MTP_SPAN = 11;
/** Questions on their way at a time; the answers come in any order. */
const AT_ONCE = 50;

const satsNumber = v.pipe(
  v.string(),
  v.regex(/^(?:0|[1-9][0-9]{0,15})$/),
  v.transform((digits) => BigInt(digits)),
);
const header = v.pipe(hex, v.length(2 * HEADER_BYTES));
const tipAnswer = v.object({ height: count, hex: header });
const headersAnswer = v.object({ count, hex });
/** 0 and -1: unconfirmed. */
const historyHeight = v.pipe(v.string(), v.regex(/^(?:-1|0|[1-9][0-9]{0,8})$/), v.transform(Number));
const unspentAnswer = v.array(v.object({ tx_hash: hash, tx_pos: count, height: historyHeight, value: satsNumber }));
const historyAnswer = v.array(v.object({ tx_hash: hash, height: historyHeight }));
const feeAnswer = v.union([
  v.pipe(
    v.string(),
    v.regex(/^-1(?:\.0)?$/),
    v.transform(() => null),
  ),
  btcPerKvb,
]);

/** A server of the Electrum protocol 1.4 (ElectrumX, Fulcrum, electrs). */
export function createElectrumBackend(line: ElectrumLine): ChainBackend {
  const { name } = line;

  function refusal(method: string, { code, message }: ElectrumError): Fault {
    return fault('E_CHAIN_ANSWER', `${name} answers ${method} with error ${code}: ${quoted(message)}`);
  }

  async function ask<S extends v.GenericSchema>(
    schema: S,
    method: string,
    params: readonly unknown[] = [],
  ): Promise<Result<v.InferOutput<S>, Fault>> {
    const answer = await line.call(method, params);
    if (!answer.ok) return answer;
    if (!answer.value.ok) return err(refusal(method, answer.value.error));
    return readAnswer(schema, answer.value.value, name, method);
  }

  async function headerAt(height: number): Promise<Result<string, Fault>> {
    return ask(header, 'blockchain.block.header', [height]);
  }

  async function network(): Promise<Result<Network, Fault>> {
    const genesis = await headerAt(0);
    if (!genesis.ok) return genesis;
    const found = networkOfGenesis(idOf(genesis.value));
    if (found !== null) return ok(found);
    return fail('E_CHAIN_NETWORK', `${name} serves a chain that is not Bitcoin's`, { remedy: 'name another' });
  }

  async function tip(): Promise<Result<ChainTip, Fault>> {
    const newest = await ask(tipAnswer, 'blockchain.headers.subscribe');
    if (!newest.ok) return newest;
    const { height, hex: own } = newest.value;
    const first = Math.max(0, height - MTP_SPAN + 1);
    const span = await ask(headersAnswer, 'blockchain.block.headers', [first, height - first + 1]);
    if (!span.ok) return span;
    const headers = span.value.hex.match(/.{160}/g) ?? [];
    if (headers.length !== height - first + 1) {
      return fail(
        'E_CHAIN_ANSWER',
        `${name} answers ${headers.length} headers up to ${height}, not ${height - first + 1}`,
      );
    }
    // A reorganisation between the two questions.
    if (headers.at(-1) !== own) return fail('E_CHAIN_MOVED', `${name} changed its tip`, { remedy: 'run it again' });
    const times = headers.map((one) => Block.fromHex(one).timestamp).sort((a, b) => a - b);
    return ok({ height, hash: idOf(own), medianTimePast: times[Math.floor(times.length / 2)] ?? 0 });
  }

  async function blockHash(height: number): Promise<Result<Hex | null, Fault>> {
    const newest = await ask(tipAnswer, 'blockchain.headers.subscribe');
    if (!newest.ok) return newest;
    if (height > newest.value.height) return ok(null);
    const read = await headerAt(height);
    return read.ok ? ok(idOf(read.value)) : read;
  }

  async function viewScript({ script }: DerivedScript): Promise<Result<ScriptView, Fault>> {
    const id = scriptHash(script);
    const history = await ask(historyAnswer, 'blockchain.scripthash.get_history', [id]);
    if (!history.ok) return history;
    if (history.value.length === 0) return ok({ used: false, coins: [] });
    const unspent = await ask(unspentAnswer, 'blockchain.scripthash.listunspent', [id]);
    if (!unspent.ok) return unspent;
    return ok({
      used: true,
      coins: unspent.value.map(({ tx_hash: txid, tx_pos: vout, height, value }) => ({
        outpoint: { txid, vout },
        value,
        script,
        height: height > 0 ? height : null,
      })),
    });
  }

  const scan = (request: ScanRequest): Promise<Result<ChainScan, Fault>> =>
    steadyTip(name, tip, () => gapScan(name, request, AT_ONCE, viewScript));

  async function raw(txid: Hex): Promise<Result<Uint8Array | null, Fault>> {
    const answer = await line.call('blockchain.transaction.get', [txid]);
    if (!answer.ok) return answer;
    if (!answer.value.ok) {
      const { error } = answer.value;
      // Servers differ in codes and agree on words.
      if (/no such|not found|missing/i.test(error.message)) return ok(null);
      return err(refusal('blockchain.transaction.get', error));
    }
    const bytes = readAnswer(hex, answer.value.value, name, 'blockchain.transaction.get');
    return bytes.ok ? ok(trustedHex(bytes.value)) : bytes;
  }

  async function transactions(
    wanted: readonly { readonly txid: Hex }[],
    onProgress?: (done: number, of: number) => void,
  ): Promise<Result<ReadonlyMap<Hex, Uint8Array>, Fault>> {
    const found = new Map<Hex, Uint8Array>();
    for (let start = 0; start < wanted.length; start += AT_ONCE) {
      const some = wanted.slice(start, start + AT_ONCE);
      const answers = await Promise.all(some.map(({ txid }) => raw(txid)));
      for (const [index, { txid }] of some.entries()) {
        const answer = answers[index];
        if (answer === undefined) throw new Error('each question has an answer');
        if (!answer.ok) return answer;
        if (answer.value !== null) found.set(txid, answer.value);
      }
      onProgress?.(Math.min(start + AT_ONCE, wanted.length), wanted.length);
    }
    return ok(found);
  }

  /** The transaction of this txid and no other, or null. */
  async function proven(txid: Hex): Promise<Result<Transaction | null, Fault>> {
    const bytes = await raw(txid);
    if (!bytes.ok || bytes.value === null) return bytes.ok ? ok(null) : bytes;
    const transaction = transactionOf(txid, bytes.value);
    if (transaction !== null) return ok(transaction);
    return fail('E_CHAIN_ANSWER', `${name} answers ${txid} with bytes that are not that transaction`);
  }

  async function historyOf(script: Uint8Array): Promise<Result<v.InferOutput<typeof historyAnswer>, Fault>> {
    return ask(historyAnswer, 'blockchain.scripthash.get_history', [scriptHash(script)]);
  }

  async function status(txid: Hex): Promise<Result<TransactionStatus, Fault>> {
    const transaction = await proven(txid);
    if (!transaction.ok) return transaction;
    const height = await heightOf(txid, transaction.value?.outs ?? []);
    if (!height.ok) return height;
    if (height.value === null) return ok({ state: 'unknown' });
    if (height.value <= 0) return ok({ state: 'mempool' });
    const block = await headerAt(height.value);
    if (!block.ok) return block;
    return ok({
      state: 'confirmed',
      height: height.value,
      blockHash: idOf(block.value),
      time: Block.fromHex(block.value).timestamp,
    });
  }

  /**
   * The height of a transaction, from the history of the first of its outputs that has it: servers keep none of scripts that
   * cannot be spent, and refuse that of one that a whole exchange is paid to. Null where none has it.
   */
  async function heightOf(txid: Hex, outs: Transaction['outs']): Promise<Result<number | null, Fault>> {
    let refused: Result<never, Fault> | null = null;
    const scripts = new Map(outs.map(({ script }) => [toHex(script), script]));
    for (const script of scripts.values()) {
      if (script[0] === OP_RETURN) continue;
      const history = await historyOf(script);
      if (!history.ok && history.error.tag !== 'E_CHAIN_ANSWER') return history;
      const height = history.ok ? history.value.find(({ tx_hash: id }) => id === txid)?.height : undefined;
      if (height !== undefined) return ok(height);
      if (!history.ok) refused ??= history;
    }
    return refused ?? ok(null);
  }

  async function spenders(outpoints: readonly Outpoint[]): Promise<Result<ReadonlyMap<string, Spender>, Fault>> {
    const found = new Map<string, Spender>();
    for (const outpoint of outpoints) {
      const spender = await spenderOf(outpoint);
      if (!spender.ok) return spender;
      found.set(formatOutpoint(outpoint), spender.value);
    }
    return ok(found);
  }

  async function spenderOf({ txid, vout }: Outpoint): Promise<Result<Spender, Fault>> {
    const made = await proven(txid);
    if (!made.ok) return made;
    // Undone by a reorganisation, or a deposit that was replaced before its block: there is no such coin, and nobody spent it.
    if (made.value === null) return ok({ state: 'spent', by: null });
    const output = made.value.outs[vout];
    if (output === undefined) return fail('E_CHAIN_ANSWER', `${name} does not know ${txid}:${vout}`);
    const unspent = await ask(unspentAnswer, 'blockchain.scripthash.listunspent', [scriptHash(output.script)]);
    if (!unspent.ok) return unspent;
    if (unspent.value.some((coin) => coin.tx_hash === txid && coin.tx_pos === vout)) return ok({ state: 'unspent' });
    const history = await historyOf(output.script);
    if (!history.ok) return history;
    for (const { tx_hash: id } of history.value) {
      const candidate = await proven(id);
      if (!candidate.ok) return candidate;
      const spends = candidate.value?.ins.some(
        ({ hash: previous, index }) => index === vout && toHex(Uint8Array.from(previous).reverse()) === txid,
      );
      if (spends === true) return ok({ state: 'spent', by: id });
    }
    return ok({ state: 'spent', by: null });
  }

  async function broadcast(transaction: Uint8Array): Promise<Result<Acceptance, Fault>> {
    const answer = await line.call('blockchain.transaction.broadcast', [toHex(transaction)]);
    if (!answer.ok) return answer;
    if (answer.value.ok) {
      const txid = readAnswer(hash, answer.value.value, name, 'blockchain.transaction.broadcast');
      return txid.ok ? ok({ state: 'accepted' }) : txid;
    }
    return ok(acceptanceOf(answer.value.error.message));
  }

  async function feerate(blocks: number): Promise<Result<FeeRate | null, Fault>> {
    return ask(feeAnswer, 'blockchain.estimatefee', [blocks]);
  }

  return {
    name,
    kind: 'electrum',
    network,
    tip,
    scan,
    blockHash,
    transactions,
    status,
    spenders,
    testAccept: async () => ok({ state: 'unsupported' }),
    broadcast,
    feerate,
    close: async () => line.close(),
  };
}

/** Electrum's name for a script: its SHA-256, the bytes turned round. */
function scriptHash(script: Uint8Array): Hex {
  return toHex(sha256(script).reverse());
}

const idOf = (headerHex: string): Hex => toHex(hash256(trustedHex(headerHex)).reverse());
