import type { ChainTip } from '../../domain/coin.js';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import type { ChainScan } from '../../vault/chain.js';
import type { GapScan } from '../../vault/gap-scan.js';

/** Blocks come ten minutes apart; a scan that is caught by three of them is too slow for this server. */
const ATTEMPTS = 3;

/** A scan of many questions, done again where a block came in between: coins of two tips would be a state that never was. */
export async function steadyTip(
  name: string,
  tip: () => Promise<Result<ChainTip, Fault>>,
  scan: () => Promise<Result<GapScan, Fault>>,
): Promise<Result<ChainScan, Fault>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await tip();
    if (!before.ok) return before;
    const found = await scan();
    if (!found.ok) return found;
    const after = await tip();
    if (!after.ok) return after;
    if (after.value.hash === before.value.hash) return ok({ tip: after.value, ...found.value });
  }
  return fail('E_CHAIN_MOVED', `${name} took in a block during each of ${ATTEMPTS} scans`, {
    remedy: 'run the command again, or use a faster back end for so many addresses',
  });
}
