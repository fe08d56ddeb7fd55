import { describe, expect, it } from 'vitest';
import {
  ADDRESSES,
  BOOK,
  btc,
  codes,
  DAY,
  entry,
  findingOf,
  judge,
  NOW,
  type Pay,
  pay,
  scriptOf,
  someScript,
  summary,
} from './fixture.js';

describe('section 18: incidents', () => {
  // 7 May 2019, scaled 1:100: 44 outputs, 21 of them to new P2WPKH addresses with 99.97 % of the amount.
  const young = Array.from({ length: 21 }, (_, index) => someScript(`young ${index}`));
  const known = Array.from({ length: 23 }, (_, index) => someScript(`known ${index}`));
  const payments: Pay[] = [
    ...young.map((script): Pay => [script, btc('3.367561')]),
    ...known.map((script): Pay => [script, btc('0.00092')]),
  ];
  const book = (age: number) =>
    new Map([
      ...BOOK,
      ...young.map((script, index) => entry(`young-${index}`, script, NOW - age)),
      ...known.map((script, index) => entry(`known-${index}`, script, NOW - 400 * DAY)),
    ]);

  it('X-01 stops the theft of 2019 by what young destinations get together, and by nothing else', () => {
    const verdict = judge({ batch: { pay: payments }, state: { destinations: book(5 * DAY) } });
    expect(summary(verdict)).toBe('DENY YOUNG_AGGREGATE');
    expect(findingOf(verdict, 'YOUNG_AGGREGATE')).toMatchObject({
      measured: btc('70.718781').toString(),
      limit: btc('10').toString(),
      headroom: btc('10').toString(),
      freesAt: '2026-06-26T12:00:00Z',
    });
    for (const code of [
      'LIMIT_BATCH',
      'LIMIT_OUTPUT',
      'LIMIT_OUTPUT_COUNT',
      'YOUNG_CAP',
      'LIMIT_1H',
      'LIMIT_24H',
      'DEST_CAP',
    ]) {
      expect(findingOf(verdict, code).outcome).toBe('pass');
    }
  });

  it('X-01 lets the same payments go to destinations of age', () => {
    const verdict = judge({ batch: { pay: payments }, state: { destinations: book(31 * DAY) } });
    expect(summary(verdict)).toBe('ALLOW');
  });

  it('X-02 finds them young also where the book took them in together with known ones', () => {
    const verdict = judge({ batch: { pay: payments }, state: { destinations: book(30 * DAY - 1) } });
    expect(summary(verdict)).toBe('DENY YOUNG_AGGREGATE');
    expect(findingOf(verdict, 'YOUNG_AGGREGATE').freesAt).toBe('2026-06-01T12:00:01Z');
  });

  it('X-05 denies a request that was altered on its way', () => {
    const requests = [{ id: 'r-0', address: ADDRESSES.A, script: scriptOf(ADDRESSES.A), amount: btc('1') }];
    const verdict = judge({ batch: { pay: [pay('X', '1')], requests }, state: { reusedRequests: ['r-0'] } });
    expect(codes(verdict, 'deny')).toEqual(['DEST_NOT_ALLOWED', 'REQUEST_ID_REUSE', 'REQUEST_PSBT_MISMATCH']);
  });

  it('X-11 denies a poisoned address and says what it imitates', () => {
    const verdict = judge({ batch: { pay: [pay('A_LOOK', '1')] } });
    expect(summary(verdict)).toBe('DENY DEST_NOT_ALLOWED WARN LOOKALIKE');
  });
});
