import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostBorne, shareFee, vaultShare } from '../../src/domain/fee-share.js';
import { sumSats } from '../../src/domain/sats.js';

const cases = fc
  .record({ fee: fc.bigInt(0n, 10_000_000n), payments: fc.integer({ min: 1, max: 200 }), part: fc.nat() })
  .map(({ fee, payments, part }) => ({ fee, payments, bearing: part % (payments + 1) }));

describe('a fee that payments share', () => {
  it('is borne to the last sat and no sat twice, by nobody for more than an equal share rounded up', () => {
    fc.assert(
      fc.property(cases, ({ fee, payments, bearing }) => {
        const { ofVault, ofPayees } = shareFee(fee, payments, bearing);
        expect(ofPayees).toHaveLength(bearing);
        expect(ofVault + sumSats(ofPayees)).toBe(fee);
        for (const share of ofPayees) {
          expect(share).toBeGreaterThanOrEqual(0n);
          expect(share).toBeLessThanOrEqual(mostBorne(fee, payments));
        }
        // Never more than exact equal shares together: what does not divide is the vault's.
        expect(sumSats(ofPayees) * BigInt(payments)).toBeLessThanOrEqual(fee * BigInt(bearing));
        expect(vaultShare(fee + 1n, payments, bearing)).toBeGreaterThanOrEqual(ofVault);
      }),
    );
  });

  it.each([
    [100n, 1, 1, 0n, [100n]],
    [100n, 3, 3, 0n, [34n, 33n, 33n]],
    [100n, 3, 1, 67n, [33n]],
    [100n, 3, 2, 34n, [33n, 33n]],
    [100n, 3, 0, 100n, []],
    [0n, 2, 2, 0n, [0n, 0n]],
  ])('of %s among %s, %s of them bearing their own', (fee, payments, bearing, ofVault, ofPayees) => {
    expect(shareFee(fee, payments, bearing)).toEqual({ ofVault, ofPayees });
  });

  it('bounds what one payee bears, also where there is nothing to share', () => {
    expect([mostBorne(100n, 3), mostBorne(99n, 3), mostBorne(5n, 0), mostBorne(-5n, 2)]).toEqual([34n, 33n, 0n, 0n]);
  });
});
