import * as v from 'valibot';
import { type Hex, sha256Hex, toHex, trustedHex } from '../../domain/bytes.js';
import type { ChainTip } from '../../domain/coin.js';
import { type Fault, fail } from '../../domain/fault.js';
import type { FeeRate } from '../../domain/feerate.js';
import type { Network } from '../../domain/network.js';
import { formatOutpoint, type Outpoint } from '../../domain/outpoint.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import { parseSats } from '../../domain/sats.js';
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
import { count, hash, hex, readAnswer, satPerVbyte } from './answers.js';
import { parseExactJson } from './exact-json.js';
import { networkOfGenesis } from './genesis.js';
import { exchange, type HttpAnswer } from './http.js';
import { steadyTip } from './steady-tip.js';

const IDLE_LIMIT = 30_000;
/** For one answer as a whole, however slowly it drips. */
const TOTAL_LIMIT = 120_000;
const MAX_ANSWER = 50_000_000;
/** Few enough that a public server does not take it for an attack. */
const AT_ONCE = 4;

const sats = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const amount = parseSats(dataset.value);
    if (amount.ok) return amount.value;
    addIssue({ message: amount.error.message });
    return NEVER;
  }),
);
const place = v.variant('confirmed', [
  v.object({ confirmed: v.literal(true), block_height: count, block_hash: hash, block_time: count }),
  v.object({ confirmed: v.literal(false) }),
]);
const block = v.object({ id: hash, height: count, mediantime: count });
const scriptStats = v.object({ tx_count: count, funded_txo_count: count, spent_txo_count: count });
const scriptAnswer = v.object({ chain_stats: scriptStats, mempool_stats: scriptStats });
const unspent = v.array(v.object({ txid: hash, vout: count, value: sats, status: place }));
const outspend = v.variant('spent', [
  v.object({ spent: v.literal(true), txid: hash }),
  v.object({ spent: v.literal(false) }),
]);
/** By the number of blocks; a list would pass for an object without any. */
const feeAnswer = v.pipe(
  v.custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'no object'),
  v.record(v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,3}$/)), satPerVbyte),
);

