import { equalBytes, toHex } from '../domain/bytes.js';
import type { Branch, OwnOrigin } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatPath, HARDENED, isHardened, type Path, parsePath } from '../domain/path.js';
import { ok, type Result } from '../domain/result.js';
import { descriptorChecksum, vaultText } from './descriptor.js';
import type { DerivedKey, DerivedScript, Deriver, Vault, VaultKey } from './types.js';

/**
 * Descriptors of one branch or of one script of a vault (BIP379 to BIP386), as Bitcoin Core's wallet knows them: without
 * the `<0;1>` of BIP389, hardened steps as h, with the checksum.
 */

const withH = (path: Path): string => formatPath(path).replaceAll("'", 'h');
const origin = (fingerprint: string, path: Path): string =>
  `[${[fingerprint, ...path.map((step) => withH([step]))].join('/')}]`;

/** All scripts of one branch: `wpkh([f5acc2fd/84h/1h/0h]tpub.../0/*)#checksum`. */
export function branchDescriptor(vault: Vault, branch: Branch): string {
  const body = vaultText(
    vault,
    vault.keys.map(({ fingerprint, path, xpub }) => `${origin(fingerprint, path)}${xpub}/${branch}/*`),
  );
  return `${body}#${descriptorChecksum(body)}`;
}

/** One key of a descriptor: origin, then a public key, or an extended one with the steps that follow it. */
const KEY = /\[([0-9a-f]{8})((?:\/[0-9]{1,10}['hH]?)*)\]([0-9A-Za-z]{64,112})((?:\/[0-9]{1,10})*)/g;

interface KeyText {
  readonly fingerprint: string;
  /** From the master key to the key of the script. */
  readonly path: Path;
  /** A public key in hex, or an extended key. */
  readonly key: string;
  /** How many steps stand behind an extended key. */
  readonly steps: number;
}

/**
 * Which script of the vault a descriptor of a single script names: as Core infers it from an address, with public keys,
 * or with the account keys and the last two steps. It is derived again and compared key by key, so that a descriptor of
 * somebody else's key under our path is not taken for ours. Hardened steps may be written h, H or '; the checksum may be
 * absent, and is right where it is there.
 *
 * Faults: E_DESCRIPTOR_CHECKSUM, and E_SIGNER_DESCRIPTOR for everything that is not the vault's.
 */
export function scriptOfDescriptor(deriver: Deriver, descriptor: string): Result<DerivedScript, Fault> {
  const [body = '', checksum, ...more] = descriptor.split('#');
  if (more.length > 0 || (checksum !== undefined && checksum !== descriptorChecksum(body))) {
    return fail('E_DESCRIPTOR_CHECKSUM', 'the checksum of the descriptor does not match', {
      remedy: 'ask for the address by its descriptor as the node gives it: getaddressinfo ADDRESS',
    });
  }
  const { vault } = deriver;
  const keys = [...body.matchAll(KEY)].map(keyText);
  const place = placeOf(keys);
  if (keys.some((key) => key === null) || place === null)
    return notOurs(vault, 'it names no key at a branch and an index');
  const derived = deriver.at(place.branch, place.index);
  const shape = body.replaceAll(KEY, '@');
  const own = vaultText(
    vault,
    vault.keys.map(() => '@'),
  );
  // A script is inferred without the word that it was made by: its keys stand in their order.
  const inOrder = shape !== own && shape === own.replace('sortedmulti', 'multi');
  if (shape !== own && !inOrder) return notOurs(vault, `it is no ${vault.kind}`);
  const due = inOrder ? [...derived.keys].sort(byPublicKey) : derived.keys;
  const isOurs = (key: KeyText | null, own: DerivedKey): boolean => key !== null && isKey(key, own, vault);
  // Only sortedmulti has keys whose order says nothing.
  const same =
    inOrder || vault.kind === 'wsh(miniscript)'
      ? keys.length === due.length && due.every((own, index) => isOurs(keys[index] ?? null, own))
      : keys.length === due.length && due.every((own) => keys.some((key) => isOurs(key, own)));
  return same ? ok(derived) : notOurs(vault, `its keys are not the vault's at ${place.branch}/${place.index}`);
}

function notOurs({ id }: Vault, why: string): Result<never, Fault> {
  return fail('E_SIGNER_DESCRIPTOR', `the descriptor is of no address of the vault ${id}: ${why}`, {
    remedy:
      'use the wallet that was made of the descriptors of this signer; this address is nothing that its devices can vouch for',
  });
}

function keyText([, fingerprint = '', steps = '', key = '', behind = '']: RegExpMatchArray): KeyText | null {
  const path = parsePath(`m${steps}${behind}`);
  if (!path.ok) return null;
  return { fingerprint, path: path.value, key, steps: behind === '' ? 0 : behind.split('/').length - 1 };
}

/** Where the first key stands; the others are compared with what is derived there. */
function placeOf([first]: readonly (KeyText | null)[]): OwnOrigin | null {
  const [branch, index] = first?.path.slice(-2) ?? [];
  if ((branch !== 0 && branch !== 1) || index === undefined || isHardened(index) || index >= HARDENED) return null;
  return { branch, index };
}

function isKey(text: KeyText, own: DerivedKey, vault: Vault): boolean {
  const samePlace = text.fingerprint === own.fingerprint && formatPath(text.path) === formatPath(own.path);
  if (!samePlace) return false;
  if (text.steps > 0)
    return text.steps === 2 && vault.keys.some((key) => isAccountOf(key, own) && key.xpub === text.key);
  const hex = toHex(own.publicKey);
  return text.key === (vault.kind === 'tr' ? hex.slice(-64) : hex);
}

const isAccountOf = (account: VaultKey, own: DerivedKey): boolean =>
  account.fingerprint === own.fingerprint && formatPath(account.path) === formatPath(own.path.slice(0, -2));

/** The order of BIP67. */
function byPublicKey(a: DerivedKey, b: DerivedKey): number {
  if (equalBytes(a.publicKey, b.publicKey)) return 0;
  return toHex(a.publicKey) < toHex(b.publicKey) ? -1 : 1;
}
