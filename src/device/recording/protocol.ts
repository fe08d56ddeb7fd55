import type { Path } from '../../domain/path.js';
import { ByteReader } from '../../psbt/wire.js';

/** SHA-256, in bytes: roots, leaves, policy ids, HMACs. */
export const HASH = 32;

/** Client commands by code (doc/bitcoin.md of Ledger's Bitcoin app, protocol version 1). */
const YIELD = 0x10;
const GET_PREIMAGE = 0x40;
const GET_MERKLE_LEAF_PROOF = 0x41;
const GET_MERKLE_LEAF_INDEX = 0x42;
const GET_MORE_ELEMENTS = 0xa0;

/** What the device asks of the host in the middle of a command. */
export type Ask =
  | { readonly kind: 'yield'; readonly data: Uint8Array }
  | { readonly kind: 'preimage'; readonly hash: Uint8Array }
  | { readonly kind: 'proof'; readonly root: Uint8Array; readonly size: number; readonly index: number }
  | { readonly kind: 'index'; readonly root: Uint8Array; readonly leaf: Uint8Array }
  | { readonly kind: 'more' };

export const ASK_NAMES: Readonly<Record<Ask['kind'], string>> = {
  yield: 'YIELD',
  preimage: 'GET_PREIMAGE',
  proof: 'GET_MERKLE_LEAF_PROOF',
  index: 'GET_MERKLE_LEAF_INDEX',
  more: 'GET_MORE_ELEMENTS',
};

/** Reads a whole value, or null where it is cut off or something follows it. */
function whole<T>(data: Uint8Array, read: (reader: ByteReader) => T): T | null {
  const reader = new ByteReader(data);
  const value = read(reader);
  return reader.problem === null && reader.remaining === 0 ? value : null;
}

/** The data of an answer with the status word e000; null where it is no client command. */
export function parseAsk(data: Uint8Array): Ask | null {
  const body = data.subarray(1);
  switch (data[0]) {
    case YIELD:
      return body.length > 0 ? { kind: 'yield', data: body } : null;
    case GET_PREIMAGE:
      return body[0] === 0 && body.length === 1 + HASH ? { kind: 'preimage', hash: body.subarray(1) } : null;
    case GET_MERKLE_LEAF_PROOF:
      return whole(body, (reader) => ({
        kind: 'proof',
        root: reader.take(HASH),
        size: reader.compactSize(),
        index: reader.compactSize(),
      }));
    case GET_MERKLE_LEAF_INDEX:
      return whole(body, (reader) => ({ kind: 'index', root: reader.take(HASH), leaf: reader.take(HASH) }));
    case GET_MORE_ELEMENTS:
      return body.length === 0 ? { kind: 'more' } : null;
    default:
      return null;
  }
}

/** The answer to GET_PREIMAGE: how long the preimage is, and its first part. */
export function parsePreimageAnswer(
  data: Uint8Array,
): { readonly total: number; readonly at: number; readonly part: Uint8Array } | null {
  return whole(data, (reader) => {
    const total = reader.compactSize();
    const length = reader.uint8();
    const at = reader.offset;
    if (length > total) reader.fail('the part is longer than the whole');
    return { total, at, part: reader.take(length) };
  });
}

/** The answer to GET_MERKLE_LEAF_PROOF: the leaf, how long its proof is, and the first siblings, from the leaf upwards. */
export function parseProofAnswer(
  data: Uint8Array,
): { readonly leaf: Uint8Array; readonly total: number; readonly siblings: readonly Uint8Array[] } | null {
  return whole(data, (reader) => {
    const leaf = reader.take(HASH);
    const total = reader.uint8();
    const count = reader.uint8();
    if (count > total) reader.fail('the part is longer than the whole');
    return { leaf, total, siblings: Array.from({ length: count }, () => reader.take(HASH)) };
  });
}

/** The answer to GET_MERKLE_LEAF_INDEX; the index of what was not found is 0. */
export function parseIndexAnswer(data: Uint8Array): { readonly found: boolean; readonly index: number } | null {
  return whole(data, (reader) => {
    const found = reader.uint8();
    const index = reader.compactSize();
    if (found > 1 || (found === 0 && index !== 0)) reader.fail('neither found nor not found');
    return { found: found === 1, index };
  });
}

/** The answer to GET_MORE_ELEMENTS: elements of one size, which begin at byte 2. */
export function parseMoreAnswer(data: Uint8Array): { readonly size: number; readonly elements: Uint8Array } | null {
  return whole(data, (reader) => {
    const count = reader.uint8();
    const size = reader.uint8();
    if (count === 0 || size === 0) reader.fail('no elements');
    return { size, elements: reader.take(count * size) };
  });
}

/** The commitment to a map of fields: how many there are, and the roots of their keys and values. */
export interface MapCommitment {
  readonly size: number;
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
}

const readMap = (reader: ByteReader): MapCommitment => ({
  size: reader.compactSize(),
  keys: reader.take(HASH),
  values: reader.take(HASH),
});

export const parseMapCommitment = (data: Uint8Array): MapCommitment | null => whole(data, readMap);

interface List {
  readonly size: number;
  readonly root: Uint8Array;
}

const readList = (reader: ByteReader): List => ({ size: reader.compactSize(), root: reader.take(HASH) });

