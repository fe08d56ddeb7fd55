import { toHex, trustedHex } from '../domain/bytes.js';
import type { WithdrawalRequest } from '../domain/request.js';
import type { EntryBody, OutputRecord, RequestRecord } from '../journal/entries.js';
import type { BatchRecord } from '../journal/state.js';
import type { Objection, OutputFact, SpendRecord, Verdict } from '../policy/types.js';
import type { DecodedPsbt } from '../psbt/types.js';

export function requestOf(record: RequestRecord): WithdrawalRequest {
  return {
    id: record.id,
    address: record.address,
    script: trustedHex(record.script),
    amount: BigInt(record.amount),
    ...(record.feePayer === undefined ? {} : { feePayer: record.feePayer }),
    ...(record.destination === undefined ? {} : { destination: record.destination }),
    ...(record.index === undefined ? {} : { index: record.index }),
    ...(record.label === undefined ? {} : { label: record.label }),
    ...(record.reference === undefined ? {} : { reference: record.reference }),
  };
}

export function recordOf(request: WithdrawalRequest): RequestRecord {
  return {
    id: request.id,
    address: request.address,
    script: toHex(request.script),
    amount: request.amount.toString(),
    ...(request.feePayer === undefined ? {} : { feePayer: request.feePayer }),
    ...(request.destination === undefined ? {} : { destination: request.destination }),
    ...(request.index === undefined ? {} : { index: request.index }),
    ...(request.label === undefined ? {} : { label: request.label }),
    ...(request.reference === undefined ? {} : { reference: request.reference }),
  };
}

/** What was asked for, where a payee bore its share of the fee: a repetition is found by it as well as by what was paid. */
export function askedOf(requests: readonly WithdrawalRequest[]): Pick<SpendRecord, 'asked'> {
  const bearing = requests.filter(({ feePayer }) => feePayer === 'payee');
  if (bearing.length === 0) return {};
  return { asked: bearing.map(({ script, amount }) => ({ script: toHex(script), amount })) };
}

/** What people said against a batch, as rules see it. It counts as it was recorded: to be proven again could only undo it. */
export function objectionsOf({ objections }: BatchRecord): readonly Objection[] {
  return objections.map(({ kind, person, at }) => ({ kind, person, at }));
}

export function outputRecord({ script, value, isChange, own }: OutputFact): OutputRecord {
  return {
    script: toHex(script),
    amount: value.toString(),
    ...(isChange && own.own ? { change: own.origin.index } : {}),
  };
}

export function verdictEntry(
  batch: string,
  stage: 'plan' | 'sign',
  { decoded, verdict }: { readonly decoded: Pick<DecodedPsbt, 'sha256'>; readonly verdict: Verdict },
  blob: string,
): EntryBody {
  const codes = verdict.findings
    .filter(({ outcome }) => outcome === 'deny' || outcome === 'need')
    .map(({ code }) => code);
  return {
    kind: 'batch.verdict',
    batch,
    stage,
    psbt: decoded.sha256,
    policy: verdict.policy.replace(/^sha256:/, ''),
    decision: verdict.decision,
    codes: [...new Set(codes)].sort(),
    verdict: blob,
  };
}
