import { afterAll, describe, expect, it } from 'vitest';
import { openJournal } from '../../src/adapters/sqlite-journal.js';
import { sumSats } from '../../src/domain/sats.js';
import type { EntryBody } from '../../src/journal/entries.js';
import type { BatchState, JournalState } from '../../src/journal/state.js';
import { effectiveState, holdsBudget } from '../../src/journal/transitions.js';
import { append, clock, create, journalFolder } from '../adapters/journal-folder.js';
import { START } from './chains.js';
import { isBuilt, runChild } from './children.js';
import { blobNames, bytesOf, story } from './story.js';

const folder = journalFolder();
afterAll(folder.remove);
const blobs = ['policy', ...blobNames('a')].map((name) => Buffer.from(bytesOf(name)).toString('utf8'));

async function stateAfter(path: string): Promise<JournalState> {
  const opened = await openJournal(path, { clock });
  if (!opened.ok) throw new Error(opened.error.message);
  const state = await opened.value.read();
  const writable = await append(opened.value, [story.frozen()]);
  await opened.value.close();
  if (!state.ok || !writable.ok) throw new Error('the journal does not go on after the crash');
  return state.value;
}

/** The transactions of a signing run, and the state that each leaves behind. The APDU goes out after the third. */
const STEPS: readonly (readonly [EntryBody[], BatchState])[] = [
  [[story.policy(), story.planned('a')], 'DRAFT'],
  [[story.verdict('a'), story.reserved('a')], 'RESERVED'],
  [[story.verdict('a'), story.sent('a')], 'SENT'],
  [[story.signed('a')], 'SIGNED'],
];
const job = (path: string, dieAt: string) => ({
  path,
  now: START,
  blobs,
  steps: STEPS.map(([bodies]) => bodies),
  dieAt,
});
const MOMENTS = STEPS.flatMap((_, step) => ['before', 'inside', 'after'].map((when) => ({ when, step })));

it('runs on the built program', () => {
  expect(isBuilt, 'npm run build comes first').toBe(true);
});

describe('a process killed at a durable boundary', () => {
  it.each(MOMENTS)(
    '$when the transaction of step $step leaves what was durable, all of it and no more',
    async ({ when, step }) => {
      const path = folder.path();
      await (await create(path)).close();
      const ended = await runChild(job(path, `${when} ${step}`));
      expect(ended).toMatchObject({ signal: 'SIGKILL', stderr: '' });

      const done = when === 'after' ? step : step - 1;
      expect(ended.lines).toEqual(Array.from({ length: done + 1 }, (_, index) => `durable ${index}`));
      const state = await stateAfter(path);
      expect(state.batches.get('a')?.state).toBe(STEPS[done]?.[1]);
    },
  );

  it('holds the budget from before the first APDU on, and reads SENT as UNKNOWN', async () => {
    for (const [dieAt, held, read] of [
      ['before 1', false, 'DRAFT'],
      ['after 1', true, 'RESERVED'],
      ['after 2', true, 'UNKNOWN'],
      ['inside 3', true, 'UNKNOWN'],
      ['after 3', true, 'SIGNED'],
    ] as const) {
      const path = folder.path();
      await (await create(path)).close();
      await runChild(job(path, dieAt));
      const { state } = (await stateAfter(path)).batches.get('a') ?? { state: 'ABANDONED' as const };
      expect([dieAt, holdsBudget(state), effectiveState(state)]).toEqual([dieAt, held, read]);
    }
  });

  it('lets nobody release or abandon what a killed process may have sent for signing, once it is UNKNOWN', async () => {
    const path = folder.path();
    await (await create(path)).close();
    await runChild(job(path, 'after 2'));
    const opened = await openJournal(path, { clock });
    if (!opened.ok) throw new Error(opened.error.message);
    const { value: journal } = opened;
    expect(await append(journal, [story.abandoned('a')])).toMatchObject({ ok: false, error: { tag: 'E_BATCH_STATE' } });
    expect(await append(journal, [story.verdict('a'), story.sent('a')])).toMatchObject({ ok: true });
    expect(await append(journal, [story.released('a')])).toMatchObject({ ok: false, error: { tag: 'E_BATCH_STATE' } });
    await journal.close();
  });
});

describe('a process killed from outside at any time', () => {
  it.each([1, 4, 9])('after %i answers: every transaction that it called durable is there', async (answers) => {
    const path = folder.path();
    await (await create(path)).close();
    const steps = Array.from({ length: 400 }, (_, n) => [
      { kind: 'coin.frozen', outpoint: `${'0'.repeat(64)}:${n}`, reason: 'r', by: 'b' },
      { kind: 'coin.frozen', outpoint: `${'f'.repeat(64)}:${n}`, reason: 'r', by: 'b' },
    ]);
    const ended = await runChild({ path, now: START, blobs: [], steps }, (line, kill) => {
      if (line === `durable ${answers}`) kill();
    });
    expect(ended.signal).toBe('SIGKILL');
    const { frozen, head } = await stateAfter(path);
    expect(frozen.size).toBeGreaterThanOrEqual(2 * ended.lines.length);
    expect([frozen.size % 2, head?.seq]).toEqual([0, frozen.size]);
  });
});

describe('four processes on one budget', () => {
  it('reserve what it allows and never more', async () => {
    const path = folder.path();
    const journal = await create(path);
    const names = Array.from({ length: 40 }, (_, n) => `r${n}`);
    await append(journal, [story.policy(), ...names.map((name) => story.planned(name))], names);
    await journal.close();

    const spend = 91_000n;
    const limit = spend * 23n + spend / 2n;
    const jobs = [0, 1, 2, 3].map((k) => {
      const mine = names.slice(k * 10, k * 10 + 10);
      const reservations = mine.map((batch) => ({ batch, bodies: [story.verdict(batch), story.reserved(batch)] }));
      return { path, now: START, blobs: [], limit: limit.toString(), reservations };
    });
    const ended = await Promise.all(jobs.map((one) => runChild(one)));
    expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual([0, 1, 2, 3].map(() => [0, '']));

    const { batches } = await stateAfter(path);
    const held = [...batches.values()].filter(({ state }) => holdsBudget(state));
    expect(sumSats(held.map((batch) => batch.spend))).toBe(spend * 23n);
    const said = ended.flatMap(({ lines }) => lines).filter((line) => line.startsWith('reserved'));
    expect(said.sort()).toEqual(held.map(({ id }) => `reserved ${id}`).sort());
  }, 60_000);
});
