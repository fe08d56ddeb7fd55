import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Branch } from '../../src/domain/coin.js';
import { type GapScan, gapScan, MOST_SCANNED, type ScriptView } from '../../src/vault/gap-scan.js';
import type { DerivedScript, Deriver } from '../../src/vault/types.js';

/** Scripts that say their own place: what is derived does not matter here. */
const at = (branch: Branch, index: number): DerivedScript =>
  ({ branch, index, script: Uint8Array.of(branch, index & 255), keys: [] }) as unknown as DerivedScript;
const deriver = { at } as unknown as Deriver;

async function scan(
  used: (branch: Branch, index: number) => boolean,
  { gap = 20, atOnce = 4, lastUsed = [-1, -1] as const } = {},
): Promise<{ asked: string[]; result: GapScan | string }> {
  const asked: string[] = [];
  const view = async (derived: DerivedScript): Promise<{ ok: true; value: ScriptView }> => {
    const { branch, index } = derived as unknown as { branch: Branch; index: number };
    if (asked.length < 10_000) asked.push(`${branch}/${index}`);
    return { ok: true, value: { used: used(branch, index), coins: [] } };
  };
  const found = await gapScan('a server', { deriver, lastUsed, gap }, atOnce, view);
  return { asked, result: found.ok ? found.value : `${found.error.tag} ${found.error.message}` };
}

describe('a scan up to the gap', () => {
  it('asks for each script once, to the gap beyond the last used one and no further', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(60), { maxLength: 8 }),
        fc.integer({ min: 1, max: 25 }),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: -1, max: 30 }),
        async (places, gap, atOnce, known) => {
          const set = new Set(places);
          const { asked, result } = await scan((branch, index) => branch === 0 && set.has(index), {
            gap,
            atOnce,
            lastUsed: [known, -1] as never,
          });
          let last = known;
          for (const place of places.sort((a, b) => a - b)) if (place <= last + gap) last = Math.max(last, place);
          const due = [
            ...Array.from({ length: last + gap + 1 }, (_, index) => `0/${index}`),
            ...Array.from({ length: gap }, (_, index) => `1/${index}`),
          ];
          expect(asked).toEqual(due);
          expect(result).toMatchObject({ lastUsed: [last, -1] });
        },
      ),
    );
  });

  it('takes as many coins of one script as a server has', async () => {
    const coin = { outpoint: { txid: 'ab'.repeat(32), vout: 0 }, value: 1n, script: Uint8Array.of(0), height: 1 };
    const many = Array.from({ length: 300_000 }, () => coin);
    const view = async () => ({ ok: true as const, value: { used: false, coins: many } });
    const found = await gapScan('a server', { deriver, lastUsed: [-1, -1], gap: 1 }, 1, view);
    expect(found.ok && found.value.coins.length).toBe(600_000);
  });

  it('passes on the fault of a question', async () => {
    const failing = async (): Promise<never> =>
      ({ ok: false, error: { tag: 'E_CHAIN_ANSWER', message: 'x' } }) as never;
    expect(await gapScan('a server', { deriver, lastUsed: [-1, -1], gap: 1 }, 2, failing)).toMatchObject({ ok: false });
  });

  it('ends where a server calls every script used', async () => {
    const { result } = await scan((branch) => branch === 1, { atOnce: 1000 });
    expect(result).toBe(`E_CHAIN_ANSWER a server calls more than ${MOST_SCANNED} change scripts in a row used`);
  });

  it('goes as far as the limit', async () => {
    const { result } = await scan((branch, index) => branch === 0 && index < MOST_SCANNED, { atOnce: 1000 });
    expect(result).toMatchObject({ lastUsed: [MOST_SCANNED - 1, -1] });
  });
});
