import { createHash } from 'node:crypto';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Socket, type Server as TcpServer } from 'node:net';
import type { RegtestNode } from './node.js';

/**
 * Speaks Esplora's HTTP API and the Electrum protocol for a real node, from an index that is built anew for each question:
 * neither npm nor Debian carries such a server. Paths and answers are those of Blockstream's esplora API.md and of the
 * Electrum protocol 1.4 documents. `spoil` changes an answer on its way out, for a server that lies or breaks.
 */
export class Bridge {
  /** Takes the question and the answer; what it returns is sent, undefined hangs up in the middle. */
  spoil: (question: string, answer: string) => string | undefined = (_, answer) => answer;
  asked: string[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly node: RegtestNode,
    private readonly http: HttpServer,
    private readonly tcp: TcpServer,
  ) {}

  static async start(node: RegtestNode): Promise<Bridge> {
    const http = createHttp();
    const tcp = createTcp();
    const bridge = new Bridge(node, http, tcp);
    http.on('request', (request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', async () => {
        const path = request.url ?? '/';
        const [status, text] = await bridge
          .esplora(path, body)
          .catch((error): [number, string] => [500, String(error)]);
        bridge.asked.push(path);
        const sent = bridge.spoil(path, text);
        if (sent === undefined) {
          response.writeHead(status, { 'content-length': '1000' });
          response.write(text.slice(0, 5));
          setTimeout(() => response.destroy(), 10);
        } else {
          response.writeHead(status).end(sent);
        }
      });
    });
    tcp.on('connection', (socket) => {
      bridge.sockets.add(socket);
      let text = '';
      socket.on('error', () => undefined);
      socket.on('data', async (chunk) => {
        text += chunk;
        const lines = text.split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) {
          const { id, method, params } = JSON.parse(line);
          bridge.asked.push(method);
          const answer = await bridge.electrum(method, params).then(
            (result) => ({ jsonrpc: '2.0', id, result }),
            (error) => ({ jsonrpc: '2.0', id, error: { code: 2, message: error.message } }),
          );
          const sent = bridge.spoil(method, JSON.stringify(answer));
          if (sent === undefined) socket.destroy();
          else socket.write(`${sent}\n`);
        }
      });
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    return bridge;
  }

  get esploraUrl(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  get electrumPort(): number {
    return (this.tcp.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
    await new Promise((resolve) => this.tcp.close(resolve));
  }

  private async esplora(path: string, body: string): Promise<[number, string]> {
    const [, kind = '', id = '', more = '', last = ''] = path.split('/');
    switch (`${kind}/${more}`) {
      case 'blocks/hash':
        return [200, await this.node.rpc('getbestblockhash')];
      case 'block-height/': {
        const hash = await this.node.rpc('getblockhash', Number(id)).catch(() => null);
        return hash === null ? [404, 'Block not found'] : [200, hash];
      }
      case 'block/': {
        const { hash, height, mediantime } = await this.node.rpc('getblockheader', id);
        return [200, JSON.stringify({ id: hash, height, mediantime })];
      }
      case 'scripthash/': {
        const outputs = (await this.index()).filter((output) => output.hash === id);
        const stats = (settled: boolean): object => {
          const these = outputs.filter(({ height }) => (height !== null) === settled);
          const spent = these.filter(({ spentBy }) => spentBy !== null).length;
          return { tx_count: these.length, funded_txo_count: these.length, spent_txo_count: spent };
        };
        return [200, JSON.stringify({ chain_stats: stats(true), mempool_stats: stats(false) })];
      }
      case 'scripthash/utxo': {
        const coins = (await this.index()).filter(({ hash, spentBy }) => hash === id && spentBy === null);
        return [200, JSON.stringify(coins.map(({ txid, vout, value, status }) => ({ txid, vout, value, status })))];
      }
      case 'tx/':
        if (id === '') {
          return this.node.rpc('sendrawtransaction', body).then(
            (txid): [number, string] => [200, txid],
            (error): [number, string] => [400, `sendrawtransaction RPC error: ${error.message}`],
          );
        }
        return (await this.transaction(id)) === null ? [404, 'Transaction not found'] : [200, '{}'];
      case 'tx/hex': {
        const raw = await this.transaction(id);
        return raw === null ? [404, 'Transaction not found'] : [200, raw];
      }
      case 'tx/status': {
        const output = (await this.index()).find(({ txid }) => txid === id);
        return [200, JSON.stringify(output?.status ?? { confirmed: false })];
      }
      case 'tx/outspend': {
        const output = (await this.index()).find(({ txid, vout }) => txid === id && vout === Number(last));
        const by = output?.spentBy ?? null;
        return [200, JSON.stringify(by === null ? { spent: false } : { spent: true, txid: by })];
      }
      case 'fee-estimates/':
        return [200, '{"1":20.5,"6":11.0004,"144":1}'];
      default:
        return [404, 'no such path'];
    }
  }

  private async electrum(method: string, params: readonly unknown[]): Promise<unknown> {
    const [first, second] = params;
    const reversed = typeof first === 'string' ? (first.match(/../g) ?? []).reverse().join('') : '';
    const header = async (height: number): Promise<string> =>
      this.node.rpc('getblockheader', await this.node.rpc('getblockhash', height), false);
    switch (method) {
      case 'server.version':
        return ['bridge 1', '1.4'];
      case 'blockchain.block.header':
        return header(Number(first));
      case 'blockchain.block.headers': {
        const heights = Array.from({ length: Number(second) }, (_, offset) => Number(first) + offset);
        return { count: heights.length, hex: (await Promise.all(heights.map(header))).join(''), max: 2016 };
      }
      case 'blockchain.headers.subscribe': {
        const height = await this.node.rpc('getblockcount');
        return { height, hex: await header(height) };
      }
      case 'blockchain.scripthash.get_history': {
        const touching = (await this.index()).filter(({ hash }) => hash === reversed);
        const made = touching.map(({ txid, height }) => ({ tx_hash: txid, height: height ?? 0 }));
        const spent = touching.flatMap(({ spentBy, spentAt }) =>
          spentBy === null ? [] : [{ tx_hash: spentBy, height: spentAt ?? 0 }],
        );
        return [...made, ...spent];
      }
      case 'blockchain.scripthash.listunspent':
        return (await this.index())
          .filter(({ hash, spentBy }) => hash === reversed && spentBy === null)
          .map(({ txid, vout, height, value }) => ({ tx_hash: txid, tx_pos: vout, height: height ?? 0, value }));
      case 'blockchain.transaction.get': {
        const raw = await this.transaction(String(first));
        if (raw === null) throw new Error('No such mempool or blockchain transaction');
        return raw;
      }
      case 'blockchain.transaction.broadcast':
        return this.node.rpc('sendrawtransaction', first);
      case 'blockchain.estimatefee':
        return 0.00011;
      default:
        throw new Error(`unknown method ${method}`);
    }
  }

  private async transaction(txid: string): Promise<string | null> {
    const output = (await this.index()).find((one) => one.txid === txid);
    if (output === undefined) return null;
    return this.node.rpc('getrawtransaction', txid, false, ...(output.block === null ? [] : [output.block]));
  }

  /** Built anew only where the chain or the mempool is another than at the last question. */
  private async index(): Promise<readonly IndexedOutput[]> {
    const pool: readonly string[] = await this.node.rpc('getrawmempool');
    const key = [await this.node.rpc('getbestblockhash'), ...pool].join();
    if (this.built?.key !== key) this.built = { key, outputs: this.build(pool) };
    return this.built.outputs;
  }

  private async build(pool: readonly string[]): Promise<readonly IndexedOutput[]> {
    const outputs = new Map<string, IndexedOutput>();
    const take = (tx: NodeTransaction, block: string | null, height: number | null, time: number): void => {
      for (const { txid, vout } of tx.vin) {
        const spent = outputs.get(`${txid}:${vout}`);
        if (spent !== undefined) outputs.set(`${txid}:${vout}`, { ...spent, spentBy: tx.txid, spentAt: height });
      }
      for (const { n, value, scriptPubKey } of tx.vout) {
        const status =
          height === null
            ? { confirmed: false as const }
            : { confirmed: true as const, block_height: height, block_hash: block, block_time: time };
        outputs.set(`${tx.txid}:${n}`, {
          txid: tx.txid,
          vout: n,
          hash: createHash('sha256').update(Buffer.from(scriptPubKey.hex, 'hex')).digest('hex'),
          value: Math.round(value * 1e8),
          block,
          height,
          status,
          spentBy: null,
          spentAt: null,
        });
      }
    };
    const tip = await this.node.rpc('getblockcount');
    for (let height = 1; height <= tip; height += 1) {
      const hash = await this.node.rpc('getblockhash', height);
      this.blocks[hash] ??= await this.node.rpc('getblock', hash, 2);
      const { tx, time } = this.blocks[hash] ?? { tx: [], time: 0 };
      for (const one of tx) take(one, hash, height, time);
    }
    for (const txid of pool) {
      take(await this.node.rpc('getrawtransaction', txid, true), null, null, 0);
    }
    return [...outputs.values()];
  }

  private built: { key: string; outputs: Promise<readonly IndexedOutput[]> } | null = null;
  private readonly blocks: Record<string, { tx: readonly NodeTransaction[]; time: number }> = {};
}

interface NodeTransaction {
  readonly txid: string;
  readonly vin: readonly { readonly txid?: string; readonly vout?: number }[];
  readonly vout: readonly {
    readonly n: number;
    readonly value: number;
    readonly scriptPubKey: { readonly hex: string };
  }[];
}

interface IndexedOutput {
  readonly txid: string;
  readonly vout: number;
  readonly hash: string;
  readonly value: number;
  readonly block: string | null;
  readonly height: number | null;
  readonly status: object;
  readonly spentBy: string | null;
  readonly spentAt: number | null;
}
