import { readFileSync } from 'node:fs';
import { parseYaml } from '../../../src/adapters/yaml.js';
import { documents } from '../../../src/documents.js';
import { utf8 } from '../../../src/domain/bytes.js';
import type { SourceNode } from '../../../src/domain/source-tree.js';
import { loadCases } from '../../../src/policy/bench/load.js';
import { createCaseRunner } from '../../../src/policy/bench/run.js';
import type { CaseOutcome } from '../../../src/policy/bench/types.js';
import type { EvaluationInput } from '../../../src/policy/types.js';

/** The policy of the cases beside test/policy/cases/. */
export const P0 = readFileSync(new URL('../cases/policy/p0.yaml', import.meta.url), 'utf8');

export function tree(text: string): SourceNode {
  const node = parseYaml(text, 'x.yaml');
  if (!node.ok) throw new Error(node.error.message);
  return node.value;
}

export const newRunner = () =>
  createCaseRunner({
    requests: (text, format, file, network) => documents.requests(utf8(text), `${file}.${format}`, network),
    psbt: (text, file) => documents.psbt(utf8(text), file),
  });
const shared = newRunner();

/** The one case of a text under a policy: P0 unless given. */
export function run(text: string, policy = P0, runner = shared): CaseOutcome {
  const cases = loadCases(tree(`schema: countersign.case/1\nname: it\nnow: "2026-06-01T12:00:00Z"\n${text}`), 'x.yaml');
  const [one] = cases.ok ? cases.value : [];
  if (one === undefined) throw new Error(cases.ok ? 'no case' : cases.error[0]?.message);
  return runner.run(one, { node: tree(policy), file: 'p0.yaml' });
}

/** What the rules are asked in a case. */
export function inputIn(text: string, policy = P0): EvaluationInput {
  const { judged, refused } = run(text, policy);
  if (judged === null) throw new Error(refused.map(({ tag, message }) => `${tag} ${message}`).join('\n'));
  return judged.input;
}

export const A = 'bc1qrjqln9462l3yg4uk93nhheyw75kp2jmagz3djn';
/** One bitcoin to warm-1. */
export const PAY = `book: { warm-1: ${A} }\npay: [{ to: warm-1, amount: "100000000" }]\n`;
