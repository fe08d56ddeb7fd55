import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transaction } from 'bitcoinjs-lib';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { openBackend } from '../../../src/adapters/chain/open.js';
import type { Fault } from '../../../src/domain/fault.js';
import { formatOutpoint } from '../../../src/domain/outpoint.js';
import type { Result } from '../../../src/domain/result.js';
import type { ChainBackend } from '../../../src/vault/chain.js';
import { regtestVault } from '../../node/vault.js';
import { Servers } from './servers.js';

/**
 * Every call of every back end, and everything that may come instead of an answer. What holds for all of them: the call ends,
 * it ends with a fault that names the back end, and nothing that was made up comes out as a value.
 */
const servers = new Servers();
afterEach(() => servers.stop());

const deriver = regtestVault();
const TXID = 'ab'.repeat(32);
const OUTPOINT = { txid: TXID, vout: 0 };
const RAW = Uint8Array.from([2, 0, 0, 0, 0]);

const CALLS: Readonly<Record<string, (backend: ChainBackend) => Promise<Result<unknown, Fault>>>> = {
  network: (backend) => backend.network(),
  tip: (backend) => backend.tip(),
  scan: (backend) => backend.scan({ deriver, lastUsed: [-1, -1], gap: 2 }),
  blockHash: (backend) => backend.blockHash(5),
  transactions: (backend) => backend.transactions([{ txid: TXID, height: null }]),
  status: (backend) => backend.status(TXID, 0),
  spenders: (backend) => backend.spenders([OUTPOINT], 0),
  broadcast: (backend) => backend.broadcast(RAW),
  feerate: (backend) => backend.feerate(6),
};
/** Electrum servers and Esplora have no testmempoolaccept. */
const OF_CORE = { testAccept: (backend: ChainBackend) => backend.testAccept(RAW) };

type Http = (body: string) => {
  readonly status?: number;
  readonly text?: string;
  readonly cut?: true;
};

/** What a server may do instead of answering, by what a person would call it. */
const BROKEN: Readonly<Record<string, Http>> = {
  'hangs up': () => ({ cut: true }),
  'half an answer': () => ({ cut: true, text: '{"result":"' }),
  'a page': () => ({ text: '<html>login</html>' }),
  'JSON of another form': () => ({ text: '{"a":[1,{"b":null}]}' }),
  'a list': () => ({ text: '[]' }),
  'bytes that are no text': () => ({ text: '\u0000\u0001' }),
  'an error of its own': () => ({ status: 500, text: 'internal error' }),
  busy: () => ({ status: 503, text: 'busy' }),
  'a redirect': () => ({ status: 302, text: '' }),
};

async function httpServer(answer: Http): Promise<URL> {
  return servers.http((_, response, body) => {
    const { status = 200, text = '', cut } = answer(body);
    if (cut === true) {
      response.writeHead(status, { 'content-length': '1000' });
      response.write(text);
      setTimeout(() => response.destroy(), 5);
      return;
    }
    response.writeHead(status).end(text);
  });
}

const folder = mkdtempSync(join(tmpdir(), 'countersign-faults-'));
const cookie = join(folder, '.cookie');
writeFileSync(cookie, 'user:password');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function core(answer: Http, file: string): Promise<ChainBackend> {
  const url = (await httpServer(answer)).href;
  return openBackend({ kind: 'core', url, auth: { kind: 'cookie', file } }, (path) => path);
}

async function esplora(answer: Http): Promise<ChainBackend> {
  return openBackend({ kind: 'esplora', url: (await httpServer(answer)).href }, (path) => path);
}

async function electrum(answer: (line: string, socket: Socket) => void): Promise<ChainBackend> {
  const port = await servers.lines(answer);
  return openBackend({ kind: 'electrum', host: '127.0.0.1', port, tls: false }, (path) => path);
}

const FAULTS = /^E_CHAIN_(?:ANSWER|UNREACHABLE|AUTH|MOVED|NETWORK|PRUNED)$/;

