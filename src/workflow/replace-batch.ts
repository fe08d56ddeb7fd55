import { trustedHex } from '../domain/bytes.js';
import type { Coin } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { type FeeRate, rateOf, virtualSize } from '../domain/feerate.js';
import { ok, type Result } from '../domain/result.js';
import { maxSats, type Sats, sumSats } from '../domain/sats.js';
import { familyOf, liveReplacement } from '../journal/rivals.js';
import type { BatchRecord, JournalState } from '../journal/state.js';
import { holdsCoins, nextState } from '../journal/transitions.js';
import { parseTransaction } from '../psbt/transaction.js';
import { type Outbid, planChild, planReplacement } from '../selection/replace.js';
import type { ChangePlace } from '../selection/split.js';
import type { Payment } from '../selection/types.js';
import { signedTransactionWeight } from '../vault/weights.js';
import { signedTransaction } from './broadcast-batch.js';
import { coinsOnOffer } from './coins-on-offer.js';
import { changeCoins } from './own-coins.js';
import { concludePlan, type PlanOutcome, type Purpose, shapeLimits } from './plan-batch.js';
import type { Desk } from './ports.js';
import { requestOf } from './records.js';
import { changeUse, findBatch, knownPerson, loadSituation, type Situation } from './situation.js';

export interface ReplaceOptions {
  readonly initiator: string;
  /** Null for the least that does it, and no less than the snapshot proposes. Only to cancel. */
  readonly feerate: FeeRate | null;
  /** 32 bytes in hex; null draws a fresh one. */
  readonly seed: string | null;
}

/**
 * What is done about a batch that waits for a block. `bump`: the same payments for a higher fee. `cancel`: all its coins
 * come back. `help`: a child spends its change and pays for both.
 */
export type Remedy = 'bump' | 'cancel' | 'help';

/**
 * Plans a batch that takes the place of one that is signed, or that helps it, and judges it like any other: it needs its own
 * approvals, its own signatures, and room in every limit. Budgets count the two as what they are: of two that exclude each
 * other the heavier one.
 *
 * E_BATCH_UNKNOWN, E_REPLACE_UNSIGNED, E_REPLACE_SETTLED, E_REPLACE_SPENT, E_REPLACE_KIND, E_REPLACE_FEE, E_BATCH_STATE
 * where it has a replacement that is alive, and the faults of planning.
 */
export async function replaceBatch(
  desk: Desk,
  id: string,
  remedy: Remedy,
  options: ReplaceOptions,
): Promise<Result<PlanOutcome, Fault>> {
  const loaded = await loadSituation(desk);
  if (!loaded.ok) return loaded;
  const situation = loaded.value;
  const initiator = knownPerson(situation, options.initiator);
  if (!initiator.ok) return initiator;
  const found = findBatch(situation.state, id);
  if (!found.ok) return found;
  const original = found.value;
  const open = stillOpen(situation, original, remedy);
  if (!open.ok) return open;
  return remedy === 'help'
    ? planHelp(desk, situation, original, options)
    : planInPlace(desk, situation, original, remedy, options);
}

/** Whether the batch is at a point at which the remedy means something; each refusal says what does. */
function stillOpen({ state, snapshot }: Situation, batch: BatchRecord, remedy: Remedy): Result<void, Fault> {
  const { id, signed } = batch;
  switch (batch.state) {
    case 'DRAFT':
    case 'RESERVED':
    case 'RELEASED':
      return fail('E_REPLACE_UNSIGNED', `batch ${id} is ${batch.state}: nothing of it is signed`, {
        remedy: `countersign batch abandon ${id} --reason TEXT, and plan its withdrawals again`,
      });
    case 'SENT':
    case 'PARTIAL':
    case 'UNKNOWN':
      if (remedy === 'cancel') break;
      return fail(
        'E_REPLACE_UNSIGNED',
        `batch ${id} is ${batch.state}: signatures of it may exist, and no whole transaction`,
        {
          remedy: `to take its coins away from whatever exists of it, countersign batch cancel ${id}`,
        },
      );
    case 'SIGNED':
    case 'BROADCAST':
      break;
    case 'CONFIRMED':
    case 'REPLACED':
    case 'CONFLICTED':
    case 'ABANDONED':
      return fail('E_REPLACE_SETTLED', `batch ${id} is ${batch.state}: ${batch.reason ?? 'it is in a block'}`, {
        remedy: 'nothing is left to do about it',
      });
  }
  const block = signed === null ? undefined : snapshot.confirmed.get(signed.txid);
  if (block !== undefined) {
    return fail('E_REPLACE_SETTLED', `the transaction of batch ${id} is in block ${block.height}`, {
      remedy: `countersign batch follow ${id} says how deep`,
    });
  }
  const other = liveReplacement(state.batches, batch);
  if (other === null) return ok(undefined);
  return fail('E_BATCH_STATE', `batch ${id} has a replacement already: batch ${other.id}, ${other.state}`, {
    remedy: `go on with ${other.id}; where it is signed, replace that one, and where it is not, it can be abandoned`,
  });
}

