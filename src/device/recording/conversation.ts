import { formatStatusWord } from '../status-words.js';
import type { Exchange, Side } from '../transcript.js';
import {
  ASK_NAMES,
  type Ask,
  HASH,
  HEADER_LENGTH,
  headerProblem,
  isContinue,
  parseAsk,
  parseIndexAnswer,
  parseMoreAnswer,
  parsePreimageAnswer,
  parseProofAnswer,
  parseStart,
  type Start,
} from './protocol.js';

/** Where a part of an answer stands: bytes of a request. */
export interface Span {
  readonly exchange: number;
  readonly offset: number;
  readonly length: number;
}

/** What the host answered; of what needs several exchanges, all of it. */
export type Answer =
  | { readonly kind: 'yield' }
  | { readonly kind: 'preimage'; readonly total: number; readonly bytes: Uint8Array; readonly spans: readonly Span[] }
  | {
      readonly kind: 'proof';
      readonly total: number;
      readonly leaf: Uint8Array;
      readonly siblings: readonly Uint8Array[];
    }
  | { readonly kind: 'index'; readonly found: boolean; readonly index: number };

/** One thing that the device asked of the host, and the answer; null where it never came, or cannot be read. */
export interface Turn {
  readonly ask: Exclude<Ask, { kind: 'more' }>;
  /** Exchanges whose responses ask for this: the first, and GET_MORE_ELEMENTS. The requests after them answer. */
  readonly asked: readonly number[];
  /** Exchanges whose requests answer, one for each of `asked` but for one that breaks off. */
  readonly answers: readonly number[];
  /** The exchange whose request ends the answer; null where it has no end. */
  readonly answered: number | null;
  readonly answer: Answer | null;
}

/** A command from its request to its final status word. */
export interface Command {
  readonly start: Start;
  readonly first: number;
  readonly last: number;
  readonly turns: readonly Turn[];
  /** Null where the recording or another command breaks it off. */
  readonly status: number | null;
  /** The last response without its status word. */
  readonly result: Uint8Array;
}

/** Something that no genuine conversation has. */
export interface Problem {
  readonly exchange: number;
  readonly side: Side;
  readonly message: string;
}

export interface Conversation {
  readonly commands: readonly Command[];
  readonly problems: readonly Problem[];
}

export const OK = 0x9000;
const INTERRUPTED = 0xe000;

export const statusOf = (response: Uint8Array): number => ((response.at(-2) ?? 0) << 8) | (response.at(-1) ?? 0);

type Writable<T> = { -readonly [K in keyof T]: T[K] };
interface OpenTurn extends Omit<Writable<Turn>, 'asked' | 'answers'> {
  readonly asked: number[];
  readonly answers: number[];
}
interface OpenCommand extends Omit<Writable<Command>, 'turns'> {
  readonly turns: OpenTurn[];
  /** What the device waits for. */
  pending: Ask | null;
}

/**
 * Takes the exchanges of a recording apart into commands and the turns within them. It goes on after what cannot be, and
 * says so in `problems`. GET_VERSION in the middle of a command is harmless, and the app goes on after it.
 */
export function converse(exchanges: readonly Exchange[]): Conversation {
  const commands: OpenCommand[] = [];
  const problems: Problem[] = [];
  let open: OpenCommand | null = null;
  for (const [exchange, { request, response }] of exchanges.entries()) {
    const bad = (side: Side, message: string): void => {
      problems.push({ exchange, side, message });
    };
    const header = headerProblem(request);
    if (header !== null) bad('request', header);
    const continues = isContinue(request);
    if (continues && open === null) {
      bad('request', 'it continues a command, and the one before it has ended');
      continue;
    }
    let command: OpenCommand | null = open;
    if (continues && command !== null) {
      const message = takeAnswer(command, exchange, request.subarray(HEADER_LENGTH));
      if (message !== null) bad('request', message);
    } else {
      const start = parseStart(request);
      if (start === null) bad('request', 'the request has not the form of its command');
      const isHarmless: boolean = start?.kind === 'app';
      if (open !== null && !isHarmless) {
        bad('request', 'the device waits for the answer to its question, and another command comes');
        open = null;
      }
      command = {
        start: start ?? { kind: 'other' },
        first: exchange,
        last: exchange,
        turns: [],
        status: null,
        result: response.subarray(0, -2),
        pending: null,
      };
      commands.push(command);
    }
    if (command === null) continue;
    command.last = exchange;
    command.result = response.subarray(0, -2);
    const status = statusOf(response);
    if (status === INTERRUPTED) {
      const message = takeAsk(command, exchange, command.result);
      if (message !== null) bad('response', message);
      open = command;
    } else {
      command.status = status;
      if (status !== OK && command.result.length !== 0 && command.result.length !== 2) {
        bad('response', `data behind the status word ${formatStatusWord(status)}, which ends a command without any`);
      }
      if (open === command) open = null;
    }
  }
  return { commands, problems };
}

