/**
 * Makes the bundled data of `countersign demo` (examples/demo) from fixed numbers:
 *
 *   npm run build
 *   node scripts/make-demo.mjs files                                    signed policy and books, coins, withdrawals
 *   node scripts/make-demo.mjs record --speculos http://127.0.0.1:5001  recordings and approvals, from a run of the demo
 *
 *   node scripts/make-demo.mjs approvals                                approvals alone, over the recordings that there are
 *
 * `record` runs the demo's own steps against a Nano S with "Bitcoin Test" in the Speculos emulator (its public test seed),
 * presses the buttons, and keeps what --record wrote and what ssh-keygen signed. Both are needed again whenever a change
 * alters the PSBTs or the approvals; the recordings differ then, so they are removed first. Approvals alone are enough
 * where only the journal before them differs: a finding of the policy that is worded anew, for example.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEMO_STEPS, NEWEST, RECORDINGS } from '../dist/cli/demo/steps.js';
import { runCommandLine } from '../dist/cli/program.js';
import { compose } from '../dist/compose.js';
import { encodeAddress } from '../dist/domain/address.js';
import { sha256, toHex } from '../dist/domain/bytes.js';
import { parseTime } from '../dist/domain/time.js';
import { parseTransaction, serialiseUnsigned, txidOf } from '../dist/psbt/transaction.js';
import { rehearse } from '../dist/rehearse.js';
import { createDeriver } from '../dist/vault/derive.js';
import { descriptorChecksum, parseVault } from '../dist/vault/descriptor.js';
import { Buttons } from './speculos-buttons.mjs';

const OUT = 'examples/demo';
const NETWORK = 'testnet3';
const XPUB =
  'tpubDCtKfsNyRhULjZ9XMS4VKKtVcPdVDi8MKUbcSD9MJDyjRu1A2ND5MiipozyyspBT9bg8upEp7a8EAgFxNxXn1d7QkdbL52Ty5jiSLcxPt1P';
const BODY = `wpkh([f5acc2fd/84h/1h/0h]${XPUB}/<0;1>/*)`;
const DESCRIPTOR = `${BODY}#${descriptorChecksum(BODY)}`;
const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'];
const TIP = 2_950_000;

const { positionals, values } = parseArgs({ allowPositionals: true, options: { speculos: { type: 'string' } } });

const value = (result) => {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
};
const vault = value(parseVault('demo-cold', NETWORK, DESCRIPTOR));
const deriver = createDeriver(vault);
const write = (name, text) => writeFileSync(join(OUT, name), text);

/** Somebody's script of a kind, made of a hash: nobody holds its key. */
function strangerScript(kind, label) {
  const hash = sha256(`countersign demo ${label}`);
  switch (kind) {
    case 'p2wpkh':
      return Uint8Array.of(0x00, 20, ...hash.subarray(0, 20));
    case 'p2wsh':
      return Uint8Array.of(0x00, 32, ...hash);
    case 'p2sh':
      return Uint8Array.of(0xa9, 20, ...hash.subarray(0, 20), 0x87);
    case 'p2pkh':
      return Uint8Array.of(0x76, 0xa9, 20, ...hash.subarray(0, 20), 0x88, 0xac);
    default:
      throw new Error(kind);
  }
}

const address = (kind, label) => encodeAddress(strangerScript(kind, label), NETWORK);
const numbered = (count, make) => Array.from({ length: count }, (_, n) => make(n + 1));

const known = [
  { id: 'warm-1', kind: 'p2wpkh', label: 'Hot wallet 1', owner: 'exchange', purpose: 'refill' },
  { id: 'settle', kind: 'p2sh', label: 'Settlement desk', owner: 'exchange', purpose: 'settlement' },
  { id: 'custodian', kind: 'p2wsh', label: 'Custodian, segregated account', owner: 'custodian', purpose: 'reserve' },
  { id: 'legacy', kind: 'p2pkh', label: 'Market maker, old desk', owner: 'market maker', purpose: 'settlement' },
  ...numbered(23, (n) => ({
    id: `client-${String(n).padStart(2, '0')}`,
    kind: 'p2wpkh',
    label: `Corporate client ${n}`,
    owner: `client ${n}`,
    purpose: 'withdrawal',
  })),
];
const young = numbered(21, (n) => ({
  id: `partner-${String(n).padStart(2, '0')}`,
  kind: 'p2wpkh',
  label: `Partner payout ${n}`,
  owner: 'new partner',
  purpose: 'payout',
}));

