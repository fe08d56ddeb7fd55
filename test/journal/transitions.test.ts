import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  BACK,
  BATCH_STATES,
  effectiveState,
  holdsBudget,
  holdsCoins,
  nextState,
  renderTransitions,
  TRANSITIONS,
} from '../../src/journal/transitions.js';

/** What the chain alone says. */
const CHAIN: readonly string[] = ['batch.replaced', 'batch.conflicted'];

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

  it('leads out of PARTIAL, UNKNOWN, SIGNED and CONFIRMED to states without budget only by word of the chain', () => {
    for (const [kind, moves] of Object.entries(TRANSITIONS)) {
      if (CHAIN.includes(kind)) continue;
      for (const state of ['PARTIAL', 'UNKNOWN', 'SIGNED', 'CONFIRMED'] as const) {
        const after = moves[state];
        if (after !== undefined && after !== BACK) expect(holdsBudget(after) && holdsCoins(after)).toBe(true);
      }
    }
  });

  it('gives budget back by batch.released, batch.abandoned and what the chain settles alone', () => {
    const giving = Object.entries(TRANSITIONS).flatMap(([kind, moves]) => {
      const frees = BATCH_STATES.some((state) => {
        const after = moves[state];
        return after !== undefined && after !== BACK && holdsBudget(state) && !holdsBudget(after);
      });
      return frees ? [kind] : [];
    });
    expect(giving.sort()).toEqual([...CHAIN, 'batch.abandoned', 'batch.released'].sort());
  });

  it('debits the budget by batch.reserved, and again by batch.unsettled', () => {
    const taking = Object.entries(TRANSITIONS).flatMap(([kind, moves]) => {
      const debits = BATCH_STATES.some((state) => {
        const after = moves[state];
        return after !== undefined && !holdsBudget(state) && (after === BACK || holdsBudget(after));
      });
      return debits ? [kind] : [];
    });
    expect(taking).toEqual(['batch.reserved', 'batch.unsettled']);
  });

  it('settles a confirmed batch never, and brings each settled one back to where it counted', () => {
    for (const kind of ['batch.replaced', 'batch.conflicted'] as const) {
      const from = BATCH_STATES.filter((state) => TRANSITIONS[kind][state] !== undefined);
      expect(from).toEqual(['SENT', 'PARTIAL', 'UNKNOWN', 'SIGNED', 'BROADCAST']);
      for (const state of from) {
        const after = nextState(state, kind);
        expect(after === null ? null : nextState(after, 'batch.unsettled', state)).toBe(effectiveState(state));
        expect(after === null ? null : nextState(after, 'batch.unsettled')).toBeNull();
      }
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
