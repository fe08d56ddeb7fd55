import type { BatchRecord, BatchState } from '../../journal/state.js';
import type { Step } from './step.js';

/** Something that a person should look at, and where it stands in the journal. */
export interface ForEyes {
  /** Null for what is so at the end of the period, whatever entry made it so. */
  readonly seq: number | null;
  readonly at: string | null;
  readonly kind: EyesKind;
  readonly batch: string | null;
  /** What it is about, as it stands in the journal; text from outside. */
  readonly text: string;
}

export type EyesKind =
  | 'open'
  | 'released'
  | 'unknown'
  | 'declined'
  | 'conflicted'
  | 'unconfirmed'
  | 'unsettled'
  | 'unverified-halt'
  | 'automatic-halt'
  | 'out-of-band-spend'
  | 'frozen'
  | 'unfrozen'
  | 'screening-hit'
  | 'moved';

/** A signature may exist in these, and nothing has settled whether it does. */
const OPEN: readonly BatchState[] = ['SENT', 'PARTIAL', 'UNKNOWN'];

export class EyesList {
  readonly #found: ForEyes[] = [];

  take(step: Step): void {
    if (!step.counts) return;
    const found = lookAt(step);
    const { seq, at, body } = step.entry;
    if (found !== null) this.#found.push({ seq, at, batch: 'batch' in body ? body.batch : null, ...found });
  }

  /** `batches`: as they stand at the end of the period. */
  result(batches: Iterable<BatchRecord>): readonly ForEyes[] {
    const open = [...batches].filter(({ state }) => OPEN.includes(state));
    return [
      ...open.map(
        ({ id, state }): ForEyes => ({ seq: null, at: null, kind: 'open', batch: id, text: `is ${state} at the end` }),
      ),
      ...this.#found,
    ];
  }
}

function lookAt({ entry: { body }, before }: Step): Pick<ForEyes, 'kind' | 'text'> | null {
  switch (body.kind) {
    case 'batch.released':
      // Before the device was asked there is nothing that it could have signed.
      return before?.state === 'SENT'
        ? { kind: 'released', text: `released after the device was asked: ${body.fault}, ${body.reason}` }
        : null;
    case 'batch.unknown':
      return { kind: 'unknown', text: `a signature may exist: ${body.fault}, ${body.reason}` };
    case 'batch.declined':
      return { kind: 'declined', text: `a device declined: ${body.fault}, ${body.reason}` };
    case 'batch.conflicted':
      return { kind: 'conflicted', text: `${body.outpoint} was spent by ${body.txid}, which is of no batch` };
    case 'batch.unconfirmed':
      return { kind: 'unconfirmed', text: `no longer confirmed: ${body.reason}` };
    case 'batch.unsettled':
      return { kind: 'unsettled', text: `counts again: ${body.reason}` };
    case 'halt.raised':
      if (body.source === 'unverified')
        return {
          kind: 'unverified-halt',
          text: `nobody's verified word halted everything, ${body.problem}: ${body.reason}`,
        };
      if (body.source !== 'automatic') return null;
      return {
        kind: body.trigger === 'out_of_band_spend' ? 'out-of-band-spend' : 'automatic-halt',
        text: `the program halted everything, ${body.trigger}: ${body.reason} (evidence ${body.evidence})`,
      };
    case 'coin.frozen':
      return { kind: 'frozen', text: `${body.by} froze ${body.outpoint}: ${body.reason}` };
    case 'coin.unfrozen':
      return { kind: 'unfrozen', text: `${body.by} unfroze ${body.outpoint}: ${body.reason}` };
    case 'screening.imported':
      return body.own.length === 0
        ? null
        : { kind: 'screening-hit', text: `${body.list} names scripts of this vault: ${body.own.join(' ')}` };
    case 'journal.moved':
      return { kind: 'moved', text: `the journal goes on at ${body.to}` };
    default:
      return null;
  }
}