function expectFault(result: Result<unknown, Fault>, name: string): void {
  expect(result).toMatchObject({ ok: false });
  if (result.ok) return;
  expect(result.error.tag).toMatch(FAULTS);
  expect(result.error.message).toContain(name);
  expect(result.error.message.length).toBeLessThan(500);
}

describe.each(Object.entries(BROKEN))('a server that answers with %s', (_, answer) => {
  it.each(Object.entries({ ...CALLS, ...OF_CORE }))('core: %s', async (__, call) => {
    const backend = await core(answer, cookie);
    const started = performance.now();
    expectFault(await call(backend), 'core http://127.0.0.1');
    expect(performance.now() - started).toBeLessThan(5000);
    await backend.close();
  });

  it.each(Object.entries(CALLS))('esplora: %s', async (__, call) => {
    const backend = await esplora(answer);
    expectFault(await call(backend), 'esplora http://127.0.0.1');
    await backend.close();
  });
});

const LINES: Readonly<Record<string, (line: string, socket: Socket) => void>> = {
  'hangs up': (_, socket) => socket.destroy(),
  'half a line and hangs up': (_, socket) => {
    socket.write('{"jsonrpc":"2.0","id":"0","res');
    setTimeout(() => socket.destroy(), 5);
  },
  'a page': (_, socket) => socket.write('<html>login</html>\n'),
  'JSON of another form': (line, socket) => socket.write(`{"id":${idOf(line)},"result":{"a":[1,{"b":null}]}}\n`),
  'a list': (_, socket) => socket.write('[]\n'),
  null: (line, socket) => socket.write(`{"id":${idOf(line)},"result":null}\n`),
  'an answer to nobody': (_, socket) => socket.write('{"id":"999","result":1}\n'),
  'an error of its own': (line, socket) =>
    socket.write(`{"id":${idOf(line)},"error":{"code":-32603,"message":"internal"}}\n`),
};
const idOf = (line: string): string => JSON.stringify(JSON.parse(line).id);

describe.each(Object.entries(LINES))('an Electrum server that answers with %s', (_, answer) => {
  it.each(Object.entries(CALLS))('%s', async (__, call) => {
    const backend = await electrum(answer);
    expectFault(await call(backend), 'electrum tcp://127.0.0.1');
    await backend.close();
  });
});

describe('a server that is silent, or sends a byte now and then', () => {
  it.each(Object.entries(CALLS))('%s ends all the same', async (_, call) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const backend = await electrum(() => undefined);
      const pending = call(backend);
      await vi.waitFor(() => vi.advanceTimersByTimeAsync(200_000).then(() => pending), { timeout: 3000 });
      expectFault(await pending, 'electrum tcp://127.0.0.1');
      await backend.close();
    } finally {
      vi.useRealTimers();
    }
  });
});

/** A node that answers every call rightly, with one answer changed: what a lie about this or that comes to. */
const TIP = '11'.repeat(32);
const HONEST: Readonly<Record<string, unknown>> = {
  getblockchaininfo: {
    chain: 'main',
    blocks: 10,
    bestblockhash: TIP,
    mediantime: 1_600_000_000,
    initialblockdownload: false,
  },
  getblockhash: '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f',
  getblockheader: { height: 10, hash: TIP, mediantime: 1_600_000_000, time: 1_600_000_000 },
  scantxoutset: { success: true, height: 10, bestblock: TIP, unspents: [] },
  getrawtransaction: '00',
  getmempoolentry: {},
  gettxout: null,
  gettxspendingprevout: [{ txid: TXID, vout: 0 }],
  getrawmempool: [],
  getblock: { hash: TIP, height: 10, time: 1_600_000_000, tx: [] },
  testmempoolaccept: [{ allowed: true }],
  sendrawtransaction: TXID,
  estimatesmartfee: { feerate: 0.0001 },
};
const own = Buffer.from(deriver.at(0, 0).script).toString('hex');
const coin = (more: object): object => ({
  ...(HONEST.scantxoutset as object),
  unspents: [{ txid: TXID, vout: 0, scriptPubKey: own, amount: 1, height: 5, ...more }],
});

