/** Advance widths in pixels of Open Sans Regular 11 px, which the apps write texts in, where the models agree. */
const WIDTHS: readonly (readonly [number, string])[] = [
  [2, "'"],
  [3, ' !(),.:;Iil'],
  [4, '"-/[\\]rt{}'],
  [5, '?_cfsz'],
  [6, '$*+012356789<=>EFLSYZ^`aegkvxy|~'],
  [7, '#ABCKPRTVbdhnopqu'],
  [8, '4DGHNU'],
  [9, '%OQw'],
  [10, '@MWm'],
];
const COMMON = WIDTHS.flatMap(([width, characters]) => [...characters].map((c) => [c, width] as const));

/** Where they do not: a Nano S has this font in another cut. */
const NANOS = new Map([...COMMON, ['&', 8], ['J', 4], ['X', 6], ['j', 4]]);
const NANOSP = new Map([...COMMON, ['&', 9], ['J', 3], ['X', 7], ['j', 3]]);

/** Width of a text line in pixels: 128 less the arrows at both sides. */
export const LINE_PIXELS = 114;

/** Width of a character of printable ASCII; the apps draw nothing for another one. */
export type Font = (character: string | undefined) => number;

export const nanosFont: Font = (character) => NANOS.get(character ?? '') ?? 0;
export const nanospFont: Font = (character) => NANOSP.get(character ?? '') ?? 0;

/** Characters at which both models part a text that is longer than a line. */
export const isDelimiter = (character: string | undefined): boolean =>
  character === ' ' || character === '-' || character === '_';
