// Command lines of the built program in a process of its own that counts its moments: before, inside and after everything
// durable that it does (each statement of a transaction, each step of writing a file), and around each exchange with the
// device. At the moment of a given number it dies as by a power cut. Nothing of the program is replaced: the functions of
// the system that it calls are watched.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import Database from 'libsql';
import { runCommandLine } from '../../dist/cli/program.js';
import { compose } from '../../dist/compose.js';
import { OneAtATime } from '../../dist/device/transport/one-at-a-time.js';
import { signaturesBy } from '../cli/soft-device.mjs';

const job = JSON.parse(fs.readFileSync(0, 'utf8'));

let moments = [];
let count = 0;
/** `half` is what is still done of a step that the process dies in. */
function at(name, half = () => undefined) {
  if (count === job.dieAt) {
    half();
    process.kill(process.pid, 'SIGKILL');
  }
  count += 1;
  moments.push(name);
  if (job.fill?.at === name) fill(job.fill.file);
}

/** Somebody else takes all the room that there is on a disk. */
function fill(file) {
  const bytes = Buffer.alloc(4096, 1);
  for (const size of [4096, 1]) {
    try {
      for (;;) fs.appendFileSync(file, bytes.subarray(0, size));
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    }
  }
}

/** Statements that read or set up nothing durable are no moments. */
const isDurable = (sql) => /^(BEGIN|COMMIT|INSERT|CREATE|ROLLBACK)/.test(sql);
const { exec, prepare } = Database.prototype;
Database.prototype.exec = function watched(sql) {
  if (!isDurable(sql)) return exec.call(this, sql);
  at(`${sql}: before`);
  const done = exec.call(this, sql);
  at(`${sql}: done`);
  return done;
};
Database.prototype.prepare = function watched(sql) {
  const statement = prepare.call(this, sql);
  if (!sql.startsWith('INSERT')) return statement;
  const { run } = statement;
  statement.run = (...values) => {
    const done = run.apply(statement, values);
    at(`${sql.split(' (')[0]}: done`);
    return done;
  };
  return statement;
};

/** The statements that a shared journal sends; `sent` is when nobody knows whether the server has got it. */
if (job.shared) {
  const { default: pg } = await import('pg');
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function watched(config, ...more) {
    const sql = typeof config === 'string' ? config : (config?.text ?? '');
    const [, statement] = /^(BEGIN|COMMIT|INSERT INTO \w+\.\w+|ROLLBACK|SELECT pg_advisory_xact_lock)/.exec(sql) ?? [];
    if (statement === undefined) return query.call(this, config, ...more);
    const name = statement.replace('SELECT pg_advisory_xact_lock', 'LOCK').replace(/ \w+\./, ' ');
    at(`${name}: before`);
    const asked = query.call(this, config, ...more);
    at(`${name}: sent`);
    return asked.then((done) => {
      at(`${name}: done`);
      return done;
    });
  };
}

const nameOf = (path) => basename(String(path)).replace(/\.[0-9a-f]{12}\.part$/, '.part');
const system = { ...fs.promises };
for (const name of ['mkdir', 'link', 'rename', 'rm']) {
  fs.promises[name] = async (...words) => {
    const what = `${name} ${nameOf(words[0])}`;
    at(`${what}: before`);
    const done = await system[name](...words);
    at(`${what}: done`);
    return done;
  };
}
fs.promises.open = async (path, flags, ...more) => {
  const handle = await system.open(path, flags, ...more);
  // Room that is set aside is gone with the process: nothing of it is durable.
  if (flags !== 'wx' || path.endsWith('.room')) return handle;
  const what = `write ${nameOf(path)}`;
  at(`${what}: opened`);
  const { writeFile, sync } = handle;
  handle.writeFile = async (bytes) => {
    at(`${what}: half`, () => fs.writeSync(handle.fd, bytes.subarray(0, bytes.length >> 1)));
    await writeFile.call(handle, bytes);
    at(`${what}: unsynced`);
  };
  handle.sync = async () => {
    await sync.call(handle);
    at(`${what}: synced`);
  };
  return handle;
};
syncBuiltinESMExports();

let exchanges = 0;
const { run } = OneAtATime.prototype;
OneAtATime.prototype.run = function watched(work) {
  // A recorder has a turn of its own around the device's.
  if (!this.name.startsWith('replay of') || this.name.endsWith('recorded')) return run.call(this, work);
  return run.call(this, async () => {
    const number = exchanges;
    exchanges += 1;
    at(`exchange ${number}: before`);
    const answer = await work();
    at(`exchange ${number}: after`);
    return number === job.change?.exchange ? Buffer.from(job.change.response, 'hex') : answer;
  });
};

/**
 * A recording of a cosigner's device is of another PSBT than a batch of these tests: the device is asked for the recorded one,
 * exchange by exchange, and where it signs that, the same seed signs the batch.
 */
function grafted(signer, { psbt, registration, words }) {
  const recorded = new Uint8Array(Buffer.from(psbt, 'base64'));
  return {
    ...signer,
    sign: async (asked, vault, progress) => {
      const answer = await signer.sign(recorded, vault, progress, registration);
      return answer.ok ? { ok: true, value: signaturesBy(words, asked) } : answer;
    },
  };
}

async function composed(argv) {
  const real = await compose({
    version: '0.0.0-test',
    workspace: job.folder,
    base: job.folder,
    clock: () => job.now,
  });
  const graft = job.grafts?.[argv[argv.indexOf('--signer') + 1]];
  if (graft === undefined) return real;
  const ofRecording = (request) => ({ ...request, psbt: null });
  return {
    ...real,
    checkDevice: (request) => real.checkDevice(ofRecording(request)),
    openDevice: async (request) => {
      const opened = await real.openDevice(ofRecording(request));
      return opened.ok ? { ok: true, value: { ...opened.value, signer: grafted(opened.value.signer, graft) } } : opened;
    },
  };
}

for (const argv of job.lines) {
  let stdout = '';
  let stderr = '';
  moments = [];
  const code = await runCommandLine(argv, () => composed(argv), {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    colors: false,
    rewrites: false,
  });
  fs.writeSync(1, `${JSON.stringify({ argv, code, stdout, stderr, moments })}\n`);
}
