/**
 * The host's part of a signing: exchanges, work between two of them, and the proof of the signatures.
 *
 *   npm run build
 *   node bench/device.mjs
 *
 * 1. Exchanges of SIGN_PSBT in the recordings of Ledger's app, against bench/exchanges.json.
 * 2. CPU time of the host for an exchange, with small previous transactions (a recording) and with one of 400 kB (a
 *    stand-in that fetches all that the app may fetch), and hw-app-btc's own client on the same requests in the same run.
 * 3. Proof of 512 signatures, the scripts of the vault derived anew.
 *
 * Exit code 1 where a figure is missed: more exchanges, 1 ms for an exchange, 0.4 s for the proof.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expectedExchanges } from '../dist/device/estimate.js';
import { openBitcoinApp } from '../dist/device/ledgerjs.js';
import { signingShape } from '../dist/device/signing-shape.js';
import { parseTranscript } from '../dist/device/transcript.js';
import { openReplay } from '../dist/device/transport/replay.js';
import { deviceCopy } from '../dist/psbt/device-copy.js';
import { proveSignatures } from '../dist/psbt/verify.js';
import { createDeriver } from '../dist/vault/derive.js';
import { parseVault } from '../dist/vault/descriptor.js';
import { walletPolicy } from '../dist/vault/wallet-policy.js';
import { readingDevice } from './reading-device.mjs';
import { batchOf, must, signaturesOf, vaultOf } from './signed-batch.mjs';

const load = createRequire(import.meta.url);
const RECORDINGS = new URL('../test/recordings/', import.meta.url);
const NANOS = 'nanos-2.2.7';
const MODELS = [NANOS, 'nanosp-2.4.6'];
const BUDGET = JSON.parse(readFileSync(new URL('exchanges.json', import.meta.url), 'utf8'));
const EXCHANGE_MS = 1;
const PROOF_MS = 400;
const BIG = 400_000;

const say = (text) => process.stdout.write(`${text}\n`);
const miss = (missed) => {
  if (missed) process.exitCode = 1;
  return missed ? 'MISSED' : 'ok';
};

function recording(name, folder = NANOS) {
  const at = new URL(`${folder}/`, RECORDINGS);
  const transcript = must(parseTranscript(readFileSync(new URL(`${name}.apdu`, at), 'utf8'), name));
  const sidecar = JSON.parse(readFileSync(new URL(`${name}.json`, at), 'utf8'));
  const vault = must(parseVault(sidecar.vault ?? 'bench', sidecar.network, sidecar.descriptor));
  return { transcript, sidecar, vault, psbt: new Uint8Array(Buffer.from(sidecar.psbt, 'base64')) };
}

const isSigning = ({ request }) => request[0] === 0xe1 && request[1] === 0x04;

/** The recordings show that the estimate is exact. */
function recordedTable(folder) {
  say(`\n${`exchanges of SIGN_PSBT, ${folder}`.padEnd(40)}  recorded  estimated`);
  const kinds = ['wpkh', 'sh-wpkh', 'tr', 'pkh'].flatMap((kind) =>
    [1, 3, 10].map((inputs) => `sign-${kind}-${inputs}`),
  );
  const several = ['wsh', 'sh-wsh'].flatMap((kind) => [1, 3].map((inputs) => `multisig-sign-${kind}-${inputs}-a`));
  const large = ['sign-wpkh-50', 'sign-wpkh-payments-20', 'multisig-sign-wsh-10-a'];
  for (const name of [...kinds, ...several, ...large]) {
    const { transcript, sidecar, vault, psbt } = recording(name, folder);
    const recorded = transcript.exchanges.length - transcript.exchanges.findIndex(isSigning);
    const shape = must(signingShape(psbt, vault, sidecar.registration?.fingerprint ?? null));
    const estimated = expectedExchanges(shape, transcript.header.version) - preparation(vault.kind);
    const cells = [recorded, estimated].map((cell) => String(cell).padStart(10));
    say(`${name.padEnd(40)}${cells.join('')}  ${miss(recorded !== estimated)}`);
  }
}

/** By the estimate the sizes are held to the figures. */
function exchangesTable() {
  for (const folder of MODELS) recordedTable(folder);
  say('\none payment and change      inputs  estimated   at most');
  for (const [kind, sizes] of Object.entries(BUDGET.most)) {
    for (const [inputs, most] of Object.entries(sizes)) {
      const shape = { kind, inputs: Number(inputs), outputs: 2, changeOutputs: 1, previousTransactions: [] };
      const estimated = expectedExchanges({ ...shape, ...BUDGET.cosigners[kind] }) - preparation(kind);
      const cells = [inputs, estimated, most].map((cell) => String(cell).padStart(10));
      say(`${kind.padEnd(24)}${cells.join('')}  ${miss(estimated > most)}`);
    }
  }
}

