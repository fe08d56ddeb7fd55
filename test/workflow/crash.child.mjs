// One command line of the built program in a process of its own, with a device in software, to be killed or raced.
import { readFileSync, writeSync } from 'node:fs';
import { runCommandLine } from '../../dist/cli/program.js';
import { compose } from '../../dist/compose.js';
import { honestSignatures, softSigner } from '../cli/soft-device.mjs';

const job = JSON.parse(readFileSync(0, 'utf8'));

/** The process ends here as by a power cut: nothing is flushed, nothing is cleaned up. */
const dieAt = (moment) => {
  if (job.dieAt === moment) process.kill(process.pid, 'SIGKILL');
};
/** Straight to the pipe: what was said before a kill has been said. */
const say = (text) => writeSync(1, text);

const real = await compose({
  version: '0.0.0-test',
  workspace: job.folder,
  base: job.folder,
  clock: () => job.now,
});

const device = softSigner();
const signer = {
  ...device,
  appInfo: async () => {
    dieAt('opened');
    await new Promise((resolve) => setTimeout(resolve, job.slow ?? 0));
    return device.appInfo();
  },
  xpub: async (path) => {
    const xpub = await device.xpub(path);
    dieAt('identified');
    return xpub;
  },
  sign: async (psbt) => {
    dieAt('sent');
    return { ok: true, value: honestSignatures(psbt) };
  },
  close: async () => {
    dieAt('answered');
    return device.close();
  },
};

/** A journal that dies when the work of its transaction is done and nothing of it is durable yet. */
const mortal = (journal) => ({
  read: () => journal.read(),
  entries: (from) => journal.entries(from),
  blob: (hash) => journal.blob(hash),
  blobNames: () => journal.blobNames(),
  close: () => journal.close(),
  transact: (work) =>
    journal.transact(async (tx) => {
      const done = await work(tx);
      dieAt('inside');
      return done;
    }),
});

const composition = {
  ...real,
  files: {
    ...real.files,
    makeFolder: async (path) => {
      dieAt('durable');
      return real.files.makeFolder(path);
    },
  },
  openWorkspace: async () => {
    const opened = await real.openWorkspace();
    return opened.ok ? { ok: true, value: { ...opened.value, journal: mortal(opened.value.journal) } } : opened;
  },
  openDevice: async () => ({ ok: true, value: { name: 'a device in software', signer } }),
};

process.exitCode = await runCommandLine(job.argv, async () => composition, {
  stdout: say,
  stderr: say,
  colors: false,
  rewrites: false,
});
