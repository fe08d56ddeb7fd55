/**
 * Records the conversations of test/recordings with a Ledger app in the Speculos emulator, pressing its buttons itself:
 *
 *   npm run build
 *   node scripts/record.mjs --model nanos --speculos http://127.0.0.1:5001 --mainnet http://127.0.0.1:5002 [--only NAME]
 *   node scripts/record.mjs --model nanos --cosigners http://127.0.0.1:5001,http://127.0.0.1:5003,http://127.0.0.1:5004
 *
 * The recordings of miniscript vaults are made like those of several, with --only miniscript.
 *
 * --speculos is an emulated device of that model with "Bitcoin Test", --mainnet one with "Bitcoin" (for the wrong-app
 * recording), both with Speculos' public test seed; --cosigners are three with "Bitcoin Test", the first with that seed and
 * the others with the mnemonics of record-multisig.mjs. Everything that goes in is made here from fixed numbers, so
 * recording again differs only where the device is random (Schnorr signatures). Into test/recordings/MODEL-VERSION (or
 * --out) go NAME.apdu and beside it NAME.json: what went in, came out, and was on the screen. --only takes all names that
 * begin with one of several, with commas between them.
 */
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { identify } from '../dist/device/preflight.js';
import { createSigner } from '../dist/device/signer.js';
import { openRecorder } from '../dist/device/transport/record.js';
import { openSpeculos } from '../dist/device/transport/speculos.js';
import { sha256Hex, toHex } from '../dist/domain/bytes.js';
import { finalise } from '../dist/psbt/finalise.js';
import { proveSignatures } from '../dist/psbt/verify.js';
import { descriptorChecksum, parseVault } from '../dist/vault/descriptor.js';
import { recordMiniscript } from './record-miniscript.mjs';
import { cosignerNotes, recordMultisig } from './record-multisig.mjs';
import { Buttons, MODEL_NAMES } from './speculos-buttons.mjs';
import { syntheticBatch, syntheticConsolidation, value } from './synthetic-batch.mjs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const { values: args } = parseArgs({
  options: {
    model: { type: 'string', default: 'nanos' },
    speculos: { type: 'string' },
    mainnet: { type: 'string' },
    cosigners: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string' },
  },
});

const NOTE =
  'public test seed of Speculos: glory promote mansion idle axis finger extra february uncover one trip resource lawn turtle enact monster seven myth punch hobby comfort wild raise skin';
const KINDS = {
  pkh: { path: "44'/1'/0'", descriptor: (key) => `pkh(${key})` },
  'sh-wpkh': { path: "49'/1'/0'", descriptor: (key) => `sh(wpkh(${key}))` },
  wpkh: { path: "84'/1'/0'", descriptor: (key) => `wpkh(${key})` },
  tr: { path: "86'/1'/0'", descriptor: (key) => `tr(${key})` },
};

if (!MODEL_NAMES.includes(args.model)) throw new Error(`--model is one of ${MODEL_NAMES.join(', ')}`);

const say = (text) => process.stdout.write(`${text}\n`);

/** The emulator does not tell a Nano S Plus from a Nano X: --model does, and the buttons hold it to the screen. */
function openDevice(address) {
  return { ...value(openSpeculos(address ?? '')), model: async () => args.model };
}

/** Where the recordings of this model with the version of its app go. */
async function folder(address) {
  const signer = createSigner(openDevice(address));
  const app = value(await signer.appInfo());
  await signer.close();
  return join('test/recordings', `${args.model}-${app.version}`);
}

async function deviceVault(name) {
  const { path, descriptor } = KINDS[name];
  const signer = createSigner(openDevice(args.speculos));
  const fingerprint = value(await signer.fingerprint());
  const xpub = value(await signer.xpub(path, false));
  await signer.close();
  const body = descriptor(`[${fingerprint}/${path.replaceAll("'", 'h')}]${xpub}/<0;1>/*`);
  return value(parseVault(name, 'testnet3', `${body}#${descriptorChecksum(body)}`));
}

/** Indented JSON, lists of numbers on one line; amounts as decimal strings. */
function json(data) {
  const text = JSON.stringify(data, (_, item) => (typeof item === 'bigint' ? item.toString() : item), 2);
  return `${text.replace(/\[\s+(\d[\d,\s]*?)\s+\]/g, (_, numbers) => `[${numbers.split(/,\s*/).join(', ')}]`)}\n`;
}

async function writeWhole(path, text) {
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}

/** Runs one conversation over a recorder and writes both files. `work` returns what the sidecar says of it. */
async function record(name, address, psbt, work, note = NOTE) {
  if (args.only !== undefined && !args.only.split(',').some((start) => name.startsWith(start))) return;
  const out = args.out ?? (await folder(address));
  await mkdir(out, { recursive: true });
  const buttons = new Buttons(address, args.model);
  await buttons.idle();
  const recorder = openRecorder(openDevice(address), {
    header: {
      psbt: psbt === null ? null : sha256Hex(psbt),
      recordedWith: `countersign ${version}`,
      note,
    },
    write: async (text) => {
      await writeWhole(join(out, `${name}.apdu`), text);
      return { ok: true, value: undefined };
    },
  });
  const signer = createSigner(recorder);
  const outcome = await work(signer, buttons);
  value(await signer.close());
  await writeWhole(join(out, `${name}.json`), json({ name, ...outcome }));
  say(`${name}: recorded`);
}