function book(version, prev, entries) {
  const lines = entries.flatMap(({ id, kind, label, owner, purpose }) => [
    `  - id: ${id}`,
    `    address: ${address(kind, id)}`,
    `    label: "${label}"`,
    `    owner: "${owner}"`,
    `    purpose: "${purpose}"`,
  ]);
  const head = ['schema: countersign.book/1', 'wallet: demo-cold', `version: ${version}`];
  return [...head, ...(prev === null ? [] : [`prev: "${prev}"`]), 'entries:', ...lines, ''].join('\n');
}

/** Thirty coins of 20 to 72 BTC, each with the transaction that is said to have paid it. */
function coins() {
  const previous = {};
  const list = numbered(30, (n) => {
    const { script } = deriver.at(0, n - 1);
    const amount = 2_000_000_000n + BigInt(n) * 173_000_007n;
    const bytes = serialiseUnsigned({
      version: 2,
      inputs: [
        { hash: sha256(`countersign demo funding ${n}`), vout: n, scriptSig: new Uint8Array(0), sequence: 0xfffffffe },
      ],
      outputs: [
        { value: 150_000_000n + BigInt(n), script: strangerScript('p2wpkh', `deposit change ${n}`) },
        { value: amount, script },
      ],
      locktime: 0,
    });
    const txid = txidOf(value(parseTransaction(bytes)));
    previous[txid] = toHex(bytes);
    return {
      outpoint: `${txid}:1`,
      value: amount.toString(),
      script: toHex(script),
      branch: 0,
      index: n - 1,
      height: TIP - 400 - n * 31,
      coinbase: false,
    };
  });
  return {
    schema: 'countersign.snapshot/1',
    network: NETWORK,
    vault: 'demo-cold',
    descriptor_checksum: DESCRIPTOR.slice(-8),
    tip: { height: TIP, hash: toHex(sha256('countersign demo tip')), median_time_past: '2026-06-01T10:28:00Z' },
    taken_at: '2026-06-01T11:25:00Z',
    feerate: '12.5',
    coins: list,
    previous_transactions: previous,
  };
}

/** Withdrawals as a spreadsheet exports them. */
function csv(rows) {
  const lines = rows.map(([id, entry, sats, reference]) =>
    [
      id,
      address(entry.kind, entry.id),
      sats,
      entry.label.includes(',') ? `"${entry.label}"` : entry.label,
      reference,
    ].join(','),
  );
  return ['id,address,amount,label,reference', ...lines, ''].join('\n');
}

const entry = (id) => known.find((one) => one.id === id);

/** Public keys of people, made once with ssh-keygen; the private halves are test keys for anyone to see. */
function keyOf(person) {
  const file = join(OUT, 'keys', person);
  if (!existsSync(`${file}.pub`)) {
    execFileSync('ssh-keygen', [
      '-q',
      '-t',
      'ed25519',
      '-N',
      '',
      '-C',
      `${person}, countersign demo, not secret`,
      '-f',
      file,
    ]);
  }
  return readFileSync(`${file}.pub`, 'utf8').trim();
}

