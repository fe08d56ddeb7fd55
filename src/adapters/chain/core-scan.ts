import * as v from 'valibot';
import { trustedHex } from '../../domain/bytes.js';
import { type Fault, fail } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type { ChainScan, ScanRequest, StatedCoin } from '../../vault/chain.js';
import { endless, MOST_SCANNED } from '../../vault/gap-scan.js';
import { btc, count, hash, hex, readAnswer } from './answers.js';
import { type CoreCalls, watched } from './core-calls.js';
import { type RpcError, type RpcOutcome, rpcFault } from './core-rpc.js';
import { type LookedFor, lookForDescriptor, lookForScripts } from './looked-for.js';

/**
 * Scripts beyond the gap that a scan of the UTXO set includes: it walks the whole set whatever is looked for, so they are
 * free, and a second walk is not.
 */
export const AHEAD = 1000;

/** RPC_INVALID_ADDRESS_OR_KEY, before anything is looked for: no tr() before Core 22, no miniscript before Core 24. */
const NO_DESCRIPTOR = -5;

const scanAnswer = v.object({
  success: v.literal(true),
  height: count,
  bestblock: hash,
  unspents: v.array(
    v.object({ txid: hash, vout: count, scriptPubKey: hex, desc: v.optional(v.string()), amount: btc, height: count }),
  ),
});
const header = v.object({ height: count, hash, mediantime: count });
/** Whole percents, with whatever decimals a version adds. */
const statusAnswer = v.object({ progress: v.pipe(v.string(), v.regex(/^[0-9]{1,3}(?:\.[0-9]+)?$/)) });

/** Looks through the node's set of unspent outputs (scantxoutset), and again where a coin is found near the end of what was looked for. */
export async function scanUnspent(
  calls: CoreCalls,
  { deriver, lastUsed, gap, onProgress }: ScanRequest,
): Promise<Result<ChainScan, Fault>> {
  const { name, ask } = calls;
  let reach: readonly [number, number] = lastUsed;
  let look: typeof lookForScripts = lookForDescriptor;
  // Each walk takes minutes, and another thousand scripts a tenth of a second: a large vault takes few walks.
  for (let ahead = AHEAD; ; ahead *= 4) {
    const until = [reach[0] + gap + ahead, reach[1] + gap + ahead] as const;
    const lookedFor = look(deriver, until, onProgress);
    // Stands there until the node tells how far it is itself.
    onProgress?.(until[0] + until[1] + 2, null);
    const called = await scanOnce(calls, lookedFor, onProgress);
    if (!called.ok) return called;
    if (!called.value.ok) {
      if (look === lookForScripts || called.value.error.code !== NO_DESCRIPTOR)
        return refused(name, called.value.error);
      look = lookForScripts;
      ahead /= 4;
      continue;
    }
    const found = readAnswer(scanAnswer, called.value.value, name, 'scantxoutset');
    if (!found.ok) return found;
    const { unspents, bestblock } = found.value;
    const furthest: [number, number] = [reach[0], reach[1]];
    const coins: StatedCoin[] = [];
    for (const { scriptPubKey, desc, txid, vout, amount, height } of unspents) {
      const place = lookedFor.placeOf(scriptPubKey, desc);
      if (place === null) {
        return fail('E_CHAIN_ANSWER', `${name} answers scantxoutset with ${txid}:${vout}, which was not asked for`);
      }
      furthest[place.branch] = Math.max(furthest[place.branch], place.index);
      coins.push({ outpoint: { txid, vout }, value: amount, script: trustedHex(scriptPubKey), place, height });
    }
    // Within the gap of the last one that was looked for: there may be more behind it.
    const isComplete = ([0, 1] as const).every((branch) => furthest[branch] + gap <= until[branch]);
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
    return ok({ tip: { height, hash: bestblock, medianTimePast: mediantime }, coins, lastUsed: furthest });
  }
}

async function scanOnce(
  { rpc }: CoreCalls,
  { wanted }: LookedFor,
  onProgress: ScanRequest['onProgress'],
): Promise<Result<RpcOutcome, Fault>> {
  const howFar = async (): Promise<void> => {
    const status = await rpc.call('scantxoutset', ['status']);
    const read = status.ok && status.value.ok ? v.safeParse(statusAnswer, status.value.value) : null;
    if (read?.success === true) onProgress?.(Number.parseInt(read.output.progress, 10), 100, 'percent');
  };
  return watched(rpc.call('scantxoutset', ['start', wanted], { patient: true }), howFar);
}

function refused(name: string, error: RpcError): Result<never, Fault> {
  if (!/in progress/i.test(error.message)) return err(rpcFault(name, 'scantxoutset', error));
  return fail('E_CHAIN_UNREACHABLE', `${name} runs another scan: ${quoted(error.message)}`, {
    remedy: 'wait for it, or end it: bitcoin-cli scantxoutset abort',
  });
}
