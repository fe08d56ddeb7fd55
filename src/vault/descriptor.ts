import { equalBytes } from '../domain/bytes.js';
import { type Fault, fail, fault } from '../domain/fault.js';
import { type Network, networkParameters } from '../domain/network.js';
import { HARDENED, isHardened, type Path } from '../domain/path.js';
import { err, ok, type Result } from '../domain/result.js';
import { CHECKSUM_FORM, descriptorChecksum, foreignCharacter } from './descriptor-checksum.js';
import { formatStep, holdsPrivateKey, type KeyExpression } from './descriptor-key.js';
import { readDescriptor, type ScriptShape } from './descriptor-script.js';
import { parseExpression, syntaxFault } from './descriptor-syntax.js';
import { decodeExtendedKey } from './extended-key.js';
import { planMiniscript } from './miniscript.js';
import { miniscriptOf, signingPositions } from './signing-keys.js';
import type { MiniscriptPolicy, PlainKind, Vault, VaultKey, VaultKind } from './types.js';

export { descriptorChecksum } from './descriptor-checksum.js';

/** Kinds whose descriptor is made of a threshold and keys alone; beside them a vault may be wsh(miniscript). */
export const PLAIN_KINDS = [
  'pkh',
  'sh(wpkh)',
  'wpkh',
  'tr',
  'wsh(sortedmulti)',
  'sh(wsh(sortedmulti))',
] as const satisfies readonly PlainKind[];

/** Keys of one multisig that the Ledger app takes, and that a threshold of one opcode can count. */
export const MAX_COSIGNERS = 16;

/**
 * Reads an output descriptor (BIP379 to BIP386, BIP389) as a vault: one of the seven kinds, every key an xpub (tpub on test
 * networks) with its origin and `<0;1>/*`, the checksum present and right. Hardened steps may be written h or '; the vault's
 * text has h.
 *
 * E_VAULT_ID, E_DESCRIPTOR_SYNTAX (malformed), E_DESCRIPTOR_UNSUPPORTED (well formed, no vault), E_DESCRIPTOR_KEY (private,
 * without origin, damaged, of another network, twice), E_DESCRIPTOR_CHECKSUM (missing or wrong).
 */
export function parseVault(id: string, network: Network, descriptor: string): Result<Vault, Fault> {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(id)) {
    return fail('E_VAULT_ID', `${JSON.stringify(id.slice(0, 60))} is not a name for a vault`, {
      remedy: 'use 1 to 32 of a-z 0-9 -, beginning with a letter or a digit, for example cold-btc-1',
    });
  }
  const opened = openDescriptor(descriptor, network);
  if (!opened.ok) return opened;
  const { script, unchecked } = opened.value;
  const kind = vaultKind(script);
  if (!kind.ok) return kind;
  const keys = vaultKeys(script.keys, network);
  if (!keys.ok) return keys;
  const vault =
    kind.value === 'wsh(miniscript)'
      ? miniscriptVault(id, network, script, keys.value)
      : ok(plainVault(id, network, kind.value, script.threshold, keys.value));
  return vault.ok && unchecked !== null ? err(unchecked) : vault;
}

function plainVault(
  id: string,
  network: Network,
  kind: PlainKind,
  threshold: number,
  keys: readonly VaultKey[],
): Vault {
  return {
    id,
    network,
    kind,
    threshold,
    keys,
    descriptor: withChecksum(scriptText(kind, threshold, keys.map(keyText))),
  };
}

/** A device signs for every key of the policy that it holds, so that those of one device must all be wanted or none. */
function miniscriptVault(
  id: string,
  network: Network,
  script: ScriptShape,
  keys: readonly VaultKey[],
): Result<Vault, Fault> {
  const miniscript = planMiniscript(script.miniscript ?? '');
  if (!miniscript.ok) return miniscript;
  const { threshold } = miniscript.value;
  const kind = 'wsh(miniscript)';
  const descriptor = withChecksum(miniscriptText(miniscript.value, keys.map(keyText)));
  const vault: Vault = { id, network, kind, threshold, keys, miniscript: miniscript.value, descriptor };
  const signing = signingPositions(vault);
  const both = keys.find(({ fingerprint }, index) =>
    keys.some((other, place) => other.fingerprint === fingerprint && signing.has(place) !== signing.has(index)),
  );
  if (both === undefined) return ok(vault);
  return unsupported(
    `${both.fingerprint} holds a key of the branch without a time lock and one of another branch`,
    'give the branches devices of their own: a device signs with all of its keys at once, and would not survive itself either',
  );
}

/** A descriptor whose text was read, before anything is asked of its kind and keys. */
export interface OpenDescriptor {
  readonly script: ScriptShape;
  /** What to say of a checksum that is absent: told last, since it names the one that would be right. Null where it is there. */
  readonly unchecked: Fault | null;
}

