import type { UnixSeconds } from '../../domain/time.js';
import { formatTime } from '../../domain/time.js';
import type { BatchRecord } from '../../journal/state.js';
import { holdsBudget } from '../../journal/transitions.js';
import { type ConfirmedSpend, ConfirmedSpends, isConfirmed } from '../../policy/confirmed-spends.js';
import type { LoadedPolicy, SpendRecord } from '../../policy/types.js';
import {
  indexOver,
  type SpendIndex,
  tallyBlocks,
  tallyLifetime,
  tallyPending,
  tallyWindow,
} from '../../policy/windows.js';
import { spendOf } from '../history.js';

/** How far a limit of one policy was used at most. */
export interface LimitPeak {
  /** Version of the policy. */
  readonly policy: number;
  /** The field: "limits.rolling.24h". */
  readonly limit: string;
  readonly unit: 'sat' | 'count';
  /** Null for unlimited. */
  readonly cap: bigint | null;
  readonly measured: bigint;
  /** The first moment at which it was that much. */
  readonly at: string;
  /** In hundredths of a percent, rounded down; null for unlimited, and where the limit is 0. */
  readonly shareBp: bigint | null;
}

interface Measured {
  readonly limit: string;
  readonly unit: 'sat' | 'count';
  readonly cap: bigint | null;
  readonly measured: bigint;
}

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Nothing is added to what is there: what a verdict on the next batch would begin from. */
const NONE = { weight: 0n, inputs: [] };

/**
 * The highest use of each limit that counts several batches, by the windows that verdicts use. What a window holds grows
 * only with an entry, and shrinks with time: measuring after each entry that changes a spend finds the peak.
 */
export class LimitPeaks {
  readonly #pending = new Map<string, SpendRecord>();
  readonly #confirmed = new Map<string, ConfirmedSpend>();
  readonly #arranged = new ConfirmedSpends();
  /** How many confirmed batches spend an input. */
  readonly #gone = new Map<string, number>();
  readonly #peaks = new Map<string, LimitPeak>();

  /** Takes a batch in its new state. */
  put(batch: BatchRecord): void {
    this.#pending.delete(batch.id);
    const known = this.#confirmed.get(batch.id);
    if (known !== undefined) {
      this.#confirmed.delete(batch.id);
      this.#arranged.remove(known);
      this.#countInputs(known, -1);
    }
    if (!holdsBudget(batch.state)) return;
    const spend = spendOf(batch);
    if (!isConfirmed(spend)) {
      this.#pending.set(batch.id, spend);
      return;
    }
    this.#confirmed.set(batch.id, spend);
    this.#arranged.add(spend);
    this.#countInputs(spend, 1);
  }

  /** What the limits of a policy hold at a moment, with the chain at a height. */
  measure({ document }: LoadedPolicy, at: UnixSeconds, height: number): void {
    for (const { limit, unit, cap, measured } of measuredBy(document, this.#index(), at, height)) {
      const key = `${document.version} ${limit}`;
      const known = this.#peaks.get(key);
      if (known !== undefined && known.measured >= measured) continue;
      const shareBp = cap === null || cap === 0n ? null : (measured * 10_000n) / cap;
      this.#peaks.set(key, { policy: document.version, limit, unit, cap, measured, at: formatTime(at), shareBp });
    }
  }

  result(): readonly LimitPeak[] {
    return [...this.#peaks.values()];
  }

  #index(): SpendIndex {
    const unconfirmed = [...this.#pending.values()];
    const isGone = (input: string): boolean => (this.#gone.get(input) ?? 0) > 0;
    return indexOver(unconfirmed, { confirmed: this.#arranged, longAgo: 0n, isGone }, unconfirmed);
  }

  #countInputs({ inputs }: SpendRecord, by: 1 | -1): void {
    for (const input of inputs) this.#gone.set(input, (this.#gone.get(input) ?? 0) + by);
  }
}

function measuredBy(
  { limits, fees }: LoadedPolicy['document'],
  index: SpendIndex,
  at: UnixSeconds,
  height: number,
): readonly Measured[] {
  const spent = (limit: string, cap: bigint | null, window: number): Measured => ({
    limit,
    unit: 'sat',
    cap,
    measured: tallyWindow(index, 'spend', NONE, at, window).measured,
  });
  return [
    spent('limits.rolling.1h', limits.rolling['1h'], HOUR),
    spent('limits.rolling.24h', limits.rolling['24h'], DAY),
    spent('limits.rolling.7d', limits.rolling['7d'], 7 * DAY),
    ...[...limits.rollingBlocks].map(
      ([blocks, cap]): Measured => ({
        limit: `limits.rolling_blocks.${blocks}`,
        unit: 'sat',
        cap,
        measured: tallyBlocks(index, NONE, height, blocks).measured,
      }),
    ),
    {
      limit: 'limits.signed_unconfirmed',
      unit: 'sat',
      cap: limits.signedUnconfirmed,
      measured: tallyPending(index, NONE).measured,
    },
    {
      limit: 'limits.batches_24h',
      unit: 'count',
      cap: BigInt(limits.batches24h),
      measured: tallyWindow(index, 'count', NONE, at, DAY).measured,
    },
    {
      limit: 'fees.max_24h',
      unit: 'sat',
      cap: fees.max24h,
      measured: tallyWindow(index, 'fee', NONE, at, DAY).measured,
    },
    ...(limits.lifetime === undefined
      ? []
      : [
          {
            limit: 'limits.lifetime',
            unit: 'sat' as const,
            cap: limits.lifetime,
            measured: tallyLifetime(index, NONE).measured,
          },
        ]),
  ];
}
