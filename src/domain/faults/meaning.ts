import type { ExitName } from '../exit-codes.js';

/** What a fault tag stands for, and the exit code of a command that ends with it. */
export interface FaultMeaning {
  readonly exit: ExitName;
  readonly meaning: string;
}

export type FaultTable = Readonly<Record<string, FaultMeaning>>;
