import { describe, expect, it } from 'vitest';
import {
  btc,
  codes,
  DAY,
  findingOf,
  HOUR,
  judge,
  NOW,
  pay,
  type SpendChange,
  spent,
  summary,
  TIP,
  txid,
} from './fixture.js';

const coin = (name: string) => ({ outpoint: { txid: txid(name), vout: 0 } });

/** Only the window of 24 h is under test. */
const DAY_ONLY = {
  limits: {
    batch: null,
    output: null,
    rolling: { '1h': null, '24h': btc('200'), '7d': null },
    signedUnconfirmed: null,
  },
};

describe('section 3: sliding windows', () => {
  it.each([
    ['W-01 exactly 24 h old has left', DAY, 'ALLOW'],
    ['W-02 one second less still counts', DAY - 1, 'DENY LIMIT_24H'],
    ['W-02 one second more has left', DAY + 1, 'ALLOW'],
  ])('%s', (_, ago, expected) => {
    expect(summary(judge({ batch: { pay: [pay('A', '10')] }, state: { spends: [spent(btc('200'), { ago })] } }))).toBe(
      expected,
    );
  });

  it.each([
    ['an hour', HOUR, '120', 'LIMIT_1H'],
    ['7 days', 7 * DAY, '500', 'LIMIT_7D'],
  ])('W-02 holds for %s', (_, window, amount, code) => {
    const policy = { limits: { rolling: { '1h': btc('120'), '24h': null, '7d': btc('500') } } };
    const old = (ago: number) => summary(judge({ policy, state: { spends: [spent(btc(amount), { ago })] } }));
    expect(old(window)).toBe('ALLOW');
    expect(old(window - 1)).toContain(code);
  });

  it('W-03 knows no window that starts with the first spend', () => {
    const spends = [spent(btc('1'), { ago: 86_401 }), spent(btc('199'), { ago: 2 })];
    const verdict = judge({ policy: DAY_ONLY, batch: { pay: [pay('A', '100'), pay('C', '50')] }, state: { spends } });
    expect(codes(verdict, 'deny')).toContain('LIMIT_24H');
    expect(findingOf(verdict, 'LIMIT_24H').measured).toBe(btc('349.001').toString());
  });

  it('W-04 counts a spend that was confirmed in the future of our clock', () => {
    const verdict = judge({ state: { spends: [spent(btc('200'), { ago: -HOUR })] } });
    expect(codes(verdict, 'deny')).toContain('LIMIT_24H');
  });

  it('W-05 knows no buckets of hours', () => {
    const spends = [spent(btc('200'), { ago: 23 * HOUR + 1 })];
    expect(summary(judge({ state: { spends } }))).toBe('DENY LIMIT_24H');
  });

  it('W-06 and W-07 tolerate a clock 120 s behind, and judge as of the newest entry', () => {
    const spends = [spent(btc('200'), { ago: DAY - 60 })];
    const behind = (seconds: number) => judge({ now: NOW, state: { spends, lastEntryAt: NOW + seconds } });
    expect(summary(behind(60))).toBe('ALLOW');
    expect(behind(60).evaluatedAt).toBe(NOW + 60);
    expect(summary(behind(59))).toBe('DENY LIMIT_24H');
    expect(summary(behind(120))).toBe('ALLOW');
    expect(findingOf(behind(120), 'CLOCK_BACK')).toMatchObject({
      measured: '120',
      limit: '120',
      headroom: '0',
      unit: 's',
    });
    expect(summary(behind(121))).toBe('DENY CLOCK_BACK');
    expect(findingOf(behind(121), 'CLOCK_BACK').freesAt).toBe('2026-06-01T12:00:01Z');
  });

  it('W-09 does not refill a window when the clock is set ahead', () => {
    const verdict = judge({ now: NOW + 25 * HOUR, state: { spends: [spent(btc('200'))] } });
    expect(codes(verdict, 'deny')).toEqual(['CLOCK_JUMP', 'DATA_STALE']);
    expect(codes(verdict, 'need')).toEqual(['APPROVALS_MISSING', 'APPROVAL_EXPIRED']);
  });

  it.each([
    ['W-11 3 h less one second', 3 * HOUR - 1, 'ALLOW'],
    ['W-11 exactly 3 h', 3 * HOUR, 'ALLOW'],
    ['W-11 3 h and one second', 3 * HOUR + 1, 'DENY CLOCK_JUMP'],
  ])('%s ahead of the median time past', (_, ahead, expected) => {
    expect(summary(judge({ state: { tip: { height: TIP, medianTimePast: NOW - ahead } } }))).toBe(expected);
  });

  it.each([
    ['2 h less one second', 2 * HOUR - 1, 'ALLOW'],
    ['2 h', 2 * HOUR, 'ALLOW'],
    ['2 h and one second', 2 * HOUR + 1, 'DENY DATA_STALE'],
  ])('W-12 takes a snapshot that is %s old', (_, age, expected) => {
    expect(summary(judge({ state: { snapshotAt: NOW - age } }))).toBe(expected);
  });

  it('W-13 takes use above a lowered limit as a legal state', () => {
    const policy = { limits: { rolling: { '1h': btc('120'), '24h': btc('100'), '7d': btc('500') } } };
    const verdict = judge({ policy, state: { spends: [spent(btc('150'))] } });
    expect(summary(verdict)).toBe('DENY LIMIT_24H');
    expect(findingOf(verdict, 'LIMIT_24H')).toMatchObject({ headroom: '0', freesAt: '2026-06-02T10:00:00Z' });
  });

  it.each([
    ['143 blocks deep', 143, 'DENY LIMIT_BLOCKS'],
    ['144 blocks deep', 144, 'ALLOW'],
  ])('W-14 counts by blocks what is %s', (_, depth, expected) => {
    const policy = {
      limits: {
        rollingBlocks: new Map([
          [144, btc('200')],
          [6, btc('500')],
        ]),
      },
    };
    const spends = [spent(btc('200'), { ago: 3 * DAY, height: TIP - depth })];
    const verdict = judge({ policy, state: { spends } });
    expect(summary(verdict)).toBe(expected);
    expect(findingOf(verdict, 'LIMIT_BLOCKS', '144 blocks').rule).toBe('limits.rolling_blocks.144');
    expect(findingOf(verdict, 'LIMIT_BLOCKS', '6 blocks').outcome).toBe('pass');
  });

  it('W-14 is inclusive by blocks too', () => {
    const policy = { limits: { rollingBlocks: new Map([[144, btc('200')]]) } };
    const spends = [spent(btc('199'), { ago: 3 * DAY, height: TIP })];
    const paying = (amount: string) =>
      summary(judge({ policy, batch: { pay: [pay('A', amount)] }, state: { spends } }));
    expect(paying('0.999')).toBe('ALLOW');
    expect(paying('0.99900001')).toBe('DENY LIMIT_BLOCKS');
  });

  it('W-17 denies where the newest entry lies 10 minutes in the future', () => {
    expect(summary(judge({ state: { lastEntryAt: NOW + 600 } }))).toBe('DENY CLOCK_BACK');
  });
});

