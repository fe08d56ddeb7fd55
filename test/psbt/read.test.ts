import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/domain/bytes.js';
import { readPsbt } from '../../src/psbt/read.js';
import { tagOf, valueOrThrow } from './fixtures.js';

const MAGIC = [0x70, 0x73, 0x62, 0x74, 0xff];
const psbts = fc.uint8Array({ maxLength: 200 }).map((rest) => Uint8Array.of(...MAGIC, ...rest));
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const read = (text: string): Uint8Array => valueOrThrow(readPsbt(utf8(text), 'a.psbt'));

describe('a PSBT file', () => {
  test('is read in its three forms, with line breaks', () => {
    fc.assert(
      fc.property(psbts, (bytes) => {
        expect(valueOrThrow(readPsbt(bytes, 'a.psbt'))).toEqual(bytes);
        expect(read(`${base64(bytes)}\n`)).toEqual(bytes);
        expect(read(`${base64(bytes).replace(/.{1,64}/g, '$&\r\n')}`)).toEqual(bytes);
        expect(read(`${toHex(bytes)}\n`)).toEqual(bytes);
        expect(read(toHex(bytes).toUpperCase())).toEqual(bytes);
      }),
    );
  });

  test.each([
    ['empty', ''],
    ['a transaction in hex', '02000000000101'],
    ['base64 cut within a group', 'cHNidP8BA'],
    ['base64 with a foreign character', 'cHNidP8B!A=='],
    ['two base64 texts', 'cHNidP8=cHNidP8='],
    ['hex of odd length', '70736274ff0'],
    ['hex with a space inside', '70736274ff 00'],
    ['JSON', '{"psbt":"cHNidP8="}'],
  ])('%s is refused, with the name of the file', (_name, text) => {
    expect(readPsbt(utf8(text), 'out/w.psbt')).toMatchObject({
      ok: false,
      error: { tag: 'E_PSBT_PARSE', where: { file: 'out/w.psbt' }, remedy: expect.stringContaining('base64') },
    });
  });

  test('any other bytes are refused without throwing', () => {
    fc.assert(
      fc.property(
        fc
          .uint8Array({ maxLength: 100 })
          .filter((bytes) => bytes[0] !== 0x70 && bytes[0] !== 0x63 && bytes[0] !== 0x37),
        (bytes) => {
          expect(tagOf(readPsbt(bytes, 'x'))).toBe('E_PSBT_PARSE');
        },
      ),
    );
  });
});
