import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sumSats } from '../../src/domain/sats.js';
import { heaviestSet, type Member } from '../../src/policy/conflicts.js';
import type { SpendRecord } from '../../src/policy/types.js';
import {
  createSpendIndex,
  type Dimension,
  earliest,
  type Tally,
  tallyBlocks,
  tallyLifetime,
  tallyPending,
  tallyScripts,
  tallyWindow,
} from '../../src/policy/windows.js';

const TIME = 1_000_000;
const TIP = 1_000;
const WINDOW = 1_000;

const SCRIPTS = ['aa', 'bb', 'cc'];

const record: fc.Arbitrary<Omit<SpendRecord, 'batch'>> = fc
  .record({
    outputs: fc.array(fc.record({ script: fc.constantFrom(...SCRIPTS), amount: fc.bigInt({ min: 0n, max: 50n }) }), {
      maxLength: 3,
    }),
    fee: fc.bigInt({ min: 0n, max: 5n }),
    inputs: fc.uniqueArray(fc.constantFrom('u', 'v', 'w', 'x', 'y', 'z'), { minLength: 1, maxLength: 2 }),
    confirmed: fc.option(
      fc.record({
        at: fc.integer({ min: TIME - WINDOW - 3, max: TIME + 3 }),
        height: fc.integer({ min: TIP - 12, max: TIP }),
      }),
      { nil: null },
    ),
  })
  .map(({ outputs, fee, inputs, confirmed }) => ({
    outputs,
    fee,
    confirmed,
    // Confirmed transactions share no input with each other.
    inputs: confirmed === null ? inputs : inputs.map((name) => `${name} ${confirmed.at} ${confirmed.height} ${fee}`),
    spend: sumSats(outputs.map(({ amount }) => amount)) + fee,
    reservedAt: TIME,
  }));

const spendList = fc
  .array(record, { maxLength: 12 })
  .map((records) => records.map((one, index): SpendRecord => ({ ...one, batch: `b${index}` })));

const claims = fc.record({
  weight: fc.bigInt({ min: 0n, max: 60n }),
  inputs: fc.uniqueArray(fc.constantFrom('u', 'v', 'w', 'new'), { minLength: 1, maxLength: 2 }),
});

/** The definition, without any index. */
function plain(
  spends: readonly SpendRecord[],
  weigh: (spend: SpendRecord) => bigint,
  claim: Member,
  counts: (confirmed: NonNullable<SpendRecord['confirmed']>) => boolean,
): bigint {
  const held = spends.filter(({ confirmed }) => confirmed !== null && counts(confirmed));
  const pending = spends.filter(({ confirmed }) => confirmed === null);
  const members = pending.map((spend) => ({ weight: weigh(spend), inputs: spend.inputs }));
  return sumSats(held.map(weigh)) + heaviestSet([...members, claim]);
}

const weights: Readonly<Record<Dimension, (spend: SpendRecord) => bigint>> = {
  spend: ({ spend }) => spend,
  fee: ({ fee }) => fee,
  count: () => 1n,
};
const paidTo =
  (script: string) =>
  ({ outputs }: SpendRecord): bigint =>
    sumSats(outputs.filter((output) => output.script === script).map(({ amount }) => amount));

const within =
  (time: number) =>
  ({ at }: { at: number }): boolean =>
    time - at < WINDOW;