describe('section 4: what is unconfirmed or replaced', () => {
  const elsewhere = spent(btc('130'), { ago: 3 * HOUR });
  const tx1 = spent(btc('60.001'), { inputs: ['u1'], unconfirmed: true });

  it('R-01 allows one of two batches of 90, and not the second after the first', () => {
    const used = spent(btc('30'));
    const ninety = { pay: [pay('A', '44.9995'), pay('C', '44.9995')] };
    expect(summary(judge({ batch: ninety, state: { spends: [used] } }))).toBe('ALLOW');
    const second = judge({ batch: ninety, state: { spends: [used, spent(btc('90'), { unconfirmed: true })] } });
    expect(codes(second, 'deny')).toEqual(['LIMIT_1H', 'LIMIT_24H', 'LIMIT_UNCONFIRMED']);
    expect(findingOf(second, 'LIMIT_24H').measured).toBe(btc('210').toString());
    expect(findingOf(second, 'LIMIT_UNCONFIRMED').measured).toBe(btc('180').toString());
  });

  it.each([8 * DAY, 400 * DAY])('R-07 counts an unconfirmed batch in every window however old (%i s)', (ago) => {
    const policy = { limits: { rolling: { '1h': 0n, '24h': 0n, '7d': 0n }, rollingBlocks: new Map([[1, 0n]]) } };
    const verdict = judge({ policy, state: { spends: [spent(btc('10'), { ago, unconfirmed: true })] } });
    for (const code of ['LIMIT_1H', 'LIMIT_24H', 'LIMIT_7D', 'LIMIT_BLOCKS']) {
      const finding = findingOf(verdict, code);
      expect(finding.measured).toBe(btc('11.001').toString());
      expect(finding).not.toHaveProperty('freesAt');
    }
  });

  it('R-07 lets time cure only what is confirmed', () => {
    const spends = [spent(btc('100')), spent(btc('120'), { unconfirmed: true })];
    const verdict = judge({
      state: { spends },
      policy: { limits: { signedUnconfirmed: null, rolling: { '1h': null, '24h': btc('200'), '7d': null } } },
    });
    expect(findingOf(verdict, 'LIMIT_24H').freesAt).toBe('2026-06-02T10:00:00Z');
  });

  it.each([
    ['R-08 at the limit', '49.999', 'ALLOW'],
    ['R-08 one satoshi over', '49.99900001', 'DENY LIMIT_UNCONFIRMED'],
    ['R-08 one satoshi under', '49.99899999', 'ALLOW'],
  ])('%s of what is signed and unconfirmed', (_, amount, expected) => {
    const spends = [spent(btc('100'), { unconfirmed: true })];
    const policy = { limits: { rolling: { '1h': null, '24h': null, '7d': null } } };
    expect(summary(judge({ policy, batch: { pay: [pay('A', amount)] }, state: { spends } }))).toBe(expected);
  });

  it('R-09 counts a batch and its replacement as the heavier one', () => {
    const batch = { pay: [pay('A', '50'), pay('C', '10.001')], inputs: [coin('u1')] };
    const verdict = judge({ batch, state: { spends: [elsewhere, tx1] } });
    expect(summary(verdict)).toBe('ALLOW');
    expect(findingOf(verdict, 'LIMIT_24H').measured).toBe(btc('190.002').toString());
  });

  it('R-10 keeps the weight of the first where the replacement is lighter', () => {
    const batch = { pay: [pay('A', '20.001')], inputs: [coin('u1')] };
    const verdict = judge({ batch, state: { spends: [elsewhere, tx1] } });
    expect(findingOf(verdict, 'LIMIT_24H').measured).toBe(btc('190.001').toString());
    const after = [elsewhere, tx1, spent(btc('20.002'), { inputs: ['u1'], unconfirmed: true })];
    const third = judge({ batch: { pay: [pay('A', '10')] }, state: { spends: after } });
    expect(summary(third)).toBe('DENY LIMIT_24H');
    expect(findingOf(third, 'LIMIT_24H')).toMatchObject({
      measured: btc('200.002').toString(),
      headroom: btc('9.999').toString(),
    });
  });

  it('R-11 drops what can no longer confirm once its rival has 6 confirmations', () => {
    const spends = [elsewhere, tx1, spent(btc('20.002'), { inputs: ['u1'] })];
    const verdict = judge({ batch: { pay: [pay('A', '10')] }, state: { spends } });
    expect(summary(verdict)).toBe('ALLOW');
    expect(findingOf(verdict, 'LIMIT_24H').measured).toBe(btc('160.003').toString());
    const longAgo = [tx1, spent(btc('20.002'), { inputs: ['u1'], ago: 10 * DAY })];
    expect(findingOf(judge({ state: { spends: longAgo } }), 'LIMIT_7D').measured).toBe(btc('1.001').toString());
  });

  it('R-12 counts a batch in full beside a confirmed spend of the same coin', () => {
    const batch = { pay: [pay('A', '10')], inputs: [coin('u1')] };
    const verdict = judge({ batch, state: { spends: [spent(btc('20'), { inputs: ['u1'] })] } });
    expect(findingOf(verdict, 'LIMIT_24H').measured).toBe(btc('30.001').toString());
  });

  it('R-13 finds the heaviest set in a chain of conflicts', () => {
    const policy = {
      limits: { rolling: { '1h': null, '24h': btc('200'), '7d': btc('500') }, signedUnconfirmed: null },
    };
    const conflict = (amount: string, ...inputs: string[]) => spent(btc(amount), { inputs, unconfirmed: true });
    const spends = [spent(btc('50')), conflict('60', 'u1'), conflict('1', 'u1', 'u2'), conflict('60', 'u2')];
    const verdict = judge({ policy, batch: { pay: [pay('A', '29.999')] }, state: { spends } });
    expect(summary(verdict)).toBe('ALLOW');
    expect(findingOf(verdict, 'LIMIT_24H')).toMatchObject({ measured: btc('200').toString(), headroom: '0' });
    expect(summary(judge({ policy, batch: { pay: [pay('A', '29.99900001')] }, state: { spends } }))).toBe(
      'DENY LIMIT_24H',
    );
  });

  it('R-14 says what a replacement may weigh beside what is not replaced', () => {
    const spends = [
      elsewhere,
      spent(btc('50'), { unconfirmed: true }),
      spent(btc('10'), { inputs: ['u1'], unconfirmed: true }),
    ];
    const batch = { pay: [pay('A', '40')], inputs: [coin('u1')] };
    const verdict = judge({ batch, state: { spends } });
    expect(summary(verdict)).toBe('DENY LIMIT_24H');
    expect(findingOf(verdict, 'LIMIT_24H')).toMatchObject({
      measured: btc('220.001').toString(),
      headroom: btc('20').toString(),
    });
  });

  it('R-15 adds up where nothing is shared', () => {
    const batch = { pay: [pay('A', '50'), pay('C', '10.001')], inputs: [coin('u2')] };
    expect(summary(judge({ batch, state: { spends: [elsewhere, tx1] } }))).toBe('DENY LIMIT_1H LIMIT_24H');
  });

  it('R-16 counts one batch for a batch and its replacement', () => {
    const earlier = Array.from({ length: 5 }, (_, index) => spent(btc('0.1'), { ago: (index + 2) * HOUR }));
    const batch = { pay: [pay('A', '0.1')], fee: 1000n, inputs: [coin('u1')] };
    const first = spent(btc('0.1'), { inputs: ['u1'], unconfirmed: true });
    expect(summary(judge({ batch, state: { spends: [...earlier, first] } }))).toBe('ALLOW');
    const other = spent(btc('0.1'), { inputs: ['u9'], unconfirmed: true });
    expect(summary(judge({ batch, state: { spends: [...earlier, other] } }))).toBe('DENY LIMIT_BATCH_COUNT');
  });

  it('R-18 sums a conflict of more than 20 members', () => {
    const spends = Array.from({ length: 20 }, () => spent(btc('1'), { inputs: ['u1'], unconfirmed: true }));
    const policy = { limits: { batches24h: 100 } };
    const batch = { pay: [pay('A', '0.999')], inputs: [coin('u1')] };
    expect(findingOf(judge({ policy, batch, state: { spends } }), 'LIMIT_24H').measured).toBe(btc('21').toString());
    expect(findingOf(judge({ policy, batch, state: { spends: spends.slice(1) } }), 'LIMIT_24H').measured).toBe(
      btc('1').toString(),
    );
  });

  it.each<[string, SpendChange, string]>([
    ['a batch of 23 h ago', { to: 'A', ago: 23 * HOUR }, 'ALLOW WARN POSSIBLE_DUPLICATE'],
    ['a batch of exactly 24 h ago', { to: 'A', ago: DAY }, 'ALLOW'],
    ['an unconfirmed batch', { to: 'A', ago: 9 * DAY, unconfirmed: true }, 'ALLOW WARN POSSIBLE_DUPLICATE'],
    ['another destination', { to: 'C' }, 'ALLOW'],
    ['the batch that it replaces', { to: 'A', inputs: ['u1'], unconfirmed: true }, 'ALLOW'],
  ])('R-19 warns of the amount that went in %s', (_, options, expected) => {
    const batch = { pay: [pay('A', '7')], inputs: [coin('u1')] };
    const verdict = judge({ batch, state: { spends: [spent(btc('7.001'), { fee: 100_000n, ...options })] } });
    expect(summary(verdict)).toBe(expected);
  });

  it('R-20 denies a request id that stands for something else', () => {
    const verdict = judge({ state: { reusedRequests: ['r-0', 'r-9'] } });
    expect(summary(verdict)).toBe('DENY REQUEST_ID_REUSE');
    expect(verdict.findings.filter(({ outcome }) => outcome === 'deny').map(({ subject }) => subject)).toEqual([
      'request r-0',
      'request r-9',
    ]);
  });

  it('fails closed on a spend that no journal can hold', () => {
    const broken = { ...spent(btc('1')), spend: -1n };
    const verdict = judge({ state: { spends: [broken] } });
    expect(codes(verdict, 'deny')).toEqual(['EVAL_ERROR']);
    expect(findingOf(verdict, 'EVAL_ERROR', 'limit-24h').rule).toBe('limits.rolling.24h');
  });
});
