/**
 * The journal: appending against a bare durable insert into SQLite in the same run, and roots and proofs of a large tree.
 *
 *     npm run build && node bench/journal.mjs [APPENDS [ENTRIES]]
 *
 * Appending is wall time, since it waits for the medium; everything else is CPU time. A bare insert writes the same bodies in
 * as many transactions into one table, with nothing checked, hashed or derived. Exit code 1 where an append takes more than
 * 1.5 times as long.
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

/** A table like that of the entries and nothing else, made durable as the journal makes its own so; it grows beside it. */
function bareTable(name) {
  const db = new Database(join(folder, name));
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'wal_autocheckpoint = 1'])
    db.exec(`PRAGMA ${pragma}`);
  db.exec('CREATE TABLE entries (seq INTEGER PRIMARY KEY, at TEXT, prev TEXT, body TEXT, hash TEXT) STRICT');
  const insert = db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?)');
  let seq = 0;
  return {
    insert: async (bodies) => {
      db.exec('BEGIN IMMEDIATE');
      for (const body of bodies) {
        insert.run(seq, '2026-06-01T12:00:00Z', '0'.repeat(64), JSON.stringify(body), '0'.repeat(64));
        seq += 1;
      }
      db.exec('COMMIT');
    },
    close: () => db.close(),
  };
}

async function append(journal, bodies) {
  value(await journal.transact(async (tx) => ({ ok: true, value: bodies.map((body) => tx.append(body)) })));
}

/** The bodies of one batch, from its plan to its confirmation, as one transaction after the other writes them. */
function piecesOf(bodies) {
  const pieces = [[]];
  for (const body of bodies) {
    pieces.at(-1).push(body);
    // The device is asked only upon a verdict of the same transaction.
    if (body.kind !== 'batch.verdict') pieces.push([]);
  }
  return pieces.filter((piece) => piece.length > 0);
}

/** Milliseconds of wall time for each of these transactions. */
async function timed(pieces, write) {
  const start = process.hrtime.bigint();
  for (const piece of pieces) await write(piece);
  return Number(process.hrtime.bigint() - start) / 1e6 / pieces.length;
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

/** The same bodies into both, turn by turn, so that a medium that others keep busy is so for both. */
async function compare(name, journal, clock, turns) {
  const table = bareTable(`bare-${name.split(' ')[0]}.db`);
  const [bare, ours, ratios] = [[], [], []];
  for (const { now, pieces } of turns) {
    clock.now = now;
    bare.push(await timed(pieces, table.insert));
    ours.push(await timed(pieces, (bodies) => append(journal, bodies)));
    ratios.push(ours.at(-1) / bare.at(-1));
  }
  table.close();
  const ratio = median(ratios);
  line(name, `${median(ours).toFixed(3)} ms, bare ${median(bare).toFixed(3)} ms: ${ratio.toFixed(2)} times`);
  if (ratio > LIMIT) process.exitCode = 1;
}

const turnsOf = (made) => Array.from({ length: TURNS }, (_, turn) => made(turn));

async function appending() {
  const clock = { now: NOW };
  const journal = value(await createJournal(join(folder, 'append.db'), options));
  const each = Math.ceil(APPENDS / TURNS);
  const turns = turnsOf((turn) => ({
    now: NOW,
    pieces: Array.from({ length: each }, (_, n) => [body(turn * each + n)]),
  }));
  await compare('append of an entry', journal, clock, turns);
  await journal.close();
}

async function appendingBatches() {
  const clock = { now: START };
  const path = join(folder, 'batches.db');
  const journal = value(await createJournal(path, { ...options, clock: () => clock.now }));
  await fill(journal, 2, clock);
  const batches = Math.ceil(APPENDS / TURNS / piecesOf(bodiesOf(1)).length);
  const turns = turnsOf((turn) => ({
    now: START + turn * batches * 600,
    pieces: Array.from({ length: batches }, (_, n) => piecesOf(bodiesOf(1 + turn * batches + n))).flat(),
  }));
  await compare('transaction of a batch, and its row', journal, clock, turns);
  await journal.close();
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