/** An Esplora HTTP API (Blockstream's esplora, mempool's electrs), by its base address. */
export function createEsploraBackend(base: URL): ChainBackend {
  const root = base.href.replace(/\/+$/, '');
  const name = `esplora ${root}`;

  async function ask(path: string, body?: string): Promise<Result<HttpAnswer, Fault>> {
    const answer = await exchange({
      url: new URL(`${root}${path}`),
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'text/plain' } }),
      idleLimit: IDLE_LIMIT,
      totalLimit: TOTAL_LIMIT,
      maxBytes: MAX_ANSWER,
      from: name,
    });
    if (!answer.ok || ![429, 502, 503, 504].includes(answer.value.status)) return answer;
    const { status, text } = answer.value;
    return fail('E_CHAIN_UNREACHABLE', `${name} answers HTTP ${status}: ${quoted(text.trim(), 60)}`, {
      remedy: status === 429 ? 'it is asked too often: wait, or run a server of your own' : 'wait, and run it again',
    });
  }

  /** An answer that has to be there. */
  async function text(path: string): Promise<Result<string, Fault>> {
    const answer = await ask(path);
    if (!answer.ok) return answer;
    if (answer.value.status === 200) return ok(answer.value.text.trim());
    return refusal(path, answer.value);
  }

  function refusal(path: string, { status, text: words }: HttpAnswer): Result<never, Fault> {
    return fail('E_CHAIN_ANSWER', `${name} answers ${path} with HTTP ${status}: ${quoted(words.trim(), 60)}`, {
      remedy: 'check that the address is that of the API (often it ends in /api)',
    });
  }

  async function json<S extends v.GenericSchema>(schema: S, path: string): Promise<Result<v.InferOutput<S>, Fault>> {
    const answer = await text(path);
    if (!answer.ok) return answer;
    const parsed = parseExactJson(answer.value, name);
    return parsed.ok ? readAnswer(schema, parsed.value, name, path) : parsed;
  }

  async function blockHash(height: number): Promise<Result<Hex | null, Fault>> {
    const answer = await ask(`/block-height/${height}`);
    if (!answer.ok) return answer;
    if (answer.value.status === 404) return ok(null);
    if (answer.value.status !== 200) return refusal('/block-height', answer.value);
    return readAnswer(hash, answer.value.text.trim(), name, '/block-height');
  }

  async function network(): Promise<Result<Network, Fault>> {
    const genesis = await blockHash(0);
    if (!genesis.ok) return genesis;
    const found = networkOfGenesis(genesis.value ?? '');
    if (found !== null) return ok(found);
    return fail('E_CHAIN_NETWORK', `${name} serves a chain that is not Bitcoin's`, { remedy: 'name another' });
  }

  async function tip(): Promise<Result<ChainTip, Fault>> {
    const newest = await text('/blocks/tip/hash');
    if (!newest.ok) return newest;
    const id = readAnswer(hash, newest.value, name, '/blocks/tip/hash');
    if (!id.ok) return id;
    const read = await json(block, `/block/${id.value}`);
    if (!read.ok) return read;
    return ok({ height: read.value.height, hash: read.value.id, medianTimePast: read.value.mediantime });
  }

  async function viewScript({ script }: DerivedScript): Promise<Result<ScriptView, Fault>> {
    const path = `/scripthash/${sha256Hex(script)}`;
    const stats = await json(scriptAnswer, path);
    if (!stats.ok) return stats;
    const { chain_stats: settled, mempool_stats: pooled } = stats.value;
    const used = settled.tx_count + pooled.tx_count > 0;
    const open = settled.funded_txo_count + pooled.funded_txo_count > settled.spent_txo_count + pooled.spent_txo_count;
    if (!open) return ok({ used, coins: [] });
    const coins = await json(unspent, `${path}/utxo`);
    if (!coins.ok) return coins;
    return ok({
      used,
      coins: coins.value.map(({ txid, vout, value, status: at }) => ({
        outpoint: { txid, vout },
        value,
        script,
        height: at.confirmed ? at.block_height : null,
      })),
    });
  }

  const scan = (request: ScanRequest): Promise<Result<ChainScan, Fault>> =>
    steadyTip(name, tip, () => gapScan(name, request, AT_ONCE, viewScript));

  async function transactions(
    wanted: readonly { readonly txid: Hex }[],
    onProgress?: (done: number, of: number) => void,
  ): Promise<Result<ReadonlyMap<Hex, Uint8Array>, Fault>> {
    const found = new Map<Hex, Uint8Array>();
    for (let start = 0; start < wanted.length; start += AT_ONCE) {
      const some = wanted.slice(start, start + AT_ONCE);
      const answers = await Promise.all(some.map(({ txid }) => ask(`/tx/${txid}/hex`)));
      for (const [index, { txid }] of some.entries()) {
        const answer = answers[index];
        if (answer === undefined) throw new Error('each request has an answer');
        if (!answer.ok) return answer;
        if (answer.value.status === 404) continue;
        if (answer.value.status !== 200) return refusal(`/tx/${txid}/hex`, answer.value);
        const raw = readAnswer(hex, answer.value.text.trim(), name, `/tx/${txid}/hex`);
        if (!raw.ok) return raw;
        found.set(txid, trustedHex(raw.value));
      }
      onProgress?.(Math.min(start + AT_ONCE, wanted.length), wanted.length);
    }
    return ok(found);
  }

  async function status(txid: Hex): Promise<Result<TransactionStatus, Fault>> {
    const known = await ask(`/tx/${txid}`);
    if (!known.ok) return known;
    if (known.value.status === 404) return ok({ state: 'unknown' });
    if (known.value.status !== 200) return refusal(`/tx/${txid}`, known.value);
    const at = await json(place, `/tx/${txid}/status`);
    if (!at.ok) return at;
    if (!at.value.confirmed) return ok({ state: 'mempool' });
    const { block_height: height, block_hash: blockId, block_time: time } = at.value;
    return ok({ state: 'confirmed', height, blockHash: blockId, time });
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
    const path = `/tx/${txid}/outspend/${vout}`;
    const answer = await ask(path);
    if (!answer.ok) return answer;
    // Undone by a reorganisation, or a deposit that was replaced before its block: there is no such coin, and nobody spent it.
    if (answer.value.status === 404) return ok({ state: 'spent', by: null });
    if (answer.value.status !== 200) return refusal(path, answer.value);
    const parsed = parseExactJson(answer.value.text, name);
    const read = parsed.ok ? readAnswer(outspend, parsed.value, name, path) : parsed;
    if (!read.ok) return read;
    return ok(read.value.spent ? { state: 'spent', by: read.value.txid } : { state: 'unspent' });
  }

  async function broadcast(transaction: Uint8Array): Promise<Result<Acceptance, Fault>> {
    const answer = await ask('/tx', toHex(transaction));
    if (!answer.ok) return answer;
    const { status: code, text: words } = answer.value;
    if (code === 200) {
      // A page would be taken for a yes otherwise.
      const txid = readAnswer(hash, words.trim(), name, '/tx');
      return txid.ok ? ok({ state: 'accepted' }) : txid;
    }
    if (code !== 400) return refusal('/tx', answer.value);
    return ok(acceptanceOf(words));
  }

  async function feerate(blocks: number): Promise<Result<FeeRate | null, Fault>> {
    const estimates = await json(feeAnswer, '/fee-estimates');
    if (!estimates.ok) return estimates;
    // The slowest target that is still in time.
    const targets = Object.keys(estimates.value).map((target) => Number(target));
    const best = targets.filter((target) => target <= blocks).sort((a, b) => b - a)[0];
    const rate = best === undefined ? undefined : estimates.value[String(best)];
    return ok(rate === undefined || rate === 0n ? null : rate);
  }

  return {
    name,
    kind: 'esplora',
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
    close: async () => undefined,
  };
}