/** Fingerprint and account key, which a vault of one key asks for before SIGN_PSBT. */
const preparation = (kind) => (BUDGET.cosigners[kind] === undefined && !kind.includes('multi') ? 2 : 0);

/** hw-app-btc's client, interpreter and reader of PSBTs over the same channel. */
function library(channel, vault) {
  const { AppClient } = load('@ledgerhq/hw-app-btc/lib/newops/appClient');
  const { WalletPolicy } = load('@ledgerhq/hw-app-btc/lib/newops/policy');
  const { deserializePsbt } = load('@ledgerhq/hw-app-btc/lib/signPsbt/parsePsbt');
  const { default: Transport } = load('@ledgerhq/hw-transport');
  class ChannelTransport extends Transport {
    exchange = async (apdu) => Buffer.from(await channel.exchange(apdu));
  }
  const { template, keys } = walletPolicy(vault);
  const client = new AppClient(new ChannelTransport());
  return (copy) =>
    client.signPsbt(deserializePsbt(Buffer.from(copy)), new WalletPolicy(template, keys[0]), null, () => {});
}

const countersign = (channel, vault) => (copy) =>
  openBitcoinApp(channel).policies.signPsbt(copy, { ...walletPolicy(vault), name: '' }, null);

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Milliseconds that the host took for each request but the first, which it prepares before any device waits. */
async function hostTimes(client, deviceOf, vault, copy) {
  const times = [];
  let answered = 0;
  const device = deviceOf((event) => {
    const now = cpuMs();
    if (event === 'request' && answered > 0) times.push(now - answered);
    if (event === 'response') answered = cpuMs();
  });
  const start = cpuMs();
  await client(device, vault)(copy);
  return { times, total: cpuMs() - start };
}

function replaying({ transcript }) {
  const exchanges = transcript.exchanges.slice(transcript.exchanges.findIndex(isSigning));
  return (onExchange) => {
    const channel = openReplay({ header: transcript.header, exchanges }, 'a recording');
    return {
      ...channel,
      async exchange(apdu) {
        onExchange('request');
        const response = await channel.exchange(apdu);
        onExchange('response');
        return response;
      },
    };
  };
}

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const median = (inOrder) => inOrder[Math.floor(inOrder.length / 2)];

async function hostTable() {
  say('\nhost time (CPU) for an exchange                  exchanges  median       max     total ms');
  const small = recording('sign-wpkh-10');
  const vault = small.vault;
  const big = batchOf(vault, 1, BIG);
  const cases = [
    ['10 small previous transactions', replaying(small), must(deviceCopy(small.psbt, vault)), 15],
    ['a previous transaction of 400 kB', readingDevice, must(deviceCopy(big.psbt, vault)), 15],
  ];
  for (const [name, deviceOf, copy, rounds] of cases) {
    const totals = [];
    for (const [who, client, count] of [
      ['countersign', countersign, rounds],
      ['hw-app-btc', library, 3],
    ]) {
      const runs = [];
      for (let round = 0; round < count; round += 1) runs.push(await hostTimes(client, deviceOf, vault, copy));
      // Of each exchange the median of the rounds: garbage is collected now here and now there, the work comes back.
      const times = sorted(
        (runs[0]?.times ?? []).map((_, index) => median(sorted(runs.map((run) => run.times[index])))),
      );
      const total = median(sorted(runs.map((run) => run.total)));
      const longest = times.at(-1);
      const cells = [median(times).toFixed(3), longest.toFixed(2), total.toFixed(1)];
      const verdict = who === 'countersign' ? miss(longest >= EXCHANGE_MS) : '';
      totals.push(total);
      say(
        `${name}, ${who}`.padEnd(46) +
          String(times.length + 1).padStart(6) +
          cells.map((cell) => cell.padStart(10)).join('') +
          `  ${verdict}`,
      );
    }
    say(`${name}: hw-app-btc takes ${(totals[1] / totals[0]).toFixed(1)} times as long`);
  }
}

const ROUNDS = 5;

function proofTable() {
  say('\nproof of 512 signatures                                   CPU ms');
  for (const [name, count, signers] of [
    ['wpkh', 512, 1],
    ['tr', 512, 1],
    ['wsh(sortedmulti)', 256, 2],
  ]) {
    const account = vaultOf(name);
    const batch = batchOf(account.vault, count, 0);
    const signatures = signaturesOf(account, batch, signers);
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = cpuMs();
      const proven = must(proveSignatures(batch.psbt, createDeriver(account.vault), signatures));
      const taken = cpuMs() - before;
      if (proven.length !== 512) throw new Error('these are not 512 signatures');
      best = Math.min(best, taken);
    }
    const label = `${name}, ${count} inputs, each script derived first`;
    say(`${label.padEnd(54)} ${best.toFixed(1).padStart(9)}  ${miss(best >= PROOF_MS)}`);
  }
}

exchangesTable();
await hostTable();
proofTable();
