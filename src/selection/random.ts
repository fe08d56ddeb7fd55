import { type Hex, sha256, toHex, trustedHex, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';

/** What a stream of random numbers is for. Each purpose has its own stream, so one more draw here changes nothing there. */
export type Purpose = 'change-target' | 'single-random-draw' | 'input-order' | 'output-order' | 'locktime';

/** Random numbers that anyone can recompute from the seed. They hide patterns; they are no secret and make no keys. */
export interface Random {
  /** A whole number from 0 up to and without `bound`, each equally likely. `bound` is a whole number from 1 to 2^53. */
  below(bound: number): number;
  /** A new list in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

const RANGE = 2 ** 53;
const BLOCK = 32;
const DRAW = 8;

/** A seed is 32 bytes as 64 lower-case hexadecimal digits. */
export function parseSeed(text: string): Result<Hex, Fault> {
  if (/^[0-9a-f]{64}$/.test(text)) return ok(text);
  return fail('E_PLAN_SEED', `${JSON.stringify(text.slice(0, 80))} is not a seed`, {
    remedy: 'give 32 bytes as 64 lower-case hexadecimal digits, as they stand in the plan, or none to have one drawn',
  });
}

/**
 * The stream of a seed and a purpose: SHA-256 in counter mode.
 *
 *     key      = SHA-256("countersign.random/1 " + purpose + " " + seed in hex)
 *     block i  = SHA-256(key || i as 8 bytes, big-endian)      i = 0, 1, 2, ...
 *     draw     = the next 8 bytes, big-endian, without their lowest 11 bits: 53 bits, what a float64 holds exactly
 *
 * `below(n)` takes draws until one is less than the greatest multiple of n up to 2^53, and returns its remainder by n.
 */
export function random(seed: Hex, purpose: Purpose): Random {
  const counted = new Uint8Array(BLOCK + DRAW);
  counted.set(sha256(utf8(`countersign.random/1 ${purpose} ${seed}`)));
  const counter = new DataView(counted.buffer, BLOCK);
  let block: DataView = new DataView(new ArrayBuffer(BLOCK));
  let offset = BLOCK;
  let next = 0n;

  const draw = (): number => {
    if (offset === BLOCK) {
      counter.setBigUint64(0, next);
      next += 1n;
      block = new DataView(sha256(counted).buffer);
      offset = 0;
    }
    const value = block.getUint32(offset) * 2 ** 21 + (block.getUint32(offset + 4) >>> 11);
    offset += DRAW;
    return value;
  };

  const below = (bound: number): number => {
    if (!Number.isInteger(bound) || bound < 1 || bound > RANGE) throw new Error(`no number is below ${bound}`);
    const usable = RANGE - (RANGE % bound);
    let value = draw();
    while (value >= usable) value = draw();
    return value % bound;
  };

  return {
    below,
    shuffle: <T>(items: readonly T[]) => {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = below(last + 1);
        const moved = shuffled[last] as T;
        shuffled[last] = shuffled[other] as T;
        shuffled[other] = moved;
      }
      return shuffled;
    },
  };
}

/**
 * The seed of one transaction of a plan that was split. The first has the seed of the plan itself, so that the seed
 * written into a plan recomputes all of it.
 */
export function partSeed(seed: Hex, part: number): Hex {
  if (part === 0) return seed;
  return toHex(sha256(new Uint8Array([...utf8(`countersign.plan/1 part ${part} `), ...trustedHex(seed)])));
}