function policy(version, prev, effectiveAt, allYoung) {
  const [alice, bob, carol, dave, erin, frank, grace] = PEOPLE.map(keyOf);
  return `# The demo's policy: a cold wallet on testnet. The people's keys are in keys/, for anyone to see.
schema: countersign.policy/1
engine: ">=1 <2"
wallet:
  id: demo-cold
  network: ${NETWORK}
  descriptor: "${DESCRIPTOR}"
  device: { kinds: [nanos], app: "Bitcoin Test", min_app_version: "2.2.0" }
version: ${version}
prev: ${prev}
effective_at: "${effectiveAt}"
expires_at: "2027-04-01T00:00:00Z"
roles:
  officers:
    alice: "${alice}"
    bob: "${bob}"
    carol: "${carol}"
    dave: "${dave}"
  compliance:
    erin: "${erin}"
  auditors:
    frank: "${frank}"
    grace: "${grace}"
change_control:
  sign: { from: auditors, m: 2 }
  loosening_notice: "72h"
destinations:
  default: deny
  cooldown: "72h"
  # Each new address may get a little, and all new addresses together not much more: the rule that stops the theft.
  young: { until_age: "30d", each_24h: "500000000", all_24h: "${allYoung}" }
  book_sign: { from: [officers, compliance], m: 2, include: compliance }
  script_types: [p2pkh, p2sh, p2wpkh, p2wsh, p2tr]
  default_cap_24h: "8000000000"
  caps_24h: { warm-1: "15000000000" }
limits:
  batch: "10000000000"
  output: "5000000000"
  rolling: { "1h": "12000000000", "24h": "20000000000", "7d": "50000000000" }
  rolling_blocks: { "144": "20000000000" }
  signed_unconfirmed: "15000000000"
  batches_24h: 6
  outputs_per_batch: 50
  reserve_floor: "100000000000"
fees: { max_rate_sat_vb: 300, min_rate_sat_vb: 1, max_abs: "1000000", max_bp_of_external: 50, bp_applies_above: "10000", max_24h: "4000000" }
approvals:
  tier_basis: max_of_batch_and_rolling_24h
  initiator_may_approve: false
  valid_for: "4h"
  tiers:
    - { up_to: "1000000000", from: officers, m: 2 }
    - { up_to: "5000000000", from: officers, m: 3 }
    - { up_to: unlimited, from: [officers, compliance], m: 4, include: compliance, touch_required: true }
inputs: { prevtx: required_before_taproot, min_confirmations: 6, min_value: "10000", foreign: deny, forced_reuse: quarantine, max: 200 }
change: { max_outputs: 1, branch: 1, max_gap: 20, reuse: deny }
transaction: { sighash: all, locktime: height_up_to_tip, versions: [1, 2], op_return: deny, self_receive: deny }
hours: { days: [mon, tue, wed, thu, fri], from: "07:00", to: "19:00", closed_dates: ["2026-12-25"] }
screening: { lists: [], on_hit: deny, inputs_hops: 1 }
clock: { max_back: "120s", max_ahead_of_mtp: "3h", chain_snapshot_max_age: "2h" }
halt:
  raise: { from: [officers, compliance, auditors], m: 1 }
  resume: { from: [officers, compliance], m: 3, include: compliance, not_before: "24h" }
  auto: [out_of_band_spend, ledger_tamper, screening_hit_on_own_address]
log: { origin: "demo-cold.log.example", witnesses: { m: 0, keys: [] } }
`;
}

/** Signs as each of them would at a machine of their own; the signatures lie beside the file. */
async function signAs(kind, name, people) {
  for (const file of readdirSync(OUT)) if (file.startsWith(`${name}.`)) rmSync(join(OUT, file));
  const composition = await compose({ version: 'demo', workspace: OUT, base: OUT });
  const io = { stdout: () => {}, stderr: (text) => process.stderr.write(text), colors: false, rewrites: false };
  for (const person of people) {
    chmodSync(join(OUT, 'keys', person), 0o600);
    const code = await runCommandLine(
      [kind, 'sign', name, '--key', `keys/${person}`, '--as', person],
      async () => composition,
      io,
    );
    if (code !== 0) throw new Error(`${person} could not sign ${name}`);
  }
}

