import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds without a byte, connecting counted in; 0 waits for an answer as long as the connection stands. */
  readonly idleLimit: number;
  /** Milliseconds for the whole exchange, however lively it is: a server that sends a byte now and then ends with it too. */
  readonly totalLimit?: number;
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
export async function exchange(request: HttpRequest): Promise<Result<HttpAnswer, Fault>> {
  const first = await attempt(request);
  // A service closes a connection that was kept open just as it is used again: that one never reached it.
  const answer = first === STALE ? await attempt({ ...request, fresh: true }) : first;
  if (answer === STALE) throw new Error('a connection of its own cannot be an old one');
  return answer;
}

/** The connection had been used before and was closed without a byte of an answer. */
const STALE = Symbol('stale');

function attempt(
  request: HttpRequest & { readonly fresh?: boolean },
): Promise<Result<HttpAnswer, Fault> | typeof STALE> {
  const { url, method, headers = {}, body, idleLimit, totalLimit = 0, maxBytes, from, fresh = false } = request;
  const send = url.protocol === 'https:' ? requestTls : requestPlain;
  return new Promise((settle) => {
    let timer: NodeJS.Timeout | undefined;
    const resolve = (answer: Result<HttpAnswer, Fault> | typeof STALE): void => {
      clearTimeout(timer);
      settle(answer);
    };
    // The first cause is the one that is told; what follows are its consequences.
    const idle = (): Result<never, Fault> => unreachable(from, new Error(`no answer within ${idleLimit / 1000} s`));
    const options = {
      method,
      headers: withLength(headers, body),
      // Stated, so that NODE_TLS_REJECT_UNAUTHORIZED of the environment changes nothing.
      rejectUnauthorized: true,
      ...(fresh ? { agent: false as const } : {}),
      // Set on the socket from its making: request.setTimeout starts to count when it is connected. Without a number of its
      // own, 0 for none, a request ends after the 5 s for which Node's agent keeps an idle connection.
      timeout: idleLimit,
    };
    const sent = send(url, options, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxBytes) chunks.push(chunk);
        else {
          resolve(tooLong(from, maxBytes));
          sent.destroy();
        }
      });
      answer.on('end', () => resolve(decoded(answer.statusCode ?? 0, Buffer.concat(chunks), from)));
      answer.on('error', () => resolve(cutShort(from)));
    });
    sent.on('timeout', () => {
      resolve(idle());
      sent.destroy();
    });
    sent.on('error', (error) => {
      const isStale = sent.reusedSocket && !fresh && 'code' in error && CLOSED.has(String(error.code));
      resolve(isStale ? STALE : unreachable(from, error));
    });
    if (totalLimit > 0) {
      timer = setTimeout(() => {
        resolve(unreachable(from, new Error(`no whole answer within ${totalLimit / 1000} s`)));
        sent.destroy();
      }, totalLimit);
    }
    // The other machine may be gone without a word while a long scan is waited for.
    sent.setSocketKeepAlive(true, KEEP_ALIVE);
    sent.end(body);
  });
}

const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);
/** Milliseconds of silence after which the system asks whether the other side is still there. */
const KEEP_ALIVE = 60_000;

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
  const isDistrusted = /certificate|altnames|self.signed/i.test(words.join());
  return fail('E_CHAIN_UNREACHABLE', `${from} cannot be asked: ${quoted(words.join('; '), 200)}`, {
    remedy: isDistrusted
      ? 'its certificate is not one that this machine trusts for that host: name the file of its issuer in NODE_EXTRA_CA_CERTS, or use another'
      : 'see that it runs and that its address and port are right; nothing was changed here',
  });
}
