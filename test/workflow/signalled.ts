import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import type { Exchange } from '../../src/device/transcript.js';
import { parseTime } from '../../src/domain/time.js';
import type { Session } from '../cli/session.js';

/** Command lines in a process of their own, which real signals reach while a device owes them an answer. */
const SCRIPT = fileURLToPath(new URL('./interrupt.child.mjs', import.meta.url));

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

/** The recorded device behind an emulator's port; it answers so many requests, and then a person thinks. */
export async function thinking(
  exchanges: readonly Exchange[],
  answers: number,
): Promise<{ readonly spec: string; readonly asked: Promise<void> }> {
  let next = 0;
  let reached: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const opened = createServer((request, response) => {
    request.resume().on('end', () => {
      // It has no screen: that is asked for with GET.
      if (request.method === 'GET') {
        response.writeHead(404).end();
        return;
      }
      const recorded = next < answers ? exchanges[next] : undefined;
      next += 1;
      if (recorded === undefined) reached();
      else response.end(JSON.stringify({ data: Buffer.from(recorded.response).toString('hex') }));
    });
  });
  server = opened;
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve));
  const address = opened.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { spec: `speculos:http://127.0.0.1:${address.port}`, asked };
}

export interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; said: string }>;
  /** Resolves when it has said so. */
  says(text: string): Promise<void>;
}

/** One command line of the built program in a process of its own. */
export function child(s: Session, argv: readonly string[], more: { stuck?: boolean } = {}): Child {
  const started = spawn(process.execPath, [SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  const waiting: (() => void)[] = [];
  for (const stream of [started.stdout, started.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      for (const look of waiting) look();
    });
  }
  const ended = new Promise<Awaited<Child['ended']>>((resolve) => {
    started.on('close', (code, signal) => resolve({ code, signal, said }));
  });
  started.stdin.end(JSON.stringify({ folder: s.folder, now: parseTime(s.now), argv, ...more }));
  const says = (text: string) =>
    new Promise<void>((resolve) => {
      const look = (): void => {
        if (said.includes(text)) resolve();
      };
      waiting.push(look);
      look();
    });
  return { process: started, ended, says };
}
