import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort, type PostgresServer } from './server.js';

const DEBIAN = '/usr/sbin/pgbouncer';

/** pgbouncer of Debian's package of that name; null where it is not there. */
export const findPgbouncer = (): string | null => (existsSync(DEBIAN) ? DEBIAN : null);

/** A pooler on loopback before a server of these tests, with two sessions at most for each user. */
export class Pooler {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly port: number,
    private readonly server: PostgresServer,
  ) {}

  static async start(program: string, server: PostgresServer, ...settings: readonly string[]): Promise<Pooler> {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-pooler-'));
    const port = await freePort();
    writeFileSync(join(folder, 'users.txt'), '"tester" ""\n');
    const lines = [
      '[databases]',
      `* = host=127.0.0.1 port=${server.port}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = trust',
      `auth_file = ${join(folder, 'users.txt')}`,
      'default_pool_size = 2',
      ...settings,
    ];
    writeFileSync(join(folder, 'pgbouncer.ini'), `${lines.join('\n')}\n`);
    const { uid, gid } = server.as;
    if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
    const child = spawn(program, ['-q', join(folder, 'pgbouncer.ini')], { ...server.as, stdio: 'ignore', cwd: folder });
    const pooler = new Pooler(child, folder, port, server);
    await pooler.#answers();
    return pooler;
  }

  async #answers(): Promise<void> {
    for (let attempt = 0; attempt < 200 && this.child.exitCode === null; attempt += 1) {
      const client = new pg.Client({ host: '127.0.0.1', port: this.port, user: 'tester', database: 'postgres' });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.end();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    throw new Error('pgbouncer did not start');
  }

  /** The same journal, reached through it. */
  through(address: string): string {
    return address.replace(`:${this.server.port}/`, `:${this.port}/`);
  }

  async remove(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode === null && this.child.kill('SIGINT')) await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
