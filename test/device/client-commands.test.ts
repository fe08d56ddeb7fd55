import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientCommands } from '../../src/device/client-commands.js';
import { hashLeaf, MerkleTree } from '../../src/device/merkle-tree.js';
import { rootOf } from '../../src/device/recording/merkle.js';
import { sha256, toHex } from '../../src/domain/bytes.js';
import { ByteWriter } from '../../src/psbt/wire.js';
import { ClientCommandInterpreter } from './hw-app-btc.js';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
/** Lengths about the edges of a response (251 to 253 bytes of a preimage, then 253 a time), and a few long ones. */
const preimages = fc.oneof(
  bytes(40),
  fc.integer({ min: 245, max: 260 }).map((length) => new Uint8Array(length).fill(length)),
  fc.integer({ min: 500, max: 3000 }).map((length) => new Uint8Array(length).map((_, index) => index)),
);
/** Up to 200 leaves: a proof of more than six siblings does not fit one response. */
const lists = fc.oneof(
  fc.array(bytes(8), { maxLength: 12 }),
  fc.integer({ min: 60, max: 200 }).map((size) => Array.from({ length: size }, (_, index) => Uint8Array.of(index))),
);

interface World {
  readonly lists: readonly (readonly Uint8Array[])[];
  readonly preimages: readonly Uint8Array[];
}

function both({ lists: known, preimages: also }: World) {
  const ours = new ClientCommands();
  const theirs = new ClientCommandInterpreter(() => {});
  for (const list of known) {
    ours.addList(list);
    theirs.addKnownList(list.map((element) => Buffer.from(element)));
  }
  for (const preimage of also) {
    ours.addPreimage(preimage);
    theirs.addKnownPreimage(Buffer.from(preimage));
  }
  return {
    /** The answer in hex, or null where it is refused: by both, or the test ends here. */
    ask(request: Uint8Array): string | null {
      const own = ours.answer(request);
      let their: string | null;
      try {
        their = theirs.execute(Buffer.from(request)).toString('hex');
      } catch {
        their = null;
      }
      expect(own.ok ? toHex(own.value) : null).toBe(their);
      return their;
    },
  };
}

const request = (command: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat([Uint8Array.of(command), ...parts]));
const place = (size: number, index: number): Uint8Array =>
  new ByteWriter().compactSize(size).compactSize(index).finish();
const MORE = request(0xa0);

/** A random request, most of them about what is known: as a device would ask, in an order that none would. */
function requestOf(world: World, [kind, first, second]: readonly [number, number, number]): Uint8Array {
  const list = world.lists[first % Math.max(1, world.lists.length)] ?? [];
  const { root } = new MerkleTree(list.map(hashLeaf));
  const leaf = list[second % Math.max(1, list.length)] ?? Uint8Array.of(9);
  const preimage = world.preimages[second % Math.max(1, world.preimages.length)] ?? Uint8Array.of(1);
  switch (kind) {
    case 0:
      return request(0x10, preimage.subarray(0, 100));
    case 1:
      return request(0x40, Uint8Array.of(0), sha256(preimage));
    case 2:
      return request(0x40, Uint8Array.of(0), hashLeaf(leaf));
    case 3:
      return request(0x41, root, place(list.length, second % Math.max(1, list.length)));
    case 4:
      return request(0x42, root, hashLeaf(leaf));
    case 5:
      return request(0x41, root, place(list.length + (first % 2), second));
    case 6:
      return request(0x42, root, sha256(leaf));
    case 7:
      return request(0x40, Uint8Array.of(first % 2), sha256(Uint8Array.of(first, second)));
    case 8:
      return request(first % 256, preimage.subarray(0, second % 70));
    default:
      return MORE;
  }
}

