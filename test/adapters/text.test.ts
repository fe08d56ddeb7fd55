import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText, MAX_DOCUMENT_BYTES } from '../../src/adapters/source-text.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('decodeText', () => {
  it('reads UTF-8', () => {
    expect(decodeText(Buffer.from('a€🏦\n'), 'f')).toEqual({ ok: true, value: 'a€🏦\n' });
    expect(decodeText(bytes(), 'f')).toEqual({ ok: true, value: '' });
  });

  it('reads a replacement character that the file does hold', () => {
    expect(decodeText(Buffer.from('a\ufffd'), 'f')).toEqual({ ok: true, value: 'a\ufffd' });
  });

  it.each([
    ['a lone continuation byte', bytes(0x61, 0x0a, 0x62, 0x80), 2, 2],
    ['an overlong NUL', bytes(0xc0, 0x80), 1, 1],
    ['a cut sequence', bytes(0x61, 0xe2, 0x82), 1, 2],
    ['a surrogate', bytes(0xed, 0xa0, 0x80), 1, 1],
    ['Latin-1 after an emoji and a real U+FFFD', Buffer.from('f09f8fa6efbfbdfc', 'hex'), 1, 4],
    ['NUL', bytes(0x61, 0x00), 1, 2],
    ['UTF-16, little end first', bytes(0xff, 0xfe, 0x61, 0x00), 1, 1],
    ['UTF-16, big end first', bytes(0xfe, 0xff, 0x00, 0x61), 1, 1],
    ['a byte order mark', Buffer.from('\ufeffa'), 1, 1],
  ])('refuses %s', (_name, input, line, column) => {
    expect(decodeText(input, 'f')).toMatchObject({
      ok: false,
      error: { tag: 'E_PARSE', where: { file: 'f', line, column } },
    });
  });

  it('drops a byte order mark where the format may have one, and only the first', () => {});

  it('reads the largest size and no byte more', () => {
    expect(decodeText(new Uint8Array(MAX_DOCUMENT_BYTES).fill(0x61), 'f').ok).toBe(true);
    expect(decodeText(new Uint8Array(MAX_DOCUMENT_BYTES + 1).fill(0x61), 'f')).toMatchObject({
      ok: false,
      error: { tag: 'E_PARSE' },
    });
    expect(decodeText(new Uint8Array(3), 'f', { maxBytes: 2 }).ok).toBe(false);
  });

  it('accepts exactly what a fatal decoder accepts', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }).map((text) => [...Buffer.from(text)]),
      fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const input = Uint8Array.from(pieces.flat());
        const isUtf8 =
          Buffer.compare(Buffer.from(new TextDecoder('utf-8', { ignoreBOM: true }).decode(input)), input) === 0;
        const text = Buffer.from(input).toString('utf8');
        const expected = isUtf8 && !text.includes('\0') && !text.startsWith('\ufeff');
        expect(decodeText(input, 'f').ok).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });
});
