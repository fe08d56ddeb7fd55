// Building a PSBT with previous transactions and derivations, against the two libraries' own way, in one run.
// CPU time (user and system), best of several rounds, because machines are busy; only the ratios mean anything.
// `npm run build && node bench/psbt-build.mjs`; exits 1 if a ratio is out of bounds.
import { Transaction as ScureTransaction } from '@scure/btc-signer';
import { BIP32Factory } from 'bip32';
import { Psbt, Transaction } from 'bitcoinjs-lib';
import * as secp256k1 from 'tiny-secp256k1';
import { buildPsbt } from '../dist/psbt/build.js';
import { decodePsbt } from '../dist/psbt/decode.js';
import { proveSignatures } from '../dist/psbt/verify.js';
import { createDeriver } from '../dist/vault/derive.js';
import { descriptorChecksum, parseVault } from '../dist/vault/descriptor.js';

const TESTNET = { wif: 0xef, bip32: { public: 0x043587cf, private: 0x04358394 } };
const VALUE = 100_000n;
const SEQUENCE = 0xfffffffd;
const root = BIP32Factory(secp256k1).fromSeed(new Uint8Array(32).fill(1), TESTNET);
const fingerprint = Buffer.from(root.fingerprint).toString('hex');

function deriverOf(name, purpose) {
  const xpub = root.derivePath(`m/${purpose}'/1'/0'`).neutered().toBase58();
  const body = `${name}([${fingerprint}/${purpose}h/1h/0h]${xpub}/<0;1>/*)`;
  const vault = parseVault('bench', 'testnet3', `${body}#${descriptorChecksum(body)}`);
  if (!vault.ok) throw new Error(vault.error.message);
  return createDeriver(vault.value);
}

/** A plan that spends `count` coins of the vault, each from its own previous transaction, into 20 payments and change. */
function planOf(deriver, count) {
  const previous = new Map();
  const inputs = Array.from({ length: count }, (_, index) => {
    const { script, origin } = deriver.at(0, index);
    const transaction = new Transaction();
    transaction.version = 2;
    transaction.addInput(new Uint8Array(32).fill(1 + (index % 255)), index, SEQUENCE);
    transaction.addOutput(script, VALUE);
    transaction.addOutput(Uint8Array.of(0, 20, ...new Uint8Array(20).fill(index % 256)), 1_000n);
    previous.set(transaction.getId(), new Uint8Array(transaction.toBuffer()));
    return {
      outpoint: { txid: transaction.getId(), vout: 0 },
      value: VALUE,
      script,
      origin,
      height: 1,
      coinbase: false,
    };
  });
  const payments = Array.from({ length: 20 }, (_, index) => ({
    kind: 'payment',
    requestId: `r${index}`,
    script: Uint8Array.of(0, 20, ...new Uint8Array(20).fill(index)),
    value: 1_000n,
  }));
  const origin = { branch: 1, index: 0 };
  const value = VALUE * BigInt(count) - 20_000n - 5_000n;
  const outputs = [...payments, { kind: 'change', origin, script: deriver.at(1, 0).script, value }];
  const plan = { version: 2, locktime: 850_000, sequence: SEQUENCE, inputs, outputs, fee: 5_000n };
  return { deriver, plan, previous };
}

function must(result) {
  if (!result.ok) throw new Error(`${result.error.tag}: ${result.error.message}`);
  return result.value;
}

const ours = ({ deriver, plan, previous }) => must(buildPsbt(plan, deriver, previous));

const pathText = (path) => `m/${path.map((step) => (step >= 0x80000000 ? `${step - 0x80000000}'` : step)).join('/')}`;

/** The straightforward way with bitcoinjs-lib: every input added with its UTXO and derivation. */
function bitcoinjs({ deriver, plan, previous }) {
  const psbt = new Psbt();
  psbt.setVersion(plan.version).setLocktime(plan.locktime);
  const derivation = ({ branch, index }) =>
    deriver.at(branch, index).keys.map(({ path, publicKey }) => ({
      masterFingerprint: root.fingerprint,
      path: pathText(path),
      pubkey: publicKey,
    }));
  for (const { outpoint, script, value, origin } of plan.inputs) {
    psbt.addInput({
      hash: outpoint.txid,
      index: outpoint.vout,
      sequence: plan.sequence,
      witnessUtxo: { script, value },
      nonWitnessUtxo: previous.get(outpoint.txid),
      bip32Derivation: derivation(origin),
    });
  }
  for (const { script, value, origin } of plan.outputs) {
    psbt.addOutput({ script, value, ...(origin === undefined ? {} : { bip32Derivation: derivation(origin) }) });
  }
  return new Uint8Array(psbt.toBuffer());
}

function scure({ deriver, plan, previous }) {
  const transaction = new ScureTransaction({ version: plan.version, lockTime: plan.locktime });
  const derivation = ({ branch, index }) =>
    deriver
      .at(branch, index)
      .keys.map(({ path, publicKey }) => [
        publicKey,
        { fingerprint: Number.parseInt(fingerprint, 16), path: [...path] },
      ]);
  for (const { outpoint, script, value, origin } of plan.inputs) {
    transaction.addInput({
      txid: outpoint.txid,
      index: outpoint.vout,
      sequence: plan.sequence,
      witnessUtxo: { script, amount: value },
      nonWitnessUtxo: previous.get(outpoint.txid),
      bip32Derivation: derivation(origin),
    });
  }
  for (const { script, value, origin } of plan.outputs) {
    transaction.addOutput({
      script,
      amount: value,
      ...(origin === undefined ? {} : { bip32Derivation: derivation(origin) }),
    });
  }
  return { transaction, toPsbt: () => transaction.toPSBT(0) };
}

