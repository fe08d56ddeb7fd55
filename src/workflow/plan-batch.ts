import { limitsOf } from '../device/limits.js';
import type { BatchKind } from '../domain/batch-kind.js';
import { sha256Hex, toHex, utf8 } from '../domain/bytes.js';
import { canonicalJson, type Json } from '../domain/canonical-json.js';
import { type Fault, fail } from '../domain/fault.js';
import type { FeeRate } from '../domain/feerate.js';
import { formatOutpoint } from '../domain/outpoint.js';
import type { WithdrawalRequest } from '../domain/request.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime } from '../domain/time.js';
import type { Entry, EntryBody } from '../journal/entries.js';
import { requestDigest } from '../journal/requests.js';
import { familyOf } from '../journal/rivals.js';
import type { BatchRecord, JournalState } from '../journal/state.js';
import type { SpendRecord } from '../policy/types.js';
import { canonicalVerdict } from '../policy/verdict.js';
import { buildPsbt } from '../psbt/build.js';
import { defaultShapeLimits, planTransactions } from '../selection/plan.js';
import type { ShapeLimits, TransactionPlan } from '../selection/types.js';
import { type Assessment, assess } from './assess.js';
import { haltOnDenials } from './automatic-halt.js';
import { coinsOnOffer } from './coins-on-offer.js';
import type { FeerateOrigin } from './feerate.js';
import { feerateRecord, givenFeerate, snapshotFeerate } from './feerate-record.js';
import type { Desk } from './ports.js';
import { askedOf, outputRecord, recordOf, verdictEntry } from './records.js';
import { changeUse, knownPerson, loadSituation, type Situation } from './situation.js';
import { transactOn } from './transact.js';

export interface PlanOptions {
  readonly initiator: string;
  /** Null takes the feerate of the snapshot. */
  readonly feerate: FeeRate | null;
  /** Where it comes from, if it is no number that somebody gave. */
  readonly feerateFrom?: FeerateOrigin;
  /** 32 bytes in hex; null draws a fresh one. */
  readonly seed: string | null;
  /** Null takes what suits a session at a Nano S. The policy's own limits hold in any case. */
  readonly maxInputs: number | null;
  readonly maxOutputs: number | null;
}

export interface PlannedBatch {
  readonly id: string;
  readonly psbt: Uint8Array;
  readonly plan: TransactionPlan;
  readonly assessment: Assessment;
}

export interface PlanOutcome {
  readonly situation: Situation;
  readonly feerateFrom?: FeerateOrigin | undefined;
  readonly batches: readonly PlannedBatch[];
  /** The same requests were planned before: nothing was written, these are the batches that hold them. */
  readonly repeated: readonly string[];
}

/** Requests to batches: coins chosen, PSBTs built, verdicts given, all of it journaled in one transaction or not at all. */
export async function planBatch(
  desk: Desk,
  requests: readonly WithdrawalRequest[],
  options: PlanOptions,
): Promise<Result<PlanOutcome, Fault>> {
  const loaded = await loadSituation(desk);
  if (!loaded.ok) return loaded;
  const situation = loaded.value;
  const initiator = knownPerson(situation, options.initiator);
  if (!initiator.ok) return initiator;

  const known = knownRequests(situation.state, requests);
  if (!known.ok) return known;
  if (known.value.length > 0) return ok({ situation, batches: [], repeated: known.value });

  const plans = chooseCoins(situation, requests, options, desk);
  if (!plans.ok) return plans;
  return concludePlan(desk, situation, plans.value, {
    kind: 'withdrawal',
    requests,
    initiator: options.initiator,
    feerateFrom: feerateOrigin(situation, options),
  });
}

/** What a plan is for, besides its coins. */
export interface Purpose {
  readonly kind: BatchKind;
  readonly requests: readonly WithdrawalRequest[];
  readonly initiator: string;
  /** Where the feerate comes from, which the plan keeps; absent where there is nothing to say of it. */
  readonly feerateFrom?: FeerateOrigin | undefined;
  /** The batch in whose place it is to confirm. */
  readonly replaces?: BatchRecord;
  /** Of a child: the batch whose change it spends, and its transaction. */
  readonly parent?: { readonly batch: BatchRecord; readonly transaction: Uint8Array };
}

