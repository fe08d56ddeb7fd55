import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatTime, parseDuration, parseTime } from '../../src/domain/time.js';

describe('time', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2026-06-01T12:00:00Z', 1_780_315_200],
    ['2024-02-29T00:00:00Z', 1_709_164_800],
    ['2025-02-29T00:00:00Z', null],
    ['2026-13-01T00:00:00Z', null],
    ['2026-06-31T00:00:00Z', null],
    ['2026-06-01T24:00:00Z', null],
    ['2026-06-01T12:00:60Z', null],
    ['2026-06-01T12:00Z', null],
    ['2026-06-01T12:00:00', null],
    ['2026-06-01T12:00:00z', null],
    ['2026-06-01T12:00:00.000Z', null],
    ['2026-06-01T12:00:00+00:00', null],
    ['2026-06-01 12:00:00Z', null],
    ['2026-6-1T12:00:00Z', null],
    ['1780315200', null],
    ['', null],
  ])('parseTime(%j) is %s', (text, seconds) => {
    expect(parseTime(text)).toBe(seconds);
  });
  test('parseTime reads exactly what the calendar of Date knows', () => {
    const field = (most: number, width = 2) =>
      fc.integer({ min: 0, max: most }).map((value) => String(value).padStart(width, '0'));
    const days = fc.tuple(field(9999, 4), field(13), field(32)).map((parts) => parts.join('-'));
    const times = fc.tuple(field(24), field(60), field(60)).map((parts) => parts.join(':'));
    fc.assert(
      fc.property(days, times, (day, time) => {
        const text = `${day}T${time}Z`;
        const seconds = Date.parse(text) / 1000;
        const isReal = Number.isInteger(seconds) && new Date(seconds * 1000).toISOString() === `${day}T${time}.000Z`;
        expect(parseTime(text)).toBe(isReal ? seconds : null);
      }),
      { numRuns: 2000 },
    );
  });
  test('reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        expect(parseTime(formatTime(seconds))).toBe(seconds);
      }),
    );
  });
  test.each([
    ['0s', 0],
    ['90s', 90],
    ['30m', 1800],
    ['72h', 259_200],
    ['30d', 2_592_000],
    ['999999d', 86_399_913_600],
    ['1000000d', null],
    ['1w', null],
    ['1.5h', null],
    ['01h', null],
    ['-1h', null],
    ['1 h', null],
    ['1H', null],
    ['h', null],
    ['60', null],
    ['', null],
  ])('parseDuration(%j) is %s', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });
});
