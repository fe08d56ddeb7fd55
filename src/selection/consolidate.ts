import { type Hex, toHex } from '../domain/bytes.js';
import type { Coin } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { type FeeRate, formatFeeRate } from '../domain/feerate.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import { formatAmount, type Sats, sumSats } from '../domain/sats.js';
import type { Vault } from '../vault/types.js';
import { outputWeight, overheadWeight } from '../vault/weights.js';
import { minimumChange } from './change.js';
import { inputCost } from './cost.js';
import { antiFeeSnipingLocktime, REPLACEABLE_SEQUENCE } from './locktime.js';
import { totalValue, type Withheld } from './pool.js';
import { parseSeed, random } from './random.js';
import type { ChangePlace } from './split.js';
import type { ShapeLimits, TransactionPlan } from './types.js';
import { DEFAULT_DEVICE_PRICE, DEFAULT_LONG_TERM_FEERATE, feeAt, waste } from './waste.js';

export interface ConsolidationInput {
  readonly vault: Vault;
  /** Coins that may be spent now, of any value. Each once, in any order. */
  readonly coins: readonly Coin[];
  /** Scripts on which coins lie that may not be spent now. */
  readonly staying: ReadonlySet<Hex>;
  readonly withheld: readonly Withheld[];
  /** Below it a coin is small: on a script with other coins it goes with all of them, or stays. */
  readonly smallBelow: Sats;
  readonly feerate: FeeRate;
  /** The least that the policy accepts, over whole vB; see `feeAt`. */
  readonly feerateFloor: FeeRate;
  readonly limits: ShapeLimits;
  readonly tipHeight: number;
  /** 32 bytes in hex: for locktime and the order of inputs. The coins follow from the rest. */
  readonly seed: Hex;
  readonly change: ChangePlace;
}

/** Coins that go together. */
interface Unit {
  readonly coins: readonly Coin[];
  readonly value: Sats;
  /** Its first outpoint: of units of one value, what tells them apart. */
  readonly name: string;
}

function unitOf(coins: readonly Coin[]): Unit {
  const named = coins.map((coin) => ({ coin, name: formatOutpoint(coin.outpoint) }));
  const inOrder = named.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    coins: inOrder.map(({ coin }) => coin),
    value: sumSats(coins.map(({ value }) => value)),
    name: inOrder[0]?.name ?? '',
  };
}

/**
 * One transaction that pays nobody: the smallest coins that are worth their input's fee, as many as the limits allow, to one
 * change output. Small coins on a script with others (dusting) go with all coins of that script, where these together are
 * worth it and may all be spent, and stay otherwise.
 *
 * Faults: E_PLAN_SEED, E_AMOUNT_RANGE, E_PLAN_NOTHING where fewer than two coins are worth it or what they come to is dust.
 */
export function planConsolidation(input: ConsolidationInput): Result<TransactionPlan, Fault> {
  const parsed = parseSeed(input.seed);
  if (!parsed.ok) return parsed;
  if (totalValue(input.coins) === null) {
    return fail('E_AMOUNT_RANGE', 'the coins add up to more than 21,000,000 BTC, or one has a negative value', {
      remedy: 'import the coins again from a node that you trust: this snapshot cannot be true',
    });
  }
  const rates = { feerate: input.feerate, floor: input.feerate < input.feerateFloor ? 0n : input.feerateFloor };
  const cost = inputCost(input.vault);
  const inputFee = feeAt(rates, cost.weight);
  const weightOf = (inputs: number): bigint =>
    overheadWeight(input.vault, inputs, 1) + BigInt(inputs) * cost.weight + outputWeight(input.change.script);
  let most = Math.min(input.limits.maxInputs, input.coins.length);
  while (most > 0 && weightOf(most) > input.limits.maxWeight) most -= 1;

  const coins = smallestFirst(unitsOf(input, inputFee, most), most);
  const weight = weightOf(coins.length);
  const fee = feeAt(rates, weight);
  const value = sumSats(coins.map((coin) => coin.value)) - fee;
  const least = minimumChange(input.change.script, cost.weight, DEFAULT_LONG_TERM_FEERATE);
  if (coins.length < 2 || value < least) return nothing(input, coins, fee);
  const { script, origin } = input.change;
  const terms = {
    ...rates,
    input: cost,
    longTermFeerate: DEFAULT_LONG_TERM_FEERATE,
    devicePrice: DEFAULT_DEVICE_PRICE,
  };
  return ok({
    version: 2,
    locktime: antiFeeSnipingLocktime(input.tipHeight, random(input.seed, 'locktime')),
    sequence: REPLACEABLE_SEQUENCE,
    inputs: random(input.seed, 'input-order').shuffle(coins),
    outputs: [{ kind: 'change', origin, script, value }],
    fee,
    feerate: input.feerate,
    weight,
    selection: {
      algorithm: 'smallest-first',
      waste: waste(coins.length, feeAt(rates, outputWeight(script)), terms),
      tried: [],
    },
    seed: input.seed,
  });
}

function unitsOf({ coins, staying, smallBelow }: ConsolidationInput, inputFee: Sats, most: number): readonly Unit[] {
  const byScript = new Map<Hex, Coin[]>();
  for (const coin of coins) {
    const script = toHex(coin.script);
    const together = byScript.get(script);
    if (together === undefined) byScript.set(script, [coin]);
    else together.push(coin);
  }
  const worth = ({ coins: some, value }: Unit): boolean => value > BigInt(some.length) * inputFee;
  return [...byScript].flatMap(([script, together]) => {
    const small = together.filter(({ value }) => value < smallBelow);
    const whole = unitOf(together);
    if (small.length > 0 && !staying.has(script) && together.length <= most && worth(whole)) return [whole];
    return together
      .filter((coin) => !small.includes(coin))
      .map((coin) => unitOf([coin]))
      .filter(worth);
  });
}

/** By value, then by outpoint, so that the order in which coins came cannot matter. */
function smallestFirst(units: readonly Unit[], most: number): readonly Coin[] {
  const sorted = units.toSorted((a, b) => {
    if (a.value !== b.value) return a.value < b.value ? -1 : 1;
    return a.name < b.name ? -1 : 1;
  });
  const chosen: Coin[] = [];
  for (const { coins } of sorted) if (chosen.length + coins.length <= most) chosen.push(...coins);
  return chosen;
}

function nothing(input: ConsolidationInput, coins: readonly Coin[], fee: Sats): Result<never, Fault> {
  const besides = input.withheld
    .filter((sum) => sum.coins > 0)
    .map((sum) => `${sum.coins} of ${formatAmount(sum.value)} that ${sum.reason}`);
  const offer = `${input.coins.length === 1 ? '1 coin is' : `${input.coins.length} coins are`} on offer`;
  const found =
    coins.length < 2
      ? `fewer than two can be put together at ${formatFeeRate(input.feerate)}`
      : `${coins.length} can be put together, and are not worth their fee of ${formatAmount(fee)} and a coin that is worth spending`;
  const rest = besides.length === 0 ? '' : `. Not on offer: ${besides.join('; ')}`;
  return fail('E_PLAN_NOTHING', `there is nothing to consolidate: ${offer}, of which ${found}${rest}`, {
    remedy: 'try a lower feerate, or allow more inputs; coins in small numbers need no consolidation',
  });
}
