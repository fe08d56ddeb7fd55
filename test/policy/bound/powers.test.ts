import { describe, expect, it } from 'vitest';
import { ASSUMPTIONS, isEnforced, powersOf } from '../../../src/policy/bound/powers.js';
import { loaded } from '../fixture.js';

describe('what this version acts on', () => {
  it('is every field but those that are named, and what is below them', () => {
    for (const field of ['log.witnesses', 'log.witnesses.m', 'wallet.device.kinds', 'wallet.device.kinds.x']) {
      expect(isEnforced(field)).toBe(false);
    }
    for (const field of [
      'halt',
      'halt.raise',
      'halt.auto',
      'log.witnessed',
      'log.origin',
      'limits.batch',
      'destinations.book_sign',
    ]) {
      expect(isEnforced(field)).toBe(true);
    }
  });

  it('and what is assumed beside it is said, with the notice that a loosening waits', () => {
    expect(ASSUMPTIONS.length).toBeGreaterThan(3);
    const powers = powersOf(loaded(), new Set(['frank', 'grace']));
    const loosen = powers.find(({ field }) => field === 'change_control.sign');
    expect(loosen).toMatchObject({
      able: true,
      text: expect.stringContaining('From 3 days after that none of the figures'),
    });
  });
});
