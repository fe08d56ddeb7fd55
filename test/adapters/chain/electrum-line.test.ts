import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createElectrumLine, type ElectrumLine } from '../../../src/adapters/chain/electrum-line.js';
import { Servers } from './servers.js';

const servers = new Servers();
let line: ElectrumLine | null = null;
afterEach(async () => {
  line?.close();
  await servers.stop();
});

interface Question {
  readonly id: string;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A server that greets, and answers other questions as it is told. */
async function server(answer: (question: Question, socket: Socket) => void): Promise<ElectrumLine> {
  const port = await servers.lines((text, socket) => {
    const question: Question = JSON.parse(text);
    if (question.method === 'server.version') say(socket, { id: question.id, result: ['stub', '1.4'] });
    else answer(question, socket);
  });
  line = createElectrumLine({ host: '127.0.0.1', port, tls: false });
  return line;
}

const say = (socket: Socket, object: object): boolean => socket.write(`${JSON.stringify(object)}\n`);

async function faultOf(from: ElectrumLine): Promise<string> {
  const answer = await from.call('x', []);
  return answer.ok ? 'answered' : `${answer.error.tag} ${answer.error.message}`;
}

describe('a line to an Electrum server', () => {
  it('answers each question by its id, in whatever order and pieces they come', async () => {
    const open: Question[] = [];
    const made = await server((question, socket) => {
      open.push(question);
      if (open.length < 3) return;
      const text = open.reverse().map(({ id, method }) => `${JSON.stringify({ id, result: method })}\n`);
      for (const [at, character] of [...text.join('')].entries()) setTimeout(() => socket.write(character), at / 10);
    });
    const answers = await Promise.all(['a', 'b', 'c'].map((method) => made.call(method, [])));
    expect(answers).toEqual(['a', 'b', 'c'].map((value) => ({ ok: true, value: { ok: true, value } })));
  });

  it('keeps the error that the server answers, an object or a text', async () => {
    const made = await server(({ id, method }, socket) =>
      say(socket, { id, error: method === 'text' ? 'no' : { code: 2, message: 'no' } }),
    );
    expect(await made.call('text', [])).toEqual({ ok: true, value: { ok: false, error: { code: 0, message: 'no' } } });
    expect(await made.call('x', [])).toEqual({ ok: true, value: { ok: false, error: { code: 2, message: 'no' } } });
  });

  it('passes over notifications', async () => {
    const made = await server(({ id }, socket) => {
      say(socket, { method: 'blockchain.headers.subscribe', params: [{ height: 1 }] });
      say(socket, { id, result: 'x' });
    });
    expect(await made.call('x', [])).toEqual({ ok: true, value: { ok: true, value: 'x' } });
  });

  it('after the server has closed it, connects again and greets again', async () => {
    const greeted: Socket[] = [];
    const port = await servers.lines((text, socket) => {
      const { id, method } = JSON.parse(text);
      if (method === 'server.version') greeted.push(socket);
      else if (!greeted.includes(socket)) return say(socket, { id, error: 'first say server.version' });
      return say(socket, { id, result: 'x' });
    });
    line = createElectrumLine({ host: '127.0.0.1', port, tls: false });
    expect(await line.call('x', [])).toMatchObject({ value: { ok: true } });
    servers.hangUp();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await line.call('x', [])).toMatchObject({ value: { ok: true } });
    expect(greeted).toHaveLength(2);
  });

  it('a server that refuses the greeting is told with its words', async () => {
    const port = await servers.lines((text, socket) =>
      say(socket, { id: JSON.parse(text).id, error: { code: 1, message: 'unsupported protocol version \u001b[2J' } }),
    );
    line = createElectrumLine({ host: '127.0.0.1', port, tls: false });
    expect(await faultOf(line)).toMatch(
      /^E_CHAIN_ANSWER .*server\.version with error 1: "unsupported .*\\u\{1b\}\[2J"$/,
    );
  });

  it('words without an id, as of a server that is asked too much, are told', async () => {
    const made = await server((_, socket) =>
      say(socket, { id: null, error: { code: -101, message: 'excessive use' } }),
    );
    expect(await faultOf(made)).toMatch(/^E_CHAIN_ANSWER .*: "excessive use"$/);
  });

  it.each([
    ['another id', '{"id":"999","result":1}\n', /^E_CHAIN_ANSWER .*not asked/],
    ['HTML', '<html>\n', /^E_CHAIN_ANSWER .*not JSON/],
    ['a number', '5\n', /^E_CHAIN_ANSWER .*no JSON-RPC answer/],
    ['a line without an end', 'x'.repeat(20_200_000), /^E_CHAIN_ANSWER .*more than 20000000 characters/],
  ])('%s ends the connection with a fault', async (_, text, words) => {
    const made = await server((_question, socket) => socket.write(text));
    expect(await faultOf(made)).toMatch(words);
  });

  it('hanging up in the middle of an answer is told to all who wait', async () => {
    const made = await server((_, socket) => {
      socket.write('{"id":');
      setTimeout(() => socket.destroy(), 10);
    });
    const said = await Promise.all([faultOf(made), faultOf(made)]);
    for (const words of said) expect(words).toMatch(/^E_CHAIN_UNREACHABLE .*it closed the connection/);
  });

  it('what followed the line that broke it is no part of the next connection', async () => {
    let first = true;
    const made = await server(({ id }, socket) => {
      socket.write(first ? '<html>\n<body' : `${JSON.stringify({ id, result: 'x' })}\n`);
      first = false;
    });
    expect(await faultOf(made)).toMatch(/^E_CHAIN_ANSWER /);
    expect(await made.call('x', [])).toEqual({ ok: true, value: { ok: true, value: 'x' } });
  });

  it('nobody there, and TLS where there is none, are told', async () => {
    line = createElectrumLine({ host: '127.0.0.1', port: 1, tls: false });
    expect(await faultOf(line)).toMatch(
      /^E_CHAIN_UNREACHABLE electrum tcp:\/\/127\.0\.0\.1:1 cannot be asked: .*ECONNREFUSED/,
    );
    const plain = await servers.http((_, response) => response.end());
    const tls = createElectrumLine({ host: '127.0.0.1', port: Number(plain.port), tls: true });
    expect(await faultOf(tls)).toMatch(/^E_CHAIN_UNREACHABLE electrum tls:/);
    tls.close();
  });
});