/** Whether the answer of the last turn still lacks a part. */
function lacksMore({ turns }: OpenCommand): boolean {
  const answer = turns.at(-1)?.answer ?? null;
  if (answer?.kind === 'preimage') return answer.bytes.length < answer.total;
  return answer?.kind === 'proof' && answer.siblings.length < answer.total;
}

function takeAsk(command: OpenCommand, exchange: number, data: Uint8Array): string | null {
  const ask = parseAsk(data);
  const lacks = lacksMore(command);
  command.pending = ask;
  if (ask === null) return 'the device asks for something that is no client command of the protocol';
  if (ask.kind !== 'more') {
    command.turns.push({ ask, asked: [exchange], answers: [], answered: null, answer: null });
    return lacks ? 'the device asks for something else before it has the whole of the answer before it' : null;
  }
  command.turns.at(-1)?.asked.push(exchange);
  return lacks ? null : 'the device asks for more elements, and there are none';
}

/** Adds what a continuation brings to the turn that waits for it; what is wrong with it, or null. */
function takeAnswer(command: OpenCommand, exchange: number, data: Uint8Array): string | null {
  const ask = command.pending;
  const turn = command.turns.at(-1);
  command.pending = null;
  if (ask === null || turn === undefined) return null; // the question was a problem already
  turn.answered = exchange;
  turn.answers.push(exchange);
  if (ask.kind === 'more') return takeMore(turn, exchange, data);
  turn.answer = firstAnswer(ask, exchange, data);
  return turn.answer === null ? `the answer has not the form that ${ASK_NAMES[ask.kind]} asks for` : null;
}

function firstAnswer(ask: Turn['ask'], exchange: number, data: Uint8Array): Answer | null {
  switch (ask.kind) {
    case 'yield':
      return data.length === 0 ? { kind: 'yield' } : null;
    case 'preimage': {
      const answer = parsePreimageAnswer(data);
      if (answer === null) return null;
      const { total, at, part } = answer;
      const span = { exchange, offset: HEADER_LENGTH + at, length: part.length };
      return { kind: 'preimage', total, bytes: part, spans: [span] };
    }
    case 'proof': {
      const answer = parseProofAnswer(data);
      return answer === null ? null : { kind: 'proof', ...answer };
    }
    case 'index': {
      const answer = parseIndexAnswer(data);
      return answer === null ? null : { kind: 'index', ...answer };
    }
  }
}

function takeMore(turn: OpenTurn, exchange: number, data: Uint8Array): string | null {
  const { answer } = turn;
  const more = parseMoreAnswer(data);
  if (more === null) return 'the answer has not the form that GET_MORE_ELEMENTS asks for';
  const { size, elements } = more;
  if (answer?.kind === 'preimage') {
    if (size !== 1) return 'the rest of a preimage comes in single bytes';
    const span = { exchange, offset: HEADER_LENGTH + 2, length: elements.length };
    const bytes = Uint8Array.from(Buffer.concat([answer.bytes, elements]));
    turn.answer = { ...answer, bytes, spans: [...answer.spans, span] };
    return bytes.length > answer.total ? 'more elements than the preimage has' : null;
  }
  if (answer?.kind === 'proof') {
    if (size !== HASH) return 'the rest of a proof comes in hashes of 32 bytes';
    const added = Array.from({ length: elements.length / HASH }, (_, at) =>
      elements.subarray(at * HASH, (at + 1) * HASH),
    );
    const siblings = [...answer.siblings, ...added];
    turn.answer = { ...answer, siblings };
    return siblings.length > answer.total ? 'more siblings than the proof has' : null;
  }
  return null; // the answer before it was a problem already
}

/** Whether the host's answer is there, and whole. */
export function isWhole(answer: Answer | null): boolean {
  if (answer === null) return false;
  if (answer.kind === 'preimage') return answer.bytes.length === answer.total;
  return answer.kind !== 'proof' || answer.siblings.length === answer.total;
}
