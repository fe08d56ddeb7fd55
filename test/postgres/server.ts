import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

const DEBIAN = '/usr/lib/postgresql';

/** The folder of a PostgreSQL of 15 or newer on this machine; null where there is none, or none that may be started. */
export function findPostgres(): string | null {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).filter((name) => Number(name) >= 15) : [];
  const newest = versions.sort((a, b) => Number(a) - Number(b)).at(-1);
  if (newest === undefined || !existsSync(join(DEBIAN, newest, 'bin', 'initdb'))) return null;
  return isRoot() && account() === null ? null : join(DEBIAN, newest, 'bin');
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** PostgreSQL refuses to run as root: Debian's package brings an account of its own. */
function account(): { uid: number; gid: number } | null {
  const id = (flag: string): number =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout.trim() || 'x');
  const [uid, gid] = [id('-u'), id('-g')];
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : null;
}

export async function freePort(): Promise<number> {
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

/** A cluster of its own on loopback, in a folder that goes away with it. Everybody on this machine is trusted by it. */
export class PostgresServer {
  #child: ChildProcess | null = null;
  #schemas = 0;

  private constructor(
    private readonly binaries: string,
    private readonly folder: string,
    readonly port: number,
    readonly as: { readonly uid?: number; readonly gid?: number },
  ) {}

  static async start(binaries: string): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-postgres-'));
    const other = isRoot() ? account() : null;
    if (other !== null) chownSync(folder, other.uid, other.gid);
    const as = other ?? {};
    const args = ['-D', join(folder, 'data'), '-A', 'trust', '-U', 'tester', '-E', 'UTF8', '--locale=C', '--no-sync'];
    execFileSync(join(binaries, 'initdb'), args, { ...as, stdio: 'ignore', cwd: folder });
    const server = new PostgresServer(binaries, folder, await freePort(), as);
    await server.up();
    return server;
  }

  /** A standby of this server, streaming from it. It is read until somebody promotes it. */
  async standby(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-standby-'));
    if (this.as.uid !== undefined && this.as.gid !== undefined) chownSync(folder, this.as.uid, this.as.gid);
    const from = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'tester', '--checkpoint=fast', '--no-sync', '-R'];
    const args = ['-D', join(folder, 'data'), ...from];
    execFileSync(join(this.binaries, 'pg_basebackup'), args, { ...this.as, stdio: 'ignore', cwd: folder });
    const standby = new PostgresServer(this.binaries, folder, await freePort(), this.as);
    await standby.up();
    return standby;
  }

  /** From now on it takes what is written. */
  async promote(): Promise<void> {
    await this.run('SELECT pg_promote()');
  }

  /** A file of the server's own, which nobody else may read. Answers its path. */
  write(name: string, content: string): string {
    const path = join(this.folder, 'data', name);
    writeFileSync(path, content, { mode: 0o600 });
    if (this.as.uid !== undefined && this.as.gid !== undefined) chownSync(path, this.as.uid, this.as.gid);
    return path;
  }

  /** Starts it, or starts it again where it was put down. */
  async up(...settings: readonly string[]): Promise<void> {
    const fixed = [`port=${this.port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${this.folder}`];
    const args = ['-D', join(this.folder, 'data'), ...[...fixed, ...settings].flatMap((one) => ['-c', one])];
    const child = spawn(join(this.binaries, 'postgres'), args, { ...this.as, stdio: 'ignore', cwd: this.folder });
    this.#child = child;
    for (let attempt = 0; attempt < 600; attempt += 1) {
      if (await this.#answers()) return;
      if (child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('PostgreSQL did not start');
  }

  async #answers(): Promise<boolean> {
    try {
      await this.run('SELECT 1');
      return true;
    } catch {
      // Not yet: whether it ever does is seen by the caller.
      return false;
    }
  }

  /** SIGQUIT ends it as a power cut of the program would; SIGINT disconnects everybody in good order. */
  async down(signal: 'SIGQUIT' | 'SIGINT' = 'SIGINT'): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The address of a journal that is not there yet. */
  fresh(): string {
    this.#schemas += 1;
    return this.address(`journal_${this.#schemas}`);
  }

  address(schema: string, user = 'tester'): string {
    return `postgres://${user}@127.0.0.1:${this.port}/postgres?schema=${schema}`;
  }

  /** A database of its own, empty or as another one is to which nobody is connected. Answers its name. */
  async makeDatabase(name: string, like = 'template0'): Promise<string> {
    await this.run(`CREATE DATABASE ${name} TEMPLATE ${like}`);
    return name;
  }

  async dropDatabase(name: string): Promise<void> {
    await this.run(`DROP DATABASE ${name} WITH (FORCE)`);
  }

  /** The address of the one journal in a database. */
  inDatabase(database: string): string {
    return `postgres://tester@127.0.0.1:${this.port}/${database}?schema=cold`;
  }

  /** Runs statements as the superuser, with the tables of a journal named by themselves. */
  async run(sql: string, address?: string): Promise<unknown[][]> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.port, user: 'tester', database: 'postgres' });
    client.on('error', () => undefined);
    await client.connect();
    try {
      if (address !== undefined) await client.query(`SET search_path = ${schemaOf(address)}`);
      const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
      return rows;
    } finally {
      await client.end();
    }
  }

  /** Ends every session of countersign, as a network that fails does. */
  async cut(): Promise<void> {
    await this.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'countersign'");
  }
}

export function schemaOf(address: string): string {
  return new URL(address).searchParams.get('schema') ?? '';
}
