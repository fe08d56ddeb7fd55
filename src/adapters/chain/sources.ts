import { type Fault, fail } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import { field, list, object, optionalField, type Reader, text, through } from '../../domain/source-reader.js';
import type { SourceNode } from '../../domain/source-tree.js';
import type { ChainSource } from '../../vault/chain.js';

const FORMS =
  'core:http://127.0.0.1:8332, esplora:https://HOST/api, electrum:tls://HOST:50002 or electrum:tcp://127.0.0.1:50001';

type Place = { readonly kind: 'core'; readonly url: string } | Exclude<ChainSource, { kind: 'core' }>;

/** The kind and address of a back end: "core:http://127.0.0.1:8332". A password is never part of it. */
function parsePlace(name: string): Result<Place, Fault> {
  const [, kind = '', address = ''] = /^(core|esplora|electrum):(.+)$/.exec(name) ?? [];
  const url = URL.canParse(address) ? new URL(address) : null;
  const refuse = (why: string): Result<never, Fault> =>
    fail('E_CHAIN_CONFIG', `${quoted(withoutSecrets(name))} ${why}`, { remedy: `write one of ${FORMS}` });
  if (url === null || url.hostname === '' || kind === '') return refuse('names no chain back end');
  if (url.username !== '' || url.password !== '') return refuse('holds a user or password, which belong into files');
  if (url.search !== '' || url.hash !== '') return refuse('holds more than an address');
  if (kind === 'electrum') {
    const isTls = url.protocol === 'tls:';
    if (!isTls && url.protocol !== 'tcp:') return refuse('is neither tls:// nor tcp://');
    if (url.port === '' || !['', '/'].includes(url.pathname)) return refuse('is not HOST:PORT');
    // An IPv6 address stands in brackets in a URL, and nowhere else.
    return ok({ kind, host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port), tls: isTls });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return refuse('is neither http:// nor https://');
  return ok(kind === 'core' ? { kind, url: url.href } : { kind: 'esplora', url: url.href });
}

/** An http or https address and nothing else: no user, password, query or fragment. `name` is what was written. */
export function parseHttpPlace(address: string, name: string, forms: string): Result<string, Fault> {
  const url = URL.canParse(address) ? new URL(address) : null;
  const isPlain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url !== null && isPlain && (url.protocol === 'http:' || url.protocol === 'https:')) return ok(url.href);
  return fail('E_CHAIN_CONFIG', `${quoted(withoutSecrets(name))} is not an http address alone`, {
    remedy: `write one of ${forms}`,
  });
}

/** Messages end up in logs: what may be a user, a password or a key of an API is left out, in whatever form it was written. */
export function withoutSecrets(name: string): string {
  return name.replace(/^((?:core|esplora|electrum|mempool):)?.*@/s, '$1...@').replace(/[?#].*$/s, '?...');
}

/** A back end as `--backend` names it. */
export function parseSource(name: string, cookie: string | undefined): Result<ChainSource, Fault> {
  const place = parsePlace(name);
  return place.ok ? complete(place.value, { cookie }) : place;
}

interface Credentials {
  readonly cookie?: string | undefined;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly wallet?: string | undefined;
}

/** One that cannot be mistaken for a path or an option of the node. */
const WALLET = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function complete(place: Place, { cookie, user, passwordFile, wallet }: Credentials): Result<ChainSource, Fault> {
  const hasPassword = user !== undefined || passwordFile !== undefined;
  if (place.kind !== 'core') {
    if (cookie === undefined && !hasPassword && wallet === undefined) return ok(place);
    return fail('E_CHAIN_CONFIG', `${place.kind} takes no cookie, user, password or wallet`, {
      remedy: 'leave them out',
    });
  }
  if (wallet !== undefined && !WALLET.test(wallet)) {
    return fail('E_CHAIN_CONFIG', `${quoted(wallet, 70)} cannot be the name of a wallet here`, {
      remedy: 'write 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit',
    });
  }
  const node = { kind: 'core' as const, url: place.url, ...(wallet === undefined ? {} : { wallet }) };
  if (cookie !== undefined && !hasPassword) return ok({ ...node, auth: { kind: 'cookie', file: cookie } });
  if (cookie === undefined && user !== undefined && passwordFile !== undefined) {
    return ok({ ...node, auth: { kind: 'password', user, passwordFile } });
  }
  return fail('E_CHAIN_CONFIG', `it is not said how ${place.url} knows who asks`, {
    remedy: 'give either the cookie file of the node (cookie), or user and password_file',
  });
}

const shape = object({
  backend: field('backend', through(text, parsePlace)),
  cookie: optionalField('cookie', text),
  user: optionalField('user', text),
  passwordFile: optionalField('password_file', text),
  wallet: optionalField('wallet', text),
});

const source: Reader<ChainSource> = (node: SourceNode, at) => {
  if (node.kind === 'scalar') return through(text, (name) => parseSource(name, undefined))(node, at);
  return through(shape, ({ backend, ...credentials }) => complete(backend, credentials))(node, at);
};

/** The list `chain` of countersign.yaml: addresses, or objects with `backend` and how it knows who asks. */
export const readSources: Reader<readonly ChainSource[]> = list(source, 1, (one) =>
  one.kind === 'electrum' ? `${one.host}:${one.port}` : one.url,
);

/** The same for a field that stands alone: the first fault, or the list. */
export function sourcesOf(node: SourceNode, file: string): Result<readonly ChainSource[], Fault> {
  const reading = { file, path: 'chain', faults: [] as Fault[] };
  const sources = readSources(node, reading);
  const [first] = reading.faults;
  if (first !== undefined) return err(first);
  if (sources === undefined) throw new Error('a list was refused without a fault');
  return ok(sources);
}