describe("the answers to a device's questions", () => {
  const worlds = fc.record({
    lists: fc.array(lists, { maxLength: 3 }),
    preimages: fc.array(preimages, { maxLength: 4 }),
  });
  const asked = fc.array(fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 300 }), fc.nat({ max: 300 })), { maxLength: 40 });

  it("are hw-app-btc's, byte for byte, whatever is asked in whatever order", () => {
    fc.assert(
      fc.property(worlds, asked, (world, questions) => {
        const { ask } = both(world);
        for (const question of questions) ask(requestOf(world, question));
      }),
      { numRuns: 100 },
    );
  });

  it.each([0, 1, 250, 251, 252, 253, 503, 504, 505, 506, 757, 758, 3000, 70_000])(
    'a preimage of %i bytes comes whole, first 251 or 252 bytes and then 253 at a time',
    (length) => {
      const content = new Uint8Array(length).map((_, index) => index % 251);
      const { ask } = both({ lists: [[content]], preimages: [content] });
      for (const [hash, prefix] of [
        [sha256(content), ''],
        [hashLeaf(content), '00'],
      ] as const) {
        const total = length + prefix.length / 2;
        const countBytes = total < 253 ? 1 : total < 65_536 ? 3 : 5;
        const answer = ask(request(0x40, Uint8Array.of(0), hash)) ?? '';
        let fetched = answer.slice(2 * (countBytes + 1));
        let more = 0;
        for (; fetched.length < 2 * total; more += 1) fetched += (ask(MORE) ?? '').slice(4);
        expect(fetched).toBe(prefix + toHex(content));
        const first = Math.min(total, 254 - countBytes);
        expect(more).toBe(Math.ceil((total - first) / 253));
        expect(ask(MORE)).toBeNull();
      }
    },
  );

  it.each([1, 2, 3, 63, 64, 65, 128, 129, 512])('every leaf of a list of %i is proven', (size) => {
    const list = Array.from({ length: size }, (_, index) => Uint8Array.of(index & 0xff, index >> 8));
    const tree = new MerkleTree(list.map(hashLeaf));
    const { ask } = both({ lists: [list], preimages: [] });
    for (const [index, element] of list.entries()) {
      const answer = ask(request(0x41, tree.root, place(size, index))) ?? '';
      const siblings = Number.parseInt(answer.slice(64, 66), 16);
      const sent = Number.parseInt(answer.slice(66, 68), 16);
      const rest = sent < siblings ? (ask(MORE) ?? '').slice(4) : '';
      const proof = (answer.slice(68) + rest).match(/.{64}/g) ?? [];
      expect(proof).toHaveLength(siblings);
      const given = rootOf(
        hashLeaf(element),
        index,
        size,
        proof.map((hash) => new Uint8Array(Buffer.from(hash, 'hex'))),
      );
      expect(toHex(given ?? new Uint8Array(0))).toBe(toHex(tree.root));
      expect(ask(request(0x42, tree.root, hashLeaf(element)))?.slice(0, 2)).toBe('01');
    }
  });

  it('what a device may not ask is refused in words', () => {
    const list = Array.from({ length: 130 }, (_, index) => Uint8Array.of(index));
    const commands = new ClientCommands();
    const root = commands.addList(list);
    const problem = (question: Uint8Array) => {
      const answer = commands.answer(question);
      return answer.ok ? null : answer.error;
    };
    expect(problem(new Uint8Array(0))).toBe('the device asked for the unknown client command of no byte');
    expect(problem(Uint8Array.of(0x77))).toBe('the device asked for the unknown client command 119');
    expect(problem(request(0x40, Uint8Array.of(1), root))).toBe('GET_PREIMAGE has not the form of SHA-256');
    expect(problem(request(0x40, Uint8Array.of(0), root))).toMatch(/^the device asked for the unknown preimage of /);
    expect(problem(request(0x41, root, place(130, 130)))).toMatch(/leaf 130 of 130 in the tree .* which has 130$/);
    expect(problem(request(0x41, root, place(131, 0)))).toMatch(/leaf 0 of 131 in the tree .* which has 130$/);
    expect(problem(request(0x41, root))).toMatch(/^GET_MERKLE_LEAF_PROOF: the data is cut off/);
    expect(problem(request(0x41, sha256(root), place(1, 0)))).toMatch(/^the device asked for a proof in the unknown/);
    expect(problem(request(0x42, sha256(root), root))).toMatch(/^the device asked for a leaf in the unknown tree/);
    expect(problem(request(0x42, root))).toBe('GET_MERKLE_LEAF_INDEX has not the form of two hashes');
    expect(problem(MORE)).toBe('the device asked for more elements, and there are none');
    expect(problem(request(0xa0, root))).toBe('GET_MORE_ELEMENTS came with data');
    expect(problem(request(0x41, root, place(130, 0)))).toBeNull();
    expect(problem(request(0x41, root, place(130, 1)))).toMatch(/had not fetched its last answer$/);
  });
});
