import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { type Fault, fail, fault } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type { CoreAuth } from '../../vault/chain.js';
import { parseExactJson } from './exact-json.js';
import { exchange } from './http.js';

/** An error that the node itself answered, with Bitcoin Core's code (src/rpc/protocol.h). */
export interface RpcError {
  readonly code: number;
  readonly message: string;
}

export type RpcOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: RpcError };

export interface CoreRpc {
  readonly name: string;
  /** One call. An error that the node answers is an outcome for the caller to judge; a fault is that there was no answer. */
  call(method: string, params: readonly unknown[], options?: CallOptions): Promise<Result<RpcOutcome, Fault>>;
  /** Many calls of one method in few requests (JSON-RPC batch), answered in their order. */
  batch(
    method: string,
    params: readonly (readonly unknown[])[],
    onProgress?: (done: number, of: number) => void,
  ): Promise<Result<readonly RpcOutcome[], Fault>>;
}

export interface CallOptions {
  /** For calls that take minutes, such as scantxoutset: waits as long as the connection stands. */
  readonly patient?: boolean;
}

/** More in one request would keep the node silent for longer than anybody waits, and grow past what is read. */
const CALLS_AT_ONCE = 200;
const IDLE_LIMIT = 30_000;
/** A block with all of its inputs takes seconds; a node that sends byte by byte does not hold anybody up for longer. */
const TOTAL_LIMIT = 300_000;
/** A block with every witness in hex and JSON around it stays below 40 MB. */
const MAX_ANSWER = 400_000_000;

const answerSchema = v.object({
  id: v.string(),
  result: v.optional(v.unknown()),
  error: v.optional(v.nullable(v.object({ code: v.pipe(v.string(), v.regex(/^-?[0-9]{1,9}$/)), message: v.string() }))),
});

