import { equalBytes, type Hex, toHex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import { HARDENED } from '../domain/path.js';
import { err, ok, type Result } from '../domain/result.js';
import { type PayableKind, scriptKind } from '../domain/script.js';
import { childKey, outputScript, type ParentNode, parentNode } from './derive.js';
import { MAX_COSIGNERS, openDescriptor, originText, PLAIN_KINDS, scriptText, withChecksum } from './descriptor.js';
import type { KeyExpression } from './descriptor-key.js';
import type { ScriptShape } from './descriptor-script.js';
import { decodeExtendedKey } from './extended-key.js';
import type { PlainKind, Vault } from './types.js';

/** The receiving side of somebody else's wallet: one branch of a ranged descriptor of public keys. */
export interface Counterparty {
  readonly network: Network;
  readonly kind: PlainKind;
  /** The kind of every script that it derives. */
  readonly scriptKind: PayableKind;
  /** Canonical text: hardened steps of origins as h, with `#checksum`. */
  readonly descriptor: string;
  /**
   * What derives its scripts: kind, threshold and parent nodes. Two descriptors derive a script in common if and only if
   * they are the same here, however they are written; anything else would be a collision of HMAC-SHA512 or of a hash.
   */
  readonly identity: string;
  /** The output script at an index below 2^31. About 0.1 ms a key, once. */
  at(index: number): Uint8Array;
}

/**
 * Reads an output descriptor (BIP380 to BIP386) as a destination: one of the kinds that a vault may have, of extended
 * public keys that end in an unhardened star or in 0 and a star. An origin may be left out: nobody asks the counterparty's device.
 *
 * E_DESCRIPTOR_SYNTAX (malformed), E_DESCRIPTOR_UNSUPPORTED (well formed, no destination), E_DESCRIPTOR_KEY (private,
 * damaged, of another network, twice), E_DESCRIPTOR_CHECKSUM (missing or wrong).
 */
export function parseCounterparty(network: Network, descriptor: string): Result<Counterparty, Fault> {
  const text = `${network} ${descriptor}`;
  const known = readBefore.get(text);
  if (known !== undefined) return ok(known);
  const read = readCounterparty(network, descriptor);
  if (!read.ok) return read;
  if (readBefore.size >= MOST_REMEMBERED) readBefore.clear();
  readBefore.set(text, read.value);
  return read;
}

/** The same text stands in every version of a book, and deriving is the slow part: what was derived once is kept. */
const readBefore = new Map<string, Counterparty>();
const MOST_REMEMBERED = 200;

function readCounterparty(network: Network, descriptor: string): Result<Counterparty, Fault> {
  const opened = openDescriptor(descriptor, network);
  if (!opened.ok) return opened;
  const { script, unchecked } = opened.value;
  const kind = kindOf(script);
  if (!kind.ok) return kind;
  const nodes = nodesOf(script.keys, network);
  if (!nodes.ok) return nodes;
  if (unchecked !== null) return err(unchecked);
  return ok(counterparty(network, kind.value, script, nodes.value));
}

/** Whether it derives the receiving or the change addresses of a vault, in whole: there is no other way to share one. */
export function derivesFrom({ identity, network }: Counterparty, vault: Vault): boolean {
  return ([0, 1] as const).some((branch) => {
    const nodes = vault.keys.map(({ xpub }) => parentNode(xpub, vault.network, [branch]));
    if (vault.kind === 'wsh(miniscript)') return false;
    return network === vault.network && identity === identityOf(vault.kind, vault.threshold, nodes);
  });
}

function counterparty(
  network: Network,
  kind: PlainKind,
  { threshold, keys }: ScriptShape,
  nodes: readonly ParentNode[],
): Counterparty {
  const scripts = new Map<number, Uint8Array>();
  const at = (index: number): Uint8Array => {
    if (!Number.isInteger(index) || index < 0 || index >= HARDENED) throw new Error(`no address index: ${index}`);
    const before = scripts.get(index);
    if (before !== undefined) return before;
    const { script } = outputScript(
      kind,
      threshold,
      nodes.map((node) => childKey(node, index)),
    );
    scripts.set(index, script);
    return script;
  };
  const written = keys.map(
    ({ origin, key, derivation }) => `${origin === null ? '' : originText(origin)}${key}/${derivation}`,
  );
  return {
    network,
    kind,
    scriptKind: payableKind(at(0)),
    descriptor: withChecksum(scriptText(kind, threshold, written)),
    identity: identityOf(kind, threshold, nodes),
    at,
  };
}

function payableKind(script: Uint8Array): PayableKind {
  const kind = scriptKind(script);
  switch (kind) {
    case 'p2pkh':
    case 'p2sh':
    case 'p2wpkh':
    case 'p2wsh':
    case 'p2tr':
      return kind;
    default:
      throw new Error(`a descriptor of a destination derives a script of kind ${kind}`);
  }
}

/** sortedmulti() sorts the keys of every script, so the order in which a descriptor names them has no meaning (BIP383). */
function identityOf(kind: PlainKind, threshold: number, nodes: readonly ParentNode[]): string {
  const parents = nodes.map(({ publicKey, chainCode }): Hex => `${toHex(publicKey)}${toHex(chainCode)}`);
  return [kind, threshold, ...parents.sort()].join(' ');
}

function kindOf({ shape, keys }: ScriptShape): Result<PlainKind, Fault> {
  const kind = PLAIN_KINDS.find((name) => name === shape);
  const kinds = `a destination is an address, or one of ${PLAIN_KINDS.join(', ')}`;
  if (kind === undefined) {
    return unsupported(`${shape} is a valid descriptor, but not one of a destination`, kinds);
  }
  if (keys.length > MAX_COSIGNERS) {
    return unsupported(`the descriptor has ${keys.length} keys`, `a destination has at most ${MAX_COSIGNERS}`);
  }
  for (const key of keys) {
    const reason = keyReason(key);
    if (reason !== null) {
      return unsupported(`the key at character ${key.at} ${reason}`, 'a key of a destination ends in /0/* or /*');
    }
  }
  return ok(kind);
}

function unsupported(problem: string, remedy: string): Result<never, Fault> {
  return fail('E_DESCRIPTOR_UNSUPPORTED', problem, { remedy });
}

/** Why a well-formed key cannot be one of a destination; null where it can. */
function keyReason({ form, derivation }: KeyExpression): string | null {
  if (form !== 'extended') return 'is a single public key, without an index: enter its address instead';
  if (derivation === '*' || derivation === '0/*') return null;
  if (derivation.endsWith('*h')) return 'has hardened children (/*h), which only its private key can derive';
  if (derivation.includes('h')) return 'has a hardened step after the xpub, which only its private key can derive';
  if (!derivation.endsWith('*')) return 'has no /* at its end: it stands for fixed addresses';
  if (derivation.includes('<')) return `has the path ${derivation}: a destination is the receiving branch alone`;
  return `has the path ${derivation}, which is no receiving branch`;
}

function nodesOf(expressions: readonly KeyExpression[], network: Network): Result<readonly ParentNode[], Fault> {
  const nodes: (ParentNode & { readonly at: number })[] = [];
  for (const { at, key, derivation } of expressions) {
    const where = `the key at character ${at}`;
    const decoded = decodeExtendedKey(key, network, where);
    if (!decoded.ok) return decoded;
    const node = parentNode(key, network, derivation === '*' ? [] : [0]);
    const twin = nodes.find(
      (other) => equalBytes(other.publicKey, node.publicKey) && equalBytes(other.chainCode, node.chainCode),
    );
    if (twin !== undefined) {
      return fail(
        'E_DESCRIPTOR_KEY',
        `${where} is the key at character ${twin.at} once more: one signer would count twice`,
      );
    }
    nodes.push({ at, ...node });
  }
  return ok(nodes);
}