async function planInPlace(
  desk: Desk,
  situation: Situation,
  original: BatchRecord,
  remedy: 'bump' | 'cancel',
  options: ReplaceOptions,
): Promise<Result<PlanOutcome, Fault>> {
  if (remedy === 'cancel' && original.kind !== 'withdrawal') {
    return fail('E_REPLACE_KIND', `batch ${original.id} is a ${original.kind}: its coins come back as it is`, {
      remedy: `to have it confirm sooner, countersign batch bump ${original.id} --feerate RATE`,
    });
  }
  const coins = coinsOf(situation, original);
  if (!coins.ok) return coins;
  const outbid = await outbidOf(desk, situation, original);
  if (!outbid.ok) return outbid;
  const parent = await parentOf(desk, situation, original);
  if (!parent.ok) return parent;
  const { vault, policy, snapshot } = situation;
  const pays = remedy === 'bump' && original.kind === 'withdrawal';
  const requests = pays ? original.requests.map(requestOf) : [];
  const { minRate } = policy.document.fees;
  const plan = planReplacement({
    vault,
    coins: coins.value,
    payments: pays ? paymentsOf(original) : [],
    more: pays ? coinsOnOffer(situation, 'withdrawal').coins.filter(({ height }) => height !== null) : [],
    feerate: options.feerate,
    atLeast: snapshot.feerate ?? minRate,
    feerateFloor: minRate,
    outbid: outbid.value,
    change: freshChange(situation),
    limits: shapeLimits(situation, { ...options, maxInputs: null, maxOutputs: null }),
    tipHeight: snapshot.tip.height,
    seed: options.seed ?? desk.ports.random(32),
  });
  if (!plan.ok) return plan;
  const purpose: Purpose = {
    kind: remedy === 'cancel' ? 'cancellation' : original.kind,
    requests,
    initiator: options.initiator,
    replaces: original,
    ...(parent.value === null ? {} : { parent: parent.value }),
  };
  return concludePlan(desk, situation, [plan.value], purpose);
}

async function planHelp(
  desk: Desk,
  situation: Situation,
  parent: BatchRecord,
  { feerate, seed, initiator }: ReplaceOptions,
): Promise<Result<PlanOutcome, Fault>> {
  const { state, snapshot, vault, policy } = situation;
  const coins = [...changeCoins(parent).values()];
  if (coins.length === 0 || feerate === null) {
    return fail('E_REPLACE_KIND', `batch ${parent.id} has no change that a child could spend`, {
      remedy: `replace it: countersign batch bump ${parent.id} --feerate RATE`,
    });
  }
  const [child] = childrenOf(state, parent);
  if (child !== undefined) {
    return fail('E_BATCH_STATE', `batch ${parent.id} has a child already: batch ${child.id}, ${child.state}`, {
      remedy: `go on with ${child.id}; where it is signed, replace it: countersign batch bump ${child.id} --feerate RATE`,
    });
  }
  const signed = await signedTransaction(desk, parent.id);
  if (!signed.ok) return signed;
  const { transaction } = signed.value;
  const plan = planChild({
    vault,
    coins,
    parent: { fee: parent.fee, size: sizeOf(transaction) },
    feerate,
    feerateFloor: policy.document.fees.minRate,
    change: freshChange(situation),
    tipHeight: snapshot.tip.height,
    seed: seed ?? desk.ports.random(32),
  });
  if (!plan.ok) return plan;
  const purpose: Purpose = { kind: 'child', requests: [], initiator, parent: { batch: parent, transaction } };
  return concludePlan(desk, situation, [plan.value], purpose);
}

/**
 * The payments of a batch as it makes them: where the payee bears its share of the fee, less than was asked for, and no
 * less in the replacement, whose higher fee the vault bears.
 */
