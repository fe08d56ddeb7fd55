import { canonicalJson, type Json } from '../domain/canonical-json.js';
import { formatTime } from '../domain/time.js';
import type { Finding, Verdict } from './types.js';

const RANK: Readonly<Record<Finding['outcome'], number>> = { deny: 0, need: 1, warn: 2, pass: 3 };

/** By outcome, code and subject, equal ones once: independent of the order of rules, outputs, inputs and approvals. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = groupKey(finding);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return [...groups].sort(byKey).flatMap(([, group]) => (group.length === 1 ? group : sortAlike(group)));
}

function groupKey({ outcome, code, subject = '' }: Finding): string {
  // NUL stands in none of the parts, so that a shorter part sorts before a longer one.
  return [RANK[outcome], code, subject].join('\0');
}

/** Those that only their content tells apart. Few have to be written out for it, which is most of the work of sorting. */
function sortAlike(group: readonly Finding[]): Finding[] {
  const keyed = new Map(group.map((finding) => [canonicalJson(findingJson(finding)), finding]));
  return [...keyed].sort(byKey).map(([, finding]) => finding);
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

/**
 * RFC 8785 text of a verdict, the bytes that the journal keeps: amounts as decimal strings, times as ISO 8601. Positions
 * are lines of the policy text without the name that this machine has for the file, so that another machine which replays
 * the same policy, state and PSBT gets the same bytes.
 */
export function canonicalVerdict(verdict: Verdict): string {
  const { quorum } = verdict;
  return canonicalJson({
    schema: 'countersign.verdict/1',
    decision: verdict.decision,
    findings: verdict.findings.map(findingJson),
    psbt: verdict.psbtSha256,
    policy: verdict.policy,
    spend: verdict.spend.toString(),
    fee: verdict.fee.toString(),
    evaluated_at: formatTime(verdict.evaluatedAt),
    ...(quorum === null ? {} : { quorum: quorumJson(quorum) }),
  });
}

/** Optional fields that are absent leave no trace. */
function findingJson({ where, ...said }: Finding): Json {
  const json: Record<string, string | number> = {};
  for (const [key, value] of Object.entries(said)) if (value !== undefined) json[key] = value;
  if (where.line === undefined) return json;
  json.line = where.line;
  if (where.column !== undefined) json.column = where.column;
  return json;
}

function quorumJson({ tier, basis, approved, missing }: NonNullable<Verdict['quorum']>): Json {
  return {
    tier: {
      up_to: tier.upTo === null ? 'unlimited' : tier.upTo.toString(),
      from: tier.from,
      m: tier.m,
      ...(tier.include === undefined ? {} : { include: tier.include }),
      touch_required: tier.touchRequired,
    },
    basis: basis.toString(),
    approved,
    missing,
  };
}
