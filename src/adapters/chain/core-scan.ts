import * as v from 'valibot';
import { toHex, trustedHex } from '../../domain/bytes.js';
import { type Fault, fail } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type { ChainScan, ScanRequest, StatedCoin } from '../../vault/chain.js';
import { endless, MOST_SCANNED } from '../../vault/gap-scan.js';
import { btc, count, hash, hex, readAnswer } from './answers.js';
import { type CoreCalls, watched } from './core-calls.js';
import { rpcFault } from './core-rpc.js';

/**
 * Scripts beyond the gap that a scan of the UTXO set includes: it walks the whole set whatever is looked for, so they are
 * free, and a second walk is not.
 */
export const AHEAD = 1000;

const scanAnswer = v.object({
  success: v.literal(true),
  height: count,
  bestblock: hash,
  unspents: v.array(v.object({ txid: hash, vout: count, scriptPubKey: hex, amount: btc, height: count })),
});
const header = v.object({ height: count, hash, mediantime: count });
/** Whole percents, with whatever decimals a version adds. */
const statusAnswer = v.object({ progress: v.pipe(v.string(), v.regex(/^[0-9]{1,3}(?:\.[0-9]+)?$/)) });

type Progress = ScanRequest['onProgress'];

/** Looks through the node's set of unspent outputs (scantxoutset), and again where a coin is found near the end of what was looked for. */
export async function scanUnspent(
  calls: CoreCalls,
  { deriver, lastUsed, gap, onProgress }: ScanRequest,
): Promise<Result<ChainScan, Fault>> {
  const { name, ask } = calls;
  let reach: readonly [number, number] = lastUsed;
  // Each walk takes minutes, and deriving another thousand scripts a tenth of a second: a large vault takes few walks.
  for (let ahead = AHEAD; ; ahead *= 4) {
    const places = new Map<string, { branch: 0 | 1; index: number }>();
    const until = reach.map((last) => last + gap + ahead);
    for (const branch of [0, 1] as const) {
      for (let index = 0; index <= (until[branch] ?? 0); index += 1) {
        places.set(toHex(deriver.at(branch, index).script), { branch, index });
        if (index % 100 === 0) onProgress?.(places.size, null);
      }
    }
    const found = await scanOnce(calls, [...places.keys()], onProgress);
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
    return ok({ tip: { height, hash: bestblock, medianTimePast: mediantime }, coins, lastUsed: furthest });
  }
}

async function scanOnce(
  { rpc, name }: CoreCalls,
  scripts: readonly string[],
  onProgress: Progress,
): Promise<Result<v.InferOutput<typeof scanAnswer>, Fault>> {
  const wanted = scripts.map((script) => ({ desc: `raw(${script})` }));
  const howFar = async (): Promise<void> => {
    const status = await rpc.call('scantxoutset', ['status']);
    const read = status.ok && status.value.ok ? v.safeParse(statusAnswer, status.value.value) : null;
    if (read?.success === true) onProgress?.(Number.parseInt(read.output.progress, 10), 100, 'percent');
  };
  const called = await watched(rpc.call('scantxoutset', ['start', wanted], { patient: true }), howFar);
  if (!called.ok) return called;
  if (called.value.ok) return readAnswer(scanAnswer, called.value.value, name, 'scantxoutset');
  const { error } = called.value;
  if (!/in progress/i.test(error.message)) return err(rpcFault(name, 'scantxoutset', error));
  return fail('E_CHAIN_UNREACHABLE', `${name} runs another scan: ${quoted(error.message)}`, {
    remedy: 'wait for it, or end it: bitcoin-cli scantxoutset abort',
  });
}
