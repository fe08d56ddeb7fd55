import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/policy/types.js';
import { FINDING_CASES } from './findings-cases.js';
import { judge } from './fixture.js';

/**
 * What officers read: every number, moment and way out that a finding states, at its limit, one over and one under. The
 * expected lines are in a file, because they are long and there are many; FINDINGS=write writes it anew, and whoever does
 * that reads the difference line by line.
 */
const FILE = fileURLToPath(new URL('../vectors/findings.json', import.meta.url));
const expected = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, string[]>;

/** Without its place, and without what is not there. */
function line({
  outcome,
  code,
  rule,
  subject,
  measured,
  limit,
  headroom,
  unit,
  freesAt,
  text,
  remedy,
}: Finding): string {
  const numbers = [measured, limit, headroom].map((number) => number ?? '-').join(' / ');
  const parts = [`${outcome} ${code} (${rule})`, subject, `${numbers} ${unit ?? ''}`, freesAt, text, remedy];
  return parts.map((part) => part ?? '-').join(' | ');
}

const found = Object.fromEntries(
  FINDING_CASES.map(([name, codes, given]) => [
    name,
    () =>
      judge(given)
        .findings.filter(({ code }) => (codes as readonly string[]).includes(code))
        .map(line),
  ]),
);

describe('what a verdict says', () => {
  if (process.env.FINDINGS === 'write') {
    const lines = Object.fromEntries(Object.entries(found).map(([name, judged]) => [name, judged()]));
    writeFileSync(FILE, `${JSON.stringify(lines, null, 2)}\n`);
  }

  it('is expected of every case, each of which has its own name', () => {
    expect(Object.keys(expected)).toEqual(FINDING_CASES.map(([name]) => name));
  });

  it.each(Object.keys(found))('%s', (name) => {
    const lines = found[name]?.() ?? [];
    expect(lines.length).toBeGreaterThan(0);
    expect(lines).toEqual(expected[name]);
  });
});
