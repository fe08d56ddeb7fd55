import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/adapters/source-text.js';
import { fault } from '../../src/domain/fault.js';
import { nearestName } from '../../src/domain/nearest.js';
import { byPlace, documentDigest, placesOf } from '../../src/domain/source-document.js';

const node = (text: string) => {
  const parsed = parseYaml(text, 'f');
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
};

describe('placesOf', () => {
  const where = placesOf(node('a:\n  b:\n    - x\n    - c: 1\n'), 'f');
  it.each([
    ['a', 1, 1],
    ['a.b', 2, 3],
    ['a.b[0]', 3, 7],
    ['a.b[1].c', 4, 7],
    ['a.b[1].d.e[3]', 4, 7],
    ['a.b[7]', 2, 3],
    ['a.z', 1, 1],
    ['z', 1, 1],
    ['', 1, 1],
  ])('%j stands at %i:%i', (path, line, column) => {
    expect(where(path)).toEqual({ file: 'f', line, column });
  });
});

it('documentDigest is SHA-256 of the RFC 8785 text', () => {
  // printf '{"a":["x",1,true],"b":"1"}' | sha256sum
  expect(documentDigest(node('b: "1" # text\na: [x, 1, true]\n'))).toBe(
    'sha256:b70319cf3d4fd602bd1a351fd528f0f15c2a3a4912832840176e9042e08180b1',
  );
});

it('byPlace sorts by line, then column, and leaves its argument alone', () => {
  const at = (line: number, column: number) =>
    fault('E_PARSE', `${line}:${column}`, { where: { file: 'f', line, column } });
  const faults = [at(2, 1), at(1, 9), at(1, 2)];
  expect(byPlace(faults).map(({ message }) => message)).toEqual(['1:2', '1:9', '2:1']);
  expect(faults[0]?.message).toBe('2:1');
});

it.each([
  ['bathc', ['batch', 'output'], 'batch'],
  ['Batch', ['batch'], 'batch'],
  ['x', ['id'], null],
  ['completely_other', ['batch', 'output'], null],
  ['batch'.repeat(20), ['batch'], null],
])('nearestName of %s among %j is %s', (written, known, expected) => {
  expect(nearestName(written, known)).toBe(expected);
});
