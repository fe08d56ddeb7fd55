import type { Step } from '../bound/rehearse.js';
import { classify, overallKind } from '../classify.js';
import { evaluate } from '../evaluate.js';
import type { EvaluationInput, LoadedPolicy } from '../types.js';
import { probes } from './probes.js';
import { type Answer, open, proven } from './types.js';

/**
 * The new policy allows no batch that the old one does not allow, with the same approvals, journal and time. Proven where
 * every change is tightening or neutral by the order of its field; refuted by a batch that the new one allows.
 */
export function proveRefines(before: LoadedPolicy, after: LoadedPolicy): Answer {
  const changes = classify(before, after);
  if (overallKind(changes) !== 'loosening') {
    const argument = changes.map(({ field, kind, why }) => ({ text: `${field}: ${kind}, ${why}`, by: [] }));
    return proven({ text: 'no field is looser than before', by: [] }, ...argument);
  }
  for (const input of probes(after, before)) {
    const verdict = evaluate(input);
    if (verdict.decision !== 'ALLOW') continue;
    const old: EvaluationInput = { ...input, policy: before };
    const then = evaluate(old);
    if (then.decision === 'ALLOW') continue;
    const codes = [
      ...new Set(
        then.findings.filter(({ outcome }) => outcome === 'deny' || outcome === 'need').map(({ code }) => code),
      ),
    ];
    const step: Step = { batch: 'batch-1', input, verdict };
    return {
      outcome: 'refuted',
      story: [`${after.file} allows a batch of which ${before.file} says ${then.decision} (${codes.join(', ')})`],
      steps: [step],
    };
  }
  const loose = changes.filter(({ kind }) => kind === 'loosening').map(({ field, why }) => `${field}: ${why}`);
  return open('a change loosens, and no batch was found that only the new version allows', ...loose);
}
