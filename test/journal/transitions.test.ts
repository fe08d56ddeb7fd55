import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  BATCH_STATES,
  effectiveState,
  holdsBudget,
  holdsCoins,
  renderTransitions,
  TRANSITIONS,
} from '../../src/journal/transitions.js';

describe('the table of transitions', () => {
  it('is the one in docs/journal.md', () => {
    expect(readFileSync('docs/journal.md', 'utf8')).toContain(renderTransitions());
  });

  it('lets a batch that may have been signed be neither abandoned nor released', () => {
    for (const state of ['PARTIAL', 'UNKNOWN', 'SIGNED', 'CONFIRMED'] as const) {
      expect(TRANSITIONS['batch.released'][state]).toBeUndefined();
      expect(TRANSITIONS['batch.abandoned'][state]).toBeUndefined();
    }
    expect(TRANSITIONS['batch.abandoned'].SENT).toBeUndefined();
  });

  it('leads out of PARTIAL, UNKNOWN, SIGNED and CONFIRMED only to states that hold the budget', () => {
    for (const moves of Object.values(TRANSITIONS)) {
      for (const state of ['PARTIAL', 'UNKNOWN', 'SIGNED', 'CONFIRMED'] as const) {
        const after = moves[state];
        if (after !== undefined) expect(holdsBudget(after) && holdsCoins(after)).toBe(true);
      }
    }
  });

  it('gives budget back by batch.released and batch.abandoned alone', () => {
    for (const [kind, moves] of Object.entries(TRANSITIONS)) {
      const frees = BATCH_STATES.some((state) => {
        const after = moves[state];
        return after !== undefined && holdsBudget(state) && !holdsBudget(after);
      });
      expect([kind, frees]).toEqual([kind, kind === 'batch.released' || kind === 'batch.abandoned']);
    }
  });

  it('debits the budget by batch.reserved alone', () => {
    for (const [kind, moves] of Object.entries(TRANSITIONS)) {
      const debits = BATCH_STATES.some((state) => {
        const after = moves[state];
        return after !== undefined && !holdsBudget(state) && holdsBudget(after);
      });
      expect([kind, debits]).toEqual([kind, kind === 'batch.reserved']);
    }
  });

  it('never leads back to SENT from a state in which the device may have signed', () => {
    expect(TRANSITIONS['batch.sent']).toEqual({
      RESERVED: 'SENT',
      SENT: 'UNKNOWN',
      PARTIAL: 'PARTIAL',
      UNKNOWN: 'UNKNOWN',
    });
  });

  it('holds what the product promises', () => {
    expect(BATCH_STATES.filter(holdsBudget)).toEqual([
      'RESERVED',
      'SENT',
      'PARTIAL',
      'UNKNOWN',
      'SIGNED',
      'BROADCAST',
      'CONFIRMED',
    ]);
    expect(BATCH_STATES.filter(holdsCoins)).toEqual([
      'DRAFT',
      'RESERVED',
      'SENT',
      'PARTIAL',
      'UNKNOWN',
      'SIGNED',
      'BROADCAST',
      'CONFIRMED',
    ]);
  });
});

describe('effectiveState', () => {
  it('reads SENT as UNKNOWN and every other state as itself', () => {
    expect(BATCH_STATES.map(effectiveState)).toEqual(
      BATCH_STATES.map((state) => (state === 'SENT' ? 'UNKNOWN' : state)),
    );
  });
});
