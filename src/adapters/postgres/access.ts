import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { fault } from '../../domain/fault.js';
import { JournalError } from '../../journal/port.js';
import type { PostgresAddress } from './address.js';

/** Bits of a mode that let others than its owner at a file. */
const OTHERS = 0o077;

/**
 * What a TLS connection is made with; false for none. Read before anything is sent, since the driver takes a file without a
 * certificate for an authority that knows nobody. Throws JournalError: E_JOURNAL_ADDRESS with the file.
 */
export function tlsOptions({ tls, caFile, certificate }: PostgresAddress): ConnectionOptions | false {
  if (tls === 'none') return false;
  const ca = caFile === null ? {} : { ca: readFile('sslrootcert', caFile) };
  if (caFile !== null) {
    attempt(
      'sslrootcert',
      caFile,
      'it does not begin with a certificate in PEM',
      () => new X509Certificate(ca.ca ?? ''),
    );
  }
  if (certificate === null) return { rejectUnauthorized: true, ...ca };
  const own = { cert: readFile('sslcert', certificate.file), key: readFile('sslkey', certificate.keyFile) };
  keepPrivate('sslkey', certificate.keyFile);
  attempt('sslkey', certificate.keyFile, 'it is not the key of sslcert, without a password', () =>
    createSecureContext(own),
  );
  return { rejectUnauthorized: true, ...ca, ...own };
}

/** Whom and what a password is looked up for. */
export interface PasswordQuestion {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * The password that the server asks for: PGPASSWORD, or else that of the first line of ~/.pgpass (or PGPASSFILE) which fits
 * (https://www.postgresql.org/docs/15/libpq-pgpass.html). Throws JournalError, E_JOURNAL_ADDRESS: where there is none, and for a
 * file that others can read.
 */
export function passwordFor(question: PasswordQuestion, environment: NodeJS.ProcessEnv): string {
  const { PGPASSWORD: told, PGPASSFILE: named } = environment;
  if (told !== undefined && told !== '') return told;
  const file = named !== undefined && named !== '' ? named : join(homedir(), '.pgpass');
  const found = fileExists(file) ? findPassword(readFile('PGPASSFILE', file), question) : null;
  if (found === null) throw refusal(`the server asks ${question.user} for a password, and there is none`, LINE);
  keepPrivate('PGPASSFILE', file);
  return found;
}

const LINE = 'put a line HOST:PORT:DATABASE:USER:PASSWORD into ~/.pgpass (mode 0600), or set PGPASSWORD';

/** Fields are divided by colons; a backslash takes what follows it as it is. */
export function findPassword(text: string, { host, port, database, user }: PasswordQuestion): string | null {
  // A socket is what the others know as this machine.
  const hosts = host.startsWith('/') ? [host, 'localhost'] : [host];
  const asked = [hosts, [String(port)], [database], [user]];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const [fields, password] = fieldsOf(line);
    const fits = asked.every((one, index) => fields[index] === '*' || one.includes(fields[index] ?? ''));
    if (fits && fields.length === asked.length && password !== '') return password;
  }
  return null;
}

/** Four fields, and the rest of the line; no fields where it has fewer. */
function fieldsOf(line: string): [fields: string[], password: string] {
  const unescaped = (part: string): string => part.replace(/\\(.)/g, '$1');
  const fields: string[] = [];
  let rest = line;
  while (fields.length < 4) {
    const [whole, field] = /^((?:\\.|[^\\:])*):/.exec(rest) ?? [];
    if (whole === undefined || field === undefined) return [[], ''];
    fields.push(unescaped(field));
    rest = rest.slice(whole.length);
  }
  return [fields, unescaped(rest)];
}

function fileExists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

function readFile(parameter: string, file: string): string {
  return attempt(parameter, file, 'it cannot be read', () => readFileSync(file, 'utf8'));
}

function keepPrivate(parameter: string, file: string): void {
  if (process.platform === 'win32' || (statSync(file).mode & OTHERS) === 0) return;
  throw refusal(`${parameter}: others than you can get at ${file}`, `chmod 0600 ${file}`);
}

function attempt<T>(parameter: string, file: string, what: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw refusal(`${parameter}: ${file}: ${what} (${said})`, 'correct the file, or its name in the address');
  }
}

const refusal = (message: string, remedy: string): JournalError =>
  new JournalError(fault('E_JOURNAL_ADDRESS', message, { remedy }));
