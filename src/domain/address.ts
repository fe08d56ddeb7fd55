import { bech32, bech32m } from 'bech32';
import bs58check from 'bs58check';
import { type Fault, fail } from './fault.js';
import { NETWORKS, type Network, networkParameters } from './network.js';
import { ok, type Result } from './result.js';
import { type PayableKind, scriptKind } from './script.js';

/** An address that was decoded on its network: what it pays to, and nothing of how it was written. */
export interface Destination {
  readonly script: Uint8Array;
  readonly kind: PayableKind;
}

/**
 * Decodes an address strictly: base58check (P2PKH, P2SH), bech32 version 0 (BIP173) and bech32m version 1 (BIP350).
 * Anything that nobody, or anybody, could spend is refused with a fault of its own.
 */
export function decodeAddress(text: string, network: Network): Result<Destination, Fault> {
  if (text === '') return fail('E_ADDRESS_EMPTY', 'the address is empty');
  const separator = text.lastIndexOf('1');
  const prefix = text.slice(0, Math.max(separator, 0)).toLowerCase();
  const isBech32 = NETWORKS.some((name) => networkParameters(name).bech32 === prefix);
  return isBech32 ? decodeSegwit(text, prefix, network) : decodeBase58(text, network);
}

/** The 32 data characters of BIP173, in either case; spelt out, since a case-insensitive match may fold other scripts in. */
const BECH32_DATA = /^[02-9ac-hj-np-zAC-HJ-NP-Z]{6,}$/;

function decodeSegwit(text: string, prefix: string, network: Network): Result<Destination, Fault> {
  if (text.length > 90 || !BECH32_DATA.test(text.slice(prefix.length + 1))) {
    return fail('E_ADDRESS_FORM', `${JSON.stringify(text.slice(0, 100))} is not a Bitcoin address`, {
      remedy:
        'ask for the address again: it is cut off, too long, or has a character that no address has (b, i, o, a space)',
    });
  }
  if (text !== text.toLowerCase() && text !== text.toUpperCase()) {
    return fail('E_ADDRESS_MIXED_CASE', `${text} mixes upper and lower case`, {
      remedy: 'ask for the address again: one of its letters was changed on the way',
    });
  }
  const asBech32 = bech32.decodeUnsafe(text, 90);
  const asBech32m = bech32m.decodeUnsafe(text, 90);
  const decoded = asBech32 ?? asBech32m;
  if (decoded === undefined) return checksumFault(text);
  const expected = networkParameters(network).bech32;
  if (prefix !== expected) return networkFault(text, network, `it begins with ${prefix}1, not ${expected}1`);

  const [version, ...words] = decoded.words;
  const program = bech32.fromWordsUnsafe(words);
  if (version === undefined || version > 16 || program === undefined) {
    return fail('E_ADDRESS_FORM', `${text} does not hold a witness program (BIP173)`);
  }
  if ((version === 0) !== (asBech32 !== undefined)) {
    const [due, found] = version === 0 ? ['bech32', 'bech32m'] : ['bech32m', 'bech32'];
    return fail(
      'E_ADDRESS_VARIANT',
      `${text} has a ${found} checksum; witness version ${version} needs ${due} (BIP350)`,
    );
  }
  return witnessDestination(text, version, Uint8Array.from(program));
}

function witnessDestination(text: string, version: number, program: Uint8Array): Result<Destination, Fault> {
  const script = Uint8Array.from([version === 0 ? 0 : 0x50 + version, program.length, ...program]);
  const kind = scriptKind(script);
  switch (kind) {
    case 'p2wpkh':
    case 'p2wsh':
    case 'p2tr':
      return ok({ script, kind });
    case 'p2tr_off_curve':
      return fail('E_ADDRESS_OFF_CURVE', `${text} is not a point of the curve: coins sent there are lost (BIP340)`);
    case 'p2a':
      return fail('E_ADDRESS_ANCHOR', `${text} is a pay-to-anchor output, which anyone can spend`);
    default:
      if (version > 1) {
        return fail(
          'E_ADDRESS_FUTURE_WITNESS',
          `${text} has witness version ${version}, which has no rules yet: anyone could spend it`,
        );
      }
      return fail(
        'E_ADDRESS_LENGTH',
        `${text} holds a program of ${program.length} bytes, which version ${version} does not allow`,
      );
  }
}

function decodeBase58(text: string, network: Network): Result<Destination, Fault> {
  if (!/^[1-9A-HJ-NP-Za-km-z]{25,36}$/.test(text)) {
    return fail('E_ADDRESS_FORM', `${JSON.stringify(text.slice(0, 100))} is not a Bitcoin address`, {
      remedy: 'ask for the address again; spaces, invoices (bitcoin:...) and names are not addresses',
    });
  }
  const payload = bs58check.decodeUnsafe(text);
  if (payload === undefined) return checksumFault(text);
  const [version, ...hash] = payload;
  const { pubKeyHash, scriptHash } = networkParameters(network);
  const known = NETWORKS.map(networkParameters).some((p) => version === p.pubKeyHash || version === p.scriptHash);
  if (!known) return fail('E_ADDRESS_FORM', `${text} is not a Bitcoin address: its version byte is ${version}`);
  if (hash.length !== 20) return fail('E_ADDRESS_LENGTH', `${text} holds a hash of ${hash.length} bytes, not 20`);
  if (version === pubKeyHash)
    return ok({ script: Uint8Array.from([0x76, 0xa9, 20, ...hash, 0x88, 0xac]), kind: 'p2pkh' });
  if (version === scriptHash) return ok({ script: Uint8Array.from([0xa9, 20, ...hash, 0x87]), kind: 'p2sh' });
  return networkFault(text, network, `its version byte is ${version}`);
}

function checksumFault(text: string): Result<never, Fault> {
  return fail('E_ADDRESS_CHECKSUM', `the checksum of ${text} does not match`, {
    remedy: 'ask for the address again: a character is missing, added or changed',
  });
}

function networkFault(text: string, network: Network, why: string): Result<never, Fault> {
  return fail('E_ADDRESS_WRONG_NETWORK', `${text} is not an address of ${network}: ${why}`);
}

/** The address of a script, or null where the script has none (OP_RETURN, bare scripts, unspendable taproot keys). */
export function encodeAddress(script: Uint8Array, network: Network): string | null {
  const { bech32: hrp, pubKeyHash, scriptHash } = networkParameters(network);
  const kind = scriptKind(script);
  switch (kind) {
    case 'p2pkh':
      return bs58check.encode(Uint8Array.from([pubKeyHash, ...script.subarray(3, 23)]));
    case 'p2sh':
      return bs58check.encode(Uint8Array.from([scriptHash, ...script.subarray(2, 22)]));
    case 'p2wpkh':
    case 'p2wsh':
      return bech32.encode(hrp, [0, ...bech32.toWords(script.subarray(2))]);
    case 'p2tr':
      return bech32m.encode(hrp, [1, ...bech32m.toWords(script.subarray(2))]);
    case 'p2a':
    case 'op_return':
    case 'witness_unknown':
    case 'p2tr_off_curve':
    case 'nonstandard':
      return null;
  }
}

/** An address in groups of four, the way a Nano's screen is compared with a list: never shortened. */
export function groupedAddress(address: string): string {
  return address.match(/.{1,4}/g)?.join(' ') ?? '';
}
