// A process of its own that writes to a journal, to be killed or raced. It runs the built program under plain node.
import { readFileSync, writeSync } from 'node:fs';
import { openSharedJournal } from '../../dist/adapters/postgres/journal.js';
import { openJournal } from '../../dist/adapters/sqlite-journal.js';
import { holdsBudget } from '../../dist/journal/transitions.js';

const job = JSON.parse(readFileSync(0, 'utf8'));
const open = job.path.startsWith('postgres') ? openSharedJournal : openJournal;
const opened = await open(job.path, { clock: () => job.now });
if (!opened.ok) throw new Error(opened.error.message);
const journal = opened.value;

/** Straight to the pipe: what was said before a kill has been said. */
const say = (text) => writeSync(1, `${text}\n`);
const dieAt = (moment) => {
  if (job.dieAt === moment) process.kill(process.pid, 'SIGKILL');
};

/** One transaction a step, with the moments around its durable boundary at which the process may die. */
async function walk() {
  for (const [index, bodies] of job.steps.entries()) {
    dieAt(`before ${index}`);
    const done = await journal.transact(async (tx) => {
      for (const blob of job.blobs) tx.keep(Buffer.from(blob, 'utf8'));
      for (const body of bodies) tx.append(body);
      dieAt(`inside ${index}`);
      return { ok: true, value: undefined };
    });
    if (!done.ok) throw new Error(done.error.message);
    say(`durable ${index}`);
    dieAt(`after ${index}`);
  }
}

/** Reserves one batch after another while the budget lasts: reading the sum and debiting it in one transaction. */
async function race() {
  for (const { batch, bodies } of job.reservations) {
    for (;;) {
      const done = await journal.transact(async (tx) => {
        const held = [...tx.state.batches.values()].filter(({ state }) => holdsBudget(state));
        const used = held.reduce((sum, { spend }) => sum + spend, 0n);
        // Between reading and writing every other process gets its chance to do the same.
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (used + tx.state.batches.get(batch).spend > BigInt(job.limit)) return { ok: true, value: 'denied' };
        for (const blob of job.blobs) tx.keep(Buffer.from(blob, 'utf8'));
        for (const body of bodies) tx.append(body);
        return { ok: true, value: 'reserved' };
      });
      if (done.ok) {
        say(`${done.value} ${batch}`);
        break;
      }
      if (done.error.tag !== 'E_JOURNAL_LOCKED') throw new Error(done.error.message);
    }
  }
}

await (job.reservations === undefined ? walk() : race());
await journal.close();