async function lyingNode(lies: Readonly<Record<string, unknown>>): Promise<ChainBackend> {
  return core((body) => {
    const asked = JSON.parse(body);
    const one = ({ id, method, params }: { id: string; method: string; params: unknown[] }): string => {
      const value =
        method === 'scantxoutset' && params[0] === 'status' ? null : ({ ...HONEST, ...lies }[method] ?? null);
      return `{"result":${typeof value === 'function' ? value() : JSON.stringify(value)},"error":null,"id":"${id}"}`;
    };
    return { text: Array.isArray(asked) ? `[${asked.map(one).join(',')}]` : one(asked) };
  }, cookie);
}

describe('a node that lies', () => {
  it.each<[string, Record<string, unknown>, (backend: ChainBackend) => Promise<Result<unknown, Fault>>]>([
    ['another network', { getblockhash: TIP }, (backend) => backend.network()],
    [
      'a coin of a script that was not asked for',
      { scantxoutset: coin({ scriptPubKey: '0014'.padEnd(44, '0') }) },
      (b) => b.scan({ deriver, lastUsed: [-1, -1], gap: 2 }),
    ],
    [
      'a negative amount',
      { scantxoutset: coin({ amount: -1 }) },
      (b) => b.scan({ deriver, lastUsed: [-1, -1], gap: 2 }),
    ],
    [
      'more than there will ever be',
      { scantxoutset: coin({ amount: 21_000_001 }) },
      (b) => b.scan({ deriver, lastUsed: [-1, -1], gap: 2 }),
    ],
    [
      'a ninth decimal',
      { scantxoutset: () => JSON.stringify(coin({})).replace('"amount":1', '"amount":0.123456789') },
      (b) => b.scan({ deriver, lastUsed: [-1, -1], gap: 2 }),
    ],
    [
      'an amount as a text of another form',
      { scantxoutset: coin({ amount: '1e3' }) },
      (b) => b.scan({ deriver, lastUsed: [-1, -1], gap: 2 }),
    ],
    [
      'a scan that did not succeed',
      { scantxoutset: { ...(HONEST.scantxoutset as object), success: false } },
      (b) => b.scan({ deriver, lastUsed: [-1, -1], gap: 2 }),
    ],
    [
      'a height below zero',
      { scantxoutset: coin({ height: -5 }) },
      (b) => b.scan({ deriver, lastUsed: [-1, -1], gap: 2 }),
    ],
    ['a negative feerate', { estimatesmartfee: { feerate: -0.1 } }, (b) => b.feerate(6)],
    ['a verdict that is none', { testmempoolaccept: [{}] }, (b) => b.testAccept(RAW)],
    ['a verdict on more than was asked', { testmempoolaccept: [] }, (b) => b.testAccept(RAW)],
  ])('%s is a fault and no value', async (_, lies, call) => {
    expectFault(await call(await lyingNode(lies)), 'core http://127.0.0.1');
  });

  it('one that forgets: what it knew is unknown, a coin without a spender is spent by nobody it can name', async () => {
    const forgetful = await lyingNode({ getrawtransaction: undefined });
    const spenders = await forgetful.spenders([OUTPOINT], 9);
    expect(spenders).toEqual({ ok: true, value: new Map([[formatOutpoint(OUTPOINT), { state: 'spent', by: null }]]) });
  });

  it('one that starts, and one that has pruned its blocks, say so', async () => {
    for (const [code, message, tag] of [
      [-28, 'Loading block index...', 'E_CHAIN_SYNCING'],
      [-1, 'Block not available (pruned data)', 'E_CHAIN_PRUNED'],
    ] as const) {
      const backend = await core((body) => {
        const asked = JSON.parse(body);
        const one = ({ id }: { id: string }): string =>
          `{"result":null,"error":{"code":${code},"message":"${message}"},"id":"${id}"}`;
        return { status: 500, text: Array.isArray(asked) ? `[${asked.map(one).join(',')}]` : one(asked) };
      }, cookie);
      expect(await backend.transactions([{ txid: TXID, height: null }])).toMatchObject({ ok: false, error: { tag } });
    }
  });
});

