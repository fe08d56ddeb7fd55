import { STATUS_WORDS } from '../../src/device/status-words.js';
import type { Exchange } from '../../src/device/transcript.js';
import type { ApduChannel } from '../../src/device/types.js';
import { toHex } from '../../src/domain/bytes.js';
import type { Disturbance } from './faulty.js';

/**
 * Faults to be tried at the exchanges of a recording. A plain run takes the exchanges at which the conversation changes its
 * subject, and some in between; FAULTS=all in the environment takes every one, with every status word.
 */
export const ALL = process.env.FAULTS === 'all';

const WORDS = [...STATUS_WORDS.keys(), 0x9000, 0xe000, 0x6123, 0x0000];

/** Every kind of fault at an exchange; the varying ones vary with its number, or all at once. */
export function disturbances(exchanges: readonly Exchange[], at: number): readonly Disturbance[] {
  const length = exchanges[at]?.response.length ?? 2;
  const words = ALL ? WORDS : [WORDS[at % WORDS.length] ?? 0x6f00, 0x6985];
  return [
    ...words.map((word): Disturbance => ({ kind: 'status', word })),
    { kind: 'gone' },
    { kind: 'hangs' },
    { kind: 'delayed' },
    { kind: 'corrupted', byte: (at * 7) % length },
    { kind: 'corrupted', byte: -1 - (at % 2) },
    { kind: 'truncated', length: at % 3 === 0 ? at % 2 : Math.max(0, length - 1 - (at % 5)) },
    { kind: 'swapped' },
    { kind: 'repeated' },
  ];
}

/** Each trial of a long conversation takes long: of these only the turns are tried. */
const LONG = 200;

/** The first exchanges and the last one, those at which the subject changes, the ones around them, and some in between. */
export function places(exchanges: readonly Exchange[], turns: readonly number[] = []): readonly number[] {
  if (ALL) return exchanges.map((_, at) => at);
  const isLong = exchanges.length > LONG;
  const around = isLong ? turns : turns.flatMap((at) => [at - 1, at, at + 1]);
  const step = Math.ceil(exchanges.length / (isLong ? 1 : 6));
  const between = exchanges.map((_, at) => at).filter((at) => at % step === 5 % step);
  const tried = [0, 2, exchanges.length - 1, ...around, ...between];
  return [...new Set(tried)].filter((at) => at >= 0 && at < exchanges.length).sort((a, b) => a - b);
}

/** GET_WALLET_ADDRESS. */
export const isAddress = (apdu: Uint8Array): boolean => apdu[0] === 0xe1 && apdu[1] === 0x03;

/**
 * A Ledger computes an HMAC again before it uses a policy: one that arrived damaged is b008, which a recording that answers
 * whatever it is asked would not say.
 */
export function holdingHmac(channel: ApduChannel, recorded: readonly Exchange[]): ApduChannel {
  const due = recorded
    .map(({ request }) => request)
    .filter(isAddress)
    .map(toHex);
  return {
    ...channel,
    exchange: async (apdu) => {
      const answer = await channel.exchange(apdu);
      return isAddress(apdu) && !due.includes(toHex(apdu)) ? Uint8Array.of(0xb0, 0x08) : answer;
    },
  };
}

/** Counts what was tried, and how it ended. */
export class Tally {
  readonly #tried = new Map<string, number>();
  readonly #ends = new Map<string, number>();

  constructor(private readonly what: string) {}

  count({ kind }: Disturbance, end: string): void {
    this.#tried.set(kind, (this.#tried.get(kind) ?? 0) + 1);
    this.#ends.set(end, (this.#ends.get(end) ?? 0) + 1);
  }

  print(): void {
    const total = [...this.#tried.values()].reduce((sum, count) => sum + count, 0);
    const listed = (counts: ReadonlyMap<string, number>): string =>
      [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
    process.stdout.write(`${this.what}: ${total} (${listed(this.#tried)}); ended ${listed(this.#ends)}\n`);
  }
}
