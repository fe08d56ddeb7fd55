/**
 * `policy backtest` over a made journal, kept in memory: each batch spends a coin of its own to three destinations and is
 * planned, approved by two, signed and confirmed, which takes three decisions. Reading and verifying a journal is not in it.
 *
 *     npm run build && node bench/policy-backtest.mjs [DECISIONS [BATCHES-A-DAY...]]
 *
 * Exit code 1 where 100,000 decisions would take 30 s of CPU time, at the first number of batches a day.
 */
import { createHash } from 'node:crypto';
import { Transaction } from 'bitcoinjs-lib';
import { toHex, trustedHex } from '../dist/domain/bytes.js';
import { formatTime } from '../dist/domain/time.js';
import { buildPsbt } from '../dist/psbt/build.js';
import { createDeriver } from '../dist/vault/derive.js';
import { parseVault } from '../dist/vault/descriptor.js';
import { backtest } from '../dist/workflow/backtest.js';
import { book, NOW, unsignedPolicy } from './policy-data.mjs';

const [DECISIONS = 100_000, ...PER_DAY] = process.argv.slice(2).map(Number);
const LIMIT_S = 30;
const DAY = 86_400;
const BATCHES = Math.ceil(DECISIONS / 3);
const COIN = 1_000_000_000n;
const PAID = 10_000_000n;
const FEE = 10_000n;
const HEIGHT = 2_000_000;
const FLOOR_COINS = 200;
const BATCHES_A_SNAPSHOT = 12;

const hash = (text) => createHash('sha256').update(text).digest('hex');

function value(result) {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
}

const { wallet } = unsignedPolicy.document;
const deriver = createDeriver(value(parseVault(wallet.id, wallet.network, wallet.descriptor)));
const digest = unsignedPolicy.digest.replace('sha256:', '');

function coinOf(number) {
  const { script, origin } = deriver.at(0, number);
  const transaction = new Transaction();
  transaction.version = 2;
  transaction.addInput(new Uint8Array(Buffer.from(hash(`deposit ${number}`), 'hex')), 0);
  transaction.addOutput(script, COIN);
  const outpoint = { txid: transaction.getId(), vout: 0 };
  const coin = { outpoint, value: COIN, script, origin, height: HEIGHT - 1_000, coinbase: false };
  return { coin, previous: new Uint8Array(transaction.toBuffer()) };
}

/** A batch with the PSBT that spends its coin. */
function batchOf(number, { coin, previous }) {
  const change = deriver.at(1, number);
  const payments = Array.from({ length: 3 }, (_, index) => ({
    kind: 'payment',
    requestId: `r-${number}-${index}`,
    script: trustedHex(book[(number * 7 + index) % 90].script),
    value: PAID + BigInt(index),
  }));
  const external = payments.reduce((sum, payment) => sum + payment.value, 0n);
  const rest = { kind: 'change', origin: change.origin, script: change.script, value: COIN - external - FEE };
  const outputs = [...payments, rest];
  const plan = { version: 2, locktime: HEIGHT, sequence: 0xfffffffd, inputs: [coin], outputs, fee: FEE };
  const psbt = value(buildPsbt(plan, deriver, new Map([[coin.outpoint.txid, previous]])));
  return { id: `B-${number}`, number, coin, psbt, name: hash(psbt), payments, change, rest, spend: external + FEE };
}

/** The coins of the next batches, and as many that nobody spends, so that the reserve holds. */
function snapshotOf(number, coins, at) {
  const own = coins.slice(number, number + BATCHES_A_SNAPSHOT);
  return {
    network: wallet.network,
    vault: wallet.id,
    tip: { height: tipAt(number), hash: '00'.repeat(32), medianTimePast: at - 3_600 },
    takenAt: at,
    feerate: null,
    coins: [...own, ...coins.slice(-FLOOR_COINS)].map(({ coin }) => coin),
    previous: new Map(),
    confirmed: new Map(),
    sha256: hash(`snapshot ${number}`),
  };
}

const tipAt = (number) => HEIGHT + number;

