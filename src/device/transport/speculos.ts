import { Agent, request } from 'node:http';
import { fromHex, toHex } from '../../domain/bytes.js';
import { type Fault, fail, fault } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import type { LedgerModel } from '../models.js';
import { type ApduChannel, ChannelError } from '../types.js';
import { OneAtATime } from './one-at-a-time.js';

/** Lowest bytes of a PNG: its signature, then a header that begins with width and height. */
const PNG_HEADER = 24;
const PNG_SIGNATURE = '89504e470d0a1a0a';
/** A screenshot of the largest model comes to some kB. */
const MAX_SCREENSHOT = 1024 * 1024;
/** An emulator that owes an answer to somebody still draws its screen; one that does not is not waited for. */
const SCREENSHOT_MS = 5_000;
/** The emulator tells no model but by its screen; a Nano S Plus and a Nano X have the same one, which tells neither. */
const MODELS: ReadonlyMap<string, LedgerModel> = new Map([['128x32', 'nanos']]);

/** A response has at most 255 bytes of data and a status word; the JSON around it is short. */
const MAX_BODY = 4096;

const START = 'start the emulator with an API port, and name that address, for example http://127.0.0.1:5000';

/**
 * A device in the Speculos emulator, through its HTTP API: POST /apdu {"data": hex}. `tick_timeout` 0 lets a person take
 * any time to read. Only loopback addresses: whoever reaches that port owns the device.
 * Faults: E_DEVICE_ADDRESS here; E_DEVICE_ABSENT, E_DEVICE_GONE and E_DEVICE_PROTOCOL from exchanges.
 */
export function openSpeculos(address: string): Result<ApduChannel, Fault> {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || url.protocol !== 'http:' || url.username !== '' || url.password !== '') {
    return fail('E_DEVICE_ADDRESS', `${JSON.stringify(address)} is not an http address`, { remedy: START });
  }
  if (!isLoopback(url.hostname)) {
    return fail('E_DEVICE_ADDRESS', `${url.host} is not on this machine`, {
      remedy: 'run the emulator on this machine: anybody who reaches its port can press its buttons',
    });
  }
  return ok(channelTo(url));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

function channelTo(url: URL): ApduChannel {
  const name = `Speculos at ${url.origin}`;
  const guard = new OneAtATime(name);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let answered = false;
  const lost = (why: string): ChannelError =>
    new ChannelError(
      answered
        ? fault('E_DEVICE_GONE', `${name} went away during a command: ${why}`, { remedy: START })
        : fault('E_DEVICE_ABSENT', `${name} does not answer: ${why}`, { remedy: START }),
    );

  const screenshot = (): Promise<Buffer | null> =>
    new Promise((resolve) => {
      const call = request(new URL('/screenshot', url), { agent }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_SCREENSHOT) response.destroy();
          else chunks.push(chunk);
        });
        response.on('error', () => resolve(null));
        response.on('close', () => resolve(null));
        response.on('end', () => resolve(Buffer.concat(chunks)));
      });
      call.on('error', () => resolve(null));
      call.setTimeout(SCREENSHOT_MS, () => call.destroy());
      call.end();
    });

  const post = (body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const call = request(new URL('/apdu', url), { method: 'POST', agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BODY) response.destroy(new Error('the answer is too long'));
          else chunks.push(chunk);
        });
        response.on('error', (error) => reject(lost(error.message)));
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      });
      call.on('error', (error) => reject(lost(error.message)));
      call.end(body);
    });

  return {
    name,
    async model() {
      const size = screenSize((await screenshot()) ?? Buffer.alloc(0));
      return MODELS.get(size ?? '') ?? null;
    },
    exchange: (apdu) =>
      guard.run(async () => {
        const text = await post(JSON.stringify({ data: toHex(apdu), tick_timeout: 0 }));
        const response = readResponse(text);
        if (response === null) {
          const shown = JSON.stringify(text.slice(0, 120));
          throw new ChannelError(fault('E_DEVICE_PROTOCOL', `${name} answered ${shown}`, { remedy: START }));
        }
        answered = true;
        return response;
      }),
    async close() {
      if (guard.close()) agent.destroy();
      return ok(undefined);
    },
  };
}

/** "128x32", of a PNG; null for anything else. */
function screenSize(png: Buffer): string | null {
  const isPng = png.length >= PNG_HEADER && png.subarray(0, 8).toString('hex') === PNG_SIGNATURE;
  return isPng ? `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}` : null;
}

/** {"data": hex with the status word}; null for anything else. */
function readResponse(text: string): Uint8Array | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof body !== 'object' || body === null || !('data' in body) || typeof body.data !== 'string') return null;
  const bytes = fromHex(body.data);
  return bytes.ok && bytes.value.length >= 2 ? bytes.value : null;
}