export function createCoreRpc(url: URL, auth: CoreAuth): CoreRpc {
  const name = `core ${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
  let next = 0;

  async function post(body: unknown, patient: boolean): Promise<Result<unknown, Fault>> {
    const credentials = await readCredentials(auth, name);
    if (!credentials.ok) return credentials;
    const answer = await exchange({
      url,
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(credentials.value).toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
      idleLimit: patient ? 0 : IDLE_LIMIT,
      totalLimit: patient ? 0 : TOTAL_LIMIT,
      maxBytes: MAX_ANSWER,
      from: name,
    });
    if (!answer.ok) return answer;
    const { status, text } = answer.value;
    if (status === 401 || status === 403) return refused(auth, name, status);
    // Errors of single calls come with 404 and 500 and an answer in JSON; 503 is a full work queue.
    if (status === 503) {
      return fail('E_CHAIN_UNREACHABLE', `${name} is busy (HTTP 503: ${quoted(text.trim(), 60)})`, {
        remedy: 'wait for its other callers, or raise rpcworkqueue in bitcoin.conf',
      });
    }
    return parseExactJson(text, name);
  }

  async function together(
    method: string,
    params: readonly (readonly unknown[])[],
  ): Promise<Result<readonly RpcOutcome[], Fault>> {
    const calls = params.map((one) => ({ jsonrpc: '1.0', id: `${next++}`, method, params: one }));
    const answered = await post(calls, false);
    if (!answered.ok) return answered;
    if (!Array.isArray(answered.value) || answered.value.length !== calls.length) {
      return fail('E_CHAIN_ANSWER', `${name} does not answer each of ${calls.length} calls of ${method}`);
    }
    const outcomes: RpcOutcome[] = [];
    for (const [index, { id }] of calls.entries()) {
      const outcome = outcomeOf(answered.value[index], id, method, name);
      if (!outcome.ok) return outcome;
      outcomes.push(outcome.value);
    }
    return ok(outcomes);
  }

  return {
    name,
    async call(method, params, { patient = false } = {}) {
      const id = `${next++}`;
      const answered = await post({ jsonrpc: '1.0', id, method, params }, patient);
      return answered.ok ? outcomeOf(answered.value, id, method, name) : answered;
    },
    async batch(method, params, onProgress) {
      const outcomes: RpcOutcome[] = [];
      for (let start = 0; start < params.length; start += CALLS_AT_ONCE) {
        const answered = await together(method, params.slice(start, start + CALLS_AT_ONCE));
        if (!answered.ok) return answered;
        outcomes.push(...answered.value);
        onProgress?.(outcomes.length, params.length);
      }
      return ok(outcomes);
    },
  };
}

function outcomeOf(answer: unknown, id: string, method: string, name: string): Result<RpcOutcome, Fault> {
  const read = v.safeParse(answerSchema, answer);
  if (!read.success || read.output.id !== id) {
    return fail('E_CHAIN_ANSWER', `${name} answers ${method} with something that is no JSON-RPC answer to it`, {
      remedy: 'check that the address is the RPC port of the node itself',
    });
  }
  const { result, error } = read.output;
  if (error === null || error === undefined) return ok({ ok: true, value: result });
  return ok({ ok: false, error: { code: Number(error.code), message: error.message } });
}

/** The node's own words about a call that should not have failed. */
export function rpcFault(name: string, method: string, error: RpcError): Fault {
  // RPC_IN_WARMUP
  if (error.code === -28) {
    return fault('E_CHAIN_SYNCING', `${name} is starting: ${quoted(error.message)}`, {
      remedy: 'wait, and run it again',
    });
  }
  // RPC_MISC_ERROR with these words: "Block not available (pruned data)", "Can't rescan beyond pruned data".
  if (/pruned|block not available/i.test(error.message)) {
    return fault(
      'E_CHAIN_PRUNED',
      `${name} has thrown away the blocks that ${method} asks for: ${quoted(error.message)}`,
      {
        remedy:
          'name a node that is not pruned below the oldest coin of the vault, or an indexer beside it; each transaction is asked for once',
      },
    );
  }
  return fault('E_CHAIN_ANSWER', `${name} answers ${method} with error ${error.code}: ${quoted(error.message)}`);
}

async function readCredentials(auth: CoreAuth, name: string): Promise<Result<string, Fault>> {
  const file = auth.kind === 'cookie' ? auth.file : auth.passwordFile;
  let text: string;
  try {
    // Only the end of the line: a password may end in a blank.
    text = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return fail('E_CHAIN_AUTH', `${file} cannot be read (${why}), and ${name} is not asked without it`, {
      where: { file },
      remedy:
        auth.kind === 'cookie'
          ? 'name the cookie file of the node (.cookie in its data folder); it exists while the node runs'
          : 'put the password, and nothing else, into that file',
    });
  }
  // Also what keeps a file that was named by mistake, such as a private key, from being sent.
  if (text === '' || /[\r\n]/.test(text)) {
    return fail(
      'E_CHAIN_AUTH',
      `${file} ${text === '' ? 'is empty' : 'holds more than one line'}, and ${name} is not asked`,
      {
        where: { file },
        remedy:
          auth.kind === 'cookie'
            ? 'name the cookie file of the node (.cookie in its data folder)'
            : 'put the password, and nothing else, into that file',
      },
    );
  }
  return auth.kind === 'cookie' ? ok(text) : ok(`${auth.user}:${text}`);
}

function refused(auth: CoreAuth, name: string, status: number): Result<never, Fault> {
  return err(
    fault('E_CHAIN_AUTH', `${name} refuses the credentials (HTTP ${status})`, {
      where: { file: auth.kind === 'cookie' ? auth.file : auth.passwordFile },
      remedy:
        auth.kind === 'cookie'
          ? 'the cookie changes at each start of the node: name the file that it writes, not a copy'
          : 'compare user and password with rpcauth or rpcuser in bitcoin.conf; 403 is rpcallowip',
    }),
  );
}
