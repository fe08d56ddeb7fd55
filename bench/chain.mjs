// What countersign itself does beside the node and the disk: deriving addresses, scanning and storing 100,000 coins from
// a recorded answer of a node, and an incremental sync of an unchanged vault of 10,000 addresses.
//     npm run build && node bench/chain.mjs
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transaction } from 'bitcoinjs-lib';
import { openBackend } from '../dist/adapters/chain/open.js';
import { createJournal, openJournal } from '../dist/adapters/sqlite-journal.js';
import { documents } from '../dist/documents.js';
import { createDeriver } from '../dist/vault/derive.js';
import { parseVault } from '../dist/vault/descriptor.js';
import { descriptorChecksum } from '../dist/vault/descriptor-checksum.js';
import { latestSnapshot, openVault } from '../dist/workflow/open-vault.js';
import { takeSnapshot } from '../dist/workflow/take-snapshot.js';
import { importCoins } from '../dist/workflow/vault.js';

const BODY =
  'wpkh([f5acc2fd/84h/1h/0h]tpubDCtKfsNyRhULjZ9XMS4VKKtVcPdVDi8MKUbcSD9MJDyjRu1A2ND5MiipozyyspBT9bg8upEp7a8EAgFxNxXn1d7QkdbL52Ty5jiSLcxPt1P/<0;1>/*)';
const COINS = Number(process.argv[2] ?? 100_000);
const ADDRESSES = 10_000;
const TIME = 1_780_313_400;
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const hash = (text) => createHash('sha256').update(text).digest('hex');
const value = (result) => {
  if (!result.ok) throw new Error(`${result.error.tag} ${result.error.message}`);
  return result.value;
};
const vault = value(parseVault('bench', 'regtest', `${BODY}#${descriptorChecksum(BODY)}`));

const print = (line) => process.stdout.write(`${line}\n`);

