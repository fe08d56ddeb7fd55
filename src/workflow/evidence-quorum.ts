import { verifySshsig } from '../approval/sshsig.js';
import { APPROVAL_NAMESPACE } from '../approval/statement.js';
import { ownValue, parsedJson } from '../domain/json-difference.js';
import { formatAmount, parseSats, type Sats } from '../domain/sats.js';
import type { Entry } from '../journal/entries.js';
import type { BatchRecord } from '../journal/state.js';
import { peopleOf } from '../policy/consistency.js';
import { tierFor } from '../policy/rules/approvals.js';
import type { ApprovalTier, LoadedPolicy } from '../policy/types.js';
import { type Body, fieldDifference, type Problem } from './audit-problem.js';
import type { WordGround } from './audit-words.js';
import { secondsOf } from './judge-again.js';

/** What the document of a verdict says, as far as others rest on it. */
export interface SaidVerdict {
  readonly seq: number;
  readonly batch: string;
  /** "sha256:..." */
  readonly policy: string;
  readonly spend: unknown;
  readonly fee: unknown;
  readonly approved: readonly unknown[];
  /** What left within 24 hours, by which the tier was chosen; null where no tier reached so far. */
  readonly basis: Sats | null;
}

/** The document of a verdict, or in words why it is not the one of its entry. */
export function saidVerdict(document: Uint8Array, { seq }: Entry, body: Body<'batch.verdict'>): SaidVerdict | string {
  const said = parsedJson(document);
  const policy = `sha256:${body.policy}`;
  const findings = listOf(ownValue(said, 'findings'));
  const codes = findings
    .filter((one) => ['deny', 'need'].includes(String(ownValue(one, 'outcome'))))
    .map((one) => String(ownValue(one, 'code')));
  const difference = fieldDifference(
    { ...body, policy, schema: 'countersign.verdict/1' },
    {
      schema: ownValue(said, 'schema'),
      decision: ownValue(said, 'decision'),
      psbt: ownValue(said, 'psbt'),
      policy: ownValue(said, 'policy'),
      codes: [...new Set(codes)].sort(),
    },
  );
  if (difference !== null) return `its document says something else: ${difference}`;
  const quorum = ownValue(said, 'quorum');
  const basis = parseSats(String(ownValue(quorum, 'basis')));
  return {
    seq,
    batch: body.batch,
    policy,
    spend: ownValue(said, 'spend'),
    fee: ownValue(said, 'fee'),
    approved: listOf(ownValue(quorum, 'approved')),
    basis: basis.ok ? basis.value : null,
  };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/**
 * Whether those on whose word a batch goes on are as many as the policy asks for what its verdict says had left, which is
 * no less than the batch itself: each by an approval under this very policy and book, the initiator not among them.
 */
export async function quorumProblem(
  ground: WordGround,
  batch: BatchRecord,
  { policy: digest, basis, approved }: SaidVerdict,
  at: string,
): Promise<Problem> {
  const policy = ground.documents.policyFor(digest, secondsOf(at));
  if (policy?.digest !== digest) return `its verdict is of policy ${digest}, which was not in force`;
  const { document } = policy;
  if (basis === null || basis < batch.spend) return 'its verdict chose the tier by less than the batch spends';
  const tier = tierFor(document.approvals.tiers, basis);
  if (tier === null) return `no tier of the policy reaches ${formatAmount(basis)}`;
  const eligible = peopleOf(tier, document);
  const counted = new Set<string>();
  for (const { person, statement, signature } of batch.approvals) {
    if (!approved.includes(person) || !eligible.has(person) || person === batch.initiator) continue;
    const kept = await ground.evidence.journal.blob(statement);
    if (!kept.ok) return kept.error.message;
    if (await isOfNow(ground, policy, tier, kept.value, signature)) counted.add(person);
  }
  const lacking = approved.find((person) => !counted.has(String(person)));
  if (lacking !== undefined) return `it goes on upon the word of ${String(lacking)}, who has no approval that counts`;
  const { include } = tier;
  const included = include === undefined ? null : peopleOf({ from: [include], m: 1 }, document);
  if (counted.size >= tier.m && (included === null || [...included].some((person) => counted.has(person)))) return null;
  return `it goes on upon the word of ${counted.size}, and the policy asks for ${tier.m}${include === undefined ? '' : `, one of them ${include}`}`;
}

/** Over the policy and the book in force, and touched where the tier asks for that. All else was proven when it was taken. */
async function isOfNow(
  { state }: WordGround,
  policy: LoadedPolicy,
  tier: ApprovalTier,
  statement: Uint8Array,
  signature: string,
): Promise<boolean> {
  const said = parsedJson(statement);
  if (ownValue(said, 'policy') !== policy.digest) return false;
  if (ownValue(said, 'book') !== (state.book?.digest ?? 'none')) return false;
  if (!tier.touchRequired) return true;
  const signed = verifySshsig(signature, statement, APPROVAL_NAMESPACE);
  return signed.ok && signed.value.touch;
}
