import type { Fault } from '../domain/fault.js';
import type { Result } from '../domain/result.js';
import { type AutomaticOutcome, raiseAutomaticHalt } from './automatic-halt.js';
import type { Desk } from './ports.js';

/**
 * Halts everything upon findings of an audit, where the policy wants that and the journal can still be written. The
 * evidence says what was found and where in the journal, and nothing of the machine; the same findings halt once.
 */
export function haltOnTampering(desk: Desk, findings: readonly Fault[]): Promise<Result<AutomaticOutcome, Fault>> {
  const found = findings.map(({ tag, message, where }) => ({
    tag,
    message: where === undefined ? message : message.replaceAll(where.file, 'the journal'),
  }));
  return raiseAutomaticHalt(desk, 'ledger_tamper', { findings: found });
}
