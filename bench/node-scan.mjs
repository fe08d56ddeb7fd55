// A first sync of many coins and later ones, with the whole command and a real node in regtest: how much of the time is the
// node's and how much countersign's.
//     npm run build && node bench/node-scan.mjs [COINS [ADDRESSES [COINS_IN_ONE_TRANSACTION [FOREIGN_OUTPUTS]]]]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Transaction } from 'bitcoinjs-lib';
import { createDeriver } from '../dist/vault/derive.js';
import { parseVault } from '../dist/vault/descriptor.js';
import { descriptorChecksum } from '../dist/vault/descriptor-checksum.js';
import { startNode } from './local-node.mjs';

const [COINS, ADDRESSES, TOGETHER, FOREIGN] = [100_000, 10_000, 1, 1_000_000].map((usual, place) =>
  Number(process.argv[2 + place] ?? usual),
);
const BODY =
  'wpkh([f5acc2fd/84h/1h/0h]tpubDCtKfsNyRhULjZ9XMS4VKKtVcPdVDi8MKUbcSD9MJDyjRu1A2ND5MiipozyyspBT9bg8upEp7a8EAgFxNxXn1d7QkdbL52Ty5jiSLcxPt1P/<0;1>/*)';
const PROGRAM = fileURLToPath(new URL('../bin/countersign.js', import.meta.url));
const HOOK = new URL('own-usage.mjs', import.meta.url).href;

const print = (line) => process.stdout.write(`${line}\n`);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const inSeconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;

const parsed = parseVault('bench', 'regtest', `${BODY}#${descriptorChecksum(BODY)}`);
if (!parsed.ok) throw new Error(parsed.error.message);
const deriver = createDeriver(parsed.value);

// ---------------------------------------------------------------- a chain

/** Anybody's: P2WSH of OP_TRUE, so that nothing has to be signed. */
const TRUE = Buffer.from([0x51]);
const ANYBODY = Buffer.concat([Buffer.from([0, 32]), sha256(TRUE)]);
const stranger = (number) => Buffer.concat([Buffer.from([0, 20]), sha256(`stranger ${number}`).subarray(0, 20)]);
/** sat/vB. */
const FEERATE = 20;
/** Outputs of one transaction at most: below the weight that nodes pass on. */
const MOST_OUTPUTS = 2000;
/** Outputs in the mempool at most. */
const MOST_AT_ONCE = 1_000_000;

function pay(coin, outputs) {
  const transaction = new Transaction();
  transaction.version = 2;
  transaction.addInput(Buffer.from(coin.txid, 'hex').reverse(), coin.vout, 0xfffffffd);
  transaction.setWitness(0, [TRUE]);
  for (const { script, value } of outputs) transaction.addOutput(script, BigInt(value));
  return { hex: transaction.toHex(), txid: transaction.getId() };
}

/** Splits a coin of anybody's into as many. */
function split(coin, count) {
  const value = Math.floor((coin.value - FEERATE * (200 + 43 * count)) / count);
  const { hex, txid } = pay(coin, Array(count).fill({ script: ANYBODY, value }));
  return { hex, coins: Array.from({ length: count }, (_, vout) => ({ txid, vout, value })) };
}

const chunks = (list, size) =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, chunk) => list.slice(chunk * size, chunk * size + size));

async function mine(node, blocks) {
  const { descriptor } = await node.rpc('getdescriptorinfo', `raw(${ANYBODY.toString('hex')})`);
  return node.rpc('generatetodescriptor', blocks, descriptor);
}

async function mineAll(node) {
  while ((await node.rpc('getmempoolinfo')).size > 0) await mine(node, 1);
}

/** Pays all of the outputs, so many in one transaction, each transaction with one more output as change of somebody's. */
async function payAll(node, purse, outputs, together) {
  const payments = chunks(outputs, together);
  const sources = [];
  for (const some of chunks(payments, MOST_OUTPUTS)) {
    const { hex, coins } = split(purse.pop(), some.length);
    await node.rpc('sendrawtransaction', hex, 0);
    sources.push(...coins);
  }
  await mineAll(node);
  const raw = payments.map((some, place) => {
    const paid = some.reduce((sum, { value }) => sum + value, 0);
    const change = sources[place].value - paid - FEERATE * (200 + 31 * some.length);
    return [pay(sources[place], [...some, { script: stranger(`change ${place}`), value: change }]).hex, 0];
  });
  await node.each('sendrawtransaction', raw);
  await mineAll(node);
}

