import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { csv, destinations, policyText, removeAll, Session, stage } from '../cli/session.js';
import { signSoftly } from './crash-signing.js';

const PROCESSES = 8;
const AMOUNT = 100_000_000n;
const ROUNDS = process.env.FAULTS === 'all' ? 20 : 1;

const copies: Session[] = [];
afterAll(() => {
  removeAll();
  for (const session of copies) session.remove();
});

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

function copyOf(s: Session): Session {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-race-'));
  cpSync(s.folder, folder, { recursive: true });
  const copy = new Session(folder);
  copies.push(copy);
  return copy;
}

describe('eight processes that sign eight batches', () => {
  it.each([1, 3, 5])(
    'whose budget holds %i: never more are signed, every loser is told why, and the rest of the budget is not lost',
    async (fit) => {
      const { s: master, ids } = await eight(fit);
      for (let round = 0; round < ROUNDS; round += 1) {
        const s = copyOf(master);
        const ended = await Promise.all(ids.map((id, n) => signSoftly(s, id, (n * 7 + round * 3) % 40)));
        const said = ended.map((one) => `${one.code}: ${one.said}`).join('\n');
        for (const { code } of ended) expect([0, 10, 15], said).toContain(code);
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
      }
    },
    ROUNDS * 120_000,
  );
});
