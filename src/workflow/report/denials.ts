import type { EntryBody } from '../../journal/entries.js';
import { CODES } from '../../policy/codes.js';
import type { Step } from './step.js';

/** How often one reason denied. A verdict can have several. */
export interface DenialCount {
  readonly code: string;
  readonly verdicts: number;
  readonly first: string;
  readonly last: string;
  /** Who had planned the batch that was denied, and how often. */
  readonly initiators: ReadonlyMap<string, number>;
}

export interface Denials {
  /** Verdicts that denied. */
  readonly verdicts: { readonly plan: number; readonly sign: number };
  /** Of all verdicts. */
  readonly asked: number;
  /** The most frequent first. */
  readonly codes: readonly DenialCount[];
}

type Verdict = Extract<EntryBody, { kind: 'batch.verdict' }>;

export class DenialTally {
  readonly #codes = new Map<string, DenialCount>();
  #asked = 0;
  #plan = 0;
  #sign = 0;

  take({ entry, counts, after }: Step): void {
    const { body, at } = entry;
    if (!counts || body.kind !== 'batch.verdict') return;
    this.#asked += 1;
    if (body.decision !== 'DENY') return;
    if (body.stage === 'plan') this.#plan += 1;
    else this.#sign += 1;
    const initiator = after?.initiator ?? '';
    for (const code of denyingCodes(body)) {
      const known = this.#codes.get(code);
      const initiators = new Map(known?.initiators);
      initiators.set(initiator, (initiators.get(initiator) ?? 0) + 1);
      this.#codes.set(code, {
        code,
        verdicts: (known?.verdicts ?? 0) + 1,
        first: known?.first ?? at,
        last: at,
        initiators,
      });
    }
  }

  result(): Denials {
    const codes = [...this.#codes.values()];
    return {
      verdicts: { plan: this.#plan, sign: this.#sign },
      asked: this.#asked,
      codes: codes.sort((a, b) => b.verdicts - a.verdicts || (a.code < b.code ? -1 : 1)),
    };
  }
}

/** A verdict names what it needs as well: missing approvals are no denial. A code of a newer version may be one. */
function denyingCodes({ codes }: Verdict): readonly string[] {
  const meanings: Readonly<Record<string, { readonly outcome: string } | undefined>> = CODES;
  return codes.filter((code) => (meanings[code]?.outcome ?? 'deny') === 'deny');
}
