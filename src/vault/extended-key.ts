import { type BIP32API, BIP32Factory, type BIP32Interface } from 'bip32';
import bs58check from 'bs58check';
import * as secp256k1 from 'tiny-secp256k1';
import { type Fault, fail } from '../domain/fault.js';
import { type Network, networkParameters } from '../domain/network.js';
import { ok, type Result } from '../domain/result.js';

const bip32: BIP32API = BIP32Factory(secp256k1);

/** xpub serialisation (BIP32): version, depth, parent fingerprint, child number, chain code, public key. */
const SERIALISED_LENGTH = 78;

/**
 * Decodes an extended public key of a network. `where` begins the messages, for example "the key at character 6".
 * E_DESCRIPTOR_KEY for a wrong checksum, another network, and what BIP32 calls invalid.
 */
export function decodeExtendedKey(text: string, network: Network, where: string): Result<BIP32Interface, Fault> {
  const payload = Buffer.from(bs58check.decodeUnsafe(text) ?? []);
  if (payload.length !== SERIALISED_LENGTH) {
    return fail('E_DESCRIPTOR_KEY', `${where} is damaged: the checksum of the extended key does not match`, {
      remedy: 'copy the key again from the device or wallet that exported it',
    });
  }
  if (payload.readUInt32BE(0) !== networkParameters(network).xpubVersion) {
    const due = network === 'main' ? 'xpub' : 'tpub';
    return fail('E_DESCRIPTOR_KEY', `${where} is not a key of ${network}: it is a ${text.slice(0, 4)}, not a ${due}`, {
      remedy: `import it with its own network, or export the ${due} of the account`,
    });
  }
  if (!secp256k1.isPointCompressed(payload.subarray(45))) {
    return fail('E_DESCRIPTOR_KEY', `${where} holds no point of the curve: coins sent to it are lost`);
  }
  if (payload[4] === 0 && payload.subarray(5, 13).some((byte) => byte !== 0)) {
    return fail('E_DESCRIPTOR_KEY', `${where} says that it is a master key and names a parent (BIP32)`);
  }
  return ok(accountNode(text, network));
}

/** The node of an account key that a parsed vault holds; a key that does not decode is a bug. */
export function accountNode(xpub: string, network: Network): BIP32Interface {
  // Of the network bip32 reads only the version of public keys here: private keys never get this far.
  return bip32.fromBase58(xpub, { bip32: { public: networkParameters(network).xpubVersion, private: 0 }, wif: 0 });
}
