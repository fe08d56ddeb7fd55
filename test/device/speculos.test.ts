import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openSpeculos } from '../../src/device/transport/speculos.js';
import { type ApduChannel, ChannelError } from '../../src/device/types.js';

const GET_APP = Uint8Array.of(0xb0, 1, 0, 0, 0);

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

async function serve(
  handle: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<ApduChannel> {
  const started = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => handle(request, response, body));
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const channel = openSpeculos(`http://127.0.0.1:${(started.address() as AddressInfo).port}`);
  if (!channel.ok) throw new Error(channel.error.message);
  return channel.value;
}

const tagOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ChannelError)) throw new Error(`no channel error: ${String(error)}`);
  return error.fault.tag;
};

describe('speculos', () => {
  it('posts the request as hex without a time limit and returns the bytes of the answer', async () => {
    const seen: string[] = [];
    const channel = await serve((request, response, body) => {
      seen.push(`${request.method} ${request.url} ${body}`);
      response.end('{"data": "f5acc2fd9000"}');
    });
    expect(await channel.exchange(GET_APP)).toEqual(Uint8Array.of(0xf5, 0xac, 0xc2, 0xfd, 0x90, 0));
    expect(seen).toEqual(['POST /apdu {"data":"b001000000","tick_timeout":0}']);
    expect((await channel.close()).ok).toBe(true);
  });

  it.each([
    [128, 32, 'nanos'],
    // A Nano S Plus and a Nano X have this screen.
    [128, 64, null],
    [400, 672, null],
    [32, 128, null],
  ])('tells the model by a screen of %i x %i pixels: %s', async (width, height, model) => {
    const seen: string[] = [];
    const png = Buffer.alloc(40);
    Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(png);
    png.writeUInt32BE(width, 16);
    png.writeUInt32BE(height, 20);
    const channel = await serve((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end(png);
    });
    expect(await channel.model?.()).toBe(model);
    expect(seen).toEqual(['GET /screenshot']);
    await channel.close();
  });

  it.each(['', '{}', 'GIF89a and then some forty more characters'])('tells no model by %j', async (answer) => {
    const channel = await serve((_, response) => response.end(answer));
    expect(await channel.model?.()).toBeNull();
    await channel.close();
  });

  it('tells no model where the emulator is gone, and takes no endless screenshot', async () => {
    const channel = await serve((request) => request.socket.destroy());
    expect(await channel.model?.()).toBeNull();
    await channel.close();
    const endless = await serve((_, response) => {
      response.on('error', () => undefined);
      response.end(Buffer.alloc(2 * 1024 * 1024));
    });
    expect(await endless.model?.()).toBeNull();
    await endless.close();
  });

  it.each(['', 'busy', '[]', 'null', '{"data": 1}', '{"data": "9"}', '{"data": "90"}', '{"data": "90zz"}'])(
    'refuses the answer %j',
    async (answer) => {
      const channel = await serve((_, response) => response.end(answer));
      expect(await tagOf(channel.exchange(GET_APP))).toBe('E_DEVICE_PROTOCOL');
    },
  );

  it('does not read an answer without end', async () => {
    const channel = await serve((_, response) => response.end('x'.repeat(5000)));
    expect(await tagOf(channel.exchange(GET_APP))).toBe('E_DEVICE_ABSENT');
  });

  it('tells an emulator that never answered from one that went away', async () => {
    let calls = 0;
    const channel = await serve((_, response) => {
      calls += 1;
      if (calls === 1) response.end('{"data": "9000"}');
      else response.destroy();
    });
    await channel.exchange(GET_APP);
    expect(await tagOf(channel.exchange(GET_APP))).toBe('E_DEVICE_GONE');
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
    const address = channel.name.replace('Speculos at ', '');
    const late = openSpeculos(address);
    expect(late.ok ? await tagOf(late.value.exchange(GET_APP)) : '').toBe('E_DEVICE_ABSENT');
  });

  it.each(['http://127.0.0.1:5000', 'http://127.255.0.1:1', 'http://localhost:5000', 'http://[::1]:5000'])(
    'takes %s',
    (address) => {
      expect(openSpeculos(address).ok).toBe(true);
    },
  );

  it.each([
    'http://192.168.1.2:5000',
    'http://example.com',
    'http://127.0.0.1.example.com',
    'http://0.0.0.0:5000',
    'https://127.0.0.1:5000',
    'http://user:pass@127.0.0.1:5000',
    '127.0.0.1:5000',
    '',
  ])('refuses the address %j', (address) => {
    expect(openSpeculos(address)).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_ADDRESS' } });
  });
});
