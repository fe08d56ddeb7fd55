import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compose } from '../../../src/compose.js';
import { ok } from '../../../src/domain/result.js';
import { coverageOf } from '../../../src/policy/bench/coverage.js';
import { runCases } from '../../../src/workflow/cases.js';

const FOLDER = fileURLToPath(new URL('../../../policies', import.meta.url));
const ports = await compose({ version: 'test', workspace: FOLDER, base: FOLDER });
const POLICY = 'cold-storage.yaml';

async function coverage(keep: (name: string) => boolean) {
  const bytes = await ports.files.read(POLICY);
  const policy = bytes.ok ? ports.documents.policy(bytes.value, POLICY) : bytes;
  const run = await runCases(ports, ['cases/cold-storage.yaml'], null);
  if (!policy.ok || !run.ok) throw new Error('the shipped policy cannot be read');
  return coverageOf(
    policy.value,
    run.value.filter((outcome) => keep(outcome.case.name)),
  );
}

const missing = ({ witnesses }: Awaited<ReturnType<typeof coverage>>) =>
  witnesses.filter(({ seenIn }) => seenIn === null).map(({ name, aspect }) => `${name} ${aspect}`);

describe('policy coverage', () => {
  it.each([
    ['batch limit, exactly', ['limits.batch at']],
    ['batch limit, one satoshi less', ['limits.batch one under']],
    ['batch limit, one satoshi more', ['LIMIT_BATCH deny', 'limits.batch one over']],
    ['sighash SINGLE', ['SIGHASH deny']],
    ['a final sequence with a locktime', ['SEQUENCE warn']],
    ['cool-down, exactly', ['destinations.cooldown at']],
    ['gap of change, exactly', ['change.max_gap at']],
    ['feerate floor, one satoshi less', ['FEE_TOO_LOW deny', 'fees.min_rate_sat_vb one under']],
  ])('misses what only "%s" shows', async (name, due) => {
    const part = await coverage((one) => one !== name);
    expect(missing(part)).toEqual(due);
    expect(part.percent).toBe(99);
  });

  it('is empty without cases, and does not ask for what the policy cannot give', async () => {
    const none = await coverage(() => false);
    expect(none.seen).toBe(0);
    expect(none.percent).toBe(0);
    expect(none.beyond.map(({ code }) => code)).toEqual([
      'LIMIT_LIFETIME',
      'BOOK_PROOF',
      'DATA_MISSING',
      'DATA_INVALID',
      'DEST_SANCTIONED',
      'OWN_LISTED',
      'INPUT_TAINTED',
      'INPUT_UNSCREENED',
      'APPROVALS_NO_TIER',
    ]);
    expect(missing(none)).not.toContain('APPROVALS_NO_TIER deny');
    expect(missing(none)).toContain('APPROVALS_NO_TIER pass');
  });

  it('does not count a case under a changed policy, nor one that does not hold', async () => {
    const doc = readFileSync(new URL('../../../docs/policy-cases.md', import.meta.url), 'utf8');
    const example = /```yaml\n([\s\S]*?)```/.exec(doc)?.[1] ?? '';
    const read = async (text: string) => {
      const files = {
        ...ports.files,
        read: async (path: string) => (path === 'cases/doc.yaml' ? ok(Buffer.from(text)) : ports.files.read(path)),
      };
      const run = await runCases({ ...ports, files }, ['cases/doc.yaml'], null);
      if (!run.ok) throw new Error(run.error[0]?.message);
      return run.value;
    };
    const bytes = await ports.files.read(POLICY);
    const policy = bytes.ok ? ports.documents.policy(bytes.value, POLICY) : bytes;
    if (!policy.ok) throw new Error('the shipped policy cannot be read');

    const [shown] = await read(example);
    expect(shown?.problems).toEqual([]);
    expect(coverageOf(policy.value, shown === undefined ? [] : [shown]).elsewhere).toBe(0);
    const changed = await read(`${example}    with: { limits.batch: "1999999999" }\n`);
    expect(changed[0]?.problems).toEqual([]);
    expect(coverageOf(policy.value, changed)).toMatchObject({ seen: 0, elsewhere: 1 });
    const wrong = await read(example.replace('expect: DENY LIMIT_24H LIMIT_BLOCKS', 'expect: DENY LIMIT_24H'));
    expect(wrong[0]?.problems).not.toEqual([]);
    expect(coverageOf(policy.value, wrong)).toMatchObject({ seen: 0, elsewhere: 1 });
  });
});
