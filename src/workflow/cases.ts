import { dirname } from 'node:path';
import { utf8 } from '../domain/bytes.js';
import { type Fault, fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { loadCases } from '../policy/bench/load.js';
import { createCaseRunner, type PolicySource } from '../policy/bench/run.js';
import type { Case, CaseOutcome, CaseReaders } from '../policy/bench/types.js';
import type { Composition } from './ports.js';

type Ports = Pick<Composition, 'files' | 'documents'>;

/** Reads files of cases and judges every case by its policy. A file that cannot be read ends it: nothing is skipped. */
export async function runCases(
  ports: Ports,
  names: readonly string[],
  policyFile: string | null,
): Promise<Result<readonly CaseOutcome[], readonly Fault[]>> {
  const runner = createCaseRunner(caseReaders(ports));
  const policies = new Map<string, PolicySource>();
  const outcomes: CaseOutcome[] = [];
  for (const name of names) {
    const cases = await readCases(ports, name);
    if (!cases.ok) return cases;
    for (const one of cases.value) {
      const policy = await policyOf(ports, one, policyFile, policies);
      if (!policy.ok) return policy;
      outcomes.push(runner.run(one, policy.value));
    }
  }
  return ok(outcomes);
}

function caseReaders({ documents }: Ports): CaseReaders {
  return {
    requests: (text, format, file, network) => documents.requests(utf8(text), `${file}.${format}`, network),
    psbt: (text, file) => documents.psbt(utf8(text), file),
  };
}

async function readCases(ports: Ports, name: string): Promise<Result<readonly Case[], readonly Fault[]>> {
  const node = await readTree(ports, name);
  return node.ok ? loadCases(node.value.node, name) : node;
}

async function readTree({ files, documents }: Ports, name: string): Promise<Result<PolicySource, readonly Fault[]>> {
  const bytes = await files.read(name);
  if (!bytes.ok) return err([bytes.error]);
  const node = documents.tree(bytes.value, name);
  return node.ok ? ok({ node: node.value, file: name }) : err([node.error]);
}

/** The policy that the case names, from the folder of its file on; else the one of the command line. */
async function policyOf(
  ports: Ports,
  one: Case,
  fallback: string | null,
  known: Map<string, PolicySource>,
): Promise<Result<PolicySource, readonly Fault[]>> {
  const name = one.policy === null ? fallback : ports.files.inWorkspace(dirname(one.file), one.policy);
  if (name === null) {
    const remedy = 'write policy: FILE into the case or the defaults of its file, or give --policy FILE';
    return err([fault('E_MISSING_FIELD', `${one.name} does not say by which policy`, { where: one.where, remedy })]);
  }
  const before = known.get(name);
  if (before !== undefined) return ok(before);
  const read = await readTree(ports, name);
  if (read.ok) known.set(name, read.value);
  return read;
}
