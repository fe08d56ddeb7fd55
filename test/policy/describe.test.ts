import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  capText,
  counted,
  durationText,
  keyText,
  listText,
  quorumText,
  timeOfDayText,
  weekdayText,
} from '../../src/policy/describe.js';

const BLOB = Buffer.concat([
  Buffer.from([0, 0, 0, 11]),
  Buffer.from('ssh-ed25519'),
  Buffer.from([0, 0, 0, 32]),
  Buffer.alloc(32, 7),
]);
const KEY_LINE = `ssh-ed25519 ${BLOB.toString('base64')}`;
const KEY_NAME = `ssh-ed25519 SHA256:${createHash('sha256').update(BLOB).digest('base64').replace(/=$/, '')}`;

describe('the words of a policy', () => {
  it.each([
    [null, 'no limit at all'],
    [0n, '0 sat (0.00000000 BTC), which means nothing'],
    [1n, '1 sat (0.00000001 BTC)'],
  ])('cap %s', (cap, text) => {
    expect(capText(cap)).toBe(text);
  });

  it.each([
    [0, '0 seconds'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, '1 minute'],
    [61, '61 seconds'],
    [3600, '1 hour'],
    [5400, '90 minutes'],
    [86_400, '1 day'],
    [129_600, '36 hours'],
    [259_200, '3 days'],
  ])('a duration of %d s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });

  it.each([
    [0, '00:00'],
    [59, '00:00'],
    [60, '00:01'],
    [25_200, '07:00'],
    [27_059, '07:30'],
    [86_399, '23:59'],
    [86_400, '24:00'],
  ])('the time of day at %d s', (seconds, text) => {
    expect(timeOfDayText(seconds)).toBe(text);
  });

  it.each([
    [0, '0 coins'],
    [1, '1 coin'],
    [2, '2 coins'],
  ])('%d of a thing', (count, text) => {
    expect(counted(count, 'coin')).toBe(text);
  });

  it.each([
    [[], 'none'],
    [['a'], 'a'],
    [['a', 'b'], 'a and b'],
    [['a', 'b', 'c'], 'a, b and c'],
  ])('the list %j', (items, text) => {
    expect(listText(items)).toBe(text);
  });

  it('a list with another last word', () => {
    expect(listText(['a', 'b', 'c'], 'or')).toBe('a, b or c');
  });

  it.each([
    [{ from: ['officers'], m: 1 }, '1 person of the role officers'],
    [{ from: ['officers', 'compliance'], m: 2 }, '2 different people of the roles officers and compliance'],
    [
      { from: ['officers'], m: 2, include: 'compliance' },
      '2 different people of the role officers, at least one of them of compliance',
    ],
  ])('the quorum %j', (quorum, text) => {
    expect(quorumText(quorum)).toBe(text);
  });

  it('a key, with its comment where it has one', () => {
    expect(keyText(`${KEY_LINE} alice@desk`)).toBe(`${KEY_NAME} (alice@desk)`);
    expect(keyText(KEY_LINE)).toBe(KEY_NAME);
    expect(() => keyText('ssh-ed25519 AAAA')).toThrow('a loaded policy holds only keys that can be read');
  });

  it('a day of the week by its name, and a word that is none as it stands', () => {
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    const names = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
    expect(days.map(weekdayText)).toEqual(names);
    expect(weekdayText('noday')).toBe('noday');
  });
});
