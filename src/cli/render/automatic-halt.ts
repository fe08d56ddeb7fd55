import type { AutomaticOutcome } from '../../workflow/automatic-halt.js';

/** What became of a finding that the policy may want a halt for. */
export function haltText(halt: AutomaticOutcome): string {
  switch (halt.kind) {
    case 'raised':
      return `halted: ${halt.halt}; nothing is signed until a quorum resumes it (countersign halt status)`;
    case 'known':
      return `${halt.halt} was raised for it before`;
    case 'left-out':
      return 'halt.auto of the policy leaves this finding out, so nothing is halted';
  }
}
