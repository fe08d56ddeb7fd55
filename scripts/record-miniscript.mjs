/** The recordings of miniscript vaults: a branch of one or two keys, and another device's that a time lock opens later. */
import { identify } from '../dist/device/preflight.js';
import { createSigner } from '../dist/device/signer.js';
import { toHex } from '../dist/domain/bytes.js';
import { descriptorChecksum, parseVault } from '../dist/vault/descriptor.js';
import { syntheticBatch, value } from './synthetic-batch.mjs';

const PATH = "48'/1'/0'/2'";
const ID = 'recovery-1';
/** Names of devices by their place among --cosigners. */
const NAMES = ['a', 'b', 'c'];
const FORMS = {
  single: { signers: [0], script: ([a, b]) => `or_d(pk(${a}),and_v(v:pkh(${b}),older(65535)))` },
  multi: { signers: [0, 1], script: ([a, b, c]) => `or_d(multi(2,${a},${b}),and_v(v:pkh(${c}),older(65535)))` },
};

async function keysOf(addresses, openDevice) {
  const keys = [];
  for (const address of addresses) {
    const signer = createSigner(openDevice(address));
    const fingerprint = value(await signer.fingerprint());
    const xpub = value(await signer.xpub(PATH, false));
    await signer.close();
    keys.push({ fingerprint, text: `[${fingerprint}/${PATH.replaceAll("'", 'h')}]${xpub}/<0;1>/*` });
  }
  return keys;
}

export async function recordMiniscript({ record, openDevice, addresses, notes }) {
  const keys = await keysOf(addresses, openDevice);
  for (const [form, { signers, script }] of Object.entries(FORMS)) {
    const body = `wsh(${script(keys.map(({ text }) => text))})`;
    const vault = value(parseVault(ID, 'testnet3', `${body}#${descriptorChecksum(body)}`));
    const common = { vault: ID, network: vault.network, descriptor: vault.descriptor };
    for (const who of signers) {
      const { fingerprint } = keys[who];
      const on = (name, psbt, work) =>
        record(
          `miniscript-${name}-${form}-${NAMES[who]}`,
          addresses[who],
          psbt,
          async (device, buttons) => {
            value(await identify(device, vault, {}));
            return { ...common, ...(await work(device, buttons)) };
          },
          notes[who],
        );
      let registration = null;
      await on('register', null, async (device, buttons) => {
        const { result, screens } = await buttons.during(device.register(vault), 'approve');
        registration = { fingerprint, ...value(result) };
        const address = value(await device.address(vault, 0, 0, registration, 'silently'));
        return { registration, address, screens };
      });
      await on('address', null, async (device, buttons) => {
        const { result, screens } = await buttons.during(device.address(vault, 0, 3, registration), 'approve');
        return { registration, branch: 0, index: 3, address: value(result), screens };
      });
      for (const inputs of [1, 3]) {
        const label = `miniscript-sign-${form}-${inputs}`;
        const { plan, psbt } = syntheticBatch(label, vault, { inputs, payments: inputs === 1 ? 1 : 2 });
        await on(`sign-${inputs}`, psbt, async (device, buttons) => {
          const { result, screens } = await buttons.during(
            device.sign(psbt, vault, () => {}, registration),
            'approve',
          );
          return {
            registration,
            psbt: Buffer.from(psbt).toString('base64'),
            fee: plan.fee,
            changeOutputs: plan.outputs.flatMap((output, index) => (output.kind === 'change' ? [index] : [])),
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
  }
}
