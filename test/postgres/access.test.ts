import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createSharedJournal, openSharedJournal } from '../../src/adapters/postgres/journal.js';
import { append, clock, NONCE } from '../adapters/journal-folder.js';
import { tagOf } from '../adapters/journal-suite.js';
import { frozen } from '../journal/story.js';
import { Wire } from './cut.js';
import { findPostgres, PostgresServer } from './server.js';

const binaries = findPostgres();
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const isHere = binaries !== null && hasOpenssl;
const folder = mkdtempSync(join(tmpdir(), 'countersign-authority-'));
const path = (name: string): string => join(folder, name);
const PASSWORD = 'a-secret-of-the-tests';
let server: PostgresServer;

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
}
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
function authority(name: string): void {
  openssl(
    'req',
    '-x509',
    ...KEY,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.crt`,
    '-subj',
    `/CN=${name}`,
    '-days',
    '2',
  );
}
function certificate(name: string, by: string, subject: string, alternatives: string): void {
  writeFileSync(path('extensions'), `subjectAltName=${alternatives}`);
  openssl('req', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${subject}`);
  const signer = ['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial'];
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    ...signer,
    '-out',
    `${name}.crt`,
    '-days',
    '2',
    '-extfile',
    'extensions',
  );
  chmodSync(path(`${name}.key`), 0o600);
}

beforeAll(async () => {
  if (binaries === null || !hasOpenssl) return;
  authority('authority');
  authority('stranger');
  certificate('server', 'authority', 'server', 'DNS:localhost');
  certificate('carol', 'authority', 'carol', 'DNS:carol');
  certificate('by-a-stranger', 'stranger', 'carol', 'DNS:carol');
  server = await PostgresServer.start(binaries);
  await server.run(`CREATE ROLE alice LOGIN SUPERUSER PASSWORD '${PASSWORD}'; CREATE ROLE carol LOGIN SUPERUSER`);
  const made = await createSharedJournal(server.address('cold'), { clock, network: 'regtest', nonce: NONCE });
  if (made.ok) await made.value.close();
  for (const name of ['server.key', 'server.crt', 'authority.crt'])
    server.write(name, readFileSync(path(name), 'utf8'));
  const lines = ['host all alice all scram-sha-256', 'hostssl all carol all cert', 'host all all all trust'];
  const hba = server.write('hba', `${lines.join('\n')}\n`);
  await server.down();
  await server.up('ssl=on', 'ssl_ca_file=authority.crt', `hba_file=${hba}`);
}, 60_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  if (isHere) await server.remove();
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const to = (user: string, host: string, more = ''): string =>
  `postgres://${user}@${host}:${server.port}/postgres?schema=cold${more}`;
async function said(address: string): Promise<string> {
  const opened = await openSharedJournal(address, { clock });
  if (opened.ok) await opened.value.close();
  const words = opened.ok ? 'ok' : `${tagOf(opened)} ${opened.error.message} | ${opened.error.remedy}`;
  expect(words).not.toContain(PASSWORD);
  return words;
}
const CA = `&sslrootcert=${path('authority.crt')}`;

describe.skipIf(!isHere)('who is at both ends (skipped where there is no PostgreSQL or no openssl)', () => {
  it('a server is known by the name in its certificate, and by an authority that was named', async () => {
    expect(await said(to('tester', 'localhost', CA))).toBe('ok');
    expect(await said(to('tester', '127.0.0.1', CA))).toMatch(/E_JOURNAL_IO.*did not prove.*127\.0\.0\.1/);
    expect(await said(to('tester', 'localhost', '&sslmode=verify-full'))).toMatch(
      /E_JOURNAL_IO.*did not prove.*sslrootcert/,
    );
    expect(await said(to('tester', 'localhost', `&sslrootcert=${path('stranger.crt')}`))).toMatch(/did not prove/);
  });

  it('an officer by a certificate, where the server asks for one', async () => {
    const own = (name: string): string => `${CA}&sslcert=${path(`${name}.crt`)}&sslkey=${path(`${name}.key`)}`;
    expect(await said(to('carol', 'localhost', own('carol')))).toBe('ok');
    expect(await said(to('carol', 'localhost', CA))).toMatch(/E_JOURNAL_IO.*refuses this user.*certificate/);
    expect(await said(to('carol', 'localhost', own('by-a-stranger')))).toMatch(
      /E_JOURNAL_IO the server refuses this user/,
    );
    const mixed = `${CA}&sslcert=${path('carol.crt')}&sslkey=${path('server.key')}`;
    expect(await said(to('carol', 'localhost', mixed))).toMatch(/E_JOURNAL_ADDRESS sslkey.*not the key/);
  });

  it('an officer by a password, from PGPASSWORD or from a file, which is shown nowhere', async () => {
    vi.stubEnv('PGPASSWORD', undefined);
    vi.stubEnv('PGPASSFILE', path('pgpass'));
    const warn = vi.spyOn(process, 'emitWarning');
    const at = to('alice', 'localhost', CA);
    expect(await said(at)).toMatch(/E_JOURNAL_ADDRESS the server asks alice for a password, and there is none/);
    writeFileSync(path('pgpass'), `localhost:${server.port}:postgres:alice:${PASSWORD}\n`, { mode: 0o600 });
    expect(await said(at)).toBe('ok');
    chmodSync(path('pgpass'), 0o644);
    expect(await said(at)).toMatch(/E_JOURNAL_ADDRESS PGPASSFILE: others than you/);
    vi.stubEnv('PGPASSWORD', 'something else');
    expect(await said(at)).toMatch(/E_JOURNAL_IO the server refuses this user/);
    vi.stubEnv('PGPASSWORD', PASSWORD);
    expect(await said(at)).toBe('ok');
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('and a connection that is lost at any of its messages ends nobody in waiting', async () => {
    const wire = await Wire.to(server.port);
    const address = to('tester', 'localhost', CA).replace(`:${server.port}/`, `:${wire.port}/`);
    try {
      wire.cutAt(null);
      expect(await said(address)).toBe('ok');
      const messages = wire.messages;
      expect(messages).toBeGreaterThan(8);
      for (let at = 1; at < messages; at += 1) {
        wire.cutAt({ at, when: at % 2 === 0 ? 'before' : 'answered' });
        expect([at, (await said(address)).slice(0, 12)]).toEqual([at, 'E_JOURNAL_IO']);
      }
      const opened = await openSharedJournal(address, { clock });
      if (!opened.ok) throw new Error(opened.error.message);
      for (const when of ['before', 'answered'] as const) {
        wire.cutAt({ at: 2, when });
        expect(tagOf(await append(opened.value, [frozen('lost')]))).toBe('E_JOURNAL_IO');
        expect(tagOf(await append(opened.value, [frozen('kept')]))).toBe('ok');
      }
      // From now on nothing is answered, as in a network that swallows everything.
      wire.hush();
      const before = performance.now();
      await opened.value.close();
      expect(performance.now() - before).toBeLessThan(10_000);
    } finally {
      await wire.close();
    }
  });
});
