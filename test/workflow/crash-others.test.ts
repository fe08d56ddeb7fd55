import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { removeAll, SEED, type Session, stage } from '../cli/session.js';
import { closedCopy, runLines } from './crash-signing.js';
import { ALL, inTurns } from './killing.js';

const folders: string[] = [];
afterAll(() => {
  removeAll();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const VERIFY = ['audit', 'verify', '--json'];

interface Case {
  readonly name: string;
  readonly words: readonly string[];
  readonly prepare: () => Promise<Session>;
  /** The last moment of this name is when the command has taken effect; what it answers to whoever repeats it from then on. */
  readonly effect: string;
  readonly repeated: number;
}

async function asked(): Promise<Session> {
  const s = await stage();
  await s.expect(0, 'audit', 'key', 'journal.key');
  await s.expect(0, 'audit', 'key', 'erin.key', '--witness', 'erin');
  await s.expect(0, 'audit', 'checkpoint', 'one', '--key', 'journal.key');
  return s;
}

const WITNESS = ['audit', 'witness', 'one', '--key', 'erin.key', '--state', 'erin.json', '--log', 'journal.key.pub'];
const CASES: readonly Case[] = [
  {
    name: 'batch plan',
    words: ['batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--seed', SEED],
    prepare: stage,
    effect: 'COMMIT: done',
    repeated: 0,
  },
  {
    name: 'coins import',
    words: ['coins', 'import', 'coins.json'],
    prepare: () => stage({ until: 'book' }),
    effect: 'COMMIT: done',
    repeated: 0,
  },
  { name: 'audit witness', words: WITNESS, prepare: asked, effect: 'link one.cosigned.part: done', repeated: 2 },
  {
    name: 'audit key',
    words: ['audit', 'key', 'new.key'],
    prepare: stage,
    effect: 'link new.key.pub.part: done',
    repeated: 2,
  },
  {
    name: 'journal copy --close',
    words: ['journal', 'copy', 'moved.sqlite', '--close'],
    prepare: stage,
    effect: 'COMMIT: done',
    repeated: 15,
  },
];

/** With FAULTS=all every moment, else those at which something becomes durable, and both sides of each lock. */
const isTried = (moment: string): boolean => ALL || /^(COMMIT|link|rename|rm .*\.lock|write .*\.lock)/.test(moment);

describe('a command that asks no device', () => {
  it.each(CASES)(
    '$name, killed, is repeated, or has taken effect',
    async ({ words, prepare, effect, repeated }) => {
      const made = await prepare();
      const { folder: start } = await closedCopy(made);
      folders.push(start);
      const line = [...words, '--json'];
      const fresh = (): string => {
        const folder = mkdtempSync(join(tmpdir(), 'countersign-others-'));
        folders.push(folder);
        cpSync(start, folder, { recursive: true });
        return folder;
      };
      const whole = await runLines({ folder: fresh(), now: made.now, lines: [line] });
      expect([whole.lines[0]?.code, whole.stderr]).toEqual([0, '']);
      const moments = whole.lines[0]?.moments ?? [];
      const last = moments.lastIndexOf(effect);
      expect(last).toBeGreaterThan(0);
      await inTurns(
        moments.flatMap((moment, dieAt) =>
          isTried(moment)
            ? [
                async () => {
                  const folder = fresh();
                  const where = `moment ${dieAt}, ${moment}`;
                  const killed = await runLines({ folder, now: made.now, lines: [line], dieAt });
                  expect([where, killed.signal]).toEqual([where, 'SIGKILL']);
                  const { lines, stderr } = await runLines({ folder, now: made.now, lines: [VERIFY, line, VERIFY] });
                  const due = [0, dieAt < last ? 0 : repeated, 0];
                  expect([where, lines.map(({ code }) => code), stderr], lines[1]?.stdout).toEqual([where, due, '']);
                },
              ]
            : [],
        ),
      );
    },
    240_000,
  );
});
