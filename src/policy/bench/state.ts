import { type Hex, toHex } from '../../domain/bytes.js';
import { type Fault, fault } from '../../domain/fault.js';
import { formatOutpoint } from '../../domain/outpoint.js';
import type { WithdrawalRequest } from '../../domain/request.js';
import { err, ok, type Result } from '../../domain/result.js';
import type { UnixSeconds } from '../../domain/time.js';
import { parseCounterparty } from '../../vault/counterparty.js';
import { type BookRecord, Destinations } from '../counterparties.js';
import { entryName } from '../rules/payee.js';
import { type Payable, ScriptsOfBook, USUAL_MAX_INDEX } from '../scripts-of-book.js';
import type { Approval, EvaluationInput, Halt, LoadedPolicy, PolicyState, SpendRecord } from '../types.js';
import {
  type Ground,
  heightAt,
  indexedTarget,
  LAST_CHANGE,
  outpointOf,
  scriptHex,
  scriptOf,
  TIP_HEIGHT,
} from './build.js';
import { ago, type Moment, resolveMoment } from './moment.js';
import { Refusal } from './refusal.js';
import { screeningOf } from './screening.js';
import type {
  CaseApproval,
  CaseBookEntry,
  CaseContent,
  CaseHalt,
  CaseReaders,
  CaseRequest,
  CaseSpend,
  Payment,
} from './types.js';

const MINUTE = 60;
const DAY = 86_400;

/** Values that a case need not write; docs/policy-cases.md lists them. */
const BOOK_AGE = ago(400 * DAY);
const BALANCE = 1_000_000_000_000n;
const INITIATOR = 'initiator';
const MTP_AGE = ago(60 * MINUTE);
const SNAPSHOT_AGE = ago(10 * MINUTE);
const LAST_ENTRY_AGE = ago(MINUTE);
const APPROVED = ago(10 * MINUTE);

/** The book of a case. One script under two ids is refused, as the reader of books refuses it. */
export function bookOf(content: CaseContent, ground: Ground): Ground['book'] {
  const book = new Map<string, Payable>();
  const scripts = new ScriptsOfBook();
  const faults: Fault[] = [];
  for (const [id, entry] of content.book ?? []) {
    const { where } = 'to' in entry ? entry.to : entry.descriptor;
    const read = destinationOf(entry, ground);
    if (!read.ok) {
      faults.push(read.error);
      continue;
    }
    const twin = scripts.add(id, read.value);
    if (twin !== null) {
      faults.push(fault('E_BOOK_DUPLICATE', `${id} pays the same script as ${entryName(twin)}`, { where }));
    }
    book.set(id, read.value);
  }
  if (faults.length > 0) throw new Refusal(faults);
  return book;
}

function destinationOf(entry: CaseBookEntry, ground: Ground): Result<Payable, Fault> {
  if ('to' in entry) return ok({ script: scriptOf(entry.to, ground) });
  const { text, where } = entry.descriptor;
  const read = parseCounterparty(ground.policy.document.wallet.network, text);
  if (!read.ok) return err({ ...read.error, where });
  return ok({ counterparty: read.value, maxIndex: entry.maxIndex ?? USUAL_MAX_INDEX });
}

/** What the state is about. */
export type Judged = Pick<EvaluationInput, 'facts' | 'requests'>;

export function stateOf(content: CaseContent, ground: Ground, judged: Judged): PolicyState {
  const { now } = content;
  const at = (moment: Moment | undefined, otherwise: Moment): UnixSeconds => resolveMoment(moment ?? otherwise, now);
  const height = content.tip ?? TIP_HEIGHT;
  const initiator = content.initiator ?? INITIATOR;
  const spends = (content.earlier ?? []).flatMap((spend, index) => spendRecords(spend, index, now, height, ground));
  return {
    spends,
    ...aboutDestinations(content, ground, spends, judged),
    confirmedBalance: content.balance ?? BALANCE,
    tip: { height, medianTimePast: at(content.mtp, MTP_AGE) },
    snapshotAt: at(content.snapshot, SNAPSHOT_AGE),
    lastEntryAt: at(content.lastEntry, LAST_ENTRY_AGE),
    usedChange: new Set((content.usedChange ?? []).map((index) => toHex(ground.deriver.at(1, index).script))),
    lastUsedChange: content.lastChange ?? LAST_CHANGE,
    initiator,
    approvals: (content.approvals ?? everybody(ground.policy, initiator)).map((one) =>
      approval(one, now, ground.policy),
    ),
    reusedRequests: content.reusedRequests ?? [],
    screening: screeningOf(content, ground),
    halts: (content.halts ?? []).map((one, index) => halt(one, index, now, ground)),
    objections: [
      ...(content.rejected ?? []).map((person) => ({
        kind: 'rejected' as const,
        person,
        at: resolveMoment(APPROVED, now),
      })),
      ...(content.withdrawn ?? []).map((person) => ({
        kind: 'withdrawn' as const,
        person,
        at: resolveMoment(APPROVED, now),
      })),
    ],
  };
}

