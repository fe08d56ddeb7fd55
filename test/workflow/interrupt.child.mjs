// One command line of the built program in a process of its own that real signals reach.
import { readFileSync, writeSync } from 'node:fs';
import { endProcess, watchSignals } from '../../dist/adapters/signals.js';
import { runCommandLine } from '../../dist/cli/program.js';
import { compose } from '../../dist/compose.js';

const job = JSON.parse(readFileSync(0, 'utf8'));
const say = (text) => writeSync(1, text);
const signals = watchSignals();

const real = await compose({
  version: '0.0.0-test',
  workspace: job.folder,
  base: job.folder,
  clock: () => job.now,
  interruptible: signals.within,
});

/** A disk that does not come back once the signal is there. */
const stuck = (journal) => ({
  read: () => journal.read(),
  entries: (from) => journal.entries(from),
  blob: (hash) => journal.blob(hash),
  blobNames: () => journal.blobNames(),
  close: () => journal.close(),
  transact: (work) => {
    if (!signals.happened()) return journal.transact(work);
    say('stuck\n');
    return new Promise(() => {});
  },
});

const composition = {
  ...real,
  openWorkspace: async () => {
    const opened = await real.openWorkspace();
    if (!opened.ok || job.stuck !== true) return opened;
    return { ok: true, value: { ...opened.value, journal: stuck(opened.value.journal) } };
  },
};

// As a USB device does that owes an answer: the process would not end by itself.
setInterval(() => {}, 1000);

const code = await runCommandLine(job.argv, async () => composition, {
  stdout: say,
  stderr: say,
  colors: false,
  rewrites: false,
});
await endProcess(code);
