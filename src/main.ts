import { askedHelp } from './cli/help.js';
import type { Compose, Io } from './cli/program.js';

/** Runs one command line of the real program and returns its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  outliveReaders();
  const io: Io = {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    // One answer for both streams: an escape sequence in a file would be worse than a terminal without colours.
    colors: process.stdout.isTTY === true && process.stderr.isTTY === true && !process.env.NO_COLOR,
    rewrites: process.stderr.isTTY === true,
  };
  // Help and version are answered before anything else is loaded.
  const help = argv.length === 0 ? null : askedHelp(argv);
  if (help !== null) {
    io.stdout(help);
    return 0;
  }
  const version = await packageVersion();
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    io.stdout(`${version}\n`);
    return 0;
  }
  try {
    const { runCommandLine } = await import('./cli/program.js');
    return await runCommandLine(argv, composeFor(version), io);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    io.stderr(`fault in the program, please report it: ${text}\n`);
    if (argv.includes('--json')) io.stdout(`${JSON.stringify({ schema: 'countersign.bug/1', exit: 1, bug: text })}\n`);
    return 1;
  }
}

/** A reader that has seen enough (| head) closes its pipe. That ends no command, least of all one that is signing. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

function composeFor(version: string): Compose {
  return async ({ workspace }) => {
    const { compose } = await import('./compose.js');
    return compose({ version, workspace: workspace ?? '.' });
  };
}

async function packageVersion(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
