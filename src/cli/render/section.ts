import { type Style, sentenceWidth } from './style.js';
import { type Column, fields } from './table.js';
import { wrap } from './text.js';

/** A part of a report under a heading; every line stands for itself. */
export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

/** What stands below a title is indented by this. */
const INDENT = 2;
/** Columns that a sentence below a table may have. */
const SENTENCE = 96;

/** What a table cannot say by itself. */
export const note = (text: string, style: Style): string[] => wrap(text, sentenceWidth(style, SENTENCE, INDENT));

/** `fields` that stand in a section. */
export const sectionFields = (pairs: Parameters<typeof fields>[0], style: Style): string[] =>
  fields(pairs, { ...style, width: style.width === null ? null : style.width - INDENT });

export const right = (title: string): Column => ({ title, align: 'right' });

/** What is read on a terminal: titles, and what belongs to them indented. */
export function sectionLines(sections: readonly Section[], style: Style): string[] {
  return sections.flatMap(({ title, lines }, index) => [
    ...(index === 0 ? [] : ['']),
    style.bold(title),
    ...lines.map((line) => (line === '' ? '' : `${' '.repeat(INDENT)}${line}`)),
  ]);
}

/** The same as a file. Names from outside stand in fenced blocks, where Markdown means nothing. */
export function sectionsMarkdown(sections: readonly Section[]): string {
  return sections
    .map(({ title, lines }, index) => {
      const fence = '`'.repeat(Math.max(3, 1 + longestRun(lines)));
      return `${index === 0 ? '#' : '##'} ${title}\n\n${fence}text\n${lines.join('\n')}\n${fence}\n`;
    })
    .join('\n');
}

function longestRun(lines: readonly string[]): number {
  const runs = lines.flatMap((line) => line.match(/`+/g) ?? []);
  return Math.max(0, ...runs.map(({ length }) => length));
}
