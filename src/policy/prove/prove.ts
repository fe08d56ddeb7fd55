import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { formatAmount } from '../../domain/sats.js';
import { durationText } from '../describe.js';
import type { LoadedPolicy } from '../types.js';
import { proveNeedsRole } from './needs-role.js';
import { proveOutflow } from './outflow.js';
import { proveOutsideBook } from './outside-book.js';
import { proveRefines } from './refines.js';
import { proveSeparation } from './separation.js';
import type { Answer, Property, Unconfirmed } from './types.js';

/**
 * Proves a property of a policy or finds a counterexample, of which evaluate has confirmed every batch before it is
 * returned. Fails with E_PROOF_UNCONFIRMED where proof and engine disagree, which is a bug, and with E_USAGE for a role
 * that the policy does not have.
 */
export function prove(policy: LoadedPolicy, property: Property): Result<Answer, Fault> {
  if (property.kind === 'needs-role' && !policy.document.roles.has(property.role)) {
    return fail('E_USAGE', `${policy.file} has no role ${property.role}`, {
      where: policy.where('roles'),
      remedy: `its roles are ${[...policy.document.roles.keys()].join(', ')}`,
    });
  }
  const answer = answerOf(policy, property);
  if (answer.outcome !== 'unconfirmed') return ok(answer);
  const last = answer.steps.at(-1)?.verdict;
  const codes = last?.findings
    .filter(({ outcome }) => outcome === 'deny' || outcome === 'need')
    .map(({ code }) => code);
  return fail(
    'E_PROOF_UNCONFIRMED',
    `the counterexample "${answer.story.join('; ')}" is not confirmed: evaluate says ${last?.decision ?? 'nothing'} (${(codes ?? []).join(', ')})`,
    {
      remedy: 'report it with the policy: proof and engine disagree, and neither may be trusted until it is known why',
    },
  );
}

function answerOf(policy: LoadedPolicy, property: Property): Answer | Unconfirmed {
  switch (property.kind) {
    case 'outside-book':
      return proveOutsideBook(policy);
    case 'max-outflow':
      return proveOutflow(policy, property);
    case 'needs-role':
      return proveNeedsRole(policy, property);
    case 'separation':
      return proveSeparation(policy);
    case 'refines':
      return proveRefines(property.before, policy);
  }
}

/** The property as a sentence. */
export function propertyText(property: Property): string {
  switch (property.kind) {
    case 'outside-book':
      return 'no allowed batch pays an address that the book does not hold';
    case 'max-outflow':
      return `no interval of ${durationText(property.seconds)} lets more than ${formatAmount(property.amount)} through`;
    case 'needs-role':
      return `every batch that spends more than ${formatAmount(property.over)} needs somebody of ${property.role}`;
    case 'separation':
      return 'no single person can both add an address and have it paid';
    case 'refines':
      return `no batch is allowed that ${property.before.file} did not allow`;
  }
}
