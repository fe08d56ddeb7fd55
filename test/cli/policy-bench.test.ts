import { afterAll, describe, expect, it } from 'vitest';
import { removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

/** Needs no workspace: only the policy file lies there. */
async function bench(expectation: string): Promise<Session> {
  const s = await stage({ until: 'nothing' });
  s.write(
    'cases.yaml',
    `schema: countersign.case/1
defaults:
  policy: policy.yaml
  now: "2026-06-02T12:00:00Z"
  book: { hot-1: tb1qrjqln9462l3yg4uk93nhheyw75kp2jmazy27fq }
  pay: [{ to: hot-1, amount: "10000000" }]
cases:
  - { name: plain, expect: ALLOW }
  - { name: nobody, approvals: [], expect: "${expectation}" }
  - { name: Saturday, now: "2026-06-06T12:00:00Z", expect: DENY TIME_CLOSED }
`,
  );
  return s;
}

describe('the bench of an auditor', () => {
  it('evaluates one case with the exit code of its verdict', async () => {
    const s = await bench('NEED APPROVALS_MISSING');
    const of = (code: number, name: string) => s.json(code, 'policy', 'evaluate', 'cases.yaml', '--name', name);
    expect((await of(0, 'plain')).verdict.decision).toBe('ALLOW');
    expect((await of(11, 'nobody')).verdict.decision).toBe('NEED');
    expect((await of(10, 'Saturday')).verdict.decision).toBe('DENY');
    expect(await s.faultOf(2, 'policy', 'evaluate', 'cases.yaml')).toBe('E_USAGE');
    expect(await s.faultOf(2, 'policy', 'evaluate', 'cases.yaml', '--name', 'none')).toBe('E_USAGE');
    expect((await s.expect(10, 'policy', 'evaluate', 'cases.yaml', '--name', 'Saturday')).stdout).toContain(
      'TIME_CLOSED',
    );
  });

  it('tests cases: 0 where all hold, 10 with a readable difference where one does not, 2 for what cannot be read', async () => {
    const good = await bench('NEED APPROVALS_MISSING');
    expect(await good.json(0, 'policy', 'test', 'cases.yaml')).toMatchObject({ cases: 3, held: 3 });
    const bad = await bench('ALLOW');
    const { stdout } = await bad.expect(10, 'policy', 'test', 'cases.yaml');
    expect(stdout).toContain('expected ALLOW, got NEED APPROVALS_MISSING');
    expect(stdout).toContain('cases.yaml:9');
    expect(await good.faultOf(2, 'policy', 'test', 'absent.yaml')).toBe('E_FILE_MISSING');
    good.write('silent.yaml', 'schema: countersign.case/1\nname: silent\nnow: "2026-06-02T12:00:00Z"\n');
    expect(await good.faultOf(2, 'policy', 'test', 'silent.yaml')).toBe('E_MISSING_FIELD');
    await good.expect(10, 'policy', 'test', 'silent.yaml', '--policy', 'policy.yaml');
  });

  it('measures coverage and holds it to a minimum', async () => {
    const s = await bench('NEED APPROVALS_MISSING');
    const covered = await s.json(0, 'policy', 'coverage', 'cases.yaml', '--policy', 'policy.yaml');
    expect(covered.percent).toBeGreaterThan(20);
    expect(covered.percent).toBeLessThan(60);
    await s.expect(10, 'policy', 'coverage', 'cases.yaml', '--policy', 'policy.yaml', '--min', '100');
    const { stdout } = await s.expect(0, 'policy', 'coverage', 'cases.yaml', '--policy', 'policy.yaml', '--min', '20');
    expect(stdout).toContain('limits.batch');
    expect(await s.faultOf(2, 'policy', 'coverage', 'cases.yaml')).toBe('E_USAGE');
    expect(await s.faultOf(2, 'policy', 'coverage', 'cases.yaml', '--policy', 'policy.yaml', '--min', '101')).toBe(
      'E_USAGE',
    );
  });
});
