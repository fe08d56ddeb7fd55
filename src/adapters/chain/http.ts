import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds without a byte of the answer; 0 waits as long as the connection stands. */
  readonly idleLimit: number;
  /** Bytes of the answer that are read at most. */
  readonly maxBytes: number;
  /** What people are told is asked. */
  readonly from: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * One request and its whole answer, as text. Redirects are answers like others: no one else than the named host is ever
 * asked. E_CHAIN_UNREACHABLE, and E_CHAIN_ANSWER for an answer that is cut short, too long or no UTF-8.
 */
export function exchange(request: HttpRequest): Promise<Result<HttpAnswer, Fault>> {
  const { url, method, headers = {}, body, idleLimit, maxBytes, from } = request;
  const send = url.protocol === 'https:' ? requestTls : requestPlain;
  return new Promise((resolve) => {
    const sent = send(url, { method, headers: withLength(headers, body) }, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBytes) sent.destroy(new TooLong());
        else chunks.push(chunk);
      });
      answer.on('end', () => {
        if (!answer.complete) return resolve(cutShort(from));
        resolve(decoded(answer.statusCode ?? 0, Buffer.concat(chunks), from));
      });
      answer.on('error', (error) => resolve(error instanceof TooLong ? tooLong(from, maxBytes) : cutShort(from)));
    });
    sent.on('error', (error) => {
      resolve(error instanceof TooLong ? tooLong(from, maxBytes) : unreachable(from, error));
    });
    if (idleLimit > 0)
      sent.setTimeout(idleLimit, () => sent.destroy(new Error(`no answer within ${idleLimit / 1000} s`)));
    sent.end(body);
  });
}

class TooLong extends Error {}

function withLength(headers: Readonly<Record<string, string>>, body: string | undefined): Record<string, string> {
  return body === undefined ? { ...headers } : { ...headers, 'content-length': String(Buffer.byteLength(body)) };
}

function decoded(status: number, bytes: Buffer, from: string): Result<HttpAnswer, Fault> {
  try {
    return ok({ status, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) });
  } catch {
    // TextDecoder has no other way of saying that bytes are not UTF-8.
    return fail('E_CHAIN_ANSWER', `${from} answers bytes that are no text`, { remedy: SERVICE });
  }
}

const SERVICE = 'check that the address is that of the service itself, and not of a page or a proxy before it';

function cutShort(from: string): Result<never, Fault> {
  return fail('E_CHAIN_ANSWER', `the answer of ${from} was cut short`, {
    remedy: 'run the command again; if it happens each time, look at the log of the service',
  });
}

function tooLong(from: string, maxBytes: number): Result<never, Fault> {
  return fail('E_CHAIN_ANSWER', `${from} answers more than ${maxBytes} bytes`, { remedy: SERVICE });
}

/** The system's own words for what went wrong; a refused connection to several addresses has them in its parts. */
function unreachable(from: string, error: Error): Result<never, Fault> {
  const causes = error instanceof AggregateError ? error.errors : [error];
  const words = [...new Set(causes.map((cause) => (cause instanceof Error ? cause.message : String(cause))))];
  return fail('E_CHAIN_UNREACHABLE', `${from} cannot be asked: ${words.join('; ')}`, {
    remedy: 'see that it runs and that its address and port are right; nothing was changed here',
  });
}
