import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fault } from '../../src/domain/fault.js';
import { equalPaths, formatPath, hardened, isHardened, parsePath } from '../../src/domain/path.js';
import type { Result } from '../../src/domain/result.js';

/** The value, or the tag of the fault. */
function outcome<T>(result: Result<T, Fault>): T | string {
  return result.ok ? result.value : result.error.tag;
}

describe('path', () => {
  const standard = [hardened(84), hardened(1), hardened(0)];
  test.each(["84'/1'/0'", '84h/1h/0h', '84H/1H/0H', "m/84'/1h/0H"])('%s is one path', (text) => {
    expect(outcome(parsePath(text))).toEqual(standard);
  });
  test.each([
    ['', []],
    ['m', []],
    ['0', [0]],
    ['2147483647', [0x7fffffff]],
    ["2147483647'", [0xffffffff]],
  ])('%j is %j', (text, path) => {
    expect(outcome(parsePath(text))).toEqual(path);
  });
  test.each([
    'm/',
    '/',
    '/0',
    '0/',
    '0//1',
    'M/0',
    'm/m',
    '2147483648',
    "2147483648'",
    '4294967296',
    "0''",
    "00'",
    '01',
    '-1',
    '+1',
    '0x1',
    ' 0',
    '0 ',
    '*',
    '99999999999999999999',
  ])('%j is none', (text) => {
    expect(outcome(parsePath(text))).toBe('E_PATH_SYNTAX');
  });
  test('is written with apostrophes, and reads back', () => {
    expect(formatPath([...standard, 1, 42])).toBe("84'/1'/0'/1/42");
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 10 }), (path) => {
        expect(outcome(parsePath(formatPath(path)))).toEqual(path);
        expect(equalPaths(path, [...path])).toBe(true);
        expect(equalPaths(path, [...path, 0])).toBe(false);
        expect(equalPaths([...path, 1], [...path, hardened(1)])).toBe(false);
      }),
    );
  });
  test('hardened means the top bit', () => {
    expect([isHardened(0x7fffffff), isHardened(0x80000000), hardened(hardened(5)) === hardened(5)]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
