import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '../../src/domain/bytes.js';

/**
 * A real node in regtest on loopback: bitcoind where one is on the PATH, else litecoind, which takes and refuses the same
 * Bitcoin-format transactions (without its MWEB rules). It is spoken to in scripts and descriptors, never in addresses.
 */
const LITECOIND = '/usr/lib/litecoin/litecoind';
const LITECOIN_FLAGS = ['-mempoolreplacement=1', '-vbparams=mweb:99999999999:999999999999', '-dustrelayfee=0.00003'];

export interface NodeProgram {
  readonly name: 'bitcoind' | 'litecoind';
  readonly path: string;
}

/** The node of this machine, or null with the reason why tests of it are left out. */
export function findNode(): NodeProgram | null {
  const bitcoind = onPath('bitcoind');
  if (bitcoind !== null) return { name: 'bitcoind', path: bitcoind };
  const litecoind = existsSync(LITECOIND) ? LITECOIND : onPath('litecoind');
  return litecoind === null ? null : { name: 'litecoind', path: litecoind };
}

function onPath(name: string): string | null {
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
  } catch {
    // "command -v" has no other way of saying that there is none.
    return null;
  }
}

/** Why a node cannot call an external signer here; null where it can. */
export function withoutSigner(program: NodeProgram | null): string | null {
  if (program === null) return 'no node is on the PATH';
  const help = execFileSync(program.path, ['-help'], { encoding: 'utf8' });
  return help.includes('-signer=<cmd>') ? null : `${program.name} is built without -signer=`;
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('no port'));
      server.close(() => resolve(address.port));
    });
  });
}

export class RegtestNode {
  private constructor(
    readonly program: NodeProgram,
    readonly folder: string,
    readonly port: number,
    readonly cookie: string,
    private readonly child: ChildProcess,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  static async start(program: NodeProgram, more: readonly string[] = []): Promise<RegtestNode> {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-node-'));
    const port = await freePort();
    const args = [
      '-regtest',
      `-datadir=${folder}`,
      '-server',
      '-listen=0',
      '-listenonion=0',
      '-dnsseed=0',
      '-rpcbind=127.0.0.1',
      '-rpcallowip=127.0.0.1',
      `-rpcport=${port}`,
      '-fallbackfee=0.0001',
      '-acceptnonstdtxn=0',
      ...(program.name === 'litecoind' ? LITECOIN_FLAGS : []),
      ...more,
    ];
    const child = spawn(program.path, args, { stdio: 'ignore' });
    const node = new RegtestNode(program, folder, port, join(folder, 'regtest', '.cookie'), child);
    for (let attempt = 0; ; attempt += 1) {
      try {
        await node.rpc('getblockchaininfo');
        return node;
      } catch (error) {
        if (attempt > 300 || child.exitCode !== null) {
          await node.stop();
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: the tests look into the node's own answers, of many shapes.
  async rpc(method: string, ...params: unknown[]): Promise<any> {
    const answer = await fetch(this.url, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(readFileSync(this.cookie, 'utf8')).toString('base64')}` },
      body: JSON.stringify({ id: 'test', method, params }),
    });
    const { result, error } = JSON.parse(await answer.text());
    if (error !== null) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Mines blocks whose coinbase pays a script. */
  async mine(blocks: number, script: Uint8Array): Promise<readonly string[]> {
    const { descriptor } = await this.rpc('getdescriptorinfo', `raw(${toHex(script)})`);
    return this.rpc('generatetodescriptor', blocks, descriptor);
  }

  async stop(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) resolve();
      else this.child.once('exit', () => resolve());
    });
    this.child.kill();
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
