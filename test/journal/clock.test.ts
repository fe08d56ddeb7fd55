import { describe, expect, it } from 'vitest';
import { AHEAD_OF_CHAIN, AHEAD_OF_ENTRY, checkClock } from '../../src/journal/clock.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { START } from './chains.js';
import { POLICY, story } from './story.js';

const head = { seq: 7, hash: POLICY, at: START };
const coins = (medianTimePast: number) => ({
  snapshot: POLICY,
  tip: { height: 1, hash: POLICY, medianTimePast },
  importedAt: START,
});
const imported = (medianTimePast: number): EntryBody => ({
  kind: 'coins.imported',
  snapshot: POLICY,
  height: 1,
  hash: POLICY,
  medianTimePast,
  coins: 0,
  total: '0',
});
const tagOf = (checked: ReturnType<typeof checkClock>): string => (checked.ok ? 'ok' : checked.error.tag);
const FROZEN = story.frozen();

describe('checkClock', () => {
  it('lets the first entry be written at any time', () => {
    expect(tagOf(checkClock({ head: null, network: null, coins: null }, 0, story.opened()))).toBe('ok');
    expect(tagOf(checkClock({ head: null, network: null, coins: null }, 9e9, story.opened()))).toBe('ok');
  });

  it.each(['main', 'testnet3', 'testnet4', 'signet', 'regtest'])(
    'on %s goes by the newest entry where no block is known',
    (network) => {
      const at = (now: number) => tagOf(checkClock({ head, network, coins: null }, now, FROZEN));
      expect([at(0), at(START + AHEAD_OF_ENTRY), at(START + AHEAD_OF_ENTRY + 1)]).toEqual([
        'ok',
        'ok',
        'E_CLOCK_AHEAD',
      ]);
    },
  );

  it.each(['main', 'testnet3', 'testnet4', 'signet'])('on %s goes by the newest block that is known', (network) => {
    const known = { head, network, coins: coins(START - 3600) };
    const limit = START - 3600 + AHEAD_OF_CHAIN;
    expect(tagOf(checkClock(known, limit, FROZEN))).toBe('ok');
    expect(checkClock(known, limit + 1, FROZEN)).toMatchObject({
      ok: false,
      error: { tag: 'E_CLOCK_AHEAD', remedy: expect.stringContaining('coins import') },
    });
  });

  it('on regtest no block says what time it is', () => {
    const known = { head, network: 'regtest', coins: coins(0) };
    expect(tagOf(checkClock(known, START + AHEAD_OF_ENTRY, FROZEN))).toBe('ok');
    expect(tagOf(checkClock(known, START + AHEAD_OF_ENTRY + 1, FROZEN))).toBe('E_CLOCK_AHEAD');
  });

  it('takes a snapshot by its own blocks: after a pause it shows that the clock is right', () => {
    const later = START + 2 * AHEAD_OF_ENTRY;
    const known = { head, network: 'main', coins: coins(START) };
    expect(tagOf(checkClock(known, later, FROZEN))).toBe('E_CLOCK_AHEAD');
    expect(tagOf(checkClock(known, later, imported(later - 3600)))).toBe('ok');
    expect(tagOf(checkClock(known, later, imported(later - AHEAD_OF_CHAIN - 1)))).toBe('E_CLOCK_AHEAD');
    expect(tagOf(checkClock({ ...known, coins: null }, later, imported(later)))).toBe('ok');
  });
});
