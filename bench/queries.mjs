/**
 * What a large journal costs to read: verifying all of its chain, as `audit verify` and every opening do, and listing its
 * batches.
 *
 *     npm run build && node bench/queries.mjs [ENTRIES]
 *
 * Verifying is CPU time of all threads, listing the wall time of the whole command. Exit code 1 where fewer than 50,000 entries
 * are verified a second, or `batch list` takes half a second. Decisions are judged again on top of that, and cost by the decision
 * (bench/policy-backtest.mjs).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJournal, deferredJournal, openJournal } from '../dist/adapters/sqlite-journal.js';
import { verifyChain } from '../dist/journal/chain.js';
import { TreeAudit } from '../dist/workflow/audit-tree.js';
import { ENTRIES_A_BATCH, fill, START } from './journal-data.mjs';

const [ENTRIES = 1_000_000] = process.argv.slice(2).map(Number);
const VERIFIED_A_SECOND = 50_000;
const LISTED_IN_MS = 500;
const ROUNDS = 7;
const PROGRAM = fileURLToPath(new URL('../bin/countersign.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
const path = join(folder, 'journal.db');
const options = { clock: () => START + ENTRIES * 600 };

function value(result) {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
}
const line = (name, figure) => process.stdout.write(`${name.padEnd(58)} ${figure}\n`);

async function cpuSeconds(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function make() {
  const clock = { now: START };
  const made = { clock: () => clock.now, network: 'regtest', nonce: '11'.repeat(32) };
  const journal = value(await createJournal(path, made));
  const batches = await fill(journal, ENTRIES, clock);
  await journal.close();
  line('entries, batches', `${ENTRIES}, ${batches} of about ${ENTRIES_A_BATCH}`);
  line('bytes an entry, documents not counted', (statSync(path).size / ENTRIES).toFixed(0));
}

/** Chain, schema, states and tree: what `audit verify` does with each entry before it judges what the entry decides. */
async function verifying() {
  const journal = value(await deferredJournal(path, options));
  const tree = new TreeAudit(journal);
  async function* grown() {
    for await (const next of journal.written()) {
      yield next;
      value(await tree.take(next.entry));
    }
  }
  let count = 0;
  const took = await cpuSeconds(async () => {
    count = value(await verifyChain(grown())).count;
    value(await tree.end());
  });
  await journal.close();
  const rate = count / took;
  line('verified: chain, states and tree, entries a second', `${Math.round(rate)} (${took.toFixed(1)} s)`);
  if (rate < VERIFIED_A_SECOND) process.exitCode = 1;
}

async function opening() {
  let journal = null;
  const took = await cpuSeconds(async () => {
    journal = value(await openJournal(path, options));
  });
  await journal.close();
  line('opened with all of it verified, entries a second', `${Math.round(ENTRIES / took)} (${took.toFixed(1)} s)`);
}

/** Milliseconds of wall time of a whole command, and how many lines it printed. */
function command(...argv) {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = process.hrtime.bigint();
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...argv, '--workspace', folder], {
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    });
    if (status !== 0) throw new Error(stderr);
    return { took: Number(process.hrtime.bigint() - start) / 1e6, lines: stdout.split('\n').length - 1 };
  });
  return times.sort((a, b) => a.took - b.took)[Math.floor(ROUNDS / 2)];
}

function listing() {
  writeFileSync(
    join(folder, 'countersign.yaml'),
    'schema: countersign.workspace/1\nnetwork: regtest\njournal: journal.db\npolicy: policy.yaml\nbook: book.yaml\nbatches: batches\ndevice: hid\n',
  );
  for (const options of [[], ['--last', '20'], ['--state', 'DRAFT'], ['--all'], ['--json']]) {
    const { took, lines } = command('batch', 'list', ...options);
    line(['countersign batch list', ...options].join(' '), `${took.toFixed(0)} ms, ${lines} lines`);
    if (options.length === 0 && took >= LISTED_IN_MS) process.exitCode = 1;
  }
}

try {
  await make();
  await verifying();
  await opening();
  listing();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
