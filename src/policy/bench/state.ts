import { type Hex, toHex } from '../../domain/bytes.js';
import { type Fault, fault } from '../../domain/fault.js';
import { formatOutpoint } from '../../domain/outpoint.js';
import type { WithdrawalRequest } from '../../domain/request.js';
import type { UnixSeconds } from '../../domain/time.js';
import type { Approval, DestinationAge, LoadedPolicy, PolicyState, SpendRecord } from '../types.js';
import { type Ground, heightAt, LAST_CHANGE, outpointOf, scriptHex, scriptOf, TIP_HEIGHT } from './build.js';
import { ago, type Moment, resolveMoment } from './moment.js';
import { Refusal } from './refusal.js';
import { screeningOf } from './screening.js';
import type { CaseApproval, CaseContent, CaseReaders, CaseSpend, Payment } from './types.js';

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

/** The scripts of the book of a case. One script under two ids is refused, as the reader of books refuses it. */
export function bookOf(content: CaseContent, ground: Ground): ReadonlyMap<string, Uint8Array> {
  const book = new Map<string, Uint8Array>();
  const owners = new Map<string, string>();
  const faults: Fault[] = [];
  for (const [id, { to }] of content.book ?? []) {
    const script = scriptOf(to, ground);
    const hex = toHex(script);
    const owner = owners.get(hex);
    if (owner !== undefined) {
      faults.push(fault('E_BOOK_DUPLICATE', `${id} pays the same script as ${owner}`, { where: to.where }));
    }
    owners.set(hex, id);
    book.set(id, script);
  }
  if (faults.length > 0) throw new Refusal(faults);
  return book;
}

export function stateOf(content: CaseContent, ground: Ground): PolicyState {
  const { now } = content;
  const at = (moment: Moment | undefined, otherwise: Moment): UnixSeconds => resolveMoment(moment ?? otherwise, now);
  const height = content.tip ?? TIP_HEIGHT;
  const initiator = content.initiator ?? INITIATOR;
  return {
    spends: (content.earlier ?? []).flatMap((spend, index) => spendRecords(spend, index, now, height, ground)),
    destinations: new Map(
      [...(content.book ?? [])].map(([id, { since }]) => destination(id, at(since, BOOK_AGE), ground)),
    ),
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
  };
}

function destination(id: string, since: UnixSeconds, { book }: Ground): [Hex, DestinationAge] {
  const script = toHex(book.get(id) ?? new Uint8Array());
  return [script, { id, label: id, script, since }];
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
  const asked: readonly (Payment & { readonly id?: string })[] = requests?.list ?? content.pay ?? [];
  return asked.map((one, index) => ({
    id: one.id ?? `r-${index + 1}`,
    address: one.to.text,
    script: scriptOf(one.to, ground),
    amount: one.amount,
    where: one.to.where,
  }));
}
