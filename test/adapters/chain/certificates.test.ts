import { readFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openBackend } from '../../../src/adapters/chain/open.js';

/** A certificate that is made out to 127.0.0.1 by nobody whom a machine trusts. Its key is public: it stands beside it. */
const file = (name: string): Buffer => readFileSync(new URL(`tls/${name}`, import.meta.url));
const identity = { cert: file('certificate.pem'), key: file('key.pem') };

let server: Server | null = null;
afterEach(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
});

async function listen(made: Server): Promise<number> {
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return (made.address() as AddressInfo).port;
}

describe.each([
  ['as it is', undefined],
  ['where the environment tells Node.js to trust everybody', '0'],
])('a server that nobody vouches for, %s', (_, environment) => {
  it('is not asked over HTTPS', async () => {
    if (environment !== undefined) vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', environment);
    let asked = 0;
    const port = await listen(
      createHttps(identity, (__, response) => {
        asked += 1;
        response.end('00'.repeat(32));
      }),
    );
    const backend = openBackend({ kind: 'esplora', url: `https://127.0.0.1:${port}` }, (path) => path);
    const answer = await backend.tip();
    expect(answer).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_UNREACHABLE' } });
    expect(answer.ok || answer.error.remedy).toContain('its certificate is not one that this machine trusts');
    expect(asked).toBe(0);
  });

  it('is not asked over the Electrum protocol', async () => {
    if (environment !== undefined) vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', environment);
    let asked = 0;
    const port = await listen(
      createTls(identity, (socket) => {
        socket.on('error', () => undefined);
        socket.on('data', () => {
          asked += 1;
          socket.end('{"id":"0","result":["stub","1.4"]}\n');
        });
      }),
    );
    const backend = openBackend({ kind: 'electrum', host: '127.0.0.1', port, tls: true }, (path) => path);
    expect(await backend.tip()).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_UNREACHABLE' } });
    expect(asked).toBe(0);
    await backend.close();
  });
});
