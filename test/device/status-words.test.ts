import { describe, expect, it } from 'vitest';
import { formatStatusWord, isRefusal, STATUS_WORDS, statusFault } from '../../src/device/status-words.js';
import { FAULTS } from '../../src/domain/fault.js';

describe('status words', () => {
  it('are errors only: neither success nor an interruption is in the table', () => {
    expect(STATUS_WORDS.has(0x9000)).toBe(false);
    expect(STATUS_WORDS.has(0xe000)).toBe(false);
  });

  it.each([...STATUS_WORDS])('%i has a device fault, a text, and something to do', (word, meaning) => {
    expect(meaning.tag).toMatch(/^E_DEVICE_/);
    expect(meaning.remedy.length).toBeGreaterThan(10);
    expect(statusFault(word, 'signing').message).toBe(
      `while signing: ${meaning.text} (status word ${formatStatusWord(word)})`,
    );
  });

  it.each([
    [0x5515, 'DEVICE_LOCKED'],
    [0x6982, 'DEVICE_LOCKED'],
    [0x6804, 'DEVICE_LOCKED'],
    [0x6b0c, 'DEVICE_LOCKED'],
    [0x6faa, 'DEVICE_LOCKED'],
    [0x6985, 'DEVICE_REFUSED'],
    [0x6a80, 'DEVICE_PROTOCOL'],
    [0x6a82, 'DEVICE_PROTOCOL'],
    [0x6e00, 'DEVICE_APP'],
    [0x6d00, 'DEVICE_APP'],
    [0x6511, 'DEVICE_APP'],
    [0xb007, 'DEVICE_PROTOCOL'],
    [0x1234, 'DEVICE_PROTOCOL'],
  ])('%i ends a command with %s', (word, exit) => {
    expect(FAULTS[statusFault(word, 'signing').tag].exit).toBe(exit);
  });

  it('say of an unknown word which one it was', () => {
    expect(statusFault(0x00ab, 'signing').message).toContain('unknown status word 00ab');
  });

  it.each([
    [0x6985, true],
    [0x6a80, true],
    [0x6a82, true],
    [0x5515, true],
    [0x6faa, false],
    [0xb007, false],
    [0x6f00, false],
    [0x9000, false],
    [0xe000, false],
    [0x1234, false],
  ])('%i proves that nothing was signed: %s', (word, refusal) => {
    expect(isRefusal(word)).toBe(refusal);
  });
});
