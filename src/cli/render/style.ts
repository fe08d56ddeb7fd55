import pc from 'picocolors';

/** Colours for people. They never carry a meaning alone: the word beside them says the same. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
}

/** picocolors looks at NO_COLOR, FORCE_COLOR and whether stdout is a terminal; `enabled` adds what the verb knows. */
export function makeStyle(enabled: boolean): Style {
  const colors = pc.createColors(enabled);
  return {
    bold: colors.bold,
    dim: colors.dim,
    good: colors.green,
    bad: (text) => colors.bold(colors.red(text)),
    warn: colors.yellow,
  };
}
