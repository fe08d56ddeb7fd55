import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./journal-child.mjs', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/adapters/sqlite-journal.js', import.meta.url));

/** Children run the built program; `npm test` builds it first. */
export const isBuilt = existsSync(BUILT);

export interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** Runs the child on a job to its end. `onLine` sees each line that it says, and may kill it. */
export function runChild(
  job: object,
  onLine: (line: string, kill: () => void) => void = () => undefined,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'] });
    const lines: string[] = [];
    let rest = '';
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        onLine(line, () => child.kill('SIGKILL'));
      }
    });
    child.on('close', (code, signal) => resolve({ code, signal, lines, stderr }));
    child.stdin.end(JSON.stringify(job));
  });
}
