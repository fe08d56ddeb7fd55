import { describe, expect, it } from 'vitest';
import { isAtLeast } from '../../src/device/versions.js';

describe('isAtLeast', () => {
  it.each([
    ['2.2.7', '2.2.7', true],
    ['2.2.8', '2.2.7', true],
    ['2.10.0', '2.9.9', true],
    ['3.0.0', '2.99.99', true],
    ['2.2.6', '2.2.7', false],
    ['2.1.99', '2.2.0', false],
    ['1.99.0', '2.0.0', false],
    ['2.2', '2.2.0', false],
    ['2.2.7 ', '2.2.7', false],
    ['2.2.7', 'x', false],
  ])('%s against %s: %s', (version, minimum, expected) => {
    expect(isAtLeast(version, minimum)).toBe(expected);
  });
});