/**
 * Reads the text of a descriptor: no private key in it, characters, checksum, grammar, and the rules of its functions.
 * E_DESCRIPTOR_KEY, E_DESCRIPTOR_SYNTAX, E_DESCRIPTOR_CHECKSUM (wrong).
 */
export function openDescriptor(descriptor: string, network: Network): Result<OpenDescriptor, Fault> {
  if (holdsPrivateKey(descriptor)) return privateKeyFault();
  const foreign = foreignCharacter(descriptor);
  if (foreign >= 0) {
    return syntaxFault(
      foreign + 1,
      'a character that no descriptor holds',
      'remove line breaks and other stray characters',
    );
  }
  const [body = '', ...rest] = descriptor.split('#');
  const checksum = rest.join('#');
  if (checksum !== '' && checksum !== descriptorChecksum(body)) return checksumFault(checksum);

  const expression = parseExpression(body);
  if (!expression.ok) return expression;
  const script = readDescriptor(expression.value, network);
  if (!script.ok) return script;
  return ok({ script: script.value, unchecked: checksum === '' ? missingChecksum(body) : null });
}

function privateKeyFault(): Result<never, Fault> {
  return fail(
    'E_DESCRIPTOR_KEY',
    'the descriptor holds a private key: whoever reads this text can take every coin of the wallet',
    {
      remedy:
        'take the key as exposed and move its coins; countersign never accepts private keys: export the public descriptor (xpub)',
    },
  );
}

function checksumFault(checksum: string): Result<never, Fault> {
  const problem = CHECKSUM_FORM.test(checksum)
    ? 'the checksum of the descriptor does not match: a character was changed, lost or added'
    : 'what follows # is not a checksum of 8 characters';
  return fail('E_DESCRIPTOR_CHECKSUM', problem, {
    remedy: 'copy the whole descriptor again from the wallet that exported it',
  });
}

function missingChecksum(body: string): Fault {
  return fault('E_DESCRIPTOR_CHECKSUM', 'the descriptor has no checksum, so that a changed character would go unseen', {
    remedy: `compare it with the wallet that exported it, character by character; if it is right, append #${descriptorChecksum(body)}`,
  });
}

function vaultKind({ shape, keys }: ScriptShape): Result<VaultKind, Fault> {
  const kind = shape === 'wsh(miniscript)' ? shape : PLAIN_KINDS.find((name) => name === shape);
  if (kind === undefined) {
    return unsupported(`${shape} is a valid descriptor, but not one of a vault`, unsupportedReason(shape));
  }
  if (keys.length > MAX_COSIGNERS) {
    return unsupported(`the descriptor has ${keys.length} keys`, `a vault has at most ${MAX_COSIGNERS}`);
  }
  for (const key of keys) {
    const reason = keyReason(key);
    if (reason !== null)
      return unsupported(`the key at character ${key.at} ${reason}`, 'a key of a vault ends in /<0;1>/*');
  }
  return ok(kind);
}

function unsupported(problem: string, remedy: string): Result<never, Fault> {
  return fail('E_DESCRIPTOR_UNSUPPORTED', problem, { remedy });
}

function unsupportedReason(shape: string): string {
  const kinds = `a vault is one of ${PLAIN_KINDS.join(', ')}, wsh(miniscript)`;
  switch (shape) {
    case 'raw':
    case 'addr':
      return `${kinds}: a single script has no change branch`;
    case 'combo':
      return `${kinds}: combo() is several of them at once; import each as a vault of its own`;
    case 'tr with a script tree':
      return `${kinds}: tr() is taken with its key path alone`;
    case 'wsh(multi)':
    case 'sh(wsh(multi))':
      return `${kinds}: multi() depends on the order of keys; use sortedmulti()`;
    case 'sh(wsh(miniscript))':
      return `${kinds}: miniscript is taken in wsh() itself, where nothing is nested`;
    default:
      return kinds;
  }
}

/** Why a well-formed key cannot be one of a vault; null where it can. */
function keyReason({ form, derivation }: KeyExpression): string | null {
  if (form !== 'extended') return 'is a single public key: a vault needs an extended key (xpub)';
  if (derivation === '<0;1>/*') return null;
  if (derivation.endsWith('*h')) return 'has hardened children (/*h), which only its private key can derive';
  if (derivation.includes('h')) return 'has a hardened step after the xpub, which only its private key can derive';
  if (!derivation.endsWith('*')) return 'has no /* at its end: it stands for fixed addresses';
  if (derivation.includes('<')) return `has the path ${derivation}: other branches than receive 0 and change 1`;
  return `has the path ${derivation}, one branch: receive and change branches are both needed`;
}

