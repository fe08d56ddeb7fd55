import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import type { Fault } from '../../src/domain/fault.js';
import { formatOutpoint, parseOutpoint } from '../../src/domain/outpoint.js';
import type { Result } from '../../src/domain/result.js';

/** The value, or the tag of the fault. */
function outcome<T>(result: Result<T, Fault>): T | string {
  return result.ok ? result.value : result.error.tag;
}

describe('outpoint', () => {
  const txid = 'ab'.repeat(32);
  test.each([
    [`${txid}:0`, { txid, vout: 0 }],
    [`${txid}:4294967295`, { txid, vout: 4294967295 }],
    [`${txid}:4294967296`, 'E_OUTPOINT_SYNTAX'],
    [`${txid}:01`, 'E_OUTPOINT_SYNTAX'],
    [`${txid}:-1`, 'E_OUTPOINT_SYNTAX'],
    [`${txid}:`, 'E_OUTPOINT_SYNTAX'],
    [txid, 'E_OUTPOINT_SYNTAX'],
    [`${txid.toUpperCase()}:0`, 'E_OUTPOINT_SYNTAX'],
    [`${txid.slice(1)}:0`, 'E_OUTPOINT_SYNTAX'],
    [`${txid}:0\n`, 'E_OUTPOINT_SYNTAX'],
    [` ${txid}:0`, 'E_OUTPOINT_SYNTAX'],
  ])('%j', (text, expected) => {
    expect(outcome(parseOutpoint(text))).toEqual(expected);
  });
  test('reads back', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        (id, vout) => {
          const outpoint = { txid: toHex(id), vout };
          expect(outcome(parseOutpoint(formatOutpoint(outpoint)))).toEqual(outpoint);
        },
      ),
    );
  });
});
