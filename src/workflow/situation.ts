import type { BatchKind } from '../domain/batch-kind.js';
import { toHex } from '../domain/bytes.js';
import type { Coin } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { nearestName } from '../domain/nearest.js';
import { formatOutpoint } from '../domain/outpoint.js';
import type { WithdrawalRequest } from '../domain/request.js';
import { ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import { sumSats } from '../domain/sats.js';
import type { UnixSeconds } from '../domain/time.js';
import { requestDigest } from '../journal/requests.js';
import { areRivals, type BatchesById, familyOf } from '../journal/rivals.js';
import type { BatchRecord, JournalState } from '../journal/state.js';
import { holdsBudget, holdsCoins } from '../journal/transitions.js';
import type { Destinations, Paid } from '../policy/counterparties.js';
import type { Lists, Quarantine } from '../policy/screening/hits.js';
import type { Approval, LoadedPolicy, Objection, PolicyState, SpendRecord } from '../policy/types.js';
import type { CoinSources } from '../psbt/sources.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import { activePolicy } from './active-policy.js';
import { DeclaredIndexes, declaredIndexes, destinationsOf } from './destinations.js';
import { policyHalts } from './halt-scene.js';
import { spendOf } from './history.js';
import { latestSnapshot, type OpenVault, openVault } from './open-vault.js';
import { changeReach, countsAsReserve, onChangeBranch } from './own-coins.js';
import type { Desk } from './ports.js';
import { proveGround } from './proven-ground.js';
import { recordOf } from './records.js';
import { provenanceOf, quarantined, ScreeningLists } from './screening-lists.js';

/** All that a verdict looks at, apart from the batch itself. */
export interface Situation extends OpenVault {
  readonly policy: LoadedPolicy;
  readonly destinations: Destinations;
  readonly snapshot: Snapshot;
  readonly coins: ReadonlyMap<string, Coin>;
  /** The screening lists that the policy names, as far as they are there. */
  readonly screening: Lists;
  /** Where a coin of the snapshot comes from. */
  readonly provenance: (coin: Coin) => CoinSources;
  /** Coins that a screening list keeps back, by outpoint. */
  readonly quarantined: ReadonlyMap<string, readonly Quarantine[]>;
  readonly now: UnixSeconds;
}

/** An initiator is a person of the policy: a made-up name would let whoever planned a batch approve it as well. */
export function knownPerson({ policy }: Pick<Situation, 'policy'>, name: string): Result<void, Fault> {
  const { roles } = policy.document;
  if ([...roles.values()].some((people) => people.has(name))) return ok(undefined);
  return fail('E_USAGE', `${quoted(name)} is nobody in the roles of the active policy`, {
    remedy: 'say who you are, by the name that the policy has for you: --as NAME',
  });
}

export async function loadSituation(desk: Desk): Promise<Result<Situation, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const proven = await proveGround(desk, open.value.state);
  if (!proven.ok) return proven;
  // One moment for all of it: the policy in force and the verdict's time must not fall on two sides of a second.
  const now = desk.ports.clock();
  const policy = await activePolicy(desk, open.value.state, now);
  if (!policy.ok) return policy;
  const snapshot = await latestSnapshot(desk, open.value);
  if (!snapshot.ok) return snapshot;
  const { coins } = snapshot.value;
  const { document } = policy.value;
  const screening = await new ScreeningLists(desk.journal).of(open.value.state.screening, document, coins);
  if (!screening.ok) return screening;
  const provenance = provenanceOf(snapshot.value);
  return ok({
    ...open.value,
    policy: policy.value,
    screening: screening.value,
    provenance,
    quarantined: quarantined(coins, provenance, document, screening.value),
    destinations: destinationsOf(open.value.state, open.value.vault.network),
    snapshot: snapshot.value,
    coins: new Map(coins.map((coin) => [formatOutpoint(coin.outpoint), coin])),
    now,
  });
}

/** What is particular to the batch that is judged. */
export interface BatchContext {
  /** The batch's id, whose own reservation does not count against it; null for a PSBT that the journal does not know. */
  readonly batch: string | null;
  readonly kind: BatchKind;
  readonly initiator: string;
  readonly approvals: readonly Approval[];
  /** Parts of the same plan that come before this one: they count although nothing has debited them yet. */
  readonly pending: readonly SpendRecord[];
  readonly reusedRequests: readonly string[];
  /** What people said against the batch; nothing yet of one that is being planned. */
  readonly objections: readonly Objection[];
  /** Batches of which only one can confirm, this one or they. */
  readonly rivals: readonly BatchRecord[];
  /** Of a child: the batch whose change it spends. */
  readonly parent: BatchRecord | null;
}

/** What a batch of the journal brings along into every judgement of it. */
export function tiesOf(
  { batches }: Pick<JournalState, 'batches'>,
  batch: Pick<BatchRecord, 'id' | 'lineage' | 'childOf'>,
): Pick<BatchContext, 'rivals' | 'parent'> {
  return {
    rivals: familyOf(batches, batch).filter(({ id }) => id !== batch.id),
    parent: batch.childOf === null ? null : (batches.get(batch.childOf) ?? null),
  };
}

/** Those of a batch that stands alone. */
export const NO_TIES: Pick<BatchContext, 'rivals' | 'parent'> = { rivals: [], parent: null };

