import { globalAgent } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { exchange, type HttpAnswer, type HttpRequest } from '../../../src/adapters/chain/http.js';
import { NOBODY, Servers } from './servers.js';

const servers = new Servers();
afterEach(() => servers.stop());

async function ask(url: URL, more: Partial<HttpRequest> = {}): Promise<HttpAnswer | string> {
  const answer = await exchange({ url, method: 'GET', idleLimit: 5000, maxBytes: 1000, from: 'the node', ...more });
  return answer.ok ? answer.value : `${answer.error.tag} ${answer.error.message} (${answer.error.remedy})`;
}

describe('one HTTP exchange', () => {
  it('sends a body with its length in bytes and reads the whole answer', async () => {
    const url = await servers.http((request, response, body) => {
      response.statusCode = 404;
      response.end(`${request.method} ${request.headers['content-length']} ${body}`);
    });
    expect(await ask(url, { method: 'POST', body: 'ü' })).toEqual({ status: 404, text: 'POST 2 ü' });
  });

  it('never follows a redirect', async () => {
    const asked: string[] = [];
    const url = await servers.http((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(302, { location: '/other' }).end('elsewhere');
    });
    expect(await ask(url)).toEqual({ status: 302, text: 'elsewhere' });
    expect(asked).toEqual(['/']);
  });

  it.each([1000, 1001])('reads 1000 bytes and no more: %i', async (size) => {
    const url = await servers.http((_, response) => response.end('x'.repeat(size)));
    const answer = await ask(url);
    if (size === 1000) expect(answer).toEqual({ status: 200, text: 'x'.repeat(1000) });
    else expect(answer).toMatch(/^E_CHAIN_ANSWER the node answers more than 1000 bytes/);
  });

  it('stops to read an answer without an end', async () => {
    const url = await servers.http((_, response) => {
      const more = setInterval(() => response.write('x'.repeat(500)), 5);
      response.on('close', () => clearInterval(more));
    });
    expect(await ask(url)).toMatch(/^E_CHAIN_ANSWER the node answers more than 1000 bytes/);
  });

  it('a server that sends a byte now and then is not waited for beyond the time of the whole', async () => {
    const url = await servers.http((_, response) => {
      const more = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(more));
    });
    expect(await ask(url, { idleLimit: 1000, totalLimit: 300 })).toMatch(
      /^E_CHAIN_UNREACHABLE .*no whole answer within 0\.3 s/,
    );
  });

  it('an answer that is cut short is none', async () => {
    const url = await servers.http((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await ask(url)).toMatch(/^E_CHAIN_ANSWER the answer of the node was cut short/);
  });

  it('bytes that are no text are no answer', async () => {
    const url = await servers.http((_, response) => response.end(Buffer.from([0xff, 0xfe])));
    expect(await ask(url)).toMatch(/^E_CHAIN_ANSWER the node answers bytes that are no text/);
  });

  it('silence is told as silence, before an answer and in the middle of one', async () => {
    const mute = await servers.http(() => undefined);
    const half = await servers.http((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
    });
    for (const url of [mute, half]) {
      expect(await ask(url, { idleLimit: 100 })).toMatch(/^E_CHAIN_UNREACHABLE .*no answer within 0\.1 s/);
    }
  });

  it('a limit of silence of 0 waits as long as the connection stands', async () => {
    const url = await servers.http((_, response) => setTimeout(() => response.end('late'), 300));
    expect(await ask(url, { idleLimit: 0 })).toEqual({ status: 200, text: 'late' });
  });

  it('nor does it end when the agent would give up an idle connection, after 5 s in Node', async () => {
    // The types of Node do not name what its documentation does: the options that an agent was made with.
    const { options } = globalAgent as unknown as { options: { timeout: number } };
    const usual = options.timeout;
    options.timeout = 50;
    try {
      const url = await servers.http((_, response) => setTimeout(() => response.end('a scan of minutes'), 300));
      expect(await ask(url, { idleLimit: 0 })).toEqual({ status: 200, text: 'a scan of minutes' });
    } finally {
      options.timeout = usual;
    }
  });

  it('bytes that keep coming are waited for', async () => {
    const url = await servers.http((_, response) => {
      for (let at = 1; at <= 6; at += 1) setTimeout(() => response.write('x'), 50 * at);
      setTimeout(() => response.end(), 350);
    });
    expect(await ask(url, { idleLimit: 200 })).toEqual({ status: 200, text: 'xxxxxx' });
  });

  it('nobody there is told with what to look at', async () => {
    expect(await ask(NOBODY)).toMatch(/^E_CHAIN_UNREACHABLE .*ECONNREFUSED.*see that it runs/);
  });

  it('a service without TLS behind https is told', async () => {
    const url = await servers.http((_, response) => response.end('x'));
    url.protocol = 'https:';
    expect(await ask(url)).toMatch(/^E_CHAIN_UNREACHABLE the node cannot be asked: /);
  });

  it('a connection that was kept open and is closed at the next question is opened anew', async () => {
    const seen = new Map<unknown, number>();
    const url = await servers.http((request, response) => {
      const count = (seen.get(request.socket) ?? 0) + 1;
      seen.set(request.socket, count);
      if (count === 1) response.end('ok');
      else request.socket.resetAndDestroy();
    });
    expect(await ask(url)).toEqual({ status: 200, text: 'ok' });
    // The agent takes the connection back a moment after the answer.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await ask(url, { method: 'POST', body: 'tx' })).toEqual({ status: 200, text: 'ok' });
    expect([...seen.values()]).toEqual([2, 1]);
  });

  it('a service that hangs up on a new connection is not asked twice', async () => {
    let asked = 0;
    const url = await servers.http((request) => {
      asked += 1;
      request.socket.resetAndDestroy();
    });
    expect(await ask(url)).toMatch(/^E_CHAIN_UNREACHABLE /);
    expect(asked).toBe(1);
  });
});
