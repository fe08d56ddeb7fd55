import { describe, expect, it } from 'vitest';
import { NETWORKS } from '../../src/domain/network.js';
import { parseTime } from '../../src/domain/time.js';
import { tipProblem } from '../../src/vault/plausible-tip.js';

const at = (text: string): number => parseTime(text) ?? Number.NaN;
const NOW = at('2026-06-01T12:00:00Z');
const KNOWN = { height: 951_000, medianTimePast: NOW - 3600 };

describe('tipProblem', () => {
  it('takes real tips of the main network, the first and the next', () => {
    expect(tipProblem('main', { height: 840_000 }, at('2024-04-20T01:00:00Z'), null)).toBeNull();
    expect(tipProblem('main', { height: 0 }, at('2009-01-03T18:15:05Z'), null)).toBeNull();
    expect(tipProblem('main', { height: 951_006 }, NOW, KNOWN)).toBeNull();
    expect(tipProblem('main', { height: 951_000 + 52_560 }, NOW + 365 * 86_400, KNOWN)).toBeNull();
  });

  it.each(['main', 'signet'] as const)('on %s a tip grows by a block in 30 s and 2,016 more at most', (network) => {
    const most = KNOWN.height + 120 + 2016;
    expect(tipProblem(network, { height: most }, NOW, KNOWN)).toBeNull();
    expect(tipProblem(network, { height: most + 1 }, NOW, KNOWN)).toContain('2137 blocks above the known 951000');
    const short = KNOWN.height + 2016;
    expect(tipProblem('signet', { height: short }, KNOWN.medianTimePast - 1, KNOWN)).toBeNull();
    expect(tipProblem('signet', { height: short + 1 }, KNOWN.medianTimePast - 1, KNOWN)).not.toBeNull();
  });

  it('judges the first tip of the main network by the age of the chain', () => {
    const most = Math.floor((NOW - 1_231_006_505) / 300) + 2016;
    expect(tipProblem('main', { height: most }, NOW, null)).toBeNull();
    expect(tipProblem('main', { height: most + 1 }, NOW, null)).toContain('since block 0');
    expect(tipProblem('main', { height: 499_999_999 }, NOW, null)).not.toBeNull();
    expect(tipProblem('signet', { height: 499_999_999 }, NOW, null)).toBeNull();
  });

  it('has no bound where blocks come in storms', () => {
    for (const network of NETWORKS) {
      const judged = tipProblem(network, { height: 499_999_999 }, NOW, KNOWN) !== null;
      expect([network, judged]).toEqual([network, network === 'main' || network === 'signet']);
    }
  });
});
