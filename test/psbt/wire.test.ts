import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex, trustedHex } from '../../src/domain/bytes.js';
import { ByteReader, ByteWriter } from '../../src/psbt/wire.js';

describe('CompactSize', () => {
  test.each([
    [0, '00'],
    [0xfc, 'fc'],
    [0xfd, 'fdfd00'],
    [0xffff, 'fdffff'],
    [0x10000, 'fe00000100'],
    [0xffffffff, 'feffffffff'],
  ])('%i is %s', (value, hex) => {
    expect(toHex(new ByteWriter().compactSize(value).finish())).toBe(hex);
    const reader = new ByteReader(trustedHex(hex));
    expect([reader.compactSize(), reader.remaining, reader.problem]).toEqual([value, 0, null]);
  });

  test.each([
    ['fdfc00', 'shortest'],
    ['feffff0000', 'shortest'],
    ['ffffffffff00000000', 'shortest'],
    ['ff0000000001000000', '32 bits'],
    ['ffffffffffffffffff', '32 bits'],
    ['fd', 'cut off'],
    ['fe000001', 'cut off'],
    ['', 'cut off'],
  ])('%s is refused', (hex, problem) => {
    const reader = new ByteReader(trustedHex(hex));
    expect(reader.compactSize()).toBe(0);
    expect(reader.problem).toContain(problem);
  });
});

test('what is written is read', () => {
  const items = fc.oneof(
    fc.record({ kind: fc.constant('uint8' as const), value: fc.nat({ max: 0xff }) }),
    fc.record({ kind: fc.constant('uint32' as const), value: fc.integer({ min: 0, max: 0xffffffff }) }),
    fc.record({ kind: fc.constant('uint64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
    fc.record({ kind: fc.constant('lengthPrefixed' as const), value: fc.uint8Array({ maxLength: 600 }) }),
  );
  fc.assert(
    fc.property(fc.array(items), (list) => {
      const writer = new ByteWriter();
      for (const item of list) {
        if (item.kind === 'uint64') writer.uint64(item.value);
        else if (item.kind === 'lengthPrefixed') writer.lengthPrefixed(item.value);
        else writer[item.kind](item.value);
      }
      const reader = new ByteReader(writer.finish());
      for (const { kind, value } of list) expect(reader[kind]()).toEqual(value);
      expect([reader.remaining, reader.problem]).toEqual([0, null]);
    }),
  );
});

test('after a failure nothing more is read, and the first problem stays', () => {
  const reader = new ByteReader(Uint8Array.of(1, 2, 3));
  expect(reader.uint32()).toBe(0);
  expect([
    reader.uint8(),
    reader.uint16(),
    reader.uint64(),
    reader.take(1).length,
    reader.lengthPrefixed().length,
  ]).toEqual([0, 0, 0n, 0, 0]);
  reader.fail('something else');
  expect(reader.problem).toBe('the data is cut off (at byte 0)');
  expect(reader.remaining).toBe(3);
});
