import { describe, expect, it } from 'vitest';
import { formatTime } from '../../src/domain/time.js';
import {
  ADDRESSES,
  btc,
  change,
  DAY,
  findingOf,
  HOUR,
  judge,
  NOW,
  output,
  pay,
  scriptOf,
  spent,
  summary,
} from './fixture.js';

const FEE = btc('0.001');

describe('section 2: limits at the edge', () => {
  const full = [pay('B', '33'), pay('C', '33'), pay('A', '33.999')];

  it('L-01 allows 100 BTC with the fee, exactly the batch limit', () => {
    const verdict = judge({ batch: { pay: full } });
    expect(summary(verdict)).toBe('ALLOW');
    expect(findingOf(verdict, 'LIMIT_BATCH')).toMatchObject({
      outcome: 'pass',
      rule: 'limits.batch',
      measured: '10000000000',
      limit: '10000000000',
      headroom: '0',
      unit: 'sat',
    });
  });

  it('L-01 less one satoshi leaves a headroom of one', () => {
    const verdict = judge({ batch: { pay: full, fee: FEE - 1n } });
    expect(summary(verdict)).toBe('ALLOW');
    expect(findingOf(verdict, 'LIMIT_BATCH').headroom).toBe('1');
  });

  it('L-02 denies one satoshi more, in the fee or in an output', () => {
    const inFee = judge({ batch: { pay: full, fee: FEE + 1n } });
    expect(summary(inFee)).toBe('DENY LIMIT_BATCH');
    expect(findingOf(inFee, 'LIMIT_BATCH')).toMatchObject({
      outcome: 'deny',
      measured: '10000000001',
      headroom: '10000000000',
    });
    const inOutput = judge({ batch: { pay: [pay('B', '33'), pay('C', '33'), pay('A', '33.99900001')] } });
    expect(summary(inOutput)).toBe('DENY LIMIT_BATCH');
  });

  it('L-03 allows an output of 50 BTC', () => {
    const verdict = judge({ batch: { pay: [pay('A', '50')] } });
    expect(summary(verdict)).toBe('ALLOW');
    expect(findingOf(verdict, 'LIMIT_OUTPUT').headroom).toBe('0');
  });

  it('L-04 denies an output of one satoshi more', () => {
    const verdict = judge({ batch: { pay: [pay('A', '50.00000001')] } });
    expect(summary(verdict)).toBe('DENY LIMIT_OUTPUT');
    expect(findingOf(verdict, 'LIMIT_OUTPUT')).toMatchObject({ subject: ADDRESSES.A, measured: '5000000001' });
  });

  it('L-05 allows 200 BTC in 24 h exactly, and reports no headroom', () => {
    const verdict = judge({ batch: { pay: [pay('A', '49.999')] }, state: { spends: [spent(btc('150'))] } });
    expect(summary(verdict)).toBe('ALLOW');
    expect(findingOf(verdict, 'LIMIT_24H')).toMatchObject({ measured: '20000000000', headroom: '0' });
  });

  it('L-06 denies one satoshi more in 24 h, and says what could go and when it frees', () => {
    const verdict = judge({ batch: { pay: [pay('A', '49.99900001')] }, state: { spends: [spent(btc('150'))] } });
    expect(summary(verdict)).toBe('DENY LIMIT_24H');
    expect(findingOf(verdict, 'LIMIT_24H')).toMatchObject({
      measured: '20000000001',
      limit: '20000000000',
      headroom: '5000000000',
      freesAt: '2026-06-02T10:00:00Z',
      where: { file: 'policies/cold.yaml', line: 19 },
    });
    expect(findingOf(verdict, 'LIMIT_24H').text).toBe(
      'What leaves within 24 hours, this batch and fees included, comes to 20000000001 sat (200.00000001 BTC), 1 sat (0.00000001 BTC) above the limit of 20000000000 sat (200.00000000 BTC).',
    );
    expect(findingOf(verdict, 'LIMIT_24H').remedy).toBe(
      'wait until 2026-06-02T10:00:00Z, or stay within 5000000000 sat (50.00000000 BTC) now, or let 2 of auditors sign a new policy version with another limits.rolling.24h, which takes effect 3 d later',
    );
  });

  it('L-07 counts the fee in 24 h', () => {
    const verdict = judge({ batch: { pay: [pay('A', '50')] }, state: { spends: [spent(btc('150'))] } });
    expect(summary(verdict)).toBe('DENY LIMIT_24H');
  });

  it('L-08 allows 120 BTC in an hour exactly', () => {
    const spends = [spent(btc('100'), { ago: HOUR / 2 })];
    expect(summary(judge({ batch: { pay: [pay('A', '19.999')] }, state: { spends } }))).toBe('ALLOW');
    expect(summary(judge({ batch: { pay: [pay('A', '19.99899999')] }, state: { spends } }))).toBe('ALLOW');
  });

  it('L-09 denies by the hour alone', () => {
    const spends = [spent(btc('100'), { ago: HOUR / 2 })];
    const verdict = judge({ batch: { pay: [pay('A', '20')] }, state: { spends } });
    expect(summary(verdict)).toBe('DENY LIMIT_1H');
    expect(findingOf(verdict, 'LIMIT_1H').freesAt).toBe('2026-06-01T12:30:00Z');
  });

  it('L-10 allows 80 BTC to one destination in 24 h, fees not counted', () => {
    const spends = [spent(btc('70'), { to: 'B' })];
    const verdict = judge({ batch: { pay: [pay('B', '10')] }, state: { spends } });
    expect(summary(verdict)).toBe('ALLOW');
    expect(findingOf(verdict, 'DEST_CAP', 'settle')).toMatchObject({
      headroom: '0',
      rule: 'destinations.default_cap_24h',
    });
  });

  it('L-11 denies one satoshi more to that destination', () => {
    const spends = [spent(btc('70'), { to: 'B' })];
    const verdict = judge({ batch: { pay: [pay('B', '10.00000001')] }, state: { spends } });
    expect(summary(verdict)).toBe('DENY DEST_CAP');
    expect(findingOf(verdict, 'DEST_CAP')).toMatchObject({ subject: 'settle', headroom: '1000000000' });
  });

  it("L-12 goes by a destination's own cap where it has one", () => {
    const spends = [spent(btc('100'), { to: 'A', ago: 2 * HOUR })];
    const allowed = judge({ batch: { pay: [pay('A', '50')] }, state: { spends } });
    expect(summary(allowed)).toBe('ALLOW');
    expect(findingOf(allowed, 'DEST_CAP')).toMatchObject({
      rule: 'destinations.caps_24h.warm-1',
      limit: '15000000000',
    });
    const two = [pay('A', '25'), pay('A', '25.00000001')];
    expect(summary(judge({ batch: { pay: two }, state: { spends } }))).toBe('DENY DEST_CAP');
  });

  it('L-13 counts two spellings of an address as one destination', () => {
    const upper = scriptOf(ADDRESSES.A.toUpperCase());
    const twice = judge({ batch: { pay: [pay('A', '45'), pay(upper, '45')] } });
    expect(summary(twice)).toBe('ALLOW');
    expect(findingOf(twice, 'DEST_CAP', 'warm-1').measured).toBe('9000000000');
    const thrice = judge({ batch: { pay: [pay('A', '45'), pay(upper, '45'), pay('A', '45')] } });
    expect(summary(thrice)).toBe('DENY LIMIT_1H LIMIT_BATCH');
  });

  it.each([
    ['49 outputs', 49, 'ALLOW', '1'],
    ['50 outputs', 50, 'ALLOW', '0'],
    ['51 outputs', 51, 'DENY LIMIT_OUTPUT_COUNT', '50'],
  ])('L-14 judges %s', (_, count, expected, headroom) => {
    const verdict = judge({ batch: { pay: Array.from({ length: count }, () => pay('A', '0.5')) } });
    expect(summary(verdict)).toBe(expected);
    expect(findingOf(verdict, 'LIMIT_OUTPUT_COUNT').headroom).toBe(headroom);
  });

  it('L-15 denies the seventh batch in 24 h', () => {
    const spends = Array.from({ length: 6 }, (_, index) => spent(btc('0.5'), { ago: (index + 2) * HOUR }));
    const verdict = judge({ batch: { pay: [pay('A', '0.01')], fee: 1000n }, state: { spends } });
    expect(summary(verdict)).toBe('DENY LIMIT_BATCH_COUNT');
    expect(findingOf(verdict, 'LIMIT_BATCH_COUNT')).toMatchObject({
      measured: '7',
      limit: '6',
      freesAt: '2026-06-02T05:00:00Z',
    });
    const sixth = judge({ batch: { pay: [pay('A', '0.01')], fee: 1000n }, state: { spends: spends.slice(1) } });
    expect(summary(sixth)).toBe('ALLOW');
  });

  it('L-16 lets nothing through a limit of 0, and anything through "unlimited"', () => {
    const zero = { limits: { batch: 0n } };
    expect(summary(judge({ policy: zero }))).toBe('DENY LIMIT_BATCH');
    expect(findingOf(judge({ policy: zero }), 'LIMIT_BATCH').headroom).toBe('0');
    const open = judge({
      policy: { limits: { batch: null, rolling: { '1h': null, '24h': null, '7d': null }, signedUnconfirmed: null } },
      batch: { pay: Array.from({ length: 3 }, () => pay('A', '49')) },
    });
    expect(summary(open)).toBe('ALLOW');
    expect(findingOf(open, 'LIMIT_BATCH')).not.toHaveProperty('limit');
  });

  it.each(['1h', '24h', '7d'] as const)('L-16 a rolling limit of 0 over %s lets nothing through', (span) => {
    const rolling = { '1h': null, '24h': null, '7d': null, [span]: 0n };
    expect(summary(judge({ policy: { limits: { rolling } } }))).toBe(`DENY LIMIT_${span.toUpperCase()}`);
  });

  it('L-17 keeps the reserve exactly', () => {
    const verdict = judge({ batch: { pay: [pay('A', '50')] }, state: { confirmedBalance: btc('1050.001') } });
    expect(summary(verdict)).toBe('ALLOW');
    expect(findingOf(verdict, 'RESERVE_FLOOR')).toMatchObject({ measured: '100000000000', headroom: '0' });
    const more = judge({ batch: { pay: [pay('A', '50')] }, state: { confirmedBalance: btc('1050.00100001') } });
    expect(findingOf(more, 'RESERVE_FLOOR').headroom).toBe('1');
  });

  it('L-18 denies where one satoshi of the reserve would go', () => {
    const verdict = judge({ batch: { pay: [pay('A', '50')] }, state: { confirmedBalance: btc('1050.00099999') } });
    expect(summary(verdict)).toBe('DENY RESERVE_FLOOR');
    expect(findingOf(verdict, 'RESERVE_FLOOR')).toMatchObject({ measured: '99999999999', headroom: '5000099999' });
  });

  it('L-19 does not let unconfirmed coins lift the reserve, not even as inputs', () => {
    const coin = { confirmations: 0, coinbase: false, value: btc('550.001'), leftOnScript: 0 };
    const c = {
      policy: { inputs: { minConfirmations: 0 } },
      batch: { pay: [pay('A', '50')], change: [change(btc('500'))], inputs: [{ coin }] },
    };
    const below = judge({ ...c, state: { confirmedBalance: btc('999.99999999') } });
    expect(summary(below)).toBe('DENY RESERVE_FLOOR');
    expect(findingOf(below, 'RESERVE_FLOOR').measured).toBe('99999999999');
    expect(summary(judge({ ...c, state: { confirmedBalance: btc('1000') } }))).toBe('ALLOW');
  });

  it('L-20 counts proven change as staying', () => {
    const own = output(scriptOf(ADDRESSES.X), btc('900'), {
      own: true,
      origin: { branch: 1, index: 42 },
      claimed: true,
    });
    const verdict = judge({
      batch: { pay: [pay('A', '50')], change: [own] },
      state: { confirmedBalance: btc('1050.001') },
    });
    expect(summary(verdict)).toBe('ALLOW');
    expect(verdict.spend).toBe(btc('50.001'));
  });

  it('reports every failing limit at once', () => {
    const spends = [spent(btc('190'), { ago: HOUR / 2 })];
    const verdict = judge({
      batch: { pay: [pay('C', '60'), pay('C', '50')] },
      state: { spends, confirmedBalance: btc('1000') },
    });
    expect(summary(verdict)).toBe('DENY DEST_CAP LIMIT_1H LIMIT_24H LIMIT_BATCH LIMIT_OUTPUT RESERVE_FLOOR');
  });

  it('says nothing of time where the batch alone is over the limit', () => {
    const verdict = judge({
      batch: { pay: [pay('A', '49'), pay('A', '49'), pay('A', '49')] },
      policy: { limits: { batch: null } },
    });
    expect(findingOf(verdict, 'LIMIT_1H')).not.toHaveProperty('freesAt');
    expect(findingOf(verdict, 'LIMIT_1H').headroom).toBe('12000000000');
  });

  it('frees a cap of several spends when enough of them have left, not before', () => {
    const spends = [3, 5, 7, 9].map((hours) => spent(btc('40'), { ago: hours * HOUR, to: 'C' }));
    const policy = { destinations: { defaultCap24h: btc('170') } };
    const verdict = judge({ policy, batch: { pay: [pay('C', '50')] }, state: { spends } });
    // 160 are used; 50 more fit when the oldest has left: 24 h after it was confirmed.
    expect(findingOf(verdict, 'DEST_CAP').freesAt).toBe('2026-06-02T03:00:00Z');
    expect(formatTime(NOW - 9 * HOUR + DAY)).toBe('2026-06-02T03:00:00Z');
  });
});