function paymentsOf({ requests, outputs }: BatchRecord): readonly Payment[] {
  const left = outputs.filter(({ change }) => change === null);
  const exactFirst = requests.toSorted((a, b) => Number(a.feePayer === 'payee') - Number(b.feePayer === 'payee'));
  return exactFirst.map(({ id, script, amount, feePayer }) => {
    const isIts = (output: (typeof left)[number]): boolean =>
      output.script === script && (feePayer === 'payee' || output.amount === BigInt(amount));
    const at = left.findIndex(isIts);
    const [output] = at < 0 ? [] : left.splice(at, 1);
    if (output === undefined) throw new Error(`a batch that was judged pays its request ${id}`);
    return { requestId: id, script: trustedHex(script), value: output.amount };
  });
}

/** The next unused one. Not that of the batch that is replaced: until one of the two confirms, that one is in use. */
function freshChange(situation: Situation): ChangePlace {
  const { origin, script } = situation.deriver.at(1, changeUse(situation, null).last + 1);
  return { origin, script };
}

/** The coins of a batch, as the snapshot has them; those of a child as its parent makes them. */
function coinsOf({ coins, state }: Situation, batch: BatchRecord): Result<readonly Coin[], Fault> {
  const parent = batch.childOf === null ? undefined : state.batches.get(batch.childOf);
  const pending = parent === undefined ? new Map<string, Coin>() : changeCoins(parent);
  const found: Coin[] = [];
  for (const outpoint of batch.inputs) {
    const coin = coins.get(outpoint) ?? pending.get(outpoint);
    if (coin === undefined) {
      return fail(
        'E_REPLACE_SPENT',
        `coin ${outpoint} of batch ${batch.id} is not unspent any more, as far as is known`,
        {
          remedy:
            'it is in a block, or another transaction has spent it: countersign reconcile names that one; then countersign chain sync',
        },
      );
    }
    found.push(coin);
  }
  return ok(found);
}

async function parentOf(
  desk: Desk,
  { state }: Situation,
  { childOf }: BatchRecord,
): Promise<Result<NonNullable<Purpose['parent']> | null, Fault>> {
  const batch = childOf === null ? undefined : state.batches.get(childOf);
  if (batch === undefined) return ok(null);
  const signed = await signedTransaction(desk, batch.id);
  return signed.ok ? ok({ batch, transaction: signed.value.transaction }) : signed;
}

/** Whichever of the rivals a node has in its mempool, with its children: the replacement outbids each of them. */
async function outbidOf(desk: Desk, { state, vault }: Situation, batch: BatchRecord): Promise<Result<Outbid, Fault>> {
  let fees: Sats = 0n;
  let feerate: FeeRate = 0n;
  for (const member of familyOf(state.batches, batch)) {
    if (!mayBePublic(member)) continue;
    const size = await sizeOfBatch(desk, vault, member);
    if (!size.ok) return size;
    const children = childrenOf(state, member).filter(mayBePublic);
    fees = maxSats(fees, member.fee + sumSats(children.map(({ fee }) => fee)));
    feerate = maxSats(feerate, rateOf(member.fee, size.value));
  }
  return ok({ fees, feerate });
}

async function sizeOfBatch(desk: Desk, vault: Situation['vault'], batch: BatchRecord): Promise<Result<bigint, Fault>> {
  if (batch.signed === null) {
    const scripts = batch.outputs.map(({ script }) => trustedHex(script));
    // Estimates have the longest signatures: a shorter transaction pays a higher rate.
    return ok(virtualSize(signedTransactionWeight(vault, batch.inputs.length, scripts)) - BigInt(batch.inputs.length));
  }
  const signed = await signedTransaction(desk, batch.id);
  return signed.ok ? ok(sizeOf(signed.value.transaction)) : signed;
}

function sizeOf(transaction: Uint8Array): bigint {
  const parsed = parseTransaction(transaction);
  if (!parsed.ok) throw new Error('a transaction of the journal was hashed before it is measured');
  // BIP141: everything but witnesses counts four times.
  return virtualSize(BigInt(3 * parsed.value.stripped.length + transaction.length));
}

/** Children of a batch that hold its change. */
function childrenOf({ batches }: JournalState, parent: BatchRecord): readonly BatchRecord[] {
  return [...batches.values()].filter(({ childOf, state }) => childOf === parent.id && holdsCoins(state));
}

/** Whether a whole transaction of it may be on its way. */
function mayBePublic({ state }: BatchRecord): boolean {
  return nextState(state, 'batch.replaced') !== null;
}