/** Transactions to batches: PSBTs built, verdicts given, all of it journaled in one transaction or not at all. */
export async function concludePlan(
  desk: Desk,
  situation: Situation,
  plans: readonly TransactionPlan[],
  purpose: Purpose,
): Promise<Result<PlanOutcome, Fault>> {
  const batches = buildAll(situation, plans, purpose);
  if (!batches.ok) return batches;
  const kept = await keep(desk, situation, batches.value, purpose);
  if (!kept.ok) return kept;
  return ok({ situation, batches: batches.value, repeated: [], feerateFrom: purpose.feerateFrom });
}

/** The batches that hold exactly these requests; none for new ones; a fault for anything between. */
function knownRequests(state: JournalState, requests: readonly WithdrawalRequest[]): Result<readonly string[], Fault> {
  const batches = new Set<string>();
  let repeats = 0;
  for (const request of requests) {
    const held = state.requests.get(request.id);
    const digest = requestDigest(recordOf(request));
    if (held === undefined) {
      if (stoodForOther(state, request.id, digest)) return changedRequest(request);
      continue;
    }
    if (held.digest !== digest) {
      return fail('E_REQUEST_ID_REUSE', `request ${request.id} was planned in batch ${held.batch} with other content`, {
        where: request.where,
        remedy: `compare it with countersign batch show ${held.batch}; a changed withdrawal needs an id of its own`,
      });
    }
    const stopped = notObjectedTo(state, held.batch);
    if (!stopped.ok) return stopped;
    repeats += 1;
    batches.add(held.batch);
  }
  if (repeats === 0 || repeats === requests.length) return ok([...batches].sort());
  const first = requests.find((request) => state.requests.has(request.id));
  return fail(
    'E_REQUEST_ID_REUSE',
    `${repeats} of ${requests.length} requests are in a batch already, the first is ${first?.id ?? ''}`,
    {
      where: first?.where,
      remedy: 'leave out the requests that are planned, or abandon their batch first',
    },
  );
}

/** A batch that somebody spoke against never goes on: to plan its requests anew, it is given up first, on purpose. */
function notObjectedTo({ batches }: JournalState, id: string): Result<void, Fault> {
  const [first] = batches.get(id)?.objections ?? [];
  if (first === undefined) return ok(undefined);
  const what = first.kind === 'rejected' ? 'rejected' : 'took an approval back of';
  return fail('E_DENIED', `${first.person} ${what} batch ${id}, which holds these requests`, {
    remedy: `clear it up with ${first.person}; then countersign batch abandon ${id} --reason TEXT, and plan them anew`,
  });
}

/** An id keeps its payment for good: also after the batch that held it was abandoned or denied. */
function stoodForOther({ requestDigests }: JournalState, id: string, digest: string): boolean {
  const known = requestDigests.get(id);
  return known !== undefined && known !== digest;
}

function changedRequest({ id, where }: WithdrawalRequest): Result<never, Fault> {
  return fail('E_REQUEST_ID_REUSE', `request ${id} stood for another payment in a batch that was given up`, {
    where,
    remedy: 'find out who changed it; a payment that was corrected on purpose takes an id of its own',
  });
}

function chooseCoins(
  situation: Situation,
  requests: readonly WithdrawalRequest[],
  options: PlanOptions,
  desk: Desk,
): Result<readonly TransactionPlan[], Fault> {
  const { snapshot, vault, deriver } = situation;
  const feerate = feerateOf(situation, options);
  if (!feerate.ok) return feerate;
  const seed = options.seed ?? desk.ports.random(32);
  const { coins, withheld } = coinsOnOffer(situation, 'withdrawal');
  const next = changeUse(situation, null).last + 1;
  return planTransactions({
    vault,
    payments: requests.map(({ id, script, amount, feePayer }) => ({
      requestId: id,
      script,
      value: amount,
      ...(feePayer === undefined ? {} : { feePayer }),
    })),
    coins,
    withheld,
    feerate: feerate.value,
    feerateFloor: situation.policy.document.fees.minRate,
    limits: shapeLimits(situation, options),
    tipHeight: snapshot.tip.height,
    seed,
    nextChange: (n) => {
      const derived = deriver.at(1, next + n);
      return { origin: derived.origin, script: derived.script };
    },
  });
}

