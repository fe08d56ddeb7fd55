import { describe, expect, it } from 'vitest';
import { trustedHex } from '../../src/domain/bytes.js';
import { looksLike } from '../../src/policy/alike.js';
import { sideBySide } from '../../src/policy/rules/lookalike.js';
import {
  ADDRESSES,
  BOOK,
  btc,
  change,
  codes,
  DAY,
  entry,
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

describe('section 5: destinations', () => {
  it.each(['A', 'B', 'C', 'D', 'E'] as const)('D-01 allows %s, of each script type', (name) => {
    expect(summary(judge({ batch: { pay: [pay(name, '1')] } }))).toBe('ALLOW');
  });

  it('D-02 allows an address in upper case: it is the same script', () => {
    expect(summary(judge({ batch: { pay: [pay(scriptOf(ADDRESSES.A.toUpperCase()), '1')] } }))).toBe('ALLOW');
  });

  it('D-04 denies what the book does not hold', () => {
    const verdict = judge({ batch: { pay: [pay('X', '1')] } });
    expect(summary(verdict)).toBe('DENY DEST_NOT_ALLOWED');
    expect(findingOf(verdict, 'DEST_NOT_ALLOWED')).toMatchObject({
      subject: ADDRESSES.X,
      text: `The address book does not hold ${ADDRESSES.X}, which would get 100000000 sat (1.00000000 BTC).`,
    });
    expect(findingOf(verdict, 'DEST_NOT_ALLOWED').remedy).toContain(
      '2 of officers and compliance (compliance among them)',
    );
  });

  it('D-05 denies a look-alike of A, and shows both in full with the groups that differ', () => {
    const verdict = judge({ batch: { pay: [pay('A_LOOK', '1')] } });
    expect(summary(verdict)).toBe('DENY DEST_NOT_ALLOWED WARN LOOKALIKE');
    const { text, subject } = findingOf(verdict, 'LOOKALIKE');
    expect(subject).toBe(`${ADDRESSES.A_LOOK} / warm-1`);
    expect(text).toContain('bc1q rjql n946 2l3y [gy5p] [eumk] heyw 75kp 2jma gz3d jn');
    expect(text).toContain('bc1q rjql n946 2l3y [g4uk] [93nh] heyw 75kp 2jma gz3d jn');
  });

  it('D-05 warns of a look-alike that made it into the book', () => {
    const destinations = new Map([...BOOK, entry('poisoned', scriptOf(ADDRESSES.A_LOOK), NOW - 90 * DAY)]);
    const verdict = judge({ batch: { pay: [pay('A_LOOK', '1')] }, state: { destinations } });
    expect(summary(verdict)).toBe('ALLOW WARN LOOKALIKE');
  });

  it.each(['A_PKH', 'A_SH', 'A_TR'] as const)('D-06 denies the key of A in another script (%s)', (name) => {
    expect(summary(judge({ batch: { pay: [pay(name, '1')] } }))).toBe('DENY DEST_NOT_ALLOWED');
  });

  it('D-07 denies a vault of another network than the policy', () => {
    const vault = { id: 'cold-btc-1', network: 'testnet4', descriptor: judge({}).policy } as const;
    expect(summary(judge({ batch: { facts: { vault } } }))).toBe('DENY NETWORK_MISMATCH WALLET_MISMATCH');
  });

  const unusual: [string, string, string][] = [
    ['D-13 a taproot key off the curve', `5120${'f'.repeat(64)}`, 'DEST_UNSPENDABLE'],
    ['D-14 a future witness version', `5210${'aa'.repeat(16)}`, 'DEST_SCRIPT_TYPE'],
    ['D-15 pay-to-anchor', '51024e73', 'DEST_SCRIPT_TYPE'],
    ['D-17 OP_RETURN', '6a026869', 'DEST_SCRIPT_TYPE'],
    ['D-19 bare multisig', `5121${'02'.repeat(33)}51ae`, 'DEST_SCRIPT_TYPE'],
    ['D-19 P2PK', `21${'02'.repeat(33)}ac`, 'DEST_SCRIPT_TYPE'],
    ['D-19 OP_TRUE', '51', 'DEST_SCRIPT_TYPE'],
    ['D-19 an empty script', '', 'DEST_SCRIPT_TYPE'],
    ['D-19 a script of 10 kB', '00'.repeat(10_000), 'DEST_SCRIPT_TYPE'],
  ];
  it.each(unusual)('%s is denied, even from the book', (_, hex, code) => {
    const script = trustedHex(hex);
    const listed = judge({
      batch: { pay: [pay(script, '1')] },
      state: { destinations: new Map([...BOOK, entry('odd', script, NOW - 90 * DAY)]) },
    });
    expect(summary(listed)).toBe(`DENY ${code}`);
    expect(codes(judge({ batch: { pay: [pay(script, '1')] } }), 'deny')).toEqual(['DEST_NOT_ALLOWED', code]);
  });

  it('D-17 denies a data output of no value beside good payments', () => {
    const verdict = judge({ batch: { extra: [output(trustedHex('6a026869'), 0n)] } });
    expect(codes(verdict, 'deny')).toEqual(['DEST_NOT_ALLOWED', 'DEST_SCRIPT_TYPE', 'REQUEST_PSBT_MISMATCH']);
  });

  it('D-18 pays only the types of the policy', () => {
    const policy = { destinations: { scriptTypes: ['p2wpkh'] as const } };
    expect(summary(judge({ policy, batch: { pay: [pay('A', '1')] } }))).toBe('ALLOW');
    expect(summary(judge({ policy, batch: { pay: [pay('B', '1')] } }))).toBe('DENY DEST_SCRIPT_TYPE');
  });

  it.each([
    ['293 sat', 293n, 'DENY DEST_DUST'],
    ['294 sat', 294n, 'ALLOW'],
    ['295 sat', 295n, 'ALLOW'],
  ])('D-20 holds a P2WPKH payment of %s against the dust threshold', (_, value, expected) => {
    expect(summary(judge({ batch: { pay: [['A', value]], fee: 1000n, change: [change(btc('1'))] } }))).toBe(expected);
  });

  it('D-21 denies an output that nobody asked for', () => {
    const verdict = judge({ batch: { extra: [output(scriptOf(ADDRESSES.C), btc('1'))] } });
    expect(summary(verdict)).toBe('DENY REQUEST_PSBT_MISMATCH');
    expect(findingOf(verdict, 'REQUEST_PSBT_MISMATCH').subject).toBe(ADDRESSES.C);
  });

  it('D-22 denies a request without its output, another amount, and another destination', () => {
    const asked = { id: 'r-1', address: ADDRESSES.C, script: scriptOf(ADDRESSES.C), amount: btc('1') };
    const missing = judge({
      batch: { requests: [{ ...asked, id: 'r-0', address: ADDRESSES.A, script: scriptOf(ADDRESSES.A) }, asked] },
    });
    expect(summary(missing)).toBe('DENY REQUEST_PSBT_MISMATCH');
    expect(findingOf(missing, 'REQUEST_PSBT_MISMATCH').subject).toBe('request r-1');
    const less = judge({ batch: { pay: [['C', btc('1') - 1n]], requests: [asked] } });
    expect(less.findings.filter(({ code }) => code === 'REQUEST_PSBT_MISMATCH').map(({ subject }) => subject)).toEqual([
      ADDRESSES.C,
      'request r-1',
    ]);
  });

  it('D-23 denies two payments merged into one output, and one split in two', () => {
    const one = { address: ADDRESSES.A, script: scriptOf(ADDRESSES.A), amount: btc('1') };
    const two = [
      { ...one, id: 'r-0' },
      { ...one, id: 'r-1' },
    ];
    expect(summary(judge({ batch: { pay: [pay('A', '2')], requests: two } }))).toBe('DENY REQUEST_PSBT_MISMATCH');
    expect(
      summary(
        judge({ batch: { pay: [pay('A', '1'), pay('A', '1')], requests: [{ ...one, id: 'r-0', amount: btc('2') }] } }),
      ),
    ).toBe('DENY REQUEST_PSBT_MISMATCH');
    expect(summary(judge({ batch: { pay: [pay('A', '1'), pay('A', '1')], requests: two } }))).toBe('ALLOW');
  });

  it('D-24 denies one request id twice in a batch', () => {
    const one = { id: 'r-0', address: ADDRESSES.A, script: scriptOf(ADDRESSES.A), amount: btc('1') };
    const verdict = judge({ batch: { pay: [pay('A', '1'), pay('A', '1')], requests: [one, one] } });
    expect(summary(verdict)).toBe('DENY REQUEST_ID_REUSE');
  });
});

describe('section 6: the age of a destination', () => {
  const since = (age: number, id = 'G') => new Map([...BOOK, entry(id, scriptOf(ADDRESSES.X), NOW - age)]);
  const payX = (amount: string, age: number) =>
    judge({ batch: { pay: [pay('X', amount)], fee: 1000n }, state: { destinations: since(age) } });

  it.each([
    ['C-01 72 h ago', 72 * HOUR, 'ALLOW'],
    ['C-02 72 h less one second ago', 72 * HOUR - 1, 'DENY DEST_COOLDOWN'],
    ['C-02 72 h and one second ago', 72 * HOUR + 1, 'ALLOW'],
    ['C-03 an hour ago, after a removal', HOUR, 'DENY DEST_COOLDOWN'],
    ['C-04 in the future', -HOUR, 'DENY DEST_COOLDOWN'],
  ])('%s', (_, age, expected) => {
    const verdict = payX('1', age);
    expect(summary(verdict)).toBe(expected);
    if (expected !== 'ALLOW')
      expect(findingOf(verdict, 'DEST_COOLDOWN')).toMatchObject({ subject: 'G', limit: '259200', unit: 's' });
  });

  it('C-02 says when the cool-down ends', () => {
    expect(findingOf(payX('1', 71 * HOUR), 'DEST_COOLDOWN').freesAt).toBe('2026-06-01T13:00:00Z');
  });

  it('C-06 applies the young caps after the cool-down', () => {
    expect(summary(payX('5.00000001', 72 * HOUR))).toBe('DENY YOUNG_CAP');
  });

  it.each([
    ['C-07 5 BTC', '5', 'ALLOW'],
    ['C-07 one satoshi more', '5.00000001', 'DENY YOUNG_CAP'],
    ['C-07 one satoshi less', '4.99999999', 'ALLOW'],
  ])('%s to a young destination', (_, amount, expected) => {
    expect(summary(judge({ batch: { pay: [pay('F', amount)] } }))).toBe(expected);
  });

  it('C-07 frees when the window has passed, or when the destination comes of age', () => {
    const late = judge({
      batch: { pay: [pay('F', '3')] },
      state: { spends: [spent(btc('4'), { to: 'F', ago: HOUR })] },
    });
    expect(findingOf(late, 'YOUNG_CAP')).toMatchObject({ freesAt: '2026-06-02T11:00:00Z', headroom: '100000000' });
    const never = judge({ batch: { pay: [pay('F', '6')] } });
    expect(findingOf(never, 'YOUNG_CAP').freesAt).toBe('2026-06-26T12:00:00Z');
  });

  const two = new Map([
    ...BOOK,
    entry('G', scriptOf(ADDRESSES.X), NOW - 4 * DAY),
    entry('H', scriptOf(ADDRESSES.A_TR), NOW - 4 * DAY),
  ]);

  it.each([
    ['C-08 at the limit', '2', 'ALLOW'],
    ['C-08 one satoshi over', '2.00000001', 'DENY YOUNG_AGGREGATE'],
    ['C-08 one satoshi under', '1.99999999', 'ALLOW'],
  ])('%s of all young destinations together', (_, amount, expected) => {
    const state = { destinations: two, spends: [spent(btc('4'), { to: 'X' })] };
    const verdict = judge({ batch: { pay: [pay('F', '4'), pay('A_TR', amount)] }, state });
    expect(summary(verdict)).toBe(expected);
  });

  it('C-08 frees the aggregate when a payment leaves the window, or a destination comes of age', () => {
    const state = (since: number) => ({
      destinations: new Map([...BOOK, entry('G', scriptOf(ADDRESSES.X), since)]),
      spends: [spent(btc('4'), { to: 'X' }), spent(btc('4'), { to: 'F', ago: 5 * HOUR, unconfirmed: true })],
    });
    const verdict = (since: number) => judge({ batch: { pay: [pay('X', '1'), pay('F', '2')] }, state: state(since) });
    expect(findingOf(verdict(NOW - 4 * DAY), 'YOUNG_AGGREGATE')).toMatchObject({
      measured: btc('11').toString(),
      headroom: btc('2').toString(),
      freesAt: '2026-06-02T10:00:00Z',
    });
    expect(findingOf(verdict(NOW - 30 * DAY + HOUR), 'YOUNG_AGGREGATE').freesAt).toBe('2026-06-01T13:00:00Z');
  });

  it('C-08 does not hold up a batch that pays no young destination', () => {
    const verdict = judge({ state: { spends: [spent(btc('12'), { to: 'F' })] } });
    expect(summary(verdict)).toBe('ALLOW');
  });

  it('C-08 counts what went to a destination that was struck out since', () => {
    const spends = [spent(btc('9'), { to: 'X' })];
    expect(summary(judge({ batch: { pay: [pay('F', '1.00000001')] }, state: { spends } }))).toBe(
      'DENY YOUNG_AGGREGATE',
    );
  });

  it('C-08 counts rivals once', () => {
    const rivals = ['1', '2'].map(() => spent(btc('4'), { to: 'F', inputs: ['u1'], unconfirmed: true }));
    const destinations = two;
    expect(summary(judge({ batch: { pay: [pay('X', '5')] }, state: { destinations, spends: rivals } }))).toBe('ALLOW');
  });

  it.each([
    ['C-09 exactly 30 d ago', 30 * DAY, 'ALLOW'],
    ['C-09 one second less', 30 * DAY - 1, 'DENY YOUNG_AGGREGATE YOUNG_CAP'],
    ['C-09 one second more', 30 * DAY + 1, 'ALLOW'],
  ])('%s', (_, age, expected) => {
    expect(summary(payX('11', age))).toBe(expected);
  });

  it('C-13 denies one satoshi to a cooling destination', () => {
    const verdict = judge({
      batch: { pay: [['X', 1n]], fee: 1000n, change: [change(btc('1'))] },
      state: { destinations: since(HOUR) },
    });
    expect(codes(verdict, 'deny')).toEqual(['DEST_COOLDOWN', 'DEST_DUST']);
  });
});

describe('look-alike addresses', () => {
  it.each([
    ['six at the end', 'bc1qaaaaaaaaaazzzzzz', 'bc1qccccccccccczzzzzz', true],
    ['five at the end', 'bc1qaaaaaaaaaazzzzz', 'bc1qccccccccccczzzzz', false],
    ['three and three', 'bc1qzzzaaaaaaaazzz', 'bc1qzzzccccccccczzz', true],
    ['another kind of address', 'bc1qzzzzzzaaaa', 'bc1pzzzzzzcccc', false],
    ['the same', ADDRESSES.A, ADDRESSES.A, false],
    ['base58, but for the first character', '1zzzaaaaazzz', '1zzzcccccczzz', true],
  ])('%s', (_, a, b, expected) => {
    expect(looksLike(a, b)).toBe(expected);
    expect(looksLike(b, a)).toBe(expected);
  });

  it('shows addresses of different length side by side', () => {
    expect(sideBySide('1aaaabbbb', '1aaaabb')).toEqual(['1aaa [abbb] [b]', '1aaa [abb]']);
  });
});
