import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { sourcesOf } from '../psbt/sources.js';
import { outpointOf, parseTransaction, type Transaction, txidOf } from '../psbt/transaction.js';
import type { ChainBackend, StatedCoin } from '../vault/chain.js';
import type { Snapshot } from '../vault/snapshot-types.js';

export type Origins = ReadonlyMap<Hex, readonly Uint8Array[]>;

interface Untold {
  readonly txid: Hex;
  readonly height: number | null;
  readonly transaction: Transaction;
}

/**
 * The scripts that the inputs of coins' transactions spent, for those whose inputs do not show it themselves, as taproot's do
 * not. Asked of a back end that tells it, else of the transactions before; where neither is to be had (a node without an
 * index) nothing is stated, and the policy's rules say what they think of that. What was known before is kept.
 */
export async function coinOrigins(
  coins: readonly StatedCoin[],
  previous: ReadonlyMap<Hex, Uint8Array>,
  known: Snapshot | null,
  backend: ChainBackend,
  onProgress: (line: string) => void,
): Promise<Result<Origins, Fault>> {
  const origins = new Map<Hex, readonly Uint8Array[]>();
  const untold = new Map<Hex, Untold>();
  for (const { outpoint, height } of coins) {
    const { txid } = outpoint;
    if (origins.has(txid) || untold.has(txid)) continue;
    const kept = known?.sources.get(txid);
    if (kept !== undefined) {
      origins.set(txid, kept);
      continue;
    }
    const bytes = previous.get(txid);
    const parsed = bytes === undefined ? null : parseTransaction(bytes);
    if (bytes === undefined || parsed?.ok !== true || sourcesOf(bytes, null, previous).untold === 0) continue;
    untold.set(txid, { txid, height, transaction: parsed.value });
  }
  if (untold.size === 0) return ok(origins);
  onProgress(`origins asked for: ${untold.size} transactions`);
  const stated = (await backend.spentScripts?.([...untold.values()])) ?? ok<Origins>(new Map());
  if (!stated.ok) return stated;
  for (const [txid, scripts] of stated.value) {
    const wanted = untold.get(txid);
    if (wanted === undefined || wanted.transaction.inputs.length !== scripts.length) {
      return fail(
        'E_CHAIN_ANSWER',
        `${backend.name} tells ${scripts.length} origins of ${txid}, which has another number`,
      );
    }
    origins.set(txid, scripts);
    untold.delete(txid);
  }
  const parents = await parentsOf([...untold.values()], backend);
  if (!parents.ok) return parents;
  for (const { txid, transaction } of untold.values()) {
    const scripts = transaction.inputs.map((input) => {
      const { txid: from, vout } = outpointOf(input);
      return parents.value.get(from)?.outputs[vout]?.script;
    });
    const all = scripts.filter((script) => script !== undefined);
    if (all.length === scripts.length) origins.set(txid, all);
  }
  return ok(origins);
}

/** Every transaction whose outputs these spend, hashed; one that the back end does not have is left out. */
async function parentsOf(
  untold: readonly Untold[],
  backend: ChainBackend,
): Promise<Result<ReadonlyMap<string, Transaction>, Fault>> {
  const txids = new Set(untold.flatMap(({ transaction }) => transaction.inputs.map((input) => outpointOf(input).txid)));
  const parents = new Map<string, Transaction>();
  if (txids.size === 0) return ok(parents);
  const fetched = await backend.transactions([...txids].map((txid) => ({ txid, height: null })));
  if (!fetched.ok) return fetched;
  for (const [txid, bytes] of fetched.value) {
    const parsed = parseTransaction(bytes);
    if (!parsed.ok || txidOf(parsed.value) !== txid) {
      return fail('E_CHAIN_ANSWER', `${backend.name} answers ${txid} with bytes that are not that transaction`, {
        remedy: 'do not use this back end before it is known why it lies',
      });
    }
    parents.set(txid, parsed.value);
  }
  return ok(parents);
}
