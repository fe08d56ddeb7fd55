import type { Branch } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { ScanRequest, StatedCoin } from './chain.js';
import type { DerivedScript } from './types.js';

/** What a back end with an index knows of one script. */
export interface ScriptView {
  /** Whether any transaction, also an unconfirmed one, ever paid it. */
  readonly used: boolean;
  readonly coins: readonly Omit<StatedCoin, 'place'>[];
}

export interface GapScan {
  readonly coins: readonly StatedCoin[];
  readonly lastUsed: readonly [receive: number, change: number];
}

/**
 * Scripts of one branch that a single scan finds used at most, beyond those that were known. A vault with ten times the
 * coins that countersign is made for stays below it; a server to which every script is a used one would never end.
 */
export const MOST_SCANNED = 1_000_000;

/** Says that a scan has gone further than any vault. */
export function endless(from: string, branch: Branch): Result<never, Fault> {
  const side = branch === 0 ? 'receive' : 'change';
  return fail('E_CHAIN_ANSWER', `${from} calls more than ${MOST_SCANNED} ${side} scripts in a row used`, {
    remedy: 'do not use this back end before it is known why it says so',
  });
}

/**
 * Asks for one script after the other, on both branches, until `gap` of them in a row beyond the last used one are unused
 * (BIP44). `atOnce` of them are asked at the same time; no script beyond the gap is ever named to the server,
 * which messages call `from`.
 */
export async function gapScan(
  from: string,
  { deriver, lastUsed, gap, onProgress }: ScanRequest,
  atOnce: number,
  view: (derived: DerivedScript) => Promise<Result<ScriptView, Fault>>,
): Promise<Result<GapScan, Fault>> {
  const coins: StatedCoin[] = [];
  const reached: [number, number] = [lastUsed[0], lastUsed[1]];
  let asked = 0;
  for (const branch of [0, 1] as const satisfies readonly Branch[]) {
    for (let next = 0; next <= reached[branch] + gap; ) {
      const count = Math.min(atOnce, reached[branch] + gap - next + 1);
      const scripts = Array.from({ length: count }, (_, offset) => deriver.at(branch, next + offset));
      const views = await Promise.all(scripts.map(view));
      for (const [offset, seen] of views.entries()) {
        if (!seen.ok) return seen;
        if (seen.value.used) reached[branch] = Math.max(reached[branch], next + offset);
        const place = { branch, index: next + offset };
        for (const coin of seen.value.coins) coins.push({ ...coin, place });
      }
      if (reached[branch] - lastUsed[branch] > MOST_SCANNED) return endless(from, branch);
      next += count;
      asked += count;
      onProgress?.(asked, null);
    }
  }
  return ok({ coins, lastUsed: reached });
}
