import type { SignalWatch } from './adapters/signals.js';
import { askedHelp } from './cli/help.js';
import type { Compose, Io } from './cli/program.js';

/** Runs one command line of the real program and returns its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const lost = outliveStreams();
  // What could not be written is a failure, but never hides one that says more.
  const ended = (code: number): number => (code === 0 && lost() ? 1 : code);
  // Help is answered before anything else is loaded.
  const help = argv.length === 0 ? null : askedHelp(argv, columns());
  if (help !== null) {
    process.stdout.write(help);
    return ended(0);
  }
  const { endProcess, watchSignals } = await import('./adapters/signals.js');
  const signals = watchSignals();
  let isLeft = false;
  const leftBehind = (): void => {
    isLeft = true;
  };
  const code = ended(await run(argv, signals, leftBehind));
  return signals.happened() || isLeft ? endProcess(code) : code;
}

/** How wide the terminal is, or undefined where stdout is none. */
function columns(): number | undefined {
  return process.stdout.isTTY === true ? process.stdout.columns : undefined;
}

async function run(argv: readonly string[], signals: SignalWatch, leftBehind: () => void): Promise<number> {
  const io: Io = {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    // One answer for both streams: an escape sequence in a file would be worse than a terminal without colours.
    colors: process.stdout.isTTY === true && process.stderr.isTTY === true && !process.env.NO_COLOR,
    rewrites: process.stderr.isTTY === true,
    width: columns(),
  };
  const version = await packageVersion();
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    io.stdout(`${version}\n`);
    return 0;
  }
  try {
    const { runCommandLine } = await import('./cli/program.js');
    return await runCommandLine(argv, composeFor(version, signals, leftBehind), io);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    io.stderr(`fault in the program, please report it: ${text}\n`);
    if (argv.includes('--json')) io.stdout(`${JSON.stringify({ schema: 'countersign.bug/1', exit: 1, bug: text })}\n`);
    return 1;
  }
}

/**
 * A reader that has seen enough (| head) closes its pipe, and a disk runs full. Neither ends a command, least of all one
 * that is signing; but only the reader's leave is no failure. Returns whether something that was said was lost.
 */
function outliveStreams(): () => boolean {
  let isLost = false;
  const fail = (name: string, error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE' || isLost) return;
    isLost = true;
    // Where the command is over before the stream knows, this is what the process ends with.
    if (process.exitCode === 0) process.exitCode = 1;
    if (name === 'stdout') {
      process.stderr.write(`error: not all of the output could be written to stdout: ${error.code ?? error.message}\n`);
    }
  };
  process.stdout.on('error', (error) => fail('stdout', error));
  process.stderr.on('error', (error) => fail('stderr', error));
  return () => isLost;
}

function composeFor(version: string, { within }: SignalWatch, leftBehind: () => void): Compose {
  return async ({ workspace, ...manner }) => {
    const { compose } = await import('./compose.js');
    return compose({ version, workspace: workspace ?? '.', interruptible: within, leftBehind, ...manner });
  };
}

async function packageVersion(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
