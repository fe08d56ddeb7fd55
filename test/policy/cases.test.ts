import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.js';
import { codesOf } from '../../src/policy/bench/run.js';
import { evaluateRuling } from '../../src/policy/evaluate.js';
import { runCases } from '../../src/workflow/cases.js';

const FOLDER = fileURLToPath(new URL('cases', import.meta.url));
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const ports = await compose({ version: 'test', workspace: FOLDER, base: FOLDER });

describe.each(files)('the cases of %s', async (file) => {
  const run = await runCases(ports, [file], null);
  const outcomes = run.ok ? run.value : [];

  it('can be read', () => {
    expect(run.ok ? [] : run.error).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(0);
  });

  it.each(outcomes.map((outcome) => [outcome.case.name, outcome] as const))('%s', (_, outcome) => {
    expect(outcome.case.expect).not.toBeNull();
    expect(outcome.problems.join('\n')).toBe('');
  });

  it('come to the same without words', () => {
    const judged = outcomes.flatMap((outcome) => outcome.judged ?? []);
    for (const { input, verdict } of judged) {
      const codes = codesOf(verdict, ['deny', 'need']);
      expect(evaluateRuling(input)).toEqual({ decision: verdict.decision, codes });
    }
    expect(judged.length).toBeGreaterThan(0);
  });
});
