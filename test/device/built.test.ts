import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Ledger's packages load differently under a test runner that bundles: these run the build under plain node. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const isBuilt = existsSync(new URL('../../dist/device/signer.js', import.meta.url));

const node = (...args: string[]) => spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });

describe.skipIf(!isBuilt)('the build under plain node (skipped without dist: npm run build)', () => {
  it('signs from a recording through hw-app-btc', () => {
    const { status, stdout, stderr } = node('bench/device-host.mjs', 'sign-tr-1');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/sign-tr-1 +177 /);
    expect(status).toBe(0);
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