async function makeChain(node) {
  // Blocks that are mined this quickly would end up in the future, each being later than those before.
  await node.rpc('setmocktime', Math.floor(Date.now() / 1000) - 7200);
  const blocks = await mine(node, 140);
  await mine(node, 100);
  const coinbases = await node.each(
    'getblock',
    blocks.map((block) => [block]),
  );
  const purse = coinbases.map(({ tx: [txid] }) => ({ txid, vout: 0, value: 5_000_000_000 }));
  // Piece by piece: a node throws out of its mempool what does not fit.
  for (let made = 0; made < FOREIGN; made += MOST_AT_ONCE) {
    const length = Math.min(MOST_AT_ONCE, FOREIGN - made);
    const foreign = Array.from({ length }, (_, number) => ({ script: stranger(made + number), value: 1000 }));
    await payAll(node, purse, foreign, MOST_OUTPUTS - 1);
  }
  const own = Array.from({ length: COINS }, (_, number) => ({
    script: Buffer.from(deriver.at(0, number % ADDRESSES).script),
    value: 2000 + (number % 5000),
  }));
  await payAll(node, purse, own, TOGETHER);
  const { txouts, height } = await node.rpc('gettxoutsetinfo');
  print(
    `${node.program}: ${height} blocks, ${txouts} unspent outputs, ${COINS} of them of ${ADDRESSES} addresses of the vault`,
  );
  return purse;
}

// ---------------------------------------------------------------- the command

function countersign(folder, node, ...words) {
  const before = node.cpu();
  const usageFile = join(folder, 'usage.json');
  const ran = spawnSync(process.execPath, ['--import', HOOK, PROGRAM, ...words, '--json'], {
    cwd: join(folder, 'desk'),
    encoding: 'utf8',
    env: { ...process.env, COUNTERSIGN_BENCH_USAGE: usageFile },
    maxBuffer: 1_000_000_000,
  });
  if (ran.status !== 0) throw new Error(`${words.join(' ')} ended with ${ran.status}: ${ran.stderr.slice(-2000)}`);
  return { answer: JSON.parse(ran.stdout), ...JSON.parse(readFileSync(usageFile, 'utf8')), node: node.cpu() - before };
}

function report(what, { cpu, wall, waited, memory, node }) {
  const columns = [wall, waited, node, cpu].map((time) => inSeconds(time).padStart(9));
  print(
    `${what.padEnd(34)} ${columns.join(' ')} ${`${Math.round((100 * cpu) / wall)} %`.padStart(6)} ${`${memory} MB`.padStart(9)}`,
  );
}

const node = await startNode();
const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
try {
  const purse = await makeChain(node);
  mkdirSync(join(folder, 'desk'));
  countersign(folder, node, 'init', '.', '--network', 'regtest');
  writeFileSync(join(folder, 'descriptor.txt'), `${parsed.value.descriptor}\n`);
  countersign(folder, node, 'vault', 'import', 'bench', join(folder, 'descriptor.txt'));
  const chain = `chain:\n  - backend: core:${node.url}\n    cookie: ${node.cookie}\n`;
  appendFileSync(join(folder, 'desk', 'countersign.yaml'), chain);
  print(
    `${''.padEnd(34)} ${['clock', 'waiting', 'node CPU', 'own CPU'].map((one) => one.padStart(9)).join(' ')}  share    memory`,
  );
  const first = countersign(folder, node, 'chain', 'sync');
  if (first.answer.coins !== COINS) throw new Error(`${first.answer.coins} coins were found`);
  report('first sync', first);
  report('nothing new', countersign(folder, node, 'chain', 'sync'));
  const some = Array.from({ length: 100 }, (_, number) => ({
    script: Buffer.from(deriver.at(0, number).script),
    value: 9000,
  }));
  await payAll(node, purse, some, 1);
  report('100 deposits', countersign(folder, node, 'chain', 'sync'));
  report('vault balance', countersign(folder, node, 'vault', 'balance'));
} finally {
  await node.stop();
  rmSync(folder, { recursive: true, force: true });
}