/** A wallet policy as the device reads it, version 2 (doc/wallet.md of Ledger's Bitcoin app). */
export interface SerialisedPolicy {
  readonly name: Uint8Array;
  readonly templateLength: number;
  readonly template: Uint8Array;
  readonly keys: List;
}

export function parsePolicy(data: Uint8Array): SerialisedPolicy | null {
  return whole(data, (reader) => {
    if (reader.uint8() !== 2) reader.fail('another version');
    return {
      name: reader.lengthPrefixed(),
      templateLength: reader.compactSize(),
      template: reader.take(HASH),
      keys: readList(reader),
    };
  });
}

/** A request that begins a command. */
export type Start =
  | { readonly kind: 'app' }
  | { readonly kind: 'fingerprint' }
  | { readonly kind: 'xpub'; readonly display: boolean; readonly path: Path }
  | { readonly kind: 'register'; readonly policy: Uint8Array }
  | {
      readonly kind: 'address';
      readonly display: boolean;
      readonly policy: Uint8Array;
      readonly hmac: Uint8Array;
      readonly branch: number;
      readonly index: number;
    }
  | {
      readonly kind: 'sign';
      readonly global: MapCommitment;
      readonly inputs: List;
      readonly outputs: List;
      readonly policy: Uint8Array;
      readonly hmac: Uint8Array;
    }
  | { readonly kind: 'other' };

export const START_NAMES: Readonly<Record<Start['kind'], string>> = {
  app: 'GET_VERSION',
  fingerprint: 'GET_MASTER_FINGERPRINT',
  xpub: 'GET_EXTENDED_PUBKEY',
  register: 'REGISTER_WALLET',
  address: 'GET_WALLET_ADDRESS',
  sign: 'SIGN_PSBT',
  other: 'another command',
};

/** Every request that countersign sends has its length as fifth byte. */
export const HEADER_LENGTH = 5;
const CLA_BOLOS = 0xb0;
const CLA_BITCOIN = 0xe1;
const CLA_FRAMEWORK = 0xf8;
const PROTOCOL_VERSION = 1;

/** What is wrong with the first five bytes of a request; null where nothing is. */
export function headerProblem(request: Uint8Array): string | null {
  const due = request.length - HEADER_LENGTH;
  if (request[4] !== due)
    return `the request says that it has ${request[4] ?? 'no'} bytes of data, and has ${Math.max(0, due)}`;
  const isVersioned = request[0] === CLA_BITCOIN || request[0] === CLA_FRAMEWORK;
  if (isVersioned && (request[2] !== 0 || request[3] !== PROTOCOL_VERSION)) {
    return 'P1 and P2 of the request are not 00 and 01, the protocol version that countersign speaks';
  }
  return null;
}

/** CONTINUE_INTERRUPTED: the host's answer to a client command. */
export const isContinue = (request: Uint8Array): boolean => request[0] === CLA_FRAMEWORK && request[1] === 1;

/** A request that is not a continuation; null where it is one that is known and malformed. */
export function parseStart(request: Uint8Array): Start | null {
  const data = request.subarray(HEADER_LENGTH);
  const [cla, ins, p1, p2] = request;
  if (cla === CLA_BOLOS && ins === 1) return p1 === 0 && p2 === 0 && data.length === 0 ? { kind: 'app' } : null;
  if (cla !== CLA_BITCOIN) return { kind: 'other' };
  switch (ins) {
    case 0x00:
      return whole(data, (reader) => {
        const display = readFlag(reader);
        const length = reader.uint8();
        return { kind: 'xpub', display, path: Array.from({ length }, () => bigEndian(reader)) };
      });
    case 0x02:
      return whole(data, (reader) => ({ kind: 'register', policy: reader.lengthPrefixed() }));
    case 0x03:
      return whole(data, (reader) => ({
        kind: 'address',
        display: readFlag(reader),
        policy: reader.take(HASH),
        hmac: reader.take(HASH),
        branch: Number(readFlag(reader)),
        index: bigEndian(reader),
      }));
    case 0x04:
      return whole(data, (reader) => ({
        kind: 'sign',
        global: readMap(reader),
        inputs: readList(reader),
        outputs: readList(reader),
        policy: reader.take(HASH),
        hmac: reader.take(HASH),
      }));
    case 0x05:
      return data.length === 0 ? { kind: 'fingerprint' } : null;
    default:
      return { kind: 'other' };
  }
}

function readFlag(reader: ByteReader): boolean {
  const byte = reader.uint8();
  if (byte > 1) reader.fail('neither yes nor no');
  return byte === 1;
}

function bigEndian(reader: ByteReader): number {
  return reader.take(4).reduce((value, byte) => value * 256 + byte, 0);
}

/** A yield of SIGN_PSBT: the input, the key, and the signature behind it; null where it has another form. */
export function parseYield(
  data: Uint8Array,
): { readonly input: number; readonly publicKey: Uint8Array; readonly signature: Uint8Array } | null {
  return whole(data, (reader) => {
    const input = reader.compactSize();
    const length = reader.uint8();
    const publicKey = reader.take(length);
    const signature = reader.take(reader.remaining);
    if ((length !== HASH && length !== HASH + 1) || signature.length === 0) reader.fail('no key or no signature');
    return { input, publicKey, signature };
  });
}
