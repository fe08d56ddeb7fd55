import { expect, it } from 'vitest';
import { csv, destinations, policyText, Session, stage } from '../cli/session.js';
import { type SoftEnded, signSoftly } from './crash-signing.js';

const PROCESSES = 8;
const AMOUNT = 100_000_000n;
/** How many of the eight the budget holds. */
const FITS = [1, 3, 5];
/** Two hundred races in all with FAULTS=all; otherwise one of each kind. */
const ALL = process.env.FAULTS === 'all';
const ROUNDS = ALL ? 67 : 1;

/** Eight batches, each approved and each within the limit of an hour, which holds only so many of them. */
async function eight(fit: number): Promise<{ readonly s: Session; readonly ids: readonly string[] }> {
  const limit = AMOUNT * BigInt(fit) + AMOUNT / 2n;
  const s = await stage({
    policy: policyText().replace('rolling: { "1h": "12000000000"', `rolling: { "1h": "${limit}"`),
  });
  const ids: string[] = [];
  for (let n = 0; n < PROCESSES; n += 1) {
    s.write(`${n}.csv`, csv([[`R-${n}`, destinations()[n] ?? '', AMOUNT]]));
    ids.push(await s.ready(`${n}.csv`));
  }
  return { s, ids };
}

/** A loser knows why: the budget, which the policy denies (10), or another writer (15). Nobody hangs, and nothing fails. */
function expectTold({ code, said }: SoftEnded): void {
  expect([0, 10, 15], said).toContain(code);
  if (code === 10) expect(said).toMatch(/LIMIT_1H/);
  if (code === 15) expect(said).toMatch(/E_JOURNAL_LOCKED/);
}

/** `moved` makes copies of a workspace, each with its journal where it is to be raced for. */
export function raceSuite(
  moved: (s: Session) => Promise<{ fresh: () => Promise<string>; done: (folder: string) => Promise<void> }>,
  fits = FITS,
): void {
  it.each(fits)(
    `whose budget holds %i${ALL ? `, ${ROUNDS} times` : ' (67 times with FAULTS=all)'}: never more are signed, every loser is told why, and the rest of the budget is not lost`,
    async (fit) => {
      const { s: master, ids } = await eight(fit);
      const copies = await moved(master);
      for (let round = 0; round < ROUNDS; round += 1) {
        const s = new Session(await copies.fresh());
        const ended = await Promise.all(ids.map((id, n) => signSoftly(s, id, (n * 7 + round * 3) % 40)));
        const said = ended.map((one) => `${one.code}: ${one.said}`).join('\n');
        for (const one of ended) expectTold(one);
        const won = ids.filter((_, n) => ended[n]?.code === 0);
        expect(won.length, said).toBeGreaterThan(0);
        expect(won.length, said).toBeLessThanOrEqual(fit);
        const { batches } = await s.json(0, 'batch', 'list');
        const states = new Map(batches.map((row: { id: string; state: string }) => [row.id, row.state]));
        for (const id of ids) {
          expect([id, states.get(id)], said).toEqual([
            id,
            won.includes(id) ? 'SIGNED' : expect.stringMatching(/^(DRAFT|RELEASED)$/),
          ]);
        }

        // Whoever lost only to the lock finds what is left of the budget; nobody finds more.
        for (const id of ids.filter((one) => !won.includes(one))) {
          const { code, stdout } = await s.run('batch', 'sign', id);
          expect([0, 10], stdout).toContain(code);
          if (code === 0) won.push(id);
        }
        expect(won).toHaveLength(fit);
        await s.expect(0, 'audit', 'verify');
        await copies.done(s.folder);
      }
    },
    ROUNDS * 120_000,
  );
}
