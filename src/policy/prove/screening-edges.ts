import { screeningIn } from '../bound/scene.js';
import { asksSources } from '../screening/hits.js';
import type { EvaluationInput, ScreeningState } from '../types.js';
import type { Stage } from './stage.js';

/** In how many parts a list is cut to lose exactly as many basis points as it may. */
const PARTS = 10_000;

/** Lists as old, as much shrunk, and pinned by each of the people whom the policy lets do it; and coins from nowhere. */
export function* screeningEdges(stage: Stage): Iterable<EvaluationInput> {
  const { document } = stage.policy;
  const lists = screeningIn(document, stage.at);
  const withList = (id: string, change: Partial<ScreeningState>): EvaluationInput => {
    const list = lists.get(id);
    const screening = list === undefined ? lists : new Map([...lists, [id, { ...list, ...change }]]);
    return stage.batch({ state: { screening } });
  };
  for (const { id, pinnedBy, maxAge, maxShrinkBp } of document.screening.lists) {
    yield withList(id, { issuedAt: stage.at - maxAge });
    yield withList(id, { before: { scripts: PARTS, removed: maxShrinkBp } });
    for (const person of document.roles.get(pinnedBy)?.keys() ?? []) yield withList(id, { pinnedBy: person });
  }
  if (asksSources(document)) return;
  const plain = stage.batch({ state: { screening: lists } });
  const inputs = plain.facts.inputs.map((input) => ({ ...input, sources: null }));
  yield { ...plain, facts: { ...plain.facts, inputs } };
}
