/**
 * The journal: appending against a bare durable insert into SQLite in the same run, and roots and proofs of a large tree.
 *
 *     npm run build && node bench/journal.mjs [APPENDS [ENTRIES]]
 *
 * Appending is wall time, since it waits for the medium; everything else is CPU time. Exit code 1 where an append takes more
 * than 1.5 times as long as a bare insert.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { createJournal, openJournal } from '../dist/adapters/sqlite-journal.js';
import { verifyConsistency, verifyInclusion } from '../dist/journal/merkle.js';
import { MerkleTree } from '../dist/journal/merkle-tree.js';
import { bodiesOf, fill, START } from './journal-data.mjs';

const [APPENDS = 2_000, ENTRIES = 1_000_000] = process.argv.slice(2).map(Number);
const LIMIT = 1.5;
const ROUNDS = 5;
const TURNS = 40;
const NOW = 1_780_000_000;
const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
const options = { clock: () => NOW, network: 'regtest', nonce: '11'.repeat(32) };

function value(result) {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
}
const body = (n) => ({
  kind: 'coin.frozen',
  outpoint: `${n.toString(16).padStart(64, '0')}:0`,
  reason: 'r',
  by: 'alice',
});
const line = (name, figure) => process.stdout.write(`${name.padEnd(52)} ${figure}\n`);

/** Milliseconds of wall time for each of so many inserts, each durable by itself, as the journal makes its own so. */
function bareInserts(count, from) {
  const path = join(folder, `bare-${from}.db`);
  const db = new Database(path);
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'wal_autocheckpoint = 1'])
    db.exec(`PRAGMA ${pragma}`);
  db.exec('CREATE TABLE entries (seq INTEGER PRIMARY KEY, at TEXT, prev TEXT, body TEXT, hash TEXT) STRICT');
  const insert = db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?)');
  const start = process.hrtime.bigint();
  for (let n = 0; n < count; n += 1) {
    db.exec('BEGIN IMMEDIATE');
    insert.run(n, '2026-06-01T12:00:00Z', '0'.repeat(64), JSON.stringify(body(n)), '0'.repeat(64));
    db.exec('COMMIT');
  }
  const took = Number(process.hrtime.bigint() - start) / 1e6;
  db.close();
  return took / count;
}

async function appends(journal, count, from) {
  const start = process.hrtime.bigint();
  for (let n = 0; n < count; n += 1) {
    value(await journal.transact(async (tx) => ({ ok: true, value: tx.append(body(from + n)) })));
  }
  return Number(process.hrtime.bigint() - start) / 1e6 / count;
}

/** Milliseconds for each transaction of one batch, from its plan to its confirmation. */
async function batchAppends(journal, bodies) {
  const pieces = [[]];
  for (const body of bodies) {
    pieces.at(-1).push(body);
    // The device is asked only upon a verdict of the same transaction.
    if (body.kind !== 'batch.verdict') pieces.push([]);
  }
  const due = pieces.filter((piece) => piece.length > 0);
  const start = process.hrtime.bigint();
  for (const piece of due) {
    value(await journal.transact(async (tx) => ({ ok: true, value: piece.map((body) => tx.append(body)) })));
  }
  return Number(process.hrtime.bigint() - start) / 1e6 / due.length;
}

async function cpu(work) {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function appending() {
  const journal = value(await createJournal(join(folder, 'append.db'), options));
  const each = Math.ceil(APPENDS / TURNS);
  const [bare, ours, ratios] = [[], [], []];
  // Turn by turn, so that a medium that others keep busy is so for both.
  for (let turn = 0; turn < TURNS; turn += 1) {
    bare.push(bareInserts(each, turn));
    ours.push(await appends(journal, each, turn * each));
    ratios.push(ours[turn] / bare[turn]);
  }
  await journal.close();
  const ratio = median(ratios);
  line('bare durable insert, ms', median(bare).toFixed(3));
  line('append, ms', `${median(ours).toFixed(3)}: ${ratio.toFixed(2)} times`);
  if (ratio > LIMIT) process.exitCode = 1;
}

async function appendingBatches() {
  const clock = { now: START };
  const path = join(folder, 'batches.db');
  const journal = value(await createJournal(path, { ...options, clock: () => clock.now }));
  await fill(journal, 2, clock);
  const each = bodiesOf(0).length;
  const ratios = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    clock.now = START + turn * 600;
    const bare = bareInserts(each, `batch-${turn}`);
    ratios.push((await batchAppends(journal, bodiesOf(turn + 1))) / bare);
  }
  await journal.close();
  line('transaction that changes a batch, and its row', `${median(ratios).toFixed(2)} times`);
}

async function proving() {
  const path = join(folder, 'large.db');
  const journal = value(await createJournal(path, options));
  const atOnce = 20_000;
  for (let n = 0; n < ENTRIES - 1; n += atOnce) {
    const count = Math.min(atOnce, ENTRIES - 1 - n);
    const made = (tx) => Array.from({ length: count }, (_, at) => tx.append(body(n + at))).length;
    value(await journal.transact(async (tx) => ({ ok: true, value: made(tx) })));
  }
  await journal.close();
  line(`bytes an entry of ${ENTRIES}`, (statSync(path).size / ENTRIES).toFixed(0));

  const before = process.cpuUsage();
  const opened = value(await openJournal(path, options));
  const { user, system } = process.cpuUsage(before);
  line('opening, with all of the chain verified, s', ((user + system) / 1e6).toFixed(1));
  const read = (level, from, count) => opened.treeHashes(level, from, count);
  const bare = async (level, from, count) => (level === 0 ? read(level, from, count) : { ok: true, value: [] });
  const tree = new MerkleTree(ENTRIES, read);
  const root = value(await tree.root());
  const middle = Math.floor(ENTRIES / 3);
  const [leaf] = value(await read(0, middle, 1));
  const proof = value(await tree.inclusion(middle));
  const growth = value(await tree.consistency(middle));
  const older = { size: middle, root: value(await tree.root(middle)) };
  if (!verifyInclusion(leaf, middle, ENTRIES, proof, root)) throw new Error('the proof does not hold');
  if (!verifyConsistency(older, { size: ENTRIES, root }, growth)) throw new Error('the growth does not hold');
  const round = async (work) => (await cpu(work)).toFixed(2);
  line('root for a checkpoint, ms', await round(() => tree.root()));
  line(`inclusion proof of ${proof.length} hashes, ms`, await round(() => tree.inclusion(middle)));
  line(`consistency proof of ${growth.length} hashes, ms`, await round(() => tree.consistency(middle)));
  line(
    'verifying both, ms',
    await round(() => {
      verifyInclusion(leaf, middle, ENTRIES, proof, root);
      verifyConsistency(older, { size: ENTRIES, root }, growth);
    }),
  );
  const whole = new MerkleTree(ENTRIES, bare);
  const start = process.cpuUsage();
  await whole.root();
  const spent = process.cpuUsage(start);
  line('root without kept hashes, ms', ((spent.user + spent.system) / 1000).toFixed(0));
  await opened.close();
}

try {
  await appending();
  await appendingBatches();
  await proving();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
