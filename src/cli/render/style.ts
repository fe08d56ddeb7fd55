import pc from 'picocolors';

/** Colours for people. They never carry a meaning alone: the word beside them says the same. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  /** Columns that a line may have, or null where nobody sits at a terminal. */
  readonly width: number | null;
}

const MIN_WIDTH = 40;

/** picocolors looks at NO_COLOR, FORCE_COLOR and whether stdout is a terminal; `enabled` adds what the verb knows. */
export function makeStyle(enabled: boolean, width?: number): Style {
  const colors = pc.createColors(enabled);
  return {
    bold: colors.bold,
    dim: colors.dim,
    good: colors.green,
    bad: (text) => colors.bold(colors.red(text)),
    warn: colors.yellow,
    // Narrower than this nothing can be laid out; a terminal that says 0 does not know its width.
    width: width === undefined || width < MIN_WIDTH ? null : width,
  };
}

/** The width of a sentence that stands `indent` columns from the left: the usual one, or less on a narrow terminal. */
export function sentenceWidth(style: Style, usual: number, indent: number): number {
  return style.width === null ? usual : Math.min(usual, style.width - indent);
}
