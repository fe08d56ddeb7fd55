import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import {
  ADDRESSES,
  btc,
  change,
  codes,
  findingOf,
  input,
  judge,
  NOW,
  output,
  pay,
  scriptOf,
  someScript,
  summary,
} from './fixture.js';

const ours = someScript('own');

describe('section 7: change', () => {
  it('H-01 does not count proven change as spent', () => {
    const verdict = judge({ batch: { change: [change(btc('4000'))] } });
    expect(summary(verdict)).toBe('ALLOW');
    expect(verdict.spend).toBe(btc('1.001'));
  });

  it.each(['CHANGE_UNPROVEN', 'CHANGE_PATH', 'CHANGE_GAP'] as const)(
    'H-02 to H-09 counts an output with the problem %s as paid, and denies it for the claim',
    (problem) => {
      const claimed = output(ours, btc('2'), { own: false, problem });
      const verdict = judge({ batch: { extra: [claimed] } });
      expect(codes(verdict, 'deny')).toEqual([problem, 'DEST_NOT_ALLOWED', 'REQUEST_PSBT_MISMATCH'].sort());
      expect(verdict.spend).toBe(btc('3.001'));
      expect(findingOf(verdict, problem).subject).toBe(claimed.address);
    },
  );

  it.each([
    ['H-04 the last index within the gap', 61, 'ALLOW'],
    ['H-04 the one after', 62, 'DENY CHANGE_GAP'],
    ['H-04 the one before', 60, 'ALLOW'],
    ['H-05 an index that hides coins', 2_147_483_647, 'DENY CHANGE_GAP'],
  ])('%s', (_, index, expected) => {
    expect(summary(judge({ batch: { change: [change(btc('1'), index)] } }))).toBe(expected);
  });

  it('H-06 allows no second change output', () => {
    const verdict = judge({ batch: { change: [change(btc('1')), change(btc('1'), 43)] } });
    expect(summary(verdict)).toBe('DENY CHANGE_COUNT');
    expect(findingOf(verdict, 'CHANGE_COUNT')).toMatchObject({ measured: '2', limit: '1' });
    expect(findingOf(judge({}), 'CHANGE_COUNT').headroom).toBe('1');
  });

  it('H-08 denies change on a script that was used before', () => {
    const used = change(btc('1'));
    const known = judge({ batch: { change: [used] }, state: { usedChange: new Set([toHex(used.script)]) } });
    expect(summary(known)).toBe('DENY CHANGE_REUSE');
    const spentHere = judge({ batch: { change: [used], inputs: [input(btc('2.001'), { script: used.script })] } });
    expect(summary(spentHere)).toBe('DENY CHANGE_REUSE');
    const twice = judge({ batch: { change: [used, used] }, policy: { change: { maxOutputs: 2 } } });
    expect(summary(twice)).toBe('DENY CHANGE_REUSE');
  });

  it.each([
    ['293 sat', 293n, 'DENY CHANGE_DUST'],
    ['294 sat', 294n, 'ALLOW'],
    ['295 sat', 295n, 'ALLOW'],
  ])('H-10 holds change of %s against the dust threshold', (_, value, expected) => {
    expect(summary(judge({ batch: { change: [change(value)] } }))).toBe(expected);
  });

  it('H-11 warns of change that the PSBT does not claim', () => {
    const verdict = judge({ batch: { change: [change(btc('1'), 43, false)] } });
    expect(summary(verdict)).toBe('ALLOW WARN CHANGE_UNCLAIMED');
    expect(verdict.spend).toBe(btc('1.001'));
  });

  it('H-12 counts a receiving address of the vault as paid, and denies it', () => {
    const receive = output(ours, btc('2'), { own: true, origin: { branch: 0, index: 5 }, claimed: true });
    const verdict = judge({ batch: { extra: [receive] } });
    expect(codes(verdict, 'deny')).toEqual(['REQUEST_PSBT_MISMATCH', 'SELF_RECEIVE']);
    expect(verdict.spend).toBe(btc('3.001'));
  });

  it('H-12 denies a receiving address even where it was asked for and booked', () => {
    const receive = output(scriptOf(ADDRESSES.A), btc('1'), {
      own: true,
      origin: { branch: 0, index: 5 },
      claimed: true,
    });
    const requests = [{ id: 'r', address: ADDRESSES.A, script: scriptOf(ADDRESSES.A), amount: btc('1') }];
    expect(summary(judge({ batch: { pay: [], extra: [receive], requests } }))).toBe('DENY SELF_RECEIVE');
  });

  it('H-13 denies a forgotten change output for its fee', () => {
    const verdict = judge({ batch: { pay: [pay('A', '50')], fee: btc('5') }, now: NOW });
    expect(codes(verdict, 'deny')).toContain('FEE_ABS');
    expect(findingOf(verdict, 'FEE_ABS').remedy).toContain('look whether the change output is missing');
  });
});