/** What the officer asks for, or what the snapshot says. */
export function feerateOf({ snapshot }: Situation, options: Pick<PlanOptions, 'feerate'>): Result<FeeRate, Fault> {
  const feerate = options.feerate ?? snapshot.feerate;
  if (feerate !== null) return ok(feerate);
  return fail('E_FEERATE_SYNTAX', 'no feerate: the coin snapshot carries none', {
    remedy: 'give one in sat/vB: --feerate 12.5',
  });
}

/** Where the feerate that feerateOf gives comes from. */
export function feerateOrigin(
  { snapshot }: Situation,
  { feerate, feerateFrom }: Pick<PlanOptions, 'feerate' | 'feerateFrom'>,
): FeerateOrigin | undefined {
  if (feerate !== null) return feerateFrom ?? givenFeerate(feerate);
  return snapshot.feerate === null ? undefined : snapshotFeerate(snapshot, snapshot.feerate);
}

/** What suits a session at the device, or what the officer asks for; never more than the policy or the app allows. */
export function shapeLimits({ vault, policy }: Situation, options: PlanOptions): ShapeLimits {
  const session = defaultShapeLimits(vault);
  const { inputs, limits } = policy.document;
  return {
    ...session,
    maxInputs: Math.min(options.maxInputs ?? session.maxInputs, inputs.max, limitsOf({}).inputs),
    maxOutputs: Math.min(options.maxOutputs ?? session.maxOutputs, limits.outputsPerBatch),
  };
}

function buildAll(
  situation: Situation,
  plans: readonly TransactionPlan[],
  { kind, requests, initiator, replaces, parent }: Purpose,
): Result<readonly PlannedBatch[], Fault> {
  const rivals = replaces === undefined ? [] : familyOf(situation.state.batches, replaces);
  const previous = new Map(situation.snapshot.previous);
  const parentTxid = parent?.batch.signed?.txid;
  if (parent !== undefined && parentTxid !== undefined) previous.set(parentTxid, parent.transaction);
  const byId = new Map(requests.map((request) => [request.id, request]));
  const batches: PlannedBatch[] = [];
  const pending: SpendRecord[] = [];
  for (const plan of plans) {
    const psbt = buildPsbt(plan, situation.deriver, previous);
    if (!psbt.ok) return psbt;
    const own = plan.outputs.flatMap((output) => (output.kind === 'payment' ? [byId.get(output.requestId)] : []));
    const assessment = assess(
      situation,
      psbt.value,
      own.filter((request) => request !== undefined),
      {
        batch: null,
        kind,
        initiator,
        approvals: [],
        pending,
        reusedRequests: [],
        objections: [],
        rivals,
        parent: parent?.batch ?? null,
      },
    );
    if (!assessment.ok) return assessment;
    const id = batchId(situation, psbt.value);
    batches.push({ id, psbt: psbt.value, plan, assessment: assessment.value });
    pending.push(pendingSpend(id, assessment.value, situation.now));
  }
  return ok(batches);
}

/** The day, and the beginning of the PSBT's hash: short enough to say. The same bytes planned again get a number. */
function batchId({ state, now }: Situation, psbt: Uint8Array): string {
  const base = `${formatTime(now).slice(0, 10).replaceAll('-', '')}-${sha256Hex(psbt).slice(0, 8)}`;
  let id = base;
  for (let count = 2; state.batches.has(id); count += 1) id = `${base}-${count}`;
  return id;
}

function pendingSpend(batch: string, { facts, requests }: Assessment, now: number): SpendRecord {
  return {
    batch,
    spend: facts.spend,
    fee: facts.fee,
    outputs: facts.outputs
      .filter((output) => !output.isChange)
      .map(({ script, value }) => ({ script: toHex(script), amount: value })),
    ...askedOf(requests),
    inputs: facts.inputs.map((input) => formatOutpoint(input.outpoint)),
    reservedAt: now,
    confirmed: null,
  };
}