/** CPU milliseconds of this process, and milliseconds on the clock. */
async function measured(what, work) {
  const [cpu, clock] = [process.cpuUsage(), performance.now()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const row = { what, cpu: Math.round((user + system) / 1000), clock: Math.round(performance.now() - clock) };
  print(
    `${row.what.padEnd(58)} ${String(row.cpu).padStart(7)} ms CPU ${String(row.clock).padStart(7)} ms on the clock`,
  );
  return { ...row, result };
}

// ---------------------------------------------------------------- deriving

const fresh = createDeriver(vault);
const derived = await measured(`${ADDRESSES} addresses derived`, async () => {
  for (let index = 0; index < ADDRESSES; index += 1) fresh.at(0, index);
});
print(`  ${Math.round((1000 * ADDRESSES) / derived.cpu)} a second; 2,000 are asked\n`);

// ---------------------------------------------------------------- a node's recorded answers

/** A coin of its own transaction each, with two inputs and a second output, as a withdrawal of somebody's would be. */
function recordedCoins(count, addresses) {
  const unspents = new Map();
  const raw = new Map();
  for (let index = 0; index < count; index += 1) {
    const transaction = new Transaction();
    transaction.version = 2;
    for (const input of [0, 1]) {
      transaction.addInput(Buffer.from(hash(`from ${index} ${input}`), 'hex'), input, 0xfffffffd);
      transaction.setWitness(input, [Buffer.alloc(71, 1), Buffer.alloc(33, 2)]);
    }
    const sats = 10_000n + BigInt(index);
    transaction.addOutput(Buffer.from(fresh.at(0, index % addresses).script), sats);
    transaction.addOutput(Buffer.from(`0014${hash(`to ${index}`).slice(0, 40)}`, 'hex'), 5_000n);
    const txid = transaction.getId();
    raw.set(txid, transaction.toHex());
    const place = index % addresses;
    const { script, keys } = fresh.at(0, place);
    const text = `{"txid":"${txid}","vout":0,"scriptPubKey":"${hex(script)}","desc":"wpkh([f5acc2fd/84'/1'/0'/0/${place}]${hex(keys[0].publicKey)})#00000000","amount":${(Number(sats) / 1e8).toFixed(8)},"height":${100 + (index % 800)}}`;
    unspents.set(place, [...(unspents.get(place) ?? []), text]);
  }
  return { unspents, raw };
}

const TIP = hash('tip');
const node = { unspents: new Map(), raw: new Map() };
const nodeCpu = { spent: 0 };
const unspentAt = (place) => node.unspents.get(place) ?? [];
const found = (wanted) =>
  wanted
    .filter(({ desc }) => desc.includes('/0/*'))
    .flatMap(({ range: [from, to] }) =>
      Array.from({ length: to - from + 1 }, (_, step) => unspentAt(from + step)).flat(),
    )
    .join(',');

function answer({ method, params, id }) {
  const result = (text) => `{"result":${text},"error":null,"id":"${id}"}`;
  switch (method) {
    case 'getblockchaininfo':
      return result(
        `{"chain":"regtest","blocks":1000,"bestblockhash":"${TIP}","mediantime":${TIME},"initialblockdownload":false}`,
      );
    case 'getblockhash':
      return result(`"${hash(`block ${params[0]}`)}"`);
    case 'getblockheader':
      return result(`{"height":1000,"hash":"${TIP}","mediantime":${TIME},"time":${TIME}}`);
    case 'scantxoutset':
      return result(
        params[0] === 'status'
          ? 'null'
          : `{"success":true,"txouts":${COINS},"height":1000,"bestblock":"${TIP}","unspents":[${found(params[1])}],"total_amount":1}`,
      );
    case 'getrawtransaction':
      return result(`"${node.raw.get(params[0]) ?? ''}"`);
    case 'estimatesmartfee':
      return result('{"feerate":0.00012345,"blocks":6}');
    default:
      return `{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":"${id}"}`;
  }
}
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const before = process.cpuUsage();
    const asked = JSON.parse(body);
    response.end(Array.isArray(asked) ? `[${asked.map(answer).join(',')}]` : answer(asked));
    const { user, system } = process.cpuUsage(before);
    nodeCpu.spent += (user + system) / 1000;
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
const cookie = join(folder, '.cookie');
writeFileSync(cookie, 'user:password');
const backend = openBackend(
  { kind: 'core', url: `http://127.0.0.1:${server.address().port}`, auth: { kind: 'cookie', file: cookie } },
  (path) => path,
);
const clock = () => TIME + 600;

async function desk(name) {
  const path = join(folder, `${name}.sqlite`);
  const config = { network: 'regtest', chain: [], fees: null, snapshotSigners: new Map() };
  const ports = { clock, documents, random: () => hash('x'), files: {} };
  if (existsSync(path)) return { root: folder, config, journal: value(await openJournal(path, { clock })), ports };
  const journal = value(await createJournal(path, { clock, network: 'regtest', nonce: hash(name) }));
  value(
    await journal.transact(async (tx) => {
      tx.append({ kind: 'vault.imported', vault: vault.id, network: vault.network, descriptor: vault.descriptor });
      return { ok: true, value: undefined };
    }),
  );
  return { root: folder, config, journal, ports };
}

/** Reads the coins from the node and takes them in, as `chain sync` does, in a run that has read and derived nothing yet. */
async function sync(name) {
  const at = await desk(name);
  const open = value(await openVault(at));
  const { state, deriver } = open;
  const known = state.coins === null ? null : value(await latestSnapshot(at, open));
  const fees = { sources: [], bounds: { maxFactor: null, floor: null, ceiling: null }, target: 6 };
  const taken = value(
    await takeSnapshot({
      deriver,
      backends: [backend],
      state,
      known,
      gap: 20,
      asksOrigins: false,
      fees,
      clock,
      onProgress: () => undefined,
    }),
  );
  value(await importCoins(at, taken.bytes, 'bench', null));
  await at.journal.close();
}

for (const [count, addresses] of [
  [COINS, ADDRESSES],
  [ADDRESSES, ADDRESSES],
]) {
  const recorded = recordedCoins(count, addresses);
  node.unspents = recorded.unspents;
  node.raw = recorded.raw;
  nodeCpu.spent = 0;
  await measured(`${count} coins of ${addresses} addresses, first sync`, () => sync(`coins-${count}`));
  print(`  of it the recorded node in this process: ${Math.round(nodeCpu.spent)} ms CPU`);
  nodeCpu.spent = 0;
  await measured(`${count} coins of ${addresses} addresses, nothing new`, () => sync(`coins-${count}`));
  print(`  of it the recorded node in this process: ${Math.round(nodeCpu.spent)} ms CPU\n`);
}

await backend.close();
server.closeAllConnections();
server.close();
rmSync(folder, { recursive: true, force: true });
