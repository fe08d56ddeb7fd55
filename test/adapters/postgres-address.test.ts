import { describe, expect, it } from 'vitest';
import { parsePostgresAddress } from '../../src/adapters/postgres/address.js';

describe('the address of a shared journal', () => {
  it.each([
    [
      'postgres://alice@db.example/treasury',
      {
        host: 'db.example',
        port: 5432,
        database: 'treasury',
        user: 'alice',
        schema: 'countersign',
        tls: 'verified',
        caFile: null,
      },
    ],
    [
      'postgresql://db.example:6000/treasury?schema=cold_1&sslrootcert=/etc/ca.pem&sslmode=verify-full',
      { port: 6000, user: null, schema: 'cold_1', tls: 'verified', caFile: '/etc/ca.pem' },
    ],
    ['postgres://127.0.0.1/t', { host: '127.0.0.1', tls: 'none' }],
    [
      'postgres://[::1]:5433/t',
      { host: '::1', port: 5433, tls: 'none', name: 'postgres://[::1]:5433/t?schema=countersign' },
    ],
    ['postgres://localhost/t?sslmode=disable', { tls: 'none' }],
    ['postgres://localhost/t?sslmode=verify-full', { tls: 'verified' }],
    ['postgres://localhost/t?sslrootcert=/etc/ca.pem', { tls: 'verified', caFile: '/etc/ca.pem', certificate: null }],
    [
      'postgres://db.example/t?sslcert=/etc/a.pem&sslkey=/etc/a.key',
      { tls: 'verified', caFile: null, certificate: { file: '/etc/a.pem', keyFile: '/etc/a.key' } },
    ],
    ['postgres:///t?host=/var/run/postgresql', { host: '/var/run/postgresql', tls: 'none' }],
    ['postgres://al%40ice@db.example/my%20db', { user: 'al@ice', database: 'my db' }],
  ])('%s', (text, expected) => {
    expect(parsePostgresAddress(text)).toMatchObject({ ok: true, value: expected });
  });

  it.each([
    ['a password', 'postgres://alice:secret@db.example/t', /password.*everybody/],
    ['another scheme', 'mysql://db.example/t', /begins with postgres/],
    ['no address', 'treasury', /begins with postgres/],
    ['no database', 'postgres://db.example', /names no database/],
    ['no host', 'postgres:///t', /names no host/],
    ['a schema with a quote', 'postgres://db.example/t?schema=a";drop', /not a name of a schema/],
    ['a schema of the server itself', 'postgres://db.example/t?schema=pg_own', /not a name of a schema/],
    ['a schema of 64 letters', `postgres://db.example/t?schema=${'a'.repeat(64)}`, /not a name of a schema/],
    ['an unknown parameter', 'postgres://db.example/t?options=-c', /"options" is not a parameter/],
    ['a parameter twice', 'postgres://db.example/t?schema=a&schema=b', /schema is given twice/],
    ['no TLS beyond this machine', 'postgres://db.example/t?sslmode=disable', /would let somebody/],
    ['TLS without a proof', 'postgres://db.example/t?sslmode=require', /would let somebody/],
    ['a file that depends on the folder', 'postgres://db.example/t?sslrootcert=ca.pem', /another file in each folder/],
    ['a certificate without its key', 'postgres://db.example/t?sslcert=/etc/a.pem', /without one another/],
    ['a key without its certificate', 'postgres://db.example/t?sslkey=/etc/a.key', /without one another/],
    ['an authority without TLS', 'postgres://localhost/t?sslmode=disable&sslrootcert=/etc/ca.pem', /without TLS/],
    ['an authority for a socket', 'postgres:///t?host=/var/run/postgresql&sslrootcert=/etc/ca.pem', /without TLS/],
    ['a name that cannot be decoded', 'postgres://db.example/%E0%A4', /names no database/],
  ])('%s is refused, with a remedy', (_, text, message) => {
    const parsed = parsePostgresAddress(text);
    expect(parsed).toMatchObject({
      ok: false,
      error: { tag: 'E_JOURNAL_ADDRESS', message: expect.stringMatching(message), remedy: expect.any(String) },
    });
    expect(JSON.stringify(parsed)).not.toContain('secret');
  });

  it('takes a schema of 63 letters', () => {
    expect(parsePostgresAddress(`postgres://db.example/t?schema=${'a'.repeat(63)}`).ok).toBe(true);
  });
});