async function makeFiles() {
  const { documents } = await import('../dist/documents.js');
  for (const folder of ['keys', 'recordings', 'approvals']) mkdirSync(join(OUT, folder), { recursive: true });
  write('descriptor.txt', `${DESCRIPTOR}\n`);
  const policy1 = policy(1, 'none', '2026-04-01T00:00:00Z', '1000000000');
  write('policy.yaml', policy1);
  // What a thief would wish for: all new addresses together may get as much as anybody.
  const loaded = value(documents.policy(Buffer.from(policy1), 'policy.yaml'));
  write('looser.yaml', policy(2, `"${loaded.digest}"`, '2026-06-01T12:40:00Z', '20000000000'));
  const first = book(1, null, known);
  write('book-1.yaml', first);
  const { digest } = value(documents.book(Buffer.from(first), 'book-1.yaml', NETWORK));
  write('book-2.yaml', book(2, digest, [...known, ...young]));
  for (const name of ['policy.yaml', 'looser.yaml']) await signAs('policy', name, ['frank', 'grace']);
  for (const name of ['book-1.yaml', 'book-2.yaml']) await signAs('book', name, ['bob', 'erin']);
  write('coins.json', `${JSON.stringify(coins(), null, 2)}\n`);
  write(
    'withdrawals.csv',
    csv([
      ['W-2026-0601-01', entry('warm-1'), '250000000', 'refill of the hot wallet'],
      ['W-2026-0601-02', entry('settle'), '125000000', 'settlement 22'],
      ['W-2026-0601-03', entry('custodian'), '300000000', 'monthly reserve'],
      ['W-2026-0601-04', entry('legacy'), '40000000', 'invoice 2026-117'],
    ]),
  );
  write('second.csv', csv([['W-2026-0601-05', entry('warm-1'), '100000000', 'second refill of the hot wallet']]));
  const small = known.filter(({ id }) => id.startsWith('client-'));
  const rows = [...young.map((one) => [one, '336756100']), ...small.map((one, n) => [one, `${80_000 + n * 1_100}`])];
  // As in 2019 the real withdrawals stand among the others.
  rows.sort(([a], [b]) => Buffer.compare(sha256(a.id), sha256(b.id)));
  write(
    'theft.csv',
    csv(rows.map(([one, sats], n) => [`P-${String(n + 1).padStart(2, '0')}`, one, sats, 'payout run 7'])),
  );
}

/** Runs the demo's steps on the emulator and keeps recordings and approvals; on the recordings, and keeps approvals. */
async function record(speculos) {
  for (const name of speculos === null ? [] : RECORDINGS) rmSync(join(OUT, name), { force: true });
  rmSync(join(OUT, 'approvals'), { recursive: true, force: true });
  mkdirSync(join(OUT, 'approvals'));
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const rehearsal = await rehearse(version, compose);
  const io = {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    colors: false,
    rewrites: false,
  };
  const recordings = [...RECORDINGS];
  for (const step of DEMO_STEPS) {
    const composition = await rehearsal.at(parseTime(step.at));
    const newest = step.argv.includes(NEWEST) ? await newestBatch(composition) : '';
    const argv = step.argv.map((word) => (word === NEWEST ? newest : word));
    const run = (words) => runCommandLine(words, async () => composition, io);
    if (argv[1] === 'approve') await keepApproval(argv, composition, rehearsal.folder);
    const isSigning = argv[1] === 'sign' && step.expect !== 'APPROVALS_MISSING';
    if (speculos === null && step.before === 'tamper') break;
    if (!isSigning || speculos === null) {
      await run(argv);
      continue;
    }
    const name = recordings.shift();
    const buttons = new Buttons(speculos);
    await buttons.idle();
    await buttons.during(
      run(['batch', 'sign', newest, '--device', `speculos:${speculos}`, '--record', name]),
      'approve',
    );
    cpSync(join(rehearsal.folder, name), join(OUT, name));
  }
  await rehearsal.dispose();
}

async function newestBatch(composition) {
  const { journal } = value(await composition.openWorkspace());
  const { batches } = value(await journal.read());
  await journal.close();
  return [...batches.values()].sort((a, b) => a.plannedSeq - b.plannedSeq).at(-1).id;
}

/** What a machine without ssh-keygen needs: the statement, and the signature that ssh-keygen makes over it. */
async function keepApproval(argv, composition, folder) {
  const person = argv.at(-1).replace('keys/', '');
  let text = '';
  const io = {
    stdout: (out) => (text += out),
    stderr: (out) => process.stderr.write(out),
    colors: false,
    rewrites: false,
  };
  await runCommandLine(['batch', 'approve', argv[2], '--statement', '--person', person], async () => composition, io);
  const statement = text.replace(/\n$/, '');
  const key = join(folder, 'keys', person);
  const signature = execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', key, '-n', 'countersign-approve@v1'], {
    input: statement,
  });
  write(`approvals/${argv[2]}.${person}.json`, statement);
  write(`approvals/${argv[2]}.${person}.sig`, signature);
}

switch (positionals[0]) {
  case 'files':
    await makeFiles();
    break;
  case 'record':
    await record(values.speculos ?? 'http://127.0.0.1:5001');
    break;
  case 'approvals':
    await record(null);
    break;
  default:
    throw new Error('say files, record or approvals');
}
