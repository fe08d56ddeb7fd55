import { existsSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { multisigStage, removeMultisig } from '../cli/multisig-session.js';
import { NOON, type Session } from '../cli/session.js';

afterAll(removeMultisig);

async function ready(): Promise<{ s: Session; id: string }> {
  const s = await multisigStage('registered');
  s.now = NOON;
  return { s, id: await s.ready('withdrawals.csv') };
}

const kindsOf = async (s: Session): Promise<string[]> =>
  (await s.json(0, 'audit', 'log')).entries.map(({ body }: { body: { kind: string } }) => body.kind);

describe('batch export', () => {
  it('that is denied at its first look is an entry, and the only one; no file is written and no budget debited', async () => {
    const { s, id } = await ready();
    const before = await kindsOf(s);
    s.now = '2026-06-01T19:00:00Z';
    expect(await s.json(10, 'batch', 'export', id, '--psbt', 'out.psbt')).toMatchObject({
      exported: false,
      verdict: { decision: 'DENY' },
    });
    expect((await kindsOf(s)).slice(before.length)).toEqual(['batch.verdict']);
    expect([await s.stateOf(id), existsSync(s.path('out.psbt'))]).toEqual(['DRAFT', false]);
    await s.expect(0, 'audit', 'verify');
  });

  it.each([
    ['lacks an approval', async (s: Session) => s.planOne('second.csv'), 11],
    ['is in no state for it', async (s: Session, id: string) => abandoned(s, id), 15],
  ])('of a batch that %s leaves no entry: nothing was denied', async (_, which, code) => {
    const { s, id } = await ready();
    const other = await which(s, id);
    await s.untouched(() => s.expect(code, 'batch', 'export', other, '--psbt', 'out.psbt'));
  });
});

async function abandoned(s: Session, id: string): Promise<string> {
  await s.expect(0, 'batch', 'abandon', id, '--reason', 'r', '--as', 'alice');
  return id;
}
