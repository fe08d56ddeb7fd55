import { describe, expect, it } from 'vitest';
import { checkLabel, MAX_LABEL_LENGTH, quoted } from '../../src/domain/safe-text.js';

describe('checkLabel', () => {
  it.each([[''], ['Warm wallet 1'], ['Größe 価格 🏦'], ['=SUM(A1)']])('accepts %j', (text) => {
    expect(checkLabel(text, 'label')).toEqual({ ok: true, value: text });
  });

  it.each([
    ['\u001b[2K', 'U+001B'],
    ['\u009b2K', 'U+009B'],
    ['a\u202eb', 'U+202E'],
    ['a\u2066b', 'U+2066'],
    ['a\u200bb', 'U+200B'],
    ['a\u00adb', 'U+00AD'],
    ['a\ufeffb', 'U+FEFF'],
    ['a\u2028b', 'U+2028'],
    ['a\nb', 'U+000A'],
    ['a\tb', 'U+0009'],
    ['a\0b', 'U+0000'],
    ['a\ud800b', 'U+D800'],
    ['a\u{e0041}b', 'U+E0041'],
  ])('refuses %j and names the character', (text, name) => {
    const result = checkLabel(text, 'label');
    expect(result).toMatchObject({ ok: false, error: { tag: 'E_TEXT_UNSAFE' } });
    expect(result.ok ? '' : result.error.message).toContain(name);
  });

  it.each([['x'], ['🏦']])("counts people's characters: 200 of %j, and not one more", (character) => {
    expect(checkLabel(character.repeat(MAX_LABEL_LENGTH), 'label').ok).toBe(true);
    expect(checkLabel(character.repeat(MAX_LABEL_LENGTH + 1), 'label').ok).toBe(false);
    expect(checkLabel(character.repeat(5000), 'label').ok).toBe(false);
  });
});

describe('quoted', () => {
  it('shows what cannot be seen and cuts what is long', () => {
    expect(quoted('a"b\\c')).toBe('"a\\"b\\\\c"');
    expect(quoted('a\u001b]8;;x\u202eb\u{e0041}')).toBe('"a\\u{1b}]8;;x\\u{202e}b\\u{e0041}"');
    expect(quoted('x'.repeat(81))).toBe(`"${'x'.repeat(80)}"...`);
    expect(quoted('🏦🏦', 1)).toBe('"🏦"...');
  });
});
