import { describe, expect, test } from 'vitest';
import { EXIT_CODES, exitCode } from '../../src/domain/exit-codes.js';
import { at, FAULTS, fail, fault, formatPosition } from '../../src/domain/fault.js';
import { AMOUNT_FAULTS } from '../../src/domain/faults/amounts.js';
import { APPROVAL_FAULTS } from '../../src/domain/faults/approvals.js';
import { CHAIN_FAULTS } from '../../src/domain/faults/chain.js';
import { DEVICE_FAULTS } from '../../src/domain/faults/device.js';
import { DOCUMENT_FAULTS } from '../../src/domain/faults/documents.js';
import { HALT_FAULTS } from '../../src/domain/faults/halts.js';
import { JOURNAL_FAULTS } from '../../src/domain/faults/journal.js';
import { LIFECYCLE_FAULTS } from '../../src/domain/faults/lifecycle.js';
import { PLAN_FAULTS } from '../../src/domain/faults/plan.js';
import { PROOF_FAULTS } from '../../src/domain/faults/proofs.js';
import { PSBT_FAULTS } from '../../src/domain/faults/psbt.js';
import { SCREENING_FAULTS } from '../../src/domain/faults/screening.js';
import { SIGNER_FAULTS } from '../../src/domain/faults/signer.js';
import { VAULT_FAULTS } from '../../src/domain/faults/vault.js';
import { WORKFLOW_FAULTS } from '../../src/domain/faults/workflow.js';
import { all, err, ok } from '../../src/domain/result.js';

test('every fault has an exit code above 0, and no two rooms share a tag', () => {
  for (const { exit, meaning } of Object.values(FAULTS)) {
    expect(exitCode(exit)).toBeGreaterThan(0);
    expect(meaning).not.toBe('');
  }
  const rooms = [
    AMOUNT_FAULTS,
    APPROVAL_FAULTS,
    CHAIN_FAULTS,
    DEVICE_FAULTS,
    DOCUMENT_FAULTS,
    HALT_FAULTS,
    JOURNAL_FAULTS,
    LIFECYCLE_FAULTS,
    PLAN_FAULTS,
    PROOF_FAULTS,
    PSBT_FAULTS,
    SCREENING_FAULTS,
    SIGNER_FAULTS,
    VAULT_FAULTS,
    WORKFLOW_FAULTS,
  ];
  const tags = rooms.flatMap((room) => Object.keys(room));
  expect(new Set(tags).size).toBe(tags.length);
  expect(Object.keys(FAULTS).sort()).toEqual(tags.sort());
});

test('exit codes and their names are distinct', () => {
  expect(new Set(EXIT_CODES.map(({ code }) => code)).size).toBe(EXIT_CODES.length);
  expect(new Set(EXIT_CODES.map(({ name }) => name)).size).toBe(EXIT_CODES.length);
  expect(exitCode('OK')).toBe(0);
});

describe('a fault', () => {
  test('has only the fields that it was given', () => {
    expect(fault('E_USAGE', 'no')).toEqual({ tag: 'E_USAGE', message: 'no' });
    expect(Object.keys(fault('E_USAGE', 'no', { remedy: undefined, where: undefined }))).toEqual(['tag', 'message']);
    expect(fail('E_USAGE', 'no', { remedy: 'do' })).toEqual(err({ tag: 'E_USAGE', message: 'no', remedy: 'do' }));
  });
  test('keeps the place that it has', () => {
    const placed = at({ file: 'a', line: 1 }, fault('E_USAGE', 'no'));
    expect(placed.where).toEqual({ file: 'a', line: 1 });
    expect(at({ file: 'b' }, placed)).toBe(placed);
  });
  test.each([
    [{ file: 'a.csv' }, 'a.csv'],
    [{ file: 'a.csv', line: 3 }, 'a.csv:3'],
    [{ file: 'a.csv', line: 3, column: 9 }, 'a.csv:3:9'],
    [{ file: 'a.csv', column: 9 }, 'a.csv'],
  ])('at %j is %s', (where, text) => {
    expect(formatPosition(where)).toBe(text);
  });
});

test('all gives every value, or the first failure', () => {
  expect(all([ok(1), ok(2)])).toEqual(ok([1, 2]));
  expect(all([ok(1), err('a'), err('b')])).toEqual(err('a'));
  expect(all([])).toEqual(ok([]));
});
