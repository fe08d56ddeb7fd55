import type { Branch } from '../domain/coin.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { ScanRequest, StatedCoin } from './chain.js';
import type { DerivedScript } from './types.js';

/** What a back end with an index knows of one script. */
export interface ScriptView {
  /** Whether any transaction, also an unconfirmed one, ever paid it. */
  readonly used: boolean;
  readonly coins: readonly StatedCoin[];
}

export interface GapScan {
  readonly coins: readonly StatedCoin[];
  readonly lastUsed: readonly [receive: number, change: number];
}

/**
 * Asks for one script after the other, on both branches, until `gap` of them in a row beyond the last used one are unused
 * (BIP44). `atOnce` of them are asked at the same time; no script beyond the gap is ever named to the server.
 */
export async function gapScan(
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
        coins.push(...seen.value.coins);
      }
      next += count;
      asked += count;
      onProgress?.(asked, null);
    }
  }
  return ok({ coins, lastUsed: reached });
}
