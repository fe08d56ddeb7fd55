import { sha256, toHex } from '../domain/bytes.js';
import { err, ok, type Result } from '../domain/result.js';
import { compactSizeLength } from '../domain/script.js';
import { ByteReader, ByteWriter } from '../psbt/wire.js';
import { hashLeaf, LEAF, MerkleTree } from './merkle-tree.js';

/** Client commands of the Bitcoin app's protocol (doc/bitcoin.md of the app, "Client commands"). */
const YIELD = 0x10;
const GET_PREIMAGE = 0x40;
const GET_MERKLE_LEAF_PROOF = 0x41;
const GET_MERKLE_LEAF_INDEX = 0x42;
const GET_MORE_ELEMENTS = 0xa0;

const HASH = 32;
/** The data of one APDU. */
const RESPONSE = 255;
/** Siblings of a proof that fit a response beside the leaf and two counts. */
const FIRST_SIBLINGS = Math.floor((RESPONSE - HASH - 2) / HASH);
/** Bytes of elements that fit a response of GET_MORE_ELEMENTS beside two counts. */
const MORE = RESPONSE - 2;

const NOTHING = new Uint8Array(0);

/** A preimage in two parts, so that a leaf need not be copied to stand behind its byte. */
interface Preimage {
  readonly prefix: Uint8Array;
  readonly content: Uint8Array;
}

/** What is still to be fetched of one answer: elements of one length, end to end. */
interface Leftover {
  readonly elementLength: number;
  readonly bytes: Uint8Array;
}

/**
 * The host's side of an interrupted command: the device asks for preimages of hashes and for proofs that an element stands
 * in a list, and is answered out of what was put in before. It knows nothing of what the data mean, and the device checks
 * every answer against roots that it was given with the command.
 *
 * hw-app-btc has the same under the name of ClientCommandInterpreter, with the same answers byte for byte; it keeps what
 * is left of a preimage as one buffer a byte and walks through all of them for every answer, which takes seconds for a
 * previous transaction of 400 kB. Here it stays one view of the data.
 */
export class ClientCommands {
  readonly #preimages = new Map<string, Preimage>();
  readonly #trees = new Map<string, MerkleTree>();
  #leftovers: Leftover[] = [];

  addPreimage(content: Uint8Array): void {
    this.#preimages.set(toHex(sha256(content)), { prefix: NOTHING, content });
  }

  /** Every element becomes known with its place; the answer is the root of the list. */
  addList(elements: readonly Uint8Array[]): Uint8Array {
    const leaves = elements.map((content) => {
      const leaf = hashLeaf(content);
      this.#preimages.set(toHex(leaf), { prefix: LEAF, content });
      return leaf;
    });
    const tree = new MerkleTree(leaves);
    this.#trees.set(toHex(tree.root), tree);
    return tree.root;
  }

  /** The answer to what the device asks (a response with SW e000, without it); the error says what was wrong with it. */
  answer(request: Uint8Array): Result<Uint8Array, string> {
    const data = request.subarray(1);
    switch (request[0]) {
      case YIELD:
        return ok(NOTHING);
      case GET_PREIMAGE:
        return this.#preimage(data);
      case GET_MERKLE_LEAF_PROOF:
        return this.#leafProof(data);
      case GET_MERKLE_LEAF_INDEX:
        return this.#leafIndex(data);
      case GET_MORE_ELEMENTS:
        return data.length === 0 ? this.#moreElements() : err('GET_MORE_ELEMENTS came with data');
      default:
        return err(`the device asked for the unknown client command ${request[0] ?? 'of no byte'}`);
    }
  }

  #preimage(data: Uint8Array): Result<Uint8Array, string> {
    if (data.length !== 1 + HASH || data[0] !== 0) return err('GET_PREIMAGE has not the form of SHA-256');
    const hash = toHex(data.subarray(1));
    const known = this.#preimages.get(hash);
    if (known === undefined) return err(`the device asked for the unknown preimage of ${hash}`);
    const { prefix, content } = known;
    const length = prefix.length + content.length;
    const payload = Math.min(RESPONSE - compactSizeLength(length) - 1, length);
    const sent = content.subarray(0, payload - prefix.length);
    this.#keep(1, content.subarray(sent.length));
    return ok(new ByteWriter(RESPONSE).compactSize(length).uint8(payload).bytes(prefix).bytes(sent).finish());
  }

  #leafProof(data: Uint8Array): Result<Uint8Array, string> {
    const reader = new ByteReader(data);
    const root = toHex(reader.take(HASH));
    const size = reader.compactSize();
    const index = reader.compactSize();
    if (reader.problem !== null) return err(`GET_MERKLE_LEAF_PROOF: ${reader.problem}`);
    const tree = this.#trees.get(root);
    if (tree === undefined) return err(`the device asked for a proof in the unknown tree ${root}`);
    const leaf = tree.leaf(index);
    if (tree.size !== size || leaf === null) {
      return err(`the device asked for leaf ${index} of ${size} in the tree ${root}, which has ${tree.size}`);
    }
    if (this.#leftovers.length > 0) return err('the device asked for a proof and had not fetched its last answer');
    const siblings = tree.proof(index);
    const sent = siblings.slice(0, FIRST_SIBLINGS);
    this.#keep(HASH, Buffer.concat(siblings.slice(FIRST_SIBLINGS)));
    return ok(new Uint8Array(Buffer.concat([leaf, Uint8Array.of(siblings.length, sent.length), ...sent])));
  }

  #leafIndex(data: Uint8Array): Result<Uint8Array, string> {
    if (data.length !== 2 * HASH) return err('GET_MERKLE_LEAF_INDEX has not the form of two hashes');
    const root = toHex(data.subarray(0, HASH));
    const tree = this.#trees.get(root);
    if (tree === undefined) return err(`the device asked for a leaf in the unknown tree ${root}`);
    const index = tree.indexOf(data.subarray(HASH));
    return ok(
      new ByteWriter()
        .uint8(index === null ? 0 : 1)
        .compactSize(index ?? 0)
        .finish(),
    );
  }

  #keep(elementLength: number, bytes: Uint8Array): void {
    if (bytes.length > 0) this.#leftovers.push({ elementLength, bytes });
  }

  /** As many elements as fit, in order; what is left of several answers is fetched as if it were of one. */
  #moreElements(): Result<Uint8Array, string> {
    const [first] = this.#leftovers;
    if (first === undefined) return err('the device asked for more elements, and there are none');
    const { elementLength } = first;
    if (this.#leftovers.some((one) => one.elementLength !== elementLength)) {
      return err('the device asked for more elements of two answers that differ in their form');
    }
    const most = Math.floor(MORE / elementLength) * elementLength;
    const parts: Uint8Array[] = [];
    const rest: Leftover[] = [];
    let room = most;
    for (const { bytes } of this.#leftovers) {
      const part = bytes.subarray(0, room);
      parts.push(part);
      room -= part.length;
      if (part.length < bytes.length) rest.push({ elementLength, bytes: bytes.subarray(part.length) });
    }
    this.#leftovers = rest;
    return ok(new Uint8Array(Buffer.concat([Uint8Array.of((most - room) / elementLength, elementLength), ...parts])));
  }
}