function vaultKeys(expressions: readonly KeyExpression[], network: Network): Result<VaultKey[], Fault> {
  const keys: VaultKey[] = [];
  const seen: { readonly at: number; readonly identity: Uint8Array }[] = [];
  for (const { at, origin, key } of expressions) {
    const where = `the key at character ${at}`;
    if (origin === null) {
      return fail('E_DESCRIPTOR_KEY', `${where} has no origin, so no device can be asked for its signatures`, {
        remedy: 'put the master fingerprint and the path before it: [f5acc2fd/84h/1h/0h]tpub...',
      });
    }
    const node = decodeExtendedKey(key, network, where);
    if (!node.ok) return node;
    // Depth and parent may be written differently; what derives the children is the point and the chain code.
    const identity = Buffer.concat([node.value.publicKey, node.value.chainCode]);
    const twin = seen.find((other) => equalBytes(other.identity, identity));
    if (twin !== undefined) {
      return fail(
        'E_DESCRIPTOR_KEY',
        `${where} is the key at character ${twin.at} once more: one person would count twice`,
      );
    }
    seen.push({ at, identity });
    keys.push({ ...origin, xpub: key });
  }
  return ok(keys);
}

const keyText = (key: VaultKey): string => `${originText(key)}${key.xpub}/<0;1>/*`;

/** wsh() of a miniscript around its keys, as descriptors and wallet policies both write it. */
function miniscriptText({ expression }: MiniscriptPolicy, keys: readonly string[]): string {
  return `wsh(${expression.replace(/@(\d+)/g, (placeholder, index) => keys[Number(index)] ?? placeholder)})`;
}

/** "[f5acc2fd/84h/1h/0h]", with h for hardened steps. */
export function originText({ fingerprint, path }: Pick<VaultKey, 'fingerprint' | 'path'>): string {
  return `[${[fingerprint, ...path.map(formatStep)].join('/')}]`;
}

export function withChecksum(body: string): string {
  return `${body}#${descriptorChecksum(body)}`;
}

/** The functions of a vault around its keys, as descriptors and wallet policies both write them. */
export function vaultText(vault: Vault, keys: readonly string[]): string {
  const { kind, threshold } = vault;
  return kind === 'wsh(miniscript)' ? miniscriptText(miniscriptOf(vault), keys) : scriptText(kind, threshold, keys);
}

/** The functions of a kind around its keys, as descriptors and wallet policies both write them. */
export function scriptText(kind: PlainKind, threshold: number, keys: readonly string[]): string {
  const list = keys.join(',');
  switch (kind) {
    case 'pkh':
      return `pkh(${list})`;
    case 'wpkh':
      return `wpkh(${list})`;
    case 'sh(wpkh)':
      return `sh(wpkh(${list}))`;
    case 'tr':
      return `tr(${list})`;
    case 'wsh(sortedmulti)':
      return `wsh(sortedmulti(${threshold},${list}))`;
    case 'sh(wsh(sortedmulti))':
      return `sh(wsh(sortedmulti(${threshold},${list})))`;
  }
}

/** A BIP44, BIP49, BIP84 or BIP86 account, as Ledger's default wallet policies want it. */
export interface DefaultAccount {
  readonly purpose: 44 | 49 | 84 | 86;
  readonly coinType: 0 | 1;
  readonly account: number;
}

/** Ledger's app knows no default policy for accounts above this. */
const MAX_DEFAULT_ACCOUNT = 100;

/**
 * The account of a single-key vault whose path is the one that its kind has by BIP44, 49, 84 or 86, on the coin type of its
 * network, up to account 100. Null for every other vault: a Ledger signs for those only with a registered wallet policy.
 */
export function defaultAccount({ kind, keys, network }: Vault): DefaultAccount | null {
  const purpose = defaultPurpose(kind);
  const path: Path = keys[0]?.path ?? [];
  if (purpose === null || path.length !== 3 || !path.every(isHardened)) return null;
  const [first, second, account = Number.POSITIVE_INFINITY] = path.map((step) => step - HARDENED);
  const { coinType } = networkParameters(network);
  if (first !== purpose || second !== coinType || account > MAX_DEFAULT_ACCOUNT) return null;
  return { purpose, coinType, account };
}

function defaultPurpose(kind: VaultKind): DefaultAccount['purpose'] | null {
  switch (kind) {
    case 'pkh':
      return 44;
    case 'sh(wpkh)':
      return 49;
    case 'wpkh':
      return 84;
    case 'tr':
      return 86;
    case 'wsh(sortedmulti)':
    case 'sh(wsh(sortedmulti))':
    case 'wsh(miniscript)':
      return null;
  }
}