/** The entries of the book as the journal would have them, with the batches of the case that paid them. */
function aboutDestinations(
  content: CaseContent,
  ground: Ground,
  spends: readonly SpendRecord[],
  { facts, requests }: Judged,
): Pick<PolicyState, 'destinations' | 'counterparties'> {
  const entries = [...(content.book ?? [])].flatMap(([id, { since, proven }]): BookRecord[] => {
    const known = ground.book.get(id);
    const seen = { id, label: id, since: resolveMoment(since ?? BOOK_AGE, content.now) };
    const age = proven === true ? { ...seen, proven } : seen;
    if (known === undefined) return [];
    if ('script' in known) return [{ ...age, script: toHex(known.script) }];
    return [{ ...age, descriptor: known.counterparty.descriptor, maxIndex: known.maxIndex }];
  });
  const indexed = new Map<Hex, { index: number; batches: string[] }>();
  for (const { to, index = indexedTarget(to.text)?.index } of (content.earlier ?? []).flatMap(
    ({ pays }) => pays ?? [],
  )) {
    if (index !== undefined) indexed.set(scriptHex(to, ground), { index, batches: [] });
  }
  for (const { batch, outputs } of spends) {
    for (const { script } of outputs) indexed.get(script)?.batches.push(batch);
  }
  const destinations = new Destinations(entries, ground.policy.document.wallet.network);
  return destinations.about({ outputs: facts.outputs, requests, spends, indexed });
}

function spendRecords(
  spend: CaseSpend,
  index: number,
  now: UnixSeconds,
  tip: number,
  ground: Ground,
): readonly SpendRecord[] {
  const confirmedAt = spend.confirmed === undefined ? null : resolveMoment(spend.confirmed, now);
  return Array.from({ length: spend.times ?? 1 }, (_, time) => {
    const batch = spend.batch ?? `earlier-${index + 1}${time === 0 ? '' : `-${time + 1}`}`;
    return {
      batch,
      spend: spend.spend,
      fee: spend.fee ?? 0n,
      outputs: (spend.pays ?? []).map(({ to, amount }) => ({ script: scriptHex(to, ground), amount })),
      inputs: (spend.inputs ?? [`coin of ${batch}`]).map((name) => formatOutpoint(outpointOf(name))),
      reservedAt: resolveMoment(spend.reserved ?? spend.confirmed ?? ago(MINUTE), now),
      confirmed:
        confirmedAt === null ? null : { at: confirmedAt, height: spend.height ?? heightAt(confirmedAt, now, tip) },
    };
  });
}

function halt(
  { scope = { kind: 'all' }, since = APPROVED, reason = 'a reason', source = 'person' }: CaseHalt,
  index: number,
  now: UnixSeconds,
  { book }: Ground,
): Halt {
  const payable = scope.kind === 'destination' ? book.get(scope.id) : undefined;
  return {
    id: `halt-${index + 1}`,
    scope,
    script: payable !== undefined && 'script' in payable ? toHex(payable.script) : null,
    names: scope.kind === 'destination' ? [scope.id] : [],
    since: resolveMoment(since, now),
    reason,
    source,
  };
}

/** Where a case says nothing of approvals, everybody of the policy but the initiator has approved. */
function everybody({ document }: LoadedPolicy, initiator: string): readonly CaseApproval[] {
  const people = new Set([...document.roles.values()].flatMap((role) => [...role.keys()]));
  return [...people].filter((person) => person !== initiator).map((person) => ({ person }));
}

function approval({ person, at, until, touch }: CaseApproval, now: UnixSeconds, { document }: LoadedPolicy): Approval {
  const given = resolveMoment(at ?? APPROVED, now);
  const validUntil = until === undefined ? given + document.approvals.validFor : resolveMoment(until, now);
  return { person, at: given, validUntil, touch: touch ?? true };
}

/** The withdrawals that were asked for: by default one for each payment. */
export function requestsOf(
  content: CaseContent,
  ground: Ground,
  readers: CaseReaders,
  file: string,
): readonly WithdrawalRequest[] {
  const { requests } = content;
  if (requests?.kind === 'text') {
    const read = readers.requests(requests.text, requests.format, file, ground.policy.document.wallet.network);
    if (!read.ok) throw new Refusal(read.error);
    return read.value;
  }
  const asked: readonly CaseRequest[] = requests?.list ?? content.pay ?? [];
  return asked.map((one, index) => ({
    id: one.id ?? `r-${index + 1}`,
    address: one.to.text,
    script: scriptOf(one.to, ground),
    amount: one.amount,
    ...(one.feePayer === 'payee' ? { feePayer: one.feePayer } : {}),
    ...declaredBy(one),
    where: one.to.where,
  }));
}

/** A target that names an index declares it, unless the case says something else. */
function declaredBy({ to, destination, index }: Payment): Pick<WithdrawalRequest, 'destination' | 'index'> {
  const named = indexedTarget(to.text);
  const [id, place] = [destination ?? named?.destination, index ?? named?.index];
  return { ...(id === undefined ? {} : { destination: id }), ...(place === undefined ? {} : { index: place }) };
}
