import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.js';
import { documents } from '../../src/documents.js';
import { loadCases } from '../../src/policy/bench/load.js';
import { codesOf } from '../../src/policy/bench/run.js';
import { evaluateRuling } from '../../src/policy/evaluate.js';
import { runCases } from '../../src/workflow/cases.js';
import { once } from '../once.js';

const FOLDER = fileURLToPath(new URL('cases', import.meta.url));
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const ports = await compose({ version: 'test', workspace: FOLDER, base: FOLDER });

function namesIn(file: string): readonly string[] {
  const node = documents.tree(readFileSync(`${FOLDER}/${file}`), file);
  const cases = node.ok ? loadCases(node.value, file) : node;
  return cases.ok ? cases.value.map(({ name }) => name) : [];
}

describe.each(files)('the cases of %s', (file) => {
  const outcomes = once(async () => {
    const run = await runCases(ports, [file], null);
    if (!run.ok) throw new Error(run.error.map(({ message }) => message).join('\n'));
    return run.value;
  });
  const names = namesIn(file);

  it('can be read and judged', async () => {
    expect((await outcomes()).map((outcome) => outcome.case.name)).toEqual(names);
    expect(names.length).toBeGreaterThan(0);
  });

  it.each(names)('%s', async (name) => {
    const outcome = (await outcomes()).find((one) => one.case.name === name);
    expect(outcome?.case.expect).toBeTruthy();
    expect(outcome?.problems.join('\n')).toBe('');
  });

  it('come to the same without words', async () => {
    const judged = (await outcomes()).flatMap((outcome) => outcome.judged ?? []);
    for (const { input, verdict } of judged) {
      const codes = codesOf(verdict, ['deny', 'need']);
      expect(evaluateRuling(input)).toEqual({ decision: verdict.decision, codes });
    }
    expect(judged.length).toBeGreaterThan(0);
  });
});
