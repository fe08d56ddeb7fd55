// The command of -signer= in these tests: the built program at a told time, with a device in software. A node splits the
// command at its spaces and appends its words: node signer.child.mjs FOLDER SECONDS ...
import { runCommandLine } from '../../dist/cli/program.js';
import { compose } from '../../dist/compose.js';
import { deviceAddress } from '../../dist/device/screens.js';
import { createDeriver } from '../../dist/vault/derive.js';
import { softSigner } from '../cli/soft-device.mjs';

const [folder, seconds, ...words] = process.argv.slice(2);

const device = {
  ...softSigner(),
  address: async (vault, branch, index) => ({
    ok: true,
    value: deviceAddress(createDeriver(vault).at(branch, index).script, vault.network),
  }),
};
const real = await compose({ version: '0.0.0-test', workspace: folder, base: folder, clock: () => Number(seconds) });
const composition = {
  ...real,
  openDevice: async () => ({ ok: true, value: { name: 'a device in software', signer: device } }),
};

process.exitCode = await runCommandLine(['signer', ...words], async () => composition, {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  colors: false,
  rewrites: false,
});
