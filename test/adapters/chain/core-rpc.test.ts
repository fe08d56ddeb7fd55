import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type CoreRpc, createCoreRpc, rpcFault } from '../../../src/adapters/chain/core-rpc.js';
import { NOBODY, Servers } from './servers.js';

const servers = new Servers();
const folder = mkdtempSync(join(tmpdir(), 'core-rpc-'));
afterEach(() => servers.stop());
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const cookie = (url: URL, text = '__cookie__:00ff'): CoreRpc =>
  createCoreRpc(url, { kind: 'cookie', file: file('cookie', text) });
const password = (url: URL, text: string): CoreRpc =>
  createCoreRpc(url, { kind: 'password', user: 'alice', passwordFile: file('password', text) });

/** A node that answers what a function makes of the calls. */
const node = (
  answer: (calls: { id: string; method: string; params: unknown[] }) => unknown,
  status = 200,
): Promise<URL> =>
  servers.http((_, response, body) => {
    response.statusCode = status;
    const calls = JSON.parse(body);
    const said = Array.isArray(calls) ? calls.map(answer) : answer(calls);
    response.end(typeof said === 'string' ? said : JSON.stringify(said));
  });

async function faultOf(rpc: CoreRpc): Promise<string> {
  const called = await rpc.call('getblockcount', []);
  if (called.ok) throw new Error('was answered');
  return `${called.error.tag} ${called.error.message} (${called.error.remedy ?? ''})`;
}