/** All entries of the journal, made as they are asked for. */
function* entriesOf(batches, coins, snapshots, every) {
  let seq = -1;
  const entry = (at, body) => {
    seq += 1;
    return { seq, at: formatTime(at), prev: '', body, hash: hash(`entry ${seq}`) };
  };
  const start = NOW - (batches.length + 1) * every;
  const added = book.map(({ id, script, label }) => ({ id, script, label }));
  const opening = start - 100 * DAY;
  const document = hash('document');
  yield entry(opening, { kind: 'journal.opened', schema: 'countersign.journal/1', network: wallet.network, nonce: '' });
  yield entry(opening, {
    kind: 'vault.imported',
    vault: wallet.id,
    network: wallet.network,
    descriptor: wallet.descriptor,
  });
  const effectiveAt = formatTime(opening);
  yield entry(opening, { kind: 'policy.activated', digest, version: 1, document, effectiveAt, signatures: [] });
  yield entry(opening, {
    kind: 'book.changed',
    digest: document,
    version: 1,
    document,
    under: digest,
    signatures: [],
    added,
    removed: [],
  });
  for (const batch of batches) {
    const { id, number, name, spend, payments, rest, change } = batch;
    const at = start + number * every;
    if (number % BATCHES_A_SNAPSHOT === 0) {
      const snapshot = snapshotOf(number, coins, at);
      snapshots.set(snapshot.sha256, snapshot);
      const { tip, sha256 } = snapshot;
      yield entry(at, { kind: 'coins.imported', snapshot: sha256, ...tip, coins: snapshot.coins.length, total: '0' });
    }
    const verdict = (stage, decision) => ({
      kind: 'batch.verdict',
      batch: id,
      stage,
      psbt: name,
      policy: digest,
      decision,
      codes: [],
      verdict: document,
    });
    const requests = payments.map((payment, index) => ({
      id: payment.requestId,
      address: `address ${index}`,
      script: toHex(payment.script),
      amount: `${payment.value}`,
    }));
    const outputs = [
      ...payments.map((payment) => ({ script: toHex(payment.script), amount: `${payment.value}` })),
      { script: toHex(rest.script), amount: `${rest.value}`, change: change.origin.index },
    ];
    const debit = { spend: `${spend}`, fee: `${FEE}`, outputs };
    const inputs = [`${batch.coin.outpoint.txid}:0`];
    const approvers = ['alice', 'bob', 'carol', 'erin'];
    const validUntil = formatTime(at + 7_200);
    const txid = hash(`transaction ${number}`);
    yield entry(at + 1, {
      kind: 'batch.planned',
      batch: id,
      psbt: name,
      plan: document,
      requests,
      inputs,
      ...debit,
      initiator: 'dave',
      parts: [id],
    });
    yield entry(at + 2, verdict('plan', 'NEED'));
    for (const person of approvers) {
      yield entry(at + 3, {
        kind: 'batch.approved',
        batch: id,
        person,
        statement: document,
        signature: '',
        validUntil,
      });
    }
    yield entry(at + 4, verdict('sign', 'ALLOW'));
    yield entry(at + 4, { kind: 'batch.reserved', batch: id, psbt: name, ...debit, approvers });
    yield entry(at + 5, verdict('sign', 'ALLOW'));
    yield entry(at + 5, {
      kind: 'batch.sent',
      batch: id,
      psbt: name,
      device: { app: '', version: '', fingerprint: '' },
      approvers,
    });
    yield entry(at + 60, {
      kind: 'batch.signed',
      batch: id,
      psbt: name,
      signedPsbt: document,
      transaction: document,
      txid,
      signatures: 1,
    });
    yield entry(at + 300, {
      kind: 'batch.confirmed',
      batch: id,
      txid,
      height: tipAt(number),
      time: formatTime(at + 300),
    });
  }
}

const coins = Array.from({ length: BATCHES + FLOOR_COINS }, (_, number) => coinOf(number));
const batches = Array.from({ length: BATCHES }, (_, number) => batchOf(number, coins[number]));
const psbts = new Map(batches.map(({ name, psbt }) => [name, psbt]));

/** CPU seconds of the backtest, less those of making the entries. */
async function measure(every) {
  const snapshots = new Map();
  const entries = () => entriesOf(batches, coins, snapshots, every);
  const blob = async (name) => ({ ok: true, value: psbts.get(name) ?? name });
  const knownSnapshot = (name) => ({ ok: true, value: snapshots.get(name) });
  const desk = { journal: { entries, blob }, ports: { documents: { knownSnapshot } } };
  const start = process.cpuUsage();
  for (const entry of entries()) if (entry.seq < 0) throw new Error('entries count from 0');
  const making = process.cpuUsage(start);
  const before = process.cpuUsage();
  const answer = value(await backtest(desk, unsignedPolicy));
  const { user, system } = process.cpuUsage(before);
  return { took: (user + system - making.user - making.system) / 1e6, answer };
}

process.stdout.write('batches a day  decisions  CPU s  s for 100,000  outcomes\n');
for (const [index, perDay] of (PER_DAY.length > 0 ? PER_DAY : [6, 24]).entries()) {
  const { took, answer } = await measure(DAY / perDay);
  const scaled = (took * 100_000) / answer.decisions;
  if (index === 0 && scaled >= LIMIT_S) process.exitCode = 1;
  const outcomes = [...answer.moves].map(([move, count]) => `${move}: ${count}`).join(', ');
  const cells = [
    String(perDay).padStart(13),
    String(answer.decisions).padStart(10),
    took.toFixed(1).padStart(6),
    scaled.toFixed(1).padStart(14),
  ];
  process.stdout.write(`${cells.join(' ')}  ${outcomes}\n`);
}
