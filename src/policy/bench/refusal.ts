import type { Fault } from '../../domain/fault.js';

/** Carries faults out of the building of one case, and no further than runCase. */
export class Refusal extends Error {
  constructor(readonly faults: readonly Fault[]) {
    super(faults[0]?.message ?? 'refused');
  }
}
