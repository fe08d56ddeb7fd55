import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.js';
import { coverageOf } from '../../src/policy/bench/coverage.js';
import { runCases } from '../../src/workflow/cases.js';
import { once } from '../once.js';

const FOLDER = fileURLToPath(new URL('../../policies', import.meta.url));
const ports = await compose({ version: 'test', workspace: FOLDER, base: FOLDER });

describe.each(['cold-storage', 'sweep-to-hot', 'multisig-treasury'])('the shipped policy %s', (name) => {
  const shipped = once(async () => {
    const bytes = await ports.files.read(`${name}.yaml`);
    if (!bytes.ok) throw new Error(bytes.error.message);
    const policy = ports.documents.policy(bytes.value, `${name}.yaml`);
    return { policy, run: await runCases(ports, [`cases/${name}.yaml`], null) };
  });

  it('reads, and so do its cases, and it does what they expect', async () => {
    const { policy, run } = await shipped();
    expect(policy.ok ? [] : policy.error).toEqual([]);
    expect(run.ok ? [] : run.error).toEqual([]);
    const problems = (run.ok ? run.value : []).flatMap((outcome) =>
      outcome.problems.map((problem) => `${outcome.case.name}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  it('has a case for every rule and both sides of every limit', async () => {
    const { policy, run } = await shipped();
    if (!policy.ok || !run.ok) throw new Error('it cannot be read');
    const { witnesses, percent, elsewhere } = coverageOf(policy.value, run.value);
    expect(witnesses.filter(({ seenIn }) => seenIn === null)).toEqual([]);
    expect(percent).toBe(100);
    expect(elsewhere).toBe(0);
    expect(witnesses.length).toBeGreaterThan(200);
  });
});