async function keep(
  desk: Desk,
  situation: Situation,
  batches: readonly PlannedBatch[],
  purpose: Purpose,
): Promise<Result<void, Fault>> {
  const parts = batches.map((batch) => batch.id);
  const denied = new Set(batches.flatMap((batch) => deniedCodes(batch.assessment)));
  return transactOn(desk, situation.state, async (tx) => {
    const verdicts: Entry[] = [];
    for (const batch of batches) {
      tx.append(plannedEntry(batch, purpose, parts, tx.keep.bind(tx)));
      const verdict = tx.keep(utf8(canonicalVerdict(batch.assessment.verdict)));
      verdicts.push(tx.append(verdictEntry(batch.id, 'plan', batch.assessment, verdict)));
    }
    // A denied plan is evidence, not work in progress: its coins and request ids are free again at once. Its other
    // parts go with it, since the withdrawals were asked for together.
    if (denied.size > 0) {
      const reason = `denied: ${[...denied].sort().join(' ')}`;
      for (const batch of parts) tx.append({ kind: 'batch.abandoned', batch, reason, by: 'policy' });
    }
    haltOnDenials(tx, situation.policy, verdicts, parts);
    return ok(undefined);
  });
}

function deniedCodes({ verdict }: Assessment): string[] {
  return verdict.findings.filter(({ outcome }) => outcome === 'deny').map(({ code }) => code);
}

function plannedEntry(
  { id, psbt, plan, assessment }: PlannedBatch,
  { kind, requests, initiator, feerateFrom, replaces, parent }: Purpose,
  parts: readonly string[],
  keepBlob: (bytes: Uint8Array) => string,
): EntryBody {
  const { facts } = assessment;
  const byId = new Map(requests.map((request) => [request.id, request]));
  const own = plan.outputs.flatMap((output) => (output.kind === 'payment' ? [byId.get(output.requestId)] : []));
  return {
    kind: 'batch.planned',
    batch: id,
    ...(kind === 'withdrawal' ? {} : { batchKind: kind }),
    psbt: keepBlob(psbt),
    plan: keepBlob(utf8(canonicalJson(planRecord(plan, feerateFrom)))),
    requests: own.filter((request) => request !== undefined).map(recordOf),
    inputs: facts.inputs.map((input) => formatOutpoint(input.outpoint)),
    outputs: facts.outputs.map(outputRecord),
    spend: facts.spend.toString(),
    fee: facts.fee.toString(),
    initiator,
    parts,
    ...(replaces === undefined ? {} : { replaces: replaces.id }),
    ...(parent === undefined ? {} : { childOf: parent.batch.id }),
  };
}

/** How the coins were chosen, as kept in the journal: enough to choose them again. */
function planRecord(plan: TransactionPlan, feerateFrom: FeerateOrigin | undefined): Json {
  const { selection } = plan;
  return {
    schema: 'countersign.plan/1',
    seed: plan.seed,
    feerate_sat_per_kvb: plan.feerate.toString(),
    ...(feerateFrom === undefined ? {} : { feerate_from: feerateRecord(feerateFrom) }),
    fee: plan.fee.toString(),
    weight: plan.weight.toString(),
    locktime: plan.locktime,
    sequence: plan.sequence,
    algorithm: selection.algorithm,
    waste: selection.waste.toString(),
    tried: selection.tried.map(({ algorithm, outcome }) => ({ algorithm, outcome })),
    inputs: plan.inputs.map((coin) => formatOutpoint(coin.outpoint)),
    outputs: plan.outputs.map((output) => ({
      script: toHex(output.script),
      amount: output.value.toString(),
      ...(output.kind === 'payment' ? { request: output.requestId } : { change: output.origin.index }),
      ...(output.kind === 'payment' && output.asked !== undefined ? { asked: output.asked.toString() } : {}),
    })),
  };
}
