import { describe, expect, it } from 'vitest';
import { parseSource, readSources } from '../../../src/adapters/chain/sources.js';
import { parseYaml } from '../../../src/adapters/source-text.js';
import type { Fault } from '../../../src/domain/fault.js';

const COOKIE = { kind: 'cookie', file: 'c' };

describe('a back end by its name', () => {
  it.each([
    ['core:http://127.0.0.1:8332', 'c', { kind: 'core', url: 'http://127.0.0.1:8332/', auth: COOKIE }],
    ['core:https://node.example/wallet', 'c', { kind: 'core', url: 'https://node.example/wallet', auth: COOKIE }],
    ['core:http://[::1]:8332', 'c', { kind: 'core', url: 'http://[::1]:8332/', auth: COOKIE }],
    ['esplora:https://host.example/api', undefined, { kind: 'esplora', url: 'https://host.example/api' }],
    ['electrum:tls://h.example:50002', undefined, { kind: 'electrum', host: 'h.example', port: 50002, tls: true }],
    ['electrum:tcp://127.0.0.1:50001/', undefined, { kind: 'electrum', host: '127.0.0.1', port: 50001, tls: false }],
    ['electrum:tcp://[::1]:50001', undefined, { kind: 'electrum', host: '::1', port: 50001, tls: false }],
  ])('%s', (name, cookie, source) => {
    expect(parseSource(name, cookie)).toEqual({ ok: true, value: source });
  });

  it.each([
    '',
    'core',
    'core:',
    'core:127.0.0.1:8332',
    'http://127.0.0.1:8332',
    'CORE:http://127.0.0.1:8332',
    'core:ftp://127.0.0.1',
    'core:http://',
    'core:http://127.0.0.1:99999',
    'core:file:///etc/passwd',
    'esplora:tcp://h:1',
    'esplora:https://h/api?key=1',
    'esplora:https://h/api#x',
    'electrum:https://h:1',
    'electrum:tls://h',
    'electrum:tls://h:1/path',
    'electrum:tls://:1',
    'core:http://h\n:1x',
  ])('%j names none, and is told which forms there are', (name) => {
    const parsed = parseSource(name, name.startsWith('core') ? 'c' : undefined);
    expect(parsed).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_CONFIG' } });
    expect(parsed.ok || parsed.error.remedy).toMatch(/core:http:\/\/127\.0\.0\.1:8332/);
  });

  it.each([
    'core:http://user:secret@127.0.0.1:8332',
    'core:http://user:sec/secret@127.0.0.1:8332',
    'core:http://user:sec@secret@127.0.0.1:8332',
    'core:http://secret@127.0.0.1:8332',
    'core:http://user:sec\nsecret@127.0.0.1:99999',
    'core:user:secret@127.0.0.1:8332',
    'core:http:user:secret@127.0.0.1:8332',
    'core:http:/\\user:secret@127.0.0.1:8332',
    'user:secret@127.0.0.1',
    'esplora:https://h/api?token=secret',
    'esplora:https://h/api#secret',
  ])('%j: no message repeats the secret', (name) => {
    const parsed = parseSource(name, undefined);
    expect(parsed).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_CONFIG' } });
    expect(JSON.stringify(parsed)).not.toContain('secret');
  });

  it.each([
    ['core:http://127.0.0.1:8332', undefined],
    ['esplora:https://h/api', 'c'],
    ['electrum:tls://h:1', 'c'],
  ])('%s with the cookie %s says what is missing or too much', (name, cookie) => {
    expect(parseSource(name, cookie)).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_CONFIG' } });
  });
});

function readList(text: string): unknown {
  const node = parseYaml(text, 'f');
  if (!node.ok) throw new Error(node.error.message);
  const faults: Fault[] = [];
  const sources = readSources(node.value, { file: 'f', path: 'chain', faults });
  return faults[0] === undefined ? sources : `${faults[0].where?.line} ${faults[0].tag}`;
}

describe('the list chain', () => {
  const core = '- backend: core:http://127.0.0.1:8332\n';

  it('takes addresses, cookies, and users with password files', () => {
    expect(readList(`${core}  cookie: c\n- esplora:https://h/api\n`)).toEqual([
      { kind: 'core', url: 'http://127.0.0.1:8332/', auth: COOKIE },
      { kind: 'esplora', url: 'https://h/api' },
    ]);
    expect(readList(`${core}  user: u\n  password_file: p\n`)).toEqual([
      { kind: 'core', url: 'http://127.0.0.1:8332/', auth: { kind: 'password', user: 'u', passwordFile: 'p' } },
    ]);
  });

  it.each([
    ['nothing', '[]\n'],
    ['no credentials', core],
    ['a user without a password', `${core}  user: u\n`],
    ['a password without a user', `${core}  password_file: p\n`],
    ['a cookie and a user', `${core}  cookie: c\n  user: u\n  password_file: p\n`],
    ['a password', `${core}  user: u\n  password: secret\n`],
    ['a cookie for an indexer', '- backend: esplora:https://h/api\n  cookie: c\n'],
    ['the same one twice', '- esplora:https://h/api\n- esplora:https://h/api\n'],
  ])('with %s is refused at a line', (_, text) => {
    expect(readList(text)).toMatch(/^\d+ E_/);
  });
});
