import { isAbsolute } from 'node:path';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';

/** Where a shared journal lies. */
export interface PostgresAddress {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Null where it is left to PGUSER or the name of the account. */
  readonly user: string | null;
  /** The schema that holds the two tables of one journal. */
  readonly schema: string;
  readonly tls: 'verified' | 'none';
  /** A file with the certificates that the server's has to go back to; null for those that Node trusts. */
  readonly caFile: string | null;
  /** What this machine proves itself with where the server asks for it; null for nothing. */
  readonly certificate: { readonly file: string; readonly keyFile: string } | null;
  /** For messages. */
  readonly name: string;
}

const EXAMPLE = 'write it as postgres://USER@HOST:5432/DATABASE?schema=NAME';
/** Those that name a file of this machine. */
const FILES = ['sslrootcert', 'sslcert', 'sslkey'];
const PARAMETERS = ['schema', 'host', 'sslmode', ...FILES];

/**
 * Reads `postgres://user@host:port/database?schema=...&sslmode=...&sslrootcert=...&sslcert=...&sslkey=...`, libpq's form with its names
 * (https://www.postgresql.org/docs/15/libpq-connect.html). A password is refused: the file that holds the address is read
 * by many. Beyond this machine only TLS with a verified certificate is taken. E_JOURNAL_ADDRESS.
 */
export function parsePostgresAddress(text: string): Result<PostgresAddress, Fault> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    return refuse('the address of a shared journal begins with postgres://', EXAMPLE);
  }
  if (url.password !== '') {
    return refuse(
      'a password does not belong into the address: everybody who can read the file would have it',
      PASSWORD,
    );
  }
  const unknown = [...url.searchParams.keys()].find((key) => !PARAMETERS.includes(key));
  if (unknown !== undefined) {
    return refuse(`${quoted(unknown)} is not a parameter of a journal's address`, `it has ${PARAMETERS.join(', ')}`);
  }
  const twice = PARAMETERS.find((key) => url.searchParams.getAll(key).length > 1);
  if (twice !== undefined) return refuse(`${twice} is given twice`, EXAMPLE);
  const database = decoded(url.pathname.slice(1));
  if (database === null || database === '') return refuse('the address names no database', EXAMPLE);
  const host = url.searchParams.get('host') ?? decoded(url.hostname.replace(/^\[|\]$/g, ''));
  if (host === null || host === '') return refuse('the address names no host', EXAMPLE);
  const schema = url.searchParams.get('schema') ?? 'countersign';
  // PostgreSQL keeps pg_ for itself.
  if (!/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    return refuse(
      `${quoted(schema)} is not a name of a schema here`,
      'use lower-case letters, digits and _, and do not begin with pg_',
    );
  }
  const user = decoded(url.username);
  const port = url.port === '' ? 5432 : Number(url.port);
  const files = filesOf(url.searchParams);
  if (!files.ok) return files;
  const tls = tlsOf(url.searchParams.get('sslmode'), host, files.value);
  if (!tls.ok) return tls;
  const at = host.startsWith('/') ? `${host}:${port}` : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return ok({
    host,
    port,
    database,
    user: user === '' ? null : user,
    schema,
    tls: tls.value,
    ...files.value,
    name: `postgres://${at}/${database}?schema=${schema}`,
  });
}

const PASSWORD = 'leave it out, and keep it in ~/.pgpass (mode 0600) or in PGPASSWORD';

type Files = Pick<PostgresAddress, 'caFile' | 'certificate'>;

function filesOf(parameters: URLSearchParams): Result<Files, Fault> {
  const [caFile, file, keyFile] = FILES.map((name) => parameters.get(name));
  for (const name of FILES) {
    const path = parameters.get(name);
    if (path === null || isAbsolute(path)) continue;
    return refuse(`${name}=${path} is another file in each folder`, 'write the whole path, from the root on');
  }
  if (typeof file === 'string' && typeof keyFile === 'string') {
    return ok({ caFile: caFile ?? null, certificate: { file, keyFile } });
  }
  if (typeof file !== typeof keyFile) return refuse('sslcert and sslkey say nothing without one another', EXAMPLE);
  return ok({ caFile: caFile ?? null, certificate: null });
}

function tlsOf(
  mode: string | null,
  host: string,
  { caFile, certificate }: Files,
): Result<PostgresAddress['tls'], Fault> {
  const isSocket = host.startsWith('/');
  const near = isSocket || ['localhost', '127.0.0.1', '::1'].includes(host);
  const isMeant = caFile !== null || certificate !== null;
  if (isMeant && (isSocket || mode === 'disable')) {
    return refuse('it names certificates, and a connection without TLS', 'leave out the one or the other');
  }
  if (mode === null) return ok(near && !isMeant ? 'none' : 'verified');
  if (mode === 'verify-full') return ok('verified');
  if (mode === 'disable' && near) return ok('none');
  return refuse(
    `sslmode ${quoted(mode)} would let somebody between this machine and ${host} write the journal`,
    "leave sslmode out or write verify-full; sslrootcert=FILE names the authority of the server's certificate",
  );
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function refuse(message: string, remedy: string): Result<never, Fault> {
  return fail('E_JOURNAL_ADDRESS', message, { remedy });
}
