import { trustedHex } from '../domain/bytes.js';
import { confirmations } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { type FeeRate, virtualSize } from '../domain/feerate.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import { maxSats, type Sats, sumSats } from '../domain/sats.js';
import { liveCoins } from '../journal/fold.js';
import { type Hypothesis, type Outlook, outlook, whatIf } from '../policy/bench/outlook.js';
import type { DestinationAge, Verdict } from '../policy/types.js';
import { signedTransactionWeight } from '../vault/weights.js';
import { nextAddresses } from './destinations.js';
import { isMature } from './own-coins.js';
import type { Desk } from './ports.js';
import { aboutPayments, loadSituation, NO_TIES, type Situation, stateBesides } from './situation.js';

export interface SimulateOptions {
  /** An id of the book, or null for all of them. */
  readonly to: string | null;
  /** Null takes the feerate of the snapshot, or the policy's floor where it proposes none. */
  readonly feerate: FeeRate | null;
}

export interface SimulatedDestination {
  readonly destination: DestinationAge;
  readonly outlook: Outlook;
}

export interface Simulation {
  readonly situation: Situation;
  readonly feerate: FeeRate;
  /** Coins that a plan could use now. */
  readonly available: Sats;
  readonly destinations: readonly SimulatedDestination[];
}

/** How much the policy in force lets go to each destination of the book now, and when more. Nothing is written. */
export async function simulate(desk: Desk, options: SimulateOptions): Promise<Result<Simulation, Fault>> {
  const prepared = await prepare(desk, options);
  if (!prepared.ok) return prepared;
  const { situation, feerate, available, hypotheses } = prepared.value;
  const destinations = hypotheses.map((one) => ({ destination: one.to, outlook: outlook(one) }));
  return ok({ situation, feerate, available, destinations });
}

/** The verdict on paying an amount to one destination now, as if everybody had approved it. */
export async function simulateAmount(
  desk: Desk,
  to: string,
  amount: Sats,
  feerate: FeeRate | null,
): Promise<Result<Verdict, Fault>> {
  const prepared = await prepare(desk, { to, feerate });
  if (!prepared.ok) return prepared;
  const [hypothesis] = prepared.value.hypotheses;
  if (hypothesis === undefined) throw new Error('one destination was asked for, and none prepared');
  return ok(whatIf(hypothesis, amount));
}

interface Prepared {
  readonly situation: Situation;
  readonly feerate: FeeRate;
  readonly available: Sats;
  readonly hypotheses: readonly Hypothesis[];
}

async function prepare(desk: Desk, options: SimulateOptions): Promise<Result<Prepared, Fault>> {
  const loaded = await loadSituation(desk);
  if (!loaded.ok) return loaded;
  const situation = loaded.value;
  const context = {
    batch: null,
    kind: 'withdrawal' as const,
    initiator: '',
    approvals: [],
    pending: [],
    reusedRequests: [],
    objections: [],
    ...NO_TIES,
  };
  const besides = stateBesides(situation, context);
  const payments = { outputs: [], requests: [] };
  const state = { ...besides, ...aboutPayments(situation, context.batch, besides.spends, payments) };
  const book = nextAddresses(situation).sort((a, b) => (a.id < b.id ? -1 : 1));
  const chosen = options.to === null ? book : book.filter(({ id }) => id === options.to);
  if (chosen.length === 0) {
    return fail('E_USAGE', options.to === null ? 'the address book is empty' : `the book has no ${options.to}`, {
      remedy: 'countersign book show lists the destinations, countersign book import takes in a book',
    });
  }
  const { policy, vault, snapshot, now } = situation;
  const feerate = options.feerate ?? snapshot.feerate ?? policy.document.fees.minRate;
  const available = availableNow(situation);
  const hypotheses = chosen.map((to): Hypothesis => {
    const vsize = virtualSize(signedTransactionWeight(vault, 1, [trustedHex(to.script)]));
    const fee = (feerate * vsize + 999n) / 1000n;
    return { policy, state, vault, to, fee, vsize, available: maxSats(0n, available - fee), now };
  });
  return ok({ situation, feerate, available, hypotheses });
}

/** Coins that neither a batch nor a freeze nor a screening list nor their own youth keeps back. */
function availableNow({ state, snapshot, policy, quarantined }: Situation): Sats {
  const held = liveCoins(state);
  const { minConfirmations, minValue } = policy.document.inputs;
  const free = snapshot.coins.filter((coin) => {
    const outpoint = formatOutpoint(coin.outpoint);
    const depth = confirmations(coin, snapshot.tip);
    return (
      depth >= minConfirmations &&
      isMature(coin, depth) &&
      coin.value >= minValue &&
      !held.has(outpoint) &&
      !state.frozen.has(outpoint) &&
      !quarantined.has(outpoint)
    );
  });
  return sumSats(free.map(({ value }) => value));
}
