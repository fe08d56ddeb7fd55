import { formatTime, parseTime, type UnixSeconds } from '../../domain/time.js';
import type { HaltRaised } from '../../journal/entries.js';
import type { Step } from './step.js';

/** A halt that stood at some moment of the period. */
export interface HaltStory {
  readonly halt: string;
  readonly raisedAt: string;
  readonly scope: string;
  readonly source: HaltRaised['source'];
  /** The person, the trigger, or why it is nobody's word. */
  readonly by: string;
  readonly reason: string;
  /** Null while it stands. */
  readonly resumedAt: string | null;
  readonly approvers: readonly string[];
  /** In seconds; up to the end of the period where it stands. */
  readonly length: number;
}

export interface Halts {
  readonly raised: number;
  readonly resumed: number;
  readonly halts: readonly HaltStory[];
}

export class HaltCount {
  #raised = 0;
  #resumed = 0;
  readonly #halts = new Map<string, Omit<HaltStory, 'length'>>();

  take({ entry, counts }: Step): void {
    const { body, at, seq } = entry;
    if (body.kind === 'halt.raised') {
      if (counts) this.#raised += 1;
      const halt = `halt-${seq}`;
      const { scope, source, reason } = body;
      this.#halts.set(halt, {
        halt,
        raisedAt: at,
        scope,
        source,
        by: byOf(body),
        reason,
        resumedAt: null,
        approvers: [],
      });
    }
    if (body.kind !== 'halt.resumed') return;
    if (counts) this.#resumed += 1;
    const known = this.#halts.get(body.halt);
    // What ended before the period is none of it.
    if (!counts) this.#halts.delete(body.halt);
    else if (known !== undefined) {
      this.#halts.set(body.halt, { ...known, resumedAt: at, approvers: body.approvers });
    }
  }

  result(until: UnixSeconds): Halts {
    const halts = [...this.#halts.values()].map((halt) => {
      const end = halt.resumedAt ?? formatTime(until);
      return { ...halt, length: Math.max(0, (parseTime(end) ?? 0) - (parseTime(halt.raisedAt) ?? 0)) };
    });
    return { raised: this.#raised, resumed: this.#resumed, halts };
  }
}

function byOf(body: HaltRaised): string {
  switch (body.source) {
    case 'person':
      return body.person;
    case 'unverified':
      return body.problem;
    case 'automatic':
      return body.trigger;
  }
}
