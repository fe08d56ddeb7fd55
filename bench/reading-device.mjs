/**
 * Stands in for the Bitcoin app where no recording is long enough: a device that fetches every field of every map of the
 * PSBT that it is to sign, as the app does for what it needs (doc/bitcoin.md of the app), believes it all, and signs nothing.
 */
const YIELDED = Uint8Array.of(0x90, 0x00);
const OTHERS = new Map([[0x05, 'f5acc2fd']]);

/** `onExchange` is told each time that a request arrives and each time that it was answered. */
export function readingDevice(onExchange) {
  let asking = null;
  return {
    name: 'a device that reads',
    async exchange(apdu) {
      onExchange('request');
      const response = answer(apdu);
      onExchange('response');
      return response;
    },
    close: async () => ({ ok: true, value: undefined }),
  };

  function answer(apdu) {
    const data = apdu.subarray(5);
    if (apdu[0] === 0xe1 && apdu[1] !== 0x04) {
      return Buffer.concat([Buffer.from(OTHERS.get(apdu[1]) ?? '', 'hex'), YIELDED]);
    }
    if (apdu[0] === 0xe1) asking = reading(data);
    const { value, done } = asking.next(data);
    return done ? YIELDED : Buffer.concat([value, Uint8Array.of(0xe0, 0x00)]);
  }
}

/** A CompactSize number below 2^32 and where it ends. */
function compactSize(data, at) {
  const first = data[at];
  if (first < 0xfd) return [first, at + 1];
  return first === 0xfd ? [data.readUInt16LE(at + 1), at + 3] : [data.readUInt32LE(at + 1), at + 5];
}

function encoded(number) {
  return number < 0xfd ? Buffer.of(number) : Buffer.of(0xfd, number & 0xff, number >> 8);
}

/** Yields what the device asks, one command an exchange, and is given the data of each answer. */
function* reading(command) {
  const sign = Buffer.from(command);
  yield* readMap(sign);
  let [, at] = compactSize(sign, 0);
  at += 64;
  for (let list = 0; list < 2; list += 1) {
    const [size, root] = compactSize(sign, at);
    at = root + 32;
    for (let index = 0; index < size; index += 1) yield* readMap(yield* element(sign.subarray(root, at), size, index));
  }
}

/** A map by its commitment: size, root of the keys, root of the values. */
function* readMap(commitment) {
  const [size, start] = compactSize(commitment, 0);
  for (const root of [commitment.subarray(start, start + 32), commitment.subarray(start + 32, start + 64)]) {
    for (let index = 0; index < size; index += 1) yield* element(root, size, index);
  }
}

/** GET_MERKLE_LEAF_PROOF, then the preimage of the leaf without its first byte. */
function* element(root, size, index) {
  const proof = Buffer.from(yield Buffer.concat([Buffer.of(0x41), root, encoded(size), encoded(index)]));
  const leaf = Buffer.from(proof.subarray(0, 32));
  if (proof[33] < proof[32]) yield Buffer.of(0xa0);
  const first = Buffer.from(yield Buffer.concat([Buffer.of(0x40, 0), leaf]));
  const [length, at] = compactSize(first, 0);
  const parts = [first.subarray(at + 1)];
  let fetched = first[at];
  while (fetched < length) {
    const more = Buffer.from(yield Buffer.of(0xa0));
    parts.push(more.subarray(2));
    fetched += more[0];
  }
  return Buffer.concat(parts).subarray(1);
}
