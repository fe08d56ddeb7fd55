import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/domain/fault.js';
import { type Reader, schemaOf, startReading } from '../../src/domain/source-reader.js';
import type { SourceNode } from '../../src/domain/source-tree.js';
import { cap, feerate, previous, sats, timeOfDay, versionProblem } from '../../src/policy/fields.js';

const place = { line: 1, column: 1 };
const scalar = (value: string | number | boolean, quoted = false): SourceNode => ({
  ...{ kind: 'scalar', value, quoted },
  ...place,
});
const map: SourceNode = { kind: 'map', entries: new Map(), ...place };

/** What a reader makes of a node, or its complaints. */
function read<T>(reader: Reader<T>, node: SourceNode): T | readonly string[] | undefined {
  const at = startReading('x.yaml');
  const value = reader(node, at);
  return at.faults.length === 0 ? value : at.faults.map(({ tag, message }: Fault) => `${tag} ${message}`);
}

describe('an amount', () => {
  it('is a text in quotes, and nothing else', () => {
    expect(read(sats, scalar('150', true))).toBe(150n);
    for (const node of [scalar('150'), scalar(150), scalar(true), map]) {
      expect(read(sats, node)).toEqual([
        expect.stringMatching(/^E_AMOUNT_SYNTAX the document: an amount in quotes is due here, not /),
      ]);
    }
  });

  it('may be the word unlimited for a cap, in quotes or not', () => {
    expect(read(cap, scalar('unlimited'))).toBeNull();
    expect(read(cap, scalar('unlimited', true))).toBeNull();
    expect(read(cap, scalar('7', true))).toBe(7n);
    expect(read(cap, map)).toEqual([expect.stringMatching(/^E_AMOUNT_SYNTAX/)]);
  });
});

describe('a feerate', () => {
  it('is a whole number, or a decimal one in quotes', () => {
    expect(read(feerate, scalar(12))).toBe(12_000n);
    expect(read(feerate, scalar('12', true))).toBe(12_000n);
    expect(read(feerate, scalar('12.5', true))).toBe(12_500n);
  });

  it('is nothing else', () => {
    const due = /^E_FEERATE_SYNTAX the document: a feerate in sat\/vB is due here, not /;
    for (const node of [scalar('12.5'), scalar('fast'), scalar(true), map]) {
      expect(read(feerate, node)).toEqual([expect.stringMatching(due)]);
    }
  });
});

describe('a time of day', () => {
  it.each([
    ['00:00', 0],
    ['00:01', 60],
    ['07:30', 27_000],
    ['23:59', 86_340],
    ['24:00', 86_400],
  ])('%s', (text, seconds) => {
    expect(read(timeOfDay, scalar(text, true))).toBe(seconds);
  });

  it.each(['24:01', '7:00', '07:60', '07:00:00'])('is not %s', (text) => {
    expect(read(timeOfDay, scalar(text, true))).toEqual([expect.stringMatching(/^E_FIELD_TYPE/)]);
  });
});

describe('a chain of versions', () => {
  it.each([
    [1, null, null],
    [1, 'sha256:00', 'version 1 has no version before it: write "none"'],
    [2, 'sha256:00', null],
    [2, null, 'version 2 has to name the digest of version 1'],
    [3, null, 'version 3 has to name the digest of version 2'],
  ])('version %d after %s', (version, prev, problem) => {
    expect(versionProblem(version, prev)).toBe(problem);
  });
});

describe('the digest of the version before', () => {
  const digest = `sha256:${'a1'.repeat(32)}`;

  it('is sha256: and 64 digits, or none', () => {
    expect(read(previous, scalar(digest, true))).toBe(digest);
    expect(read(previous, scalar('none'))).toBeNull();
    for (const text of [`${digest}0`, `x${digest}`, digest.toUpperCase(), digest.slice(0, -1), 'None', '']) {
      expect(read(previous, scalar(text, true))).toEqual([expect.stringMatching(/^E_/)]);
    }
  });

  it('and its form says both', () => {
    expect(schemaOf(previous).anyOf).toEqual([{ const: 'none' }, { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' }]);
  });
});
