import { toHex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import type { Result } from '../domain/result.js';
import { planConsolidation } from '../selection/consolidate.js';
import { coinsOnOffer } from './coins-on-offer.js';
import {
  concludePlan,
  feerateOf,
  feerateOrigin,
  type PlanOptions,
  type PlanOutcome,
  shapeLimits,
} from './plan-batch.js';
import type { Desk } from './ports.js';
import { changeUse, knownPerson, loadSituation } from './situation.js';

/** One batch that pays nobody and puts small coins together into a fresh change output; see planConsolidation. */
export async function planConsolidationBatch(desk: Desk, options: PlanOptions): Promise<Result<PlanOutcome, Fault>> {
  const loaded = await loadSituation(desk);
  if (!loaded.ok) return loaded;
  const situation = loaded.value;
  const initiator = knownPerson(situation, options.initiator);
  if (!initiator.ok) return initiator;
  const feerate = feerateOf(situation, options);
  if (!feerate.ok) return feerate;

  const { vault, deriver, policy, snapshot } = situation;
  const { coins, staying, withheld } = coinsOnOffer(situation, 'consolidation');
  const plan = planConsolidation({
    vault,
    coins,
    staying: new Set(staying.map(({ script }) => toHex(script))),
    withheld,
    smallBelow: policy.document.inputs.minValue,
    feerate: feerate.value,
    feerateFloor: policy.document.fees.minRate,
    limits: shapeLimits(situation, options),
    tipHeight: snapshot.tip.height,
    seed: options.seed ?? desk.ports.random(32),
    change: deriver.at(1, changeUse(situation, null).last + 1),
  });
  if (!plan.ok) return plan;
  return concludePlan(desk, situation, [plan.value], {
    kind: 'consolidation',
    requests: [],
    initiator: options.initiator,
    feerateFrom: feerateOrigin(situation, options),
  });
}
