import { type Fault, fault } from '../../domain/fault.js';
import type { Side } from '../transcript.js';

/** The lines of a file at which an exchange stands, from 1. */
export interface ExchangeLines {
  readonly request: number;
  readonly response: number;
}

/** The lines of the exchanges of a text that parseTranscript has read. */
export function exchangeLines(text: string): readonly ExchangeLines[] {
  const lines: ExchangeLines[] = [];
  let request = 0;
  for (const [index, raw] of text.split('\n').entries()) {
    const start = raw.trim().slice(0, 2);
    if (start === '=>') request = index + 1;
    if (start === '<=') lines.push({ request, response: index + 1 });
  }
  return lines;
}

/** Something proven, and how often. */
export interface Proven {
  readonly what: string;
  readonly count: number;
}

/** Something that the file alone cannot prove, why, and the lines that it rests on. */
export interface Unproven {
  readonly what: string;
  readonly why: string;
  readonly lines: readonly number[];
}

export interface CheckReport {
  readonly proven: readonly Proven[];
  readonly unproven: readonly Unproven[];
  /** In the order of the file; none where it is consistent. E_TRANSCRIPT_CONTRADICTION with file and line. */
  readonly contradictions: readonly Fault[];
}

/** Collects what a check finds. */
export class Findings {
  readonly #file: string;
  readonly #lines: readonly ExchangeLines[];
  readonly #proven = new Map<string, number>();
  readonly #unproven = new Map<string, { readonly why: string; readonly lines: Set<number> }>();
  readonly #contradictions: { readonly line: number; readonly message: string }[] = [];

  constructor(file: string, lines: readonly ExchangeLines[]) {
    this.#file = file;
    this.#lines = lines;
  }

  prove(what: string): void {
    this.#proven.set(what, (this.#proven.get(what) ?? 0) + 1);
  }

  /** `places` are what nobody would notice a change of; the header of the file where none is given. */
  leave(what: string, why: string, ...places: readonly (readonly [exchange: number, side: Side])[]): void {
    const known = this.#unproven.get(what) ?? { why, lines: new Set<number>() };
    for (const [exchange, side] of places) known.lines.add(this.#line(exchange, side));
    this.#unproven.set(what, known);
  }

  contradict(exchange: number, side: Side, message: string): void {
    this.#contradictions.push({ line: this.#line(exchange, side), message });
  }

  /** A contradiction of the header of the file. */
  contradictHeader(message: string): void {
    this.#contradictions.push({ line: 1, message });
  }

  report(): CheckReport {
    return {
      proven: [...this.#proven].map(([what, count]) => ({ what, count })),
      unproven: [...this.#unproven].map(([what, { why, lines }]) => ({
        what,
        why,
        lines: [...lines].sort((a, b) => a - b),
      })),
      contradictions: [...this.#contradictions]
        .sort((a, b) => a.line - b.line)
        .map(({ line, message }) =>
          fault('E_TRANSCRIPT_CONTRADICTION', message, {
            where: { file: this.#file, line },
            remedy:
              'the file was changed or damaged after it was recorded, or device or program broke the protocol: trust neither',
          }),
        ),
    };
  }

  #line(exchange: number, side: Side): number {
    return this.#lines[exchange]?.[side] ?? 1;
  }
}