/** `answer` as of Buttons: anything but "approve" ends in a refusal. */
async function signing(name, vault, shape, answer = 'approve') {
  const { deriver, plan, psbt } =
    shape.payments === 0 ? syntheticConsolidation(name, vault, shape) : syntheticBatch(name, vault, shape);
  await record(name, args.speculos, psbt, async (signer, buttons) => {
    value(await identify(signer, vault, {}));
    const { result, screens } = await buttons.during(
      signer.sign(psbt, vault, () => {}),
      answer,
    );
    const common = {
      network: vault.network,
      descriptor: vault.descriptor,
      psbt: Buffer.from(psbt).toString('base64'),
      fee: plan.fee,
      changeOutputs: plan.outputs.flatMap((output, index) => (output.kind === 'change' ? [index] : [])),
      screens,
    };
    if (answer !== 'approve') {
      if (result.ok || result.error.fault.tag !== 'E_DEVICE_REFUSED') throw new Error(`${name}: was not refused`);
      return { ...common, outcome: { fault: result.error.fault.tag, maySign: result.error.maySign } };
    }
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    const proven = value(proveSignatures(psbt, deriver, result.value));
    const { txid, transaction } = value(finalise(psbt, deriver, proven));
    return { ...common, outcome: { txid, transaction: toHex(transaction) } };
  });
}

async function main() {
  if (args.cosigners !== undefined) {
    const { model, cosigners } = args;
    const addresses = cosigners.split(',');
    if (args.only?.startsWith('miniscript')) {
      return recordMiniscript({ record, openDevice, addresses, notes: cosignerNotes(NOTE) });
    }
    return recordMultisig({ record, openDevice, model, addresses, note: NOTE });
  }
  const vaults = {};
  for (const name of Object.keys(KINDS)) vaults[name] = await deviceVault(name);

  await record('xpub', args.speculos, null, async (signer) => {
    const app = value(await signer.appInfo());
    const fingerprint = value(await signer.fingerprint());
    const xpubs = {};
    for (const { path } of Object.values(KINDS)) xpubs[path] = value(await signer.xpub(path, false));
    return { app, fingerprint, xpubs };
  });
  await record('xpub-shown', args.speculos, null, async (signer, buttons) => {
    const path = KINDS.wpkh.path;
    const { result, screens } = await buttons.during(signer.xpub(path, true), 'approve');
    return { path, xpub: value(result), screens };
  });
  for (const [kind, vault] of Object.entries(vaults)) {
    await record(`address-${kind}`, args.speculos, null, async (signer, buttons) => {
      value(await identify(signer, vault, {}));
      const { result, screens } = await buttons.during(signer.address(vault, 0, 3), 'approve');
      return {
        network: vault.network,
        descriptor: vault.descriptor,
        branch: 0,
        index: 3,
        address: value(result),
        screens,
      };
    });
  }
  for (const [kind, vault] of Object.entries(vaults)) {
    await signing(`sign-${kind}-1`, vault, { inputs: 1, payments: 1 });
    await signing(`sign-${kind}-3`, vault, { inputs: 3, payments: 2 });
    await signing(`sign-${kind}-10`, vault, { inputs: 10, payments: 3 });
  }
  const { wpkh } = vaults;
  await signing('sign-wpkh-consolidation', wpkh, { inputs: 3, payments: 0 });
  // A Nano S Plus shows up to 16 payments at once, and more one by one.
  for (const payments of args.model === 'nanos' ? [20] : [16, 17, 20]) {
    await signing(`sign-wpkh-payments-${payments}`, wpkh, { inputs: 1, payments, coinValue: 15_000_000n });
  }
  // Fees of more than a tenth: of 12,000 sat, which is enough for one model to warn, and of 200,000, which is for all.
  const small = { inputs: 1, payments: 1, coinValue: 12_000n, feerate: 10_000n };
  const highFee = { inputs: 1, payments: 2, coinValue: 200_000n, feerate: 200_000n };
  await signing('sign-wpkh-high-fee', wpkh, small);
  await signing('sign-wpkh-high-fee-200000', wpkh, highFee);
  await signing('refused-wpkh', wpkh, { inputs: 1, payments: 1 }, 'refuse');
  // One approval for each payment, one for the warning and one at the end, where the model asks so often.
  for (const approvals of args.model === 'nanos' ? [0, 1, 2, 3] : [0]) {
    await signing(`refused-wpkh-after-${approvals}`, wpkh, highFee, approvals);
  }
  if (args.model !== 'nanos') {
    const many = { inputs: 1, payments: 17, coinValue: 15_000_000n };
    await signing('refused-wpkh-payments-17', wpkh, many, 'refuse');
  }
  await record('refused-xpub', args.speculos, null, async (signer, buttons) => {
    const { path } = KINDS.wpkh;
    const { result, screens } = await buttons.during(signer.xpub(path, true), 'refuse');
    if (result.ok) throw new Error('refused-xpub: was not refused');
    return { path, screens, outcome: { fault: result.error.tag } };
  });
  await record('refused-address', args.speculos, null, async (signer, buttons) => {
    value(await identify(signer, wpkh, {}));
    const { result, screens } = await buttons.during(signer.address(wpkh, 0, 3), 'refuse');
    if (result.ok) throw new Error('refused-address: was not refused');
    const { network, descriptor } = wpkh;
    return { network, descriptor, branch: 0, index: 3, screens, outcome: { fault: result.error.tag } };
  });
  await signing('sign-wpkh-50', wpkh, { inputs: 50, payments: 2 });
  await record('wrong-app', args.mainnet, null, async (signer) => {
    const { network, descriptor } = vaults.wpkh;
    const identified = await identify(signer, vaults.wpkh, {});
    if (identified.ok) throw new Error('the mainnet app was taken for a test vault');
    return { network, descriptor, outcome: { fault: identified.error.tag } };
  });
}

await main();