/** Milliseconds of one run of `work`: the best round, each of `repeat` runs. */
function cpuMs(work, rounds, repeat = 1) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let run = 0; run < repeat; run++) work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000 / repeat);
  }
  return best;
}

/** The two sizes by turns, so that a busy moment of the machine meets both. */
function cpuMsOfBoth(small, large, rounds, repeat) {
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round++) {
    best[0] = Math.min(best[0], cpuMs(small, 1, 2 * repeat));
    best[1] = Math.min(best[1], cpuMs(large, 1, repeat));
  }
  return best;
}

const rows = [];
let failed = false;
function report(name, ms) {
  rows.push(`${name.padEnd(62)} ${ms.toFixed(1).padStart(9)} ms`);
  return ms;
}
function bound(name, ratio, holds, due) {
  failed ||= !holds;
  rows.push(`${name.padEnd(62)} ${ratio.toFixed(2).padStart(9)} x   ${holds ? 'ok' : 'OUT OF BOUNDS'} (${due})`);
}

const deriver = deriverOf('wpkh', 84);
const small = planOf(deriver, 512);
const large = planOf(deriver, 1024);
const psbt = ours(small);
const theirs = bitcoinjs(small);
const other = scure(small);
if (Buffer.compare(psbt, theirs) !== 0)
  throw new Error('bitcoinjs-lib built another PSBT: the comparison means nothing');
if (must(decodePsbt(other.toPsbt())).unsignedTxid !== must(decodePsbt(psbt)).unsignedTxid) {
  throw new Error('@scure/btc-signer built another transaction: the comparison means nothing');
}

const largePsbt = ours(large);
for (const work of [() => ours(large), () => must(decodePsbt(largePsbt))]) cpuMs(work, 1, 30); // warms up the compiler
const built = cpuMsOfBoth(
  () => ours(small),
  () => ours(large),
  20,
  10,
);
const own512 = report('countersign, 512 inputs', built[0]);
const own1024 = report('countersign, 1,024 inputs', built[1]);
const bitcoinjs512 = report(
  'bitcoinjs-lib addInput({ witnessUtxo, ... }), 512 inputs',
  cpuMs(() => bitcoinjs(small), 1),
);
const scure512 = report('@scure/btc-signer toPSBT alone, 512 inputs', cpuMs(other.toPsbt, 2));
const decoded = cpuMsOfBoth(
  () => must(decodePsbt(psbt)),
  () => must(decodePsbt(largePsbt)),
  20,
  10,
);
const decode512 = report('countersign decode with proof of every prevout, 512 inputs', decoded[0]);
const decode1024 = report('the same, 1,024 inputs', decoded[1]);
bound('bitcoinjs-lib / countersign', bitcoinjs512 / own512, bitcoinjs512 / own512 >= 10, 'at least 10');
bound('@scure/btc-signer / countersign', scure512 / own512, scure512 / own512 >= 10, 'at least 10');
bound('build, 1,024 / 512 inputs', own1024 / own512, own1024 / own512 < 2.6, 'under 2.6');
bound('decode, 1,024 / 512 inputs', decode1024 / decode512, decode1024 / decode512 < 2.6, 'under 2.6');

/** Signatures over the sighashes of bitcoinjs-lib, made once and outside the measurement. */
function signaturesOf({ plan }, bytes) {
  const unsigned = Transaction.fromBuffer(Psbt.fromBuffer(bytes).data.getTransaction());
  const account = root.derivePath("m/84'/1'/0'/0");
  return plan.inputs.map(({ script, value, origin }, input) => {
    const code = Uint8Array.of(0x76, 0xa9, 20, ...script.subarray(2), 0x88, 0xac);
    const rs = account.derive(origin.index).sign(unsigned.hashForWitnessV0(input, code, value, 1));
    return { input, publicKey: null, signature: der(rs) };
  });
}
function der(rs) {
  const integer = (bytes) => {
    const start = bytes.findIndex((byte) => byte !== 0);
    const digits = [...bytes.subarray(start)];
    return digits[0] >= 0x80 ? [0, ...digits] : digits;
  };
  const [r, s] = [integer(rs.subarray(0, 32)), integer(rs.subarray(32))];
  return Uint8Array.of(0x30, r.length + s.length + 4, 2, r.length, ...r, 2, s.length, ...s, 1);
}
const [answer512, answer1024] = [signaturesOf(small, psbt), signaturesOf(large, largePsbt)];
const proved = cpuMsOfBoth(
  () => must(proveSignatures(psbt, deriver, answer512)),
  () => must(proveSignatures(largePsbt, deriver, answer1024)),
  3,
  1,
);
const prove512 = report('proof of 512 signatures', proved[0]);
const prove1024 = report('proof of 1,024 signatures', proved[1]);
bound('proof, 1,024 / 512 signatures', prove1024 / prove512, prove1024 / prove512 < 2.6, 'under 2.6');

process.stdout.write(`${rows.join('\n')}\n`);
process.exitCode = failed ? 1 : 0;
