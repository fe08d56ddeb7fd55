/** The recordings of 2-of-3 vaults: three devices, each in an emulator of its own, known by their fingerprints. */
import { identify } from '../dist/device/preflight.js';
import { createSigner } from '../dist/device/signer.js';
import { toHex } from '../dist/domain/bytes.js';
import { descriptorChecksum, parseVault } from '../dist/vault/descriptor.js';
import { syntheticBatch, value } from './synthetic-batch.mjs';

const NAMES = ['a', 'b', 'c'];
const ID = 'treasury-1';
/** Mnemonics of BIP39's own test vectors, for the second and the third device. */
const MNEMONICS = [
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
  'legal winner thank year wave sausage worth useful legal winner thank yellow',
];
const KINDS = {
  wsh: { path: "48'/1'/0'/2'", wrap: (script) => `wsh(${script})` },
  'sh-wsh': { path: "48'/1'/0'/1'", wrap: (script) => `sh(wsh(${script}))` },
};

/** What the recordings of each device say of its seed; the first one's is given. */
export const cosignerNotes = (first) => [first, ...MNEMONICS.map((words) => `public test mnemonic of BIP39: ${words}`)];

/** Reads the key of each device and makes the vault of all of them. */
async function vaultOf({ path, wrap }, addresses, openDevice) {
  const keys = [];
  for (const address of addresses) {
    const signer = createSigner(openDevice(address));
    const fingerprint = value(await signer.fingerprint());
    const xpub = value(await signer.xpub(path, false));
    await signer.close();
    keys.push(`[${fingerprint}/${path.replaceAll("'", 'h')}]${xpub}/<0;1>/*`);
  }
  const body = wrap(`sortedmulti(2,${keys.join(',')})`);
  return value(parseVault(ID, 'testnet3', `${body}#${descriptorChecksum(body)}`));
}

const refused = (name, result) => {
  const fault = result.ok ? null : (result.error.fault ?? result.error);
  if (fault === null) throw new Error(`${name}: was not refused`);
  return { fault: fault.tag, ...(result.error.fault === undefined ? {} : { maySign: result.error.maySign }) };
};

export async function recordMultisig({ record, openDevice, model, addresses, note }) {
  const notes = cosignerNotes(note);
  for (const [kind, shape] of Object.entries(KINDS)) {
    const vault = await vaultOf(shape, addresses, openDevice);
    const common = { vault: ID, network: vault.network, descriptor: vault.descriptor };
    const on = (who, name, psbt, work) =>
      record(
        `multisig-${name}`,
        addresses[who],
        psbt,
        async (signer, buttons) => ({ ...common, ...(await work(signer, buttons)) }),
        notes[who],
      );

    const registrations = [];
    for (const [who, letter] of NAMES.entries()) {
      // Kept although the recording may be left out: the HMAC is the same whenever the same seed registers.
      const signer = createSigner(openDevice(addresses[who]));
      const fingerprint = value(await signer.fingerprint());
      await signer.close();
      await on(who, `register-${kind}-${letter}`, null, async (device, buttons) => {
        value(await identify(device, vault, {}));
        const { result, screens } = await buttons.during(device.register(vault), 'approve');
        const registration = { fingerprint, ...value(result) };
        const address = value(await device.address(vault, 0, 0, registration, 'silently'));
        registrations[who] = registration;
        return { registration, address, screens };
      });
    }
    const [a, b] = registrations;

    for (const [who, registration] of [a, b].entries()) {
      await on(who, `address-${kind}-${NAMES[who]}`, null, async (device, buttons) => {
        value(await identify(device, vault, {}));
        const { result, screens } = await buttons.during(device.address(vault, 0, 3, registration), 'approve');
        return { registration, branch: 0, index: 3, address: value(result), screens };
      });
    }
    for (const inputs of kind === 'wsh' ? [1, 3, 10] : [1, 3]) {
      const label = `multisig-sign-${kind}-${inputs}`;
      const { plan, psbt } = syntheticBatch(label, vault, { inputs, payments: inputs === 1 ? 1 : 2 });
      // One cosigner's ten inputs are enough: the other's differ in nothing but the key.
      for (const [who, registration] of (inputs === 10 ? [a] : [a, b]).entries()) {
        await on(who, `sign-${kind}-${inputs}-${NAMES[who]}`, psbt, async (device, buttons) => {
          value(await identify(device, vault, {}));
          const { result, screens } = await buttons.during(
            device.sign(psbt, vault, () => {}, registration),
            'approve',
          );
          return {
            ...signed(psbt, plan, registration),
            screens,
            outcome: value(result).map(({ input, publicKey, signature }) => ({
              input,
              publicKey: toHex(publicKey),
              signature: toHex(signature),
            })),
          };
        });
      }
    }
    if (kind !== 'wsh') continue;

    // A Nano S asks after the policy and after each key, and after each output; a Nano S Plus once at the end.
    for (const approvals of model === 'nanos' ? [0, 1, 2, 3] : [0]) {
      await on(0, `register-refused-${approvals}`, null, async (device, buttons) => {
        value(await identify(device, vault, {}));
        const { result, screens } = await buttons.during(device.register(vault), approvals);
        return { screens, outcome: refused('register', result) };
      });
    }
    await on(0, 'address-refused', null, async (device, buttons) => {
      value(await identify(device, vault, {}));
      const { result, screens } = await buttons.during(device.address(vault, 0, 3, a), 'refuse');
      return { registration: a, branch: 0, index: 3, screens, outcome: refused('address', result) };
    });
    const { plan, psbt } = syntheticBatch('multisig-sign-wsh-1', vault, { inputs: 1, payments: 1 });
    for (const approvals of model === 'nanos' ? [0, 1, 2] : [0]) {
      await on(0, `sign-refused-${approvals}`, psbt, async (device, buttons) => {
        value(await identify(device, vault, {}));
        const { result, screens } = await buttons.during(
          device.sign(psbt, vault, () => {}, a),
          approvals,
        );
        return { ...signed(psbt, plan, a), screens, outcome: refused('sign', result) };
      });
    }
    // The registration of another device: what a journal holds after a device was wiped and given a new seed.
    const stale = { ...b, fingerprint: a.fingerprint };
    await on(0, 'stale-hmac-sign', psbt, async (device) => {
      value(await identify(device, vault, {}));
      const result = await device.sign(psbt, vault, () => {}, stale);
      return { ...signed(psbt, plan, stale), outcome: refused('sign', result) };
    });
    await on(0, 'stale-hmac-address', null, async (device) => {
      value(await identify(device, vault, {}));
      const result = await device.address(vault, 0, 3, stale);
      return { registration: stale, branch: 0, index: 3, outcome: refused('address', result) };
    });
    await on(2, 'wrong-device', null, async (device) => ({
      expected: a.fingerprint,
      outcome: refused('identify', await identify(device, vault, { expected: a.fingerprint })),
    }));
  }
}

const signed = (psbt, plan, registration) => ({
  registration,
  psbt: Buffer.from(psbt).toString('base64'),
  fee: plan.fee,
  changeOutputs: plan.outputs.flatMap((output, index) => (output.kind === 'change' ? [index] : [])),
});
