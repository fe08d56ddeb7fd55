/** What ends a command from outside: Ctrl-C, a service manager, a terminal that is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface SignalWatch {
  /**
   * Runs work that wants to end well: the first signal aborts what is handed to it. From then on signals do again what
   * they always do, so that a second one ends the process at once. Outside of such work a signal ends it too.
   */
  within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Whether a signal has come to such work. */
  happened(): boolean;
}

export function watchSignals(): SignalWatch {
  let happened = false;
  return {
    async within(work) {
      const controller = new AbortController();
      const forget = (): void => {
        for (const name of SIGNALS) process.removeListener(name, stop);
      };
      const stop = (): void => {
        forget();
        happened = true;
        controller.abort();
      };
      for (const name of SIGNALS) process.on(name, stop);
      try {
        return await work(controller.signal);
      } finally {
        forget();
      }
    },
    happened: () => happened,
  };
}

/**
 * Ends the process when all that was said is out. A device that still owes an answer would keep it alive until somebody
 * presses a button.
 */
export async function endProcess(code: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => {
      if (stream.writable) stream.write('', () => resolve());
      else resolve();
    });
  }
  process.exit(code);
}