/** Anybody can have a deposit appear and vanish again: an unconfirmed one that is replaced, or one of a block that is undone. */
describe('a coin whose transaction nobody knows any more', () => {
  const gone = { ok: true, value: new Map([[formatOutpoint(OUTPOINT), { state: 'spent', by: null }]]) };

  it('electrum: is gone, and nobody spent it', async () => {
    const backend = await electrum((line, socket) => {
      const { id, method } = JSON.parse(line);
      const answer =
        method === 'server.version'
          ? { result: ['stub', '1.4'] }
          : { error: { code: 2, message: 'daemon error: No such mempool or blockchain transaction' } };
      socket.write(`${JSON.stringify({ id, ...answer })}\n`);
    });
    expect(await backend.spenders([OUTPOINT], 0)).toEqual(gone);
    expect(await backend.status(TXID, 0)).toEqual({ ok: true, value: { state: 'unknown' } });
    await backend.close();
  });

  it('esplora: is gone, and nobody spent it', async () => {
    const backend = await esplora(() => ({ status: 404, text: 'Transaction not found' }));
    expect(await backend.spenders([OUTPOINT], 0)).toEqual(gone);
    expect(await backend.status(TXID, 0)).toEqual({ ok: true, value: { state: 'unknown' } });
    await backend.close();
  });
});

describe('an Electrum server that refuses the history of a busy script', () => {
  const payee = Buffer.from(`0014${'07'.repeat(20)}`, 'hex');
  const change = Buffer.from(`0014${'08'.repeat(20)}`, 'hex');
  const transaction = new Transaction();
  transaction.addInput(Buffer.alloc(32, 1), 0);
  transaction.addOutput(Buffer.from('6a0101', 'hex'), 0n);
  transaction.addOutput(payee, 1000n);
  transaction.addOutput(change, 1000n);
  const txid = transaction.getId();
  const idOf = (script: Uint8Array): string => createHash('sha256').update(script).digest().reverse().toString('hex');

  async function server(known: readonly Buffer[]): Promise<{ backend: ChainBackend; asked: string[] }> {
    const asked: string[] = [];
    const backend = await electrum((line, socket) => {
      const { id, method, params } = JSON.parse(line);
      if (method === 'blockchain.scripthash.get_history') asked.push(params[0]);
      const isKnown = known.some((script) => idOf(script) === params[0]);
      const answers: Readonly<Record<string, object>> = {
        'server.version': { result: ['stub', '1.4'] },
        'blockchain.transaction.get': { result: transaction.toHex() },
        'blockchain.block.header': { result: '00'.repeat(80) },
        'blockchain.scripthash.get_history': isKnown
          ? { result: [{ tx_hash: txid, height: 7 }] }
          : { error: { code: 1, message: 'history too large' } },
      };
      socket.write(`${JSON.stringify({ id, ...answers[method] })}\n`);
    });
    return { backend, asked };
  }

  it('is asked for another output of the same transaction, and for none that cannot be spent', async () => {
    const { backend, asked } = await server([change]);
    expect(await backend.status(txid, 0)).toMatchObject({ value: { state: 'confirmed', height: 7 } });
    expect(asked).toEqual([idOf(payee), idOf(change)]);
    await backend.close();
  });

  it('fails with its words where it refuses all of them', async () => {
    const { backend } = await server([]);
    expectFault(await backend.status(txid, 0), 'history too large');
    await backend.close();
  });
});
