import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Ledger's packages load differently under a test runner that bundles: these run the build under plain node. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const isBuilt = existsSync(new URL('../../dist/device/signer.js', import.meta.url));

const node = (...args: string[]) => spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });

describe.skipIf(!isBuilt)('the build under plain node (skipped without dist: npm run build)', () => {
  it("signs from a recording through Ledger's packages", () => {
    const script = `
      import { readFileSync } from 'node:fs';
      import { createSigner } from './dist/device/signer.js';
      import { identify } from './dist/device/preflight.js';
      import { parseTranscript } from './dist/device/transcript.js';
      import { openReplay } from './dist/device/transport/replay.js';
      import { parseVault } from './dist/vault/descriptor.js';
      const recording = (ending) => readFileSync('test/recordings/nanos-2.2.7/sign-tr-1.' + ending, 'utf8');
      const { network, descriptor, psbt } = JSON.parse(recording('json'));
      const vault = parseVault('cold', network, descriptor).value;
      const signer = createSigner(openReplay(parseTranscript(recording('apdu'), 'sign-tr-1').value, 'sign-tr-1'));
      const identified = await identify(signer, vault, {});
      const signed = await signer.sign(new Uint8Array(Buffer.from(psbt, 'base64')), vault, () => {});
      const closed = await signer.close();
      process.stdout.write(JSON.stringify([identified.ok, signed.value.length, closed.ok]));`;
    expect(node('--input-type=module', '-e', script)).toMatchObject({ status: 0, stdout: '[true,1,true]', stderr: '' });
  });

  it('loads nothing of Ledger before a device is used', () => {
    const script = `
      import { createRequire } from 'node:module';
      const signer = await import('./dist/device/signer.js');
      await import('./dist/device/transport/hid.js');
      signer.createSigner({ name: 'none', exchange: async () => new Uint8Array(2), close: async () => {} });
      const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => /ledgerhq|node-hid/.test(path));
      process.stdout.write(JSON.stringify(loaded));`;
    expect(
      node('--input-type=module', '-e', script.replaceAll('import.meta.url', `'file://${ROOT}x.mjs'`)),
    ).toMatchObject({
      status: 0,
      stdout: '[]',
    });
  });
});