/** What the book says of the scripts that a batch and earlier ones pay. */
export function aboutPayments(
  { state, destinations }: Pick<Situation, 'state' | 'destinations'>,
  batch: string | null,
  spends: readonly SpendRecord[],
  payments: Pick<Paid, 'outputs' | 'requests'>,
): Pick<PolicyState, 'destinations' | 'counterparties'> {
  // Without a descriptor nobody asks which indexes were declared.
  const declared = destinations.hasDescriptors ? declaredIndexes(state) : new DeclaredIndexes();
  return destinations.about({ ...payments, spends, indexed: declared.beside(batch, (id) => state.batches.get(id)) });
}

/**
 * The journal and the chain as the policy's rules want to see them, but for what depends on the payments: facts, which say
 * what is paid, are derived with it.
 */
export function stateBesides(
  situation: Situation,
  context: BatchContext,
): Omit<PolicyState, 'destinations' | 'counterparties'> {
  const { state, snapshot, policy } = situation;
  const others = [...state.batches.values()].filter((batch) => batch.id !== context.batch);
  const holding = others.filter((batch) => holdsBudget(batch.state));
  // What earlier parts of the plan spend will be gone when this part is signed; their change will not be confirmed yet.
  // What a rival spends is there for this batch: should it confirm, the rival does not.
  const rivals = new Set(context.rivals.map(({ id }) => id));
  const beside = holding.filter(({ id }) => !rivals.has(id));
  const leaving = new Set([...beside, ...context.pending].flatMap(({ inputs }) => inputs));
  const least = policy.document.inputs.minConfirmations;
  const isKeptBack = (outpoint: string): boolean => state.frozen.has(outpoint) || situation.quarantined.has(outpoint);
  const confirmed = snapshot.coins.filter((coin) => {
    const outpoint = formatOutpoint(coin.outpoint);
    return !leaving.has(outpoint) && countsAsReserve(coin, snapshot.tip, least, isKeptBack, outpoint);
  });
  const change = changeUse(situation, context.batch);
  return {
    spends: [...holding.map(spendOf), ...context.pending],
    confirmedBalance: sumSats(confirmed.map((coin) => coin.value)),
    tip: { height: snapshot.tip.height, medianTimePast: snapshot.tip.medianTimePast },
    snapshotAt: snapshot.takenAt,
    lastEntryAt: state.head?.at ?? 0,
    usedChange: change.scripts,
    lastUsedChange: change.last,
    initiator: context.initiator,
    approvals: context.approvals,
    reusedRequests: context.reusedRequests,
    screening: situation.screening,
    halts: policyHalts(state),
    objections: context.objections,
  };
}

/**
 * Request ids of a payment that another batch holds already, or that stood for other content before: either way the same
 * id would be paid twice, or be paid what nobody asked for under it.
 */
export function reusedRequests(
  { requests, requestDigests, batches }: Pick<JournalState, 'requests' | 'requestDigests'> & { batches: BatchesById },
  batch: string | null,
  asked: readonly WithdrawalRequest[],
): readonly string[] {
  const own = batch === null ? undefined : batches.get(batch);
  // A batch and the one that takes its place pay the same request, and only one of them can confirm.
  const isRival = (holder: string): boolean => {
    const other = batches.get(holder);
    return own !== undefined && other !== undefined && areRivals(own, other);
  };
  return asked
    .filter((request) => {
      const holder = requests.get(request.id);
      const known = requestDigests.get(request.id);
      const other = known !== undefined && known !== requestDigest(recordOf(request));
      return other || (holder !== undefined && holder.batch !== batch && !isRival(holder.batch));
    })
    .map(({ id }) => id);
}

/**
 * Change scripts in use, by coins on the chain and by every other batch that is alive, and the highest change index that
 * they reach without a gap (see UsedIndexes).
 */
export function changeUse(
  { state, snapshot, policy }: Pick<Situation, 'state' | 'snapshot' | 'policy'>,
  except: string | null,
): { readonly scripts: ReadonlySet<string>; readonly last: number } {
  const ofBatches = changeOutputs(state, except);
  const ofCoins = onChangeBranch(snapshot.coins);
  return {
    scripts: new Set([...ofCoins.map(({ script }) => toHex(script)), ...ofBatches.map(({ script }) => script)]),
    last: changeReach(
      ofCoins,
      ofBatches.map(({ change }) => change),
      policy.document.change.maxGap,
    ),
  };
}

function changeOutputs(state: JournalState, except: string | null): readonly { script: string; change: number }[] {
  const found: { script: string; change: number }[] = [];
  for (const batch of state.batches.values()) {
    if (batch.id === except || !holdsCoins(batch.state)) continue;
    for (const { script, change } of batch.outputs) if (change !== null) found.push({ script, change });
  }
  return found;
}

/** Change indexes of all batches that are alive, but one. */
export function batchChange(state: JournalState, except: string | null): readonly number[] {
  return changeOutputs(state, except).map(({ change }) => change);
}

/** Batches among which a mistyped one is looked for: comparing letters takes time, and a journal may have a million. */
const NEAR = 200;

export function findBatch(state: JournalState, id: string): Result<BatchRecord, Fault> {
  const batch = state.batches.get(id);
  if (batch !== undefined) return ok(batch);
  // The newest that begins so, or the likeliest: it is named and never taken, since people sign what they have typed.
  const ids = [...state.batches.keys()];
  const meant = ids.findLast((known) => id !== '' && known.startsWith(id)) ?? nearestName(id, ids.slice(-NEAR));
  return fail('E_BATCH_UNKNOWN', `no batch is called ${JSON.stringify(id)}`, {
    remedy: `${meant === null ? '' : `did you mean ${meant}? `}countersign batch list shows all of them`,
  });
}
