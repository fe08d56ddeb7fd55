import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/policy/evaluate.js';
import { shrinksTooMuch } from '../../../src/policy/rules/screening/sound.js';
import type { EvaluationInput, ScreeningState } from '../../../src/policy/types.js';
import { canonicalVerdict } from '../../../src/policy/verdict.js';
import { inputOf, summary } from '../fixture.js';
import { batchUnder, FROM, listed, of, POLICY, STRANGER } from './support.js';

const RANK = { DENY: 0, NEED: 1, ALLOW: 2 } as const;
const rank = (input: EvaluationInput): number => RANK[evaluate(input).decision];

describe('lists', () => {
  const scripts = fc.constantFrom(of('A'), of('B'), of('C'), of('E'), FROM, STRANGER, '51', '0014'.padEnd(44, 'a'));

  it('an entry more never turns a denial into a permission', () => {
    fc.assert(
      fc.property(fc.uniqueArray(scripts, { minLength: 1 }), scripts, (before, more) => {
        const [less, all] = [before, [...before, more]].map((entries) => rank(batchUnder(listed(entries))));
        expect(all).toBeLessThanOrEqual(less ?? 0);
      }),
    );
  });

  it('mean the same in any order, to the byte of the verdict', () => {
    fc.assert(
      fc.property(fc.uniqueArray(scripts, { minLength: 1 }), fc.nat(), (entries, turn) => {
        const turned = [...entries.slice(turn % entries.length), ...entries.slice(0, turn % entries.length)];
        const [one, other] = [entries, turned, turned.toReversed()].map((order) =>
          canonicalVerdict(evaluate(batchUnder(listed(order)))),
        );
        expect(other).toBe(one);
      }),
    );
  });

  it('deny exactly what is on them', () => {
    const said = (...entries: string[]): string => summary(evaluate(batchUnder(listed(entries))));
    expect(said(STRANGER)).toBe('ALLOW');
    expect(said(of('B'))).toBe('DENY DEST_SANCTIONED');
    expect(said(FROM)).toBe('DENY INPUT_TAINTED');
    expect(said(of('A'), of('E'))).toBe('DENY DEST_SANCTIONED INPUT_TAINTED');
  });

  it('whose id the policy does not name are not asked', () => {
    const screening = new Map([...listed([STRANGER]), ['other', [...listed([of('A')]).values()][0] as ScreeningState]]);
    expect(summary(evaluate(batchUnder(screening)))).toBe('ALLOW');
  });
});

describe('a coin whose sources nobody looked for', () => {
  it('is denied, and one that the snapshot does not know is the matter of another rule', () => {
    const judged = (input: object): string =>
      summary(
        evaluate(inputOf({ policy: POLICY, batch: { inputs: [input] }, state: { screening: listed([STRANGER]) } })),
      );
    expect(judged({ sources: null })).toBe('DENY INPUT_UNSCREENED');
    expect(judged({ sources: null, coin: null })).toBe('DENY INPUT_UNKNOWN');
  });
});

describe('how much of a list may go', () => {
  it.each([
    [0, 0, 0, false],
    [0, 10, 0, false],
    [1, 10, 0, true],
    [1, 10, 1000, false],
    [1, 9, 1000, true],
    [43, 434, 1000, false],
    [44, 434, 1000, true],
    [10, 10, 10_000, false],
  ])('%i of %i at %i bp: too much %s', (removed, before, bp, expected) => {
    expect(shrinksTooMuch(removed, before, bp)).toBe(expected);
  });
});
