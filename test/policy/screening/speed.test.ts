import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeAddress } from '../../../src/domain/address.js';
import { trustedHex } from '../../../src/domain/bytes.js';
import { evaluate } from '../../../src/policy/evaluate.js';
import { readTextList } from '../../../src/policy/screening/list.js';
import { readScreeningSet, screeningSet } from '../../../src/policy/screening/set.js';
import { createSpendIndex } from '../../../src/policy/windows.js';
import { batchUnder, listed, STRANGER } from './support.js';

/** Times are generous: these tests share two cores with others, and a quadratic list would take minutes. */
describe('a list of 100,000 entries', () => {
  const hashes = Array.from({ length: 100_000 }, (_, index) => createHash('sha1').update(`${index}`).digest('hex'));
  const text = hashes.map((hash) => encodeAddress(trustedHex(`0014${hash}`), 'main') ?? '').join('\n');
  const kept = screeningSet(readTextList(text, 'main'));

  it('loads from the journal in well under a second, and slows no verdict down', () => {
    const started = performance.now();
    const set = readScreeningSet(kept);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(set?.scripts.size).toBe(100_000);
    const timeOf = (scripts: Iterable<string>): number => {
      const input = batchUnder(listed(scripts));
      const index = createSpendIndex(input.state.spends);
      const rounds = Array.from({ length: 5 }, () => {
        const before = performance.now();
        for (let round = 0; round < 40; round += 1) evaluate(input, index);
        return performance.now() - before;
      });
      return Math.min(...rounds);
    };
    timeOf([STRANGER]);
    const few = timeOf([STRANGER]);
    expect(timeOf(set?.scripts ?? [])).toBeLessThan(3 * few + 20);
  });
});