describe('windows', () => {
  it.each(['spend', 'fee', 'count'] as const)('add up %s as the definition says, at any time', (dimension) => {
    fc.assert(
      fc.property(spendList, claims, fc.integer({ min: 0, max: WINDOW + 10 }), (spends, claim, later) => {
        const index = createSpendIndex(spends);
        const tally = tallyWindow(index, dimension, claim, TIME + later, WINDOW);
        expect(tally.measured).toBe(plain(spends, weights[dimension], claim, within(TIME + later)));
      }),
    );
  });

  it('add up what one script gets, and what lies within blocks, and what is unconfirmed', () => {
    fc.assert(
      fc.property(
        spendList,
        claims,
        fc.constantFrom(...SCRIPTS, 'dd'),
        fc.integer({ min: 1, max: 14 }),
        (spends, claim, script, blocks) => {
          const index = createSpendIndex(spends);
          expect(tallyScripts(index, [script], claim, TIME, WINDOW).measured).toBe(
            plain(spends, paidTo(script), claim, within(TIME)),
          );
          const byBlocks = plain(spends, weights.spend, claim, ({ height }) => TIP - height < blocks);
          expect(tallyBlocks(index, claim, TIP, blocks).measured).toBe(byBlocks);
          expect(tallyPending(index, claim).measured).toBe(plain(spends, weights.spend, claim, () => false));
        },
      ),
    );
  });

  it('free at the first second at which the batch fits, and never where it does not', () => {
    fc.assert(
      fc.property(spendList, claims, fc.bigInt({ min: 0n, max: 200n }), (spends, claim, limit) => {
        const index = createSpendIndex(spends);
        const tally = tallyWindow(index, 'spend', claim, TIME, WINDOW);
        fc.pre(tally.measured > limit);
        const fits = (time: number) => plain(spends, weights.spend, claim, within(time)) <= limit;
        const freesAt = tally.freesAt(limit);
        if (freesAt === null) expect(fits(TIME + 2 * WINDOW)).toBe(false);
        else {
          expect(freesAt).toBeGreaterThan(TIME);
          expect(fits(freesAt)).toBe(true);
          expect(fits(freesAt - 1)).toBe(false);
        }
      }),
    );
  });

  it('have room for exactly as much as a batch in the same place may weigh', () => {
    fc.assert(
      fc.property(spendList, claims, fc.bigInt({ min: 0n, max: 200n }), (spends, claim, limit) => {
        const index = createSpendIndex(spends);
        const tallyOf = (weight: bigint): Tally => tallyWindow(index, 'spend', { ...claim, weight }, TIME, WINDOW);
        const room = tallyOf(claim.weight).room(limit);
        if (tallyOf(0n).measured > limit) expect(room).toBe(0n);
        else {
          expect(tallyOf(room).measured <= limit).toBe(true);
          expect(tallyOf(room + 1n).measured > limit).toBe(true);
        }
      }),
    );
  });

  it('refuse amounts that are negative or no integers, and confirmations without time', () => {
    const good: SpendRecord = {
      batch: 'b',
      spend: 1n,
      fee: 0n,
      outputs: [],
      inputs: ['u'],
      reservedAt: 0,
      confirmed: null,
    };
    expect(createSpendIndex([good]).pending).toHaveLength(1);
    const bad: unknown[] = [
      { ...good, spend: -1n },
      { ...good, fee: 1 },
      { ...good, outputs: [{ script: 'aa', amount: -1n }] },
      { ...good, confirmed: { at: Number.NaN, height: 1 } },
    ];
    for (const spend of bad) expect(() => createSpendIndex([spend as SpendRecord])).toThrow(/^batch b holds an? /);
    expect(() => createSpendIndex([{ ...good, confirmed: undefined } as unknown as SpendRecord])).toThrow();
  });

  const signed = (batch: string, inputs: readonly string[], more: Partial<SpendRecord> = {}): SpendRecord => ({
    ...{ batch, spend: 10n, fee: 1n, outputs: [], inputs, reservedAt: TIME, confirmed: null },
    ...more,
  });
  const claim = { weight: 3n, inputs: ['new'] };

  it('leave out what can never confirm: one of its inputs is spent by what has confirmed', () => {
    const confirmed = signed('confirmed', ['u'], { confirmed: { at: TIME, height: TIP } });
    const index = createSpendIndex([confirmed, signed('replaced', ['v', 'u']), signed('waits', ['w'])]);
    expect(index.pending.map(({ batch }) => batch)).toEqual(['waits']);
    expect(tallyPending(index, claim).measured).toBe(13n);
    expect(tallyLifetime(index, claim).measured).toBe(23n);
  });

  it('count what has confirmed once, even if its inputs are not known', () => {
    const index = createSpendIndex([signed('confirmed', [], { confirmed: { at: TIME, height: TIP } })]);
    expect(index.pending).toEqual([]);
    expect(tallyLifetime(index, claim).measured).toBe(13n);
  });

  it('know the latest moment, of a reservation or of a confirmation', () => {
    const confirmed = (at: number, reservedAt: number) =>
      signed('one', ['u'], { reservedAt, confirmed: { at, height: TIP } });
    expect(createSpendIndex([]).latest).toBe(Number.NEGATIVE_INFINITY);
    expect(createSpendIndex([confirmed(9, 5)]).latest).toBe(9);
    expect(createSpendIndex([confirmed(9, 12)]).latest).toBe(12);
    expect(createSpendIndex([confirmed(9, 5), signed('two', ['v'], { reservedAt: 7 })]).latest).toBe(9);
    expect(createSpendIndex([signed('two', ['v'], { reservedAt: 17 }), confirmed(9, 5)]).latest).toBe(17);
  });

  it('leave the room beside what is unconfirmed, and what it replaces is room as well', () => {
    const index = createSpendIndex([signed('rival', ['u']), signed('other', ['w'])]);
    expect(tallyPending(index, claim).room(23n)).toBe(3n);
    expect(tallyPending(index, claim).room(20n)).toBe(0n);
    expect(tallyPending(index, { weight: 3n, inputs: ['u'] }).room(20n)).toBe(10n);
    expect(tallyPending(index, { weight: 3n, inputs: ['u'] }).room(19n)).toBe(0n);
  });

  it('leave no room, not less than none, beside a group too large to weigh exactly', () => {
    const rivals = Array.from({ length: 20 }, (_, at) => signed(`b${at}`, ['u'], { spend: 5n }));
    const tally = tallyPending(createSpendIndex(rivals), { weight: 5n, inputs: ['u'] });
    expect(tally.measured).toBe(105n);
    expect(tally.room(101n)).toBe(1n);
    expect(tally.room(50n)).toBe(0n);
  });

  it('free later than now, never when something left long ago', () => {
    const at = (batch: string, when: number) => signed(batch, [batch], { confirmed: { at: when, height: TIP } });
    const index = createSpendIndex([at('old', TIME - 3 * WINDOW), at('held', TIME - 10)]);
    expect(tallyWindow(index, 'spend', claim, TIME, WINDOW).freesAt(13n)).toBe(TIME - 10 + WINDOW);
  });

  it('find the earliest moment by halving', () => {
    expect(earliest([], () => true)).toBeNull();
    expect(earliest([1, 2, 3], (time) => time >= 2)).toBe(2);
    expect(earliest([1, 2, 3], () => false)).toBeNull();
    expect(earliest([1, 2, 3], () => true)).toBe(1);
  });
});
