/**
 * What a large journal costs to read: verifying all of its chain, as `audit verify` and every opening do, proving what a decision
 * rests on, as every command does that decides, and listing its batches.
 *
 *     npm run build && node bench/queries.mjs [ENTRIES]
 *
 * The workspace is the demo's, with its signed policy and books, and made batches behind them. Verifying, proving and planning are
 * CPU time of all threads, listing the wall time of the whole command. Exit code 1 where fewer than 50,000 entries
 * are verified a second, or `batch list` takes half a second. Decisions are judged again on top of that, and cost by the decision
 * (bench/policy-backtest.mjs).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deferredJournal, openJournal } from '../dist/adapters/sqlite-journal.js';
import { DEMO_STEPS } from '../dist/cli/demo/steps.js';
import { runCommandLine } from '../dist/cli/program.js';
import { compose } from '../dist/compose.js';
import { parseTime } from '../dist/domain/time.js';
import { verifyChain } from '../dist/journal/chain.js';
import { rehearse } from '../dist/rehearse.js';
import { TreeAudit } from '../dist/workflow/audit-tree.js';
import { proveGround } from '../dist/workflow/proven-ground.js';
import { ENTRIES_A_BATCH, fill } from './journal-data.mjs';

const [ENTRIES = 1_000_000] = process.argv.slice(2).map(Number);
const VERIFIED_A_SECOND = 50_000;
const LISTED_IN_MS = 500;
const ROUNDS = 7;
const PROGRAM = fileURLToPath(new URL('../bin/countersign.js', import.meta.url));
const rehearsal = await rehearse('bench', compose);
const { folder } = rehearsal;
/** Vault, policy and both books; then the coins; then a plan, which comes after all that was made in between. */
const SETTING = DEMO_STEPS.slice(0, 5);
const [COINS, PLAN] = ['coins', 'batch'].map((verb) => DEMO_STEPS.find(({ argv }) => argv[0] === verb));
const MADE_FROM = parseTime(SETTING.at(-1).at) + 60;
const MADE_UNTIL = parseTime(COINS.at) - 60;
const options = { clock: () => MADE_UNTIL };
let path = '';

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

/** One step of the demo, as somebody would type it; answers what it printed. */
async function perform({ at, argv }) {
  let printed = '';
  const say = (text) => {
    printed += text;
  };
  const io = { stdout: say, stderr: say, colors: false, rewrites: false };
  const composition = await rehearsal.at(parseTime(at));
  const code = await runCommandLine(argv, async () => composition, io);
  return { code, printed };
}

async function needed(step) {
  const { code, printed } = await perform(step);
  if (code !== 0) throw new Error(printed);
}

async function make() {
  for (const step of SETTING) await needed(step);
  const { journal: own, config } = value(await (await rehearsal.at(MADE_FROM)).openWorkspace());
  const policy = value(await own.read()).policy.digest;
  await own.close();
  path = join(folder, config.journal);
  const clock = { now: MADE_FROM };
  const journal = value(await openJournal(path, { clock: () => clock.now }));
  const every = Math.floor(((MADE_UNTIL - MADE_FROM) * ENTRIES_A_BATCH) / ENTRIES);
  const coins = readFileSync(join(folder, COINS.argv.at(-1)));
  const batches = await fill(journal, ENTRIES, clock, { policy, coins, start: MADE_FROM, every });
  await journal.close();
  line('entries, batches', `${ENTRIES}, ${batches} of about ${ENTRIES_A_BATCH}`);
  line('bytes an entry, documents not counted', (statSync(path).size / ENTRIES).toFixed(0));
}

/** Chain, schema, states and tree: what `audit verify` does with each entry before it judges what the entry decides. */
async function verifying() {
  const journal = value(await deferredJournal(path, options));
  const tree = value(await TreeAudit.begin(journal));
  const held = (findings) => {
    if (findings.length > 0) throw new Error(JSON.stringify(findings));
  };
  async function* grown() {
    for await (const next of journal.written()) {
      yield next;
      held(tree.take(next.entry));
    }
  }
  let count = 0;
  const took = await cpuSeconds(async () => {
    count = value(await verifyChain(grown())).count;
    held(tree.end());
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

/** What every command that decides waits for before it judges anything, and what one takes that plans. */
async function deciding() {
  await needed(COINS);
  const { clock, random, documents, files, openWorkspace } = await rehearsal.at(parseTime(PLAN.at));
  let desk = null;
  const opened = await cpuSeconds(async () => {
    desk = { ...value(await openWorkspace()), ports: { clock, random, documents, files } };
  });
  const proven = await cpuSeconds(async () => value(await proveGround(desk, value(await desk.journal.read()))));
  await desk.journal.close();
  const total = (opened + proven).toFixed(1);
  line(
    'until the ground of a decision is proven, s',
    `${total}, of which ${(proven * 1000).toFixed(0)} ms to prove it`,
  );
  const { argv } = PLAN;
  let planned = null;
  const took = await cpuSeconds(async () => {
    planned = await perform(PLAN);
  });
  line(`countersign ${argv.slice(0, 2).join(' ')}, s`, `${took.toFixed(1)}, exit code ${planned.code}`);
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
  await deciding();
  listing();
} finally {
  await rehearsal.dispose();
}
