import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import * as v from 'valibot';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import { parseExactJson } from './exact-json.js';

/** An error that the server itself answered. */
export interface ElectrumError {
  readonly code: number;
  readonly message: string;
}

export type ElectrumOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ElectrumError };

/** JSON-RPC, one message to a line, over one connection (Electrum protocol 1.4). */
export interface ElectrumLine {
  readonly name: string;
  call(method: string, params: readonly unknown[]): Promise<Result<ElectrumOutcome, Fault>>;
  close(): void;
}

export interface ElectrumPlace {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

const IDLE_LIMIT = 30_000;
/** For one answer, however lively the connection is: a server may send bytes for ever and never a line. */
const TOTAL_LIMIT = 120_000;
/** A transaction of 4 MB in hex, and some. */
const MAX_LINE = 20_000_000;

/** Errors come as an object, and from some servers as a text. */
const answerSchema = v.object({
  id: v.optional(v.nullable(v.string())),
  method: v.optional(v.string()),
  result: v.optional(v.unknown()),
  error: v.optional(
    v.nullable(v.union([v.string(), v.object({ code: v.optional(v.string(), '0'), message: v.string() })])),
  ),
});

type Waiting = (answer: Result<ElectrumOutcome, Fault>) => void;

/**
 * Connects at the first call, and again after the server has closed the connection. Each connection begins with
 * server.version, without which servers answer nothing else. A certificate has to be one that this machine trusts for that
 * host.
 */
export function createElectrumLine(place: ElectrumPlace): ElectrumLine {
  const host = place.host.includes(':') ? `[${place.host}]` : place.host;
  const name = `electrum ${place.tls ? 'tls' : 'tcp'}://${host}:${place.port}`;
  const waiting = new Map<string, Waiting>();
  let socket: Socket | null = null;
  let next = 0;
  let buffered: string[] = [];
  let size = 0;

  const unreachable = (words: string): Result<never, Fault> =>
    fail('E_CHAIN_UNREACHABLE', `${name} cannot be asked: ${quoted(words, 200)}`, {
      remedy: 'see that it runs, that address and port are right, and that its certificate is trusted here',
    });

  function end(answer: Result<never, Fault>): void {
    socket?.destroy();
    socket = null;
    buffered = [];
    size = 0;
    const open = [...waiting.values()];
    waiting.clear();
    for (const settle of open) settle(answer);
  }

  function ask(made: Socket, method: string, params: readonly unknown[], settle: Waiting): void {
    const id = String(next++);
    const deadline = setTimeout(() => {
      if (made === socket) end(unreachable(`no answer to ${method} within ${TOTAL_LIMIT / 1000} s`));
    }, TOTAL_LIMIT);
    waiting.set(id, (answer) => {
      clearTimeout(deadline);
      settle(answer);
    });
    // Ids are sent as texts: whatever form a server repeats them in, numbers are texts here.
    made.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  }

  function greet(made: Socket): void {
    ask(made, 'server.version', ['countersign', '1.4'], (answer) => {
      if (!answer.ok || answer.value.ok || made !== socket) return;
      const { code, message } = answer.value.error;
      end(fail('E_CHAIN_ANSWER', `${name} answers server.version with error ${code}: ${quoted(message)}`));
    });
  }

  /** One line: an answer to who waits for it, or the end of the connection where it is none. */
  function take(line: string): void {
    const answer = answerOf(line);
    if (answer === null) return;
    if (!answer.ok) {
      end(answer);
      return;
    }
    const { id, outcome } = answer.value;
    const settle = waiting.get(id);
    waiting.delete(id);
    if (settle !== undefined) {
      settle(ok(outcome));
      return;
    }
    // Without an id it speaks of the connection as a whole: too many questions, or a request that it could not read.
    const words = outcome.ok ? '' : `: ${quoted(outcome.error.message)}`;
    end(fail('E_CHAIN_ANSWER', `${name} answers a question that was not asked${words}`));
  }

  /** null for a notification of a subscription. */
  function answerOf(line: string): Result<{ readonly id: string; readonly outcome: ElectrumOutcome }, Fault> | null {
    const parsed = parseExactJson(line, name);
    if (!parsed.ok) return parsed;
    const read = v.safeParse(answerSchema, parsed.value);
    if (!read.success) return fail('E_CHAIN_ANSWER', `${name} sends a line that is no JSON-RPC answer`);
    const { id, method, result, error } = read.output;
    if (method !== undefined) return null;
    if (error === null || error === undefined) return ok({ id: id ?? '', outcome: { ok: true, value: result } });
    const { code, message } = typeof error === 'string' ? { code: '0', message: error } : error;
    return ok({ id: id ?? '', outcome: { ok: false, error: { code: Number(code), message } } });
  }

  function opened(): Socket {
    if (socket !== null) return socket;
    const made = place.tls
      ? connectTls({
          host: place.host,
          port: place.port,
          // Stated, so that NODE_TLS_REJECT_UNAUTHORIZED of the environment changes nothing.
          rejectUnauthorized: true,
          ...(isIP(place.host) === 0 ? { servername: place.host } : {}),
        })
      : connectPlain({ host: place.host, port: place.port });
    made.setEncoding('utf8');
    made.setTimeout(IDLE_LIMIT, () => {
      if (waiting.size > 0) end(unreachable(`no answer within ${IDLE_LIMIT / 1000} s`));
    });
    made.on('data', (chunk: string) => {
      if (made !== socket) return;
      const lines = chunk.split('\n');
      size += chunk.length;
      if (size > MAX_LINE) {
        end(fail('E_CHAIN_ANSWER', `${name} sends a line of more than ${MAX_LINE} characters`));
        return;
      }
      for (const [index, part] of lines.entries()) {
        buffered.push(part);
        if (index === lines.length - 1) break;
        const line = buffered.join('');
        buffered = [];
        size = chunk.length;
        if (line.trim() !== '') take(line);
        // What follows in this chunk belongs to a connection that is no longer used.
        if (made !== socket) return;
      }
    });
    made.on('error', (error) => {
      if (made === socket) end(unreachable(error.message));
    });
    made.on('close', () => {
      if (made === socket) end(unreachable('it closed the connection'));
    });
    socket = made;
    greet(made);
    return made;
  }

  return {
    name,
    call(method, params) {
      return new Promise((resolve) => ask(opened(), method, params, resolve));
    },
    close() {
      end(unreachable('the connection was closed here'));
    },
  };
}
