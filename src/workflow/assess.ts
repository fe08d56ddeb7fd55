import type { Fault } from '../domain/fault.js';
import type { WithdrawalRequest } from '../domain/request.js';
import { ok, type Result } from '../domain/result.js';
import { evaluate } from '../policy/evaluate.js';
import { deriveFacts } from '../policy/facts.js';
import { asksSources } from '../policy/screening/hits.js';
import type { Facts, Verdict } from '../policy/types.js';
import { decodePsbt } from '../psbt/decode.js';
import type { DecodedPsbt } from '../psbt/types.js';
import { changeCoins } from './own-coins.js';
import { aboutPayments, type BatchContext, type Situation, stateBesides } from './situation.js';

export interface Assessment {
  readonly decoded: DecodedPsbt;
  readonly requests: readonly WithdrawalRequest[];
  readonly facts: Facts;
  readonly verdict: Verdict;
}

/** Bytes to verdict: the same road at planning, checking, approving and signing, from the PSBT's bytes alone. */
export function assess(
  situation: Situation,
  psbt: Uint8Array,
  requests: readonly WithdrawalRequest[],
  context: BatchContext,
): Result<Assessment, Fault> {
  const decoded = decodePsbt(psbt);
  if (!decoded.ok) return decoded;
  const besides = stateBesides(situation, context);
  const facts = deriveFacts(decoded.value, {
    deriver: situation.deriver,
    coins: situation.coins,
    ...(context.parent === null ? {} : { parentChange: changeCoins(context.parent) }),
    tip: situation.snapshot.tip,
    frozen: situation.state.frozen,
    gap: { lastUsedChange: besides.lastUsedChange, maxGap: situation.policy.document.change.maxGap },
    sources: asksSources(situation.policy.document) ? situation.provenance : null,
  });
  const payments = { outputs: facts.outputs, requests };
  const state = { ...besides, ...aboutPayments(situation, context.batch, besides.spends, payments) };
  const { kind } = context;
  const verdict = evaluate({ policy: situation.policy, kind, facts, requests, state, now: situation.now });
  return ok({ decoded: decoded.value, requests, facts, verdict });
}
