import { PAYABLE_KINDS } from '../../domain/script.js';
import { calendarOf } from '../bound/calendar.js';
import { leastFee, limitsOf, shut, USUAL_VSIZE } from '../bound/limits.js';
import { everybody } from '../bound/people.js';
import { judged } from '../bound/rehearse.js';
import { FIRST_HEIGHT, scriptNamed } from '../bound/scene.js';
import { binding } from '../bound/types.js';
import type { LoadedPolicy } from '../types.js';
import { type Answer, type Argument, proven, type Unconfirmed } from './types.js';

/**
 * No allowed batch pays a script that the book does not hold. No field of a policy can switch the rule off, so this is a
 * statement about the engine; it is tried on the smallest payment to an unlisted script of every kind.
 */
export function proveOutsideBook(policy: LoadedPolicy): Answer | Unconfirmed {
  const { document } = policy;
  const closed = shut(policy);
  if (closed !== null) return proven({ text: closed.by.text, by: [closed.by] });
  const people = new Set(everybody(document));
  const { least } = limitsOf({ policy, people, book: null, bookGrows: true });
  const fee = leastFee(document);
  const [at] = calendarOf(document).starts(1);
  for (const kind of at === undefined ? [] : PAYABLE_KINDS) {
    const script = scriptNamed('an address that no book holds', kind);
    const payments = [{ script, amount: least - fee }];
    const balance = document.limits.reserveFloor + least;
    const scene = {
      policy,
      at: at ?? 0,
      name: 'batch-1',
      payments,
      fee,
      vsize: USUAL_VSIZE,
      balance,
      tip: FIRST_HEIGHT,
    };
    const step = judged('batch-1', { ...scene, destinations: [], spends: [] }, people);
    if (step.verdict.decision === 'ALLOW') {
      return { outcome: 'refuted', story: [`a ${kind} script that no book holds is paid`], steps: [step] };
    }
    const named = step.verdict.findings.some(({ code, outcome }) => code === 'DEST_NOT_ALLOWED' && outcome === 'deny');
    if (!named) return { outcome: 'unconfirmed', story: ['the rule that should deny it keeps silent'], steps: [step] };
  }
  const rule = (
    text: string,
    code: 'DEST_NOT_ALLOWED' | 'SELF_RECEIVE' | 'CHANGE_UNPROVEN',
    field: string,
  ): Argument => ({
    text,
    by: [binding(policy, code, field, text)],
  });
  return proven(
    rule(
      "every output that is not the vault's own has to be in the book, by script",
      'DEST_NOT_ALLOWED',
      'destinations.default',
    ),
    rule("an output is the vault's own only if the descriptor derives it", 'CHANGE_UNPROVEN', 'change'),
    rule('and then it has to be change', 'SELF_RECEIVE', 'transaction.self_receive'),
    { text: 'evaluate denies a payment to an unlisted script of each of the five kinds', by: [] },
  );
}