describe('calls of Bitcoin Core', () => {
  it('keep numbers as they stand, and the error that the node answers', async () => {
    const url = await servers.http((_, response, body) => {
      const { id, method } = JSON.parse(body);
      if (method === 'getbalance') return response.end(`{"id":"${id}","result":0.10000000,"error":null}`);
      response.statusCode = 500;
      return response.end(`{"id":"${id}","result":null,"error":{"code":-5,"message":"no such"}}`);
    });
    const rpc = cookie(url);
    expect(await rpc.call('getbalance', [])).toEqual({ ok: true, value: { ok: true, value: '0.10000000' } });
    expect(await rpc.call('other', [])).toEqual({
      ok: true,
      value: { ok: false, error: { code: -5, message: 'no such' } },
    });
  });

  it('in a batch are answered in their order, each by its own id', async () => {
    const rpc = cookie(await node(({ id, params }) => ({ id, result: params[0] })));
    expect(await rpc.batch('echo', [['a'], ['b']])).toEqual({
      ok: true,
      value: [
        { ok: true, value: 'a' },
        { ok: true, value: 'b' },
      ],
    });
    expect(await rpc.batch('echo', [])).toEqual({ ok: true, value: [] });
  });

  it('a large batch goes out in requests of 200 calls, and is answered in order', async () => {
    const sizes: number[] = [];
    const url = await servers.http((_, response, body) => {
      const calls: { id: string; params: unknown[] }[] = JSON.parse(body);
      sizes.push(calls.length);
      response.end(JSON.stringify(calls.map(({ id, params }) => ({ id, result: params[0] }))));
    });
    const told: string[] = [];
    const wanted = Array.from({ length: 401 }, (_, index) => [`call ${index}`]);
    const answered = await cookie(url).batch('echo', wanted, (done, of) => told.push(`${done} of ${of}`));
    expect(answered).toEqual({ ok: true, value: wanted.map(([value]) => ({ ok: true, value })) });
    expect(sizes).toEqual([200, 200, 1]);
    expect(told).toEqual(['200 of 401', '400 of 401', '401 of 401']);
  });

  it.each([
    ['turned round', (answers: object[]) => answers.reverse()],
    ['one too few', (answers: object[]) => answers.slice(1)],
    ['one too many', (answers: object[]) => [...answers, ...answers.slice(1)]],
    ['the same twice', ([first]: object[]) => [first, first]],
    ['not a list', ([first]: object[]) => first],
  ])('a batch that is answered %s is refused', async (_, spoil) => {
    const url = await servers.http((_request, response, body) => {
      const answers = JSON.parse(body).map(({ id }: { id: string }) => ({ id, result: id }));
      response.end(JSON.stringify(spoil(answers)));
    });
    expect(await cookie(url).batch('echo', [[], []])).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_ANSWER' } });
  });

  it.each([
    ['another id', { id: 'x', result: 1 }],
    ['no id', { result: 1 }],
    ['a list', []],
    ['a text', '"x"'],
    ['an error without a code', { id: '0', error: { message: 'x' } }],
    ['an error that is a text', { id: '0', error: 'x' }],
    ['HTML', '<html>'],
    ['nothing', ''],
    ['half an answer', '{"id":"0","result":'],
  ])('an answer with %s is none', async (_, answer) => {
    expect(await faultOf(cookie(await node(() => answer)))).toMatch(
      /^E_CHAIN_ANSWER core http:.*\(check that the address/,
    );
  });

  it.each([
    [401, /^E_CHAIN_AUTH .*HTTP 401/],
    [403, /^E_CHAIN_AUTH .*HTTP 403/],
    [503, /^E_CHAIN_UNREACHABLE .*busy .*"Work queue \\u\{1b\}\[2J".*rpcworkqueue/],
  ])('HTTP %i is told as what it is', async (status, words) => {
    expect(await faultOf(cookie(await node(() => 'Work queue \u001b[2J', status)))).toMatch(words);
  });

  it('say that a node is starting, and repeat its words without escapes', () => {
    expect(rpcFault('a node', 'x', { code: -28, message: 'Loading' })).toMatchObject({ tag: 'E_CHAIN_SYNCING' });
    expect(rpcFault('a node', 'x', { code: -1, message: '\u001b[2J' }).message).toBe(
      'a node answers x with error -1: "\\u{1b}[2J"',
    );
  });
});

describe('how the node knows who asks', () => {
  const seen = async (make: (url: URL) => CoreRpc): Promise<string> => {
    let header = '';
    const url = await servers.http((request, response) => {
      header = request.headers.authorization ?? '';
      response.statusCode = 401;
      response.end();
    });
    await make(url).call('x', []);
    return Buffer.from(header.replace('Basic ', ''), 'base64').toString();
  };

  it.each([
    ['secret', 'alice:secret'],
    ['secret\n', 'alice:secret'],
    ['secret\r\n', 'alice:secret'],
    [' se cret ', 'alice: se cret '],
    ['pässwörd:1', 'alice:pässwörd:1'],
  ])('the password file %j', async (text, due) => {
    expect(await seen((url) => password(url, text))).toBe(due);
  });

  it('the cookie as it stands', async () => {
    expect(await seen((url) => cookie(url, '__cookie__:00ff'))).toBe('__cookie__:00ff');
  });

  it.each(['', '\n', 'one\ntwo\n', '-----BEGIN KEY-----\nsecret\n'])(
    'a file with %j is not sent anywhere',
    async (text) => {
      expect(await seen((url) => password(url, text))).toBe('');
      expect(await seen((url) => cookie(url, text))).toBe('');
      const said = await faultOf(password(NOBODY, text));
      expect(said).toMatch(
        /^E_CHAIN_AUTH .*password (?:is empty|holds more than one line), and core http:\/\/127\.0\.0\.1:1 is not asked/,
      );
      expect(said).not.toContain('secret');
    },
  );

  it('a cookie that is not there is told with its place, and read again for each call', async () => {
    const url = await node(({ id }) => ({ id, result: 1 }));
    const path = join(folder, 'later');
    const rpc = createCoreRpc(url, { kind: 'cookie', file: path });
    expect(await faultOf(rpc)).toMatch(/^E_CHAIN_AUTH .*later cannot be read \(ENOENT\).*exists while the node runs/);
    writeFileSync(path, '__cookie__:1');
    expect(await rpc.call('x', [])).toMatchObject({ ok: true });
  });

  it('no message holds the password', async () => {
    const url = await node(() => 'no', 401);
    expect(await faultOf(password(url, 'geheim'))).not.toContain('geheim');
    expect(await faultOf(password(NOBODY, 'geheim'))).not.toContain('geheim');
  });
});
