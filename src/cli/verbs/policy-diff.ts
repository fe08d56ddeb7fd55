import { type Fault, fault, formatPosition } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { type Change, type ChangeKind, classify, overallKind } from '../../policy/classify.js';
import { durationText } from '../../policy/describe.js';
import type { LoadedPolicy } from '../../policy/types.js';
import type { Composition } from '../../workflow/ports.js';
import type { Report, Verb } from '../command.js';
import { type Style, sentenceWidth } from '../render/style.js';
import { plural, printable, wrap } from '../render/text.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace: an auditor has only the files. */
export const run: Verb = async (words, { compose, style }) => {
  const names = [argument(words, 0), argument(words, 1)] as const;
  if (names[0] === '-' && names[1] === '-') {
    return err(fault('E_USAGE', 'both policies are "-"', { remedy: 'only one of them can come on standard input' }));
  }
  const before = await read(names[0], compose);
  const after = await read(names[1], compose);
  if (!before.ok || !after.ok) return err([...(before.ok ? [] : before.error), ...(after.ok ? [] : after.error)]);
  return ok(report(before.value, after.value, words.flag('classify'), style));
};

async function read(file: string, { files, documents }: Composition): Promise<Result<LoadedPolicy, readonly Fault[]>> {
  const bytes = await files.read(file);
  return bytes.ok ? documents.policy(bytes.value, file) : err([bytes.error]);
}

function report(before: LoadedPolicy, after: LoadedPolicy, classified: boolean, style: Style): Report {
  const changes = classify(before, after);
  const overall = overallKind(changes);
  return {
    schema: 'countersign.policy-diff/1',
    exit: 'OK',
    data: {
      before: naming(before),
      after: naming(after),
      ...(classified ? { overall, loosening_notice_seconds: before.document.changeControl.looseningNotice } : {}),
      changes: changes.map(({ kind, why, ...change }) => (classified ? { ...change, kind, why } : change)),
    },
    text: [
      `${style.dim('old')}  ${heading(before)}`,
      `${style.dim('new')}  ${heading(after)}`,
      '',
      ...changes.flatMap((change) => [...changeLines(change, classified, style), '']),
      ...(changes.length === 0 ? ['No field means anything else.'] : []),
      ...(classified && changes.length > 0 ? [verdictLine(changes, overall, before, style)] : []),
    ],
  };
}

const naming = ({ file, document, digest }: LoadedPolicy) => ({ file, version: document.version, digest });

const heading = ({ file, document, digest }: LoadedPolicy): string =>
  `${printable(file)}, version ${document.version}, ${digest}`;

const WIDTH = 92;

function changeLines({ field, before, after, kind, why, where }: Change, classified: boolean, style: Style): string[] {
  const word = classified ? `${coloured(kind, style)(kind.padEnd('tightening'.length))}  ` : '';
  const rows = [['old', before], ['new', after], ...(classified ? [['why', why]] : [])];
  return [
    `${word}${style.bold(printable(field))}  ${style.dim(printable(formatPosition(where)))}`,
    ...rows.flatMap(([name = '', text = '']) => {
      const [first = '', ...rest] = wrap(printable(text), sentenceWidth(style, WIDTH, 7));
      return [`  ${style.dim(name)}  ${first}`, ...rest.map((line) => `       ${line}`)];
    }),
  ];
}

function coloured(kind: ChangeKind, style: Style): (text: string) => string {
  switch (kind) {
    case 'tightening':
      return style.good;
    case 'loosening':
      return style.warn;
    case 'neutral':
      return style.dim;
  }
}

function verdictLine(changes: readonly Change[], overall: ChangeKind, before: LoadedPolicy, style: Style): string {
  const word = coloured(overall, style)(overall.toUpperCase());
  const number = changes.filter(({ kind }) => kind === overall).length;
  const some = `${number} of ${plural(changes.length, 'change')}`;
  switch (overall) {
    case 'loosening': {
      const { version, changeControl } = before.document;
      const notice = `the notice of version ${version} is ${durationText(changeControl.looseningNotice)}`;
      return `${word}  ${some} ${number === 1 ? 'is' : 'are'} not provably tighter; ${notice}`;
    }
    case 'tightening':
      return `${word}  ${some} ${number === 1 ? 'tightens' : 'tighten'} and none loosens; it needs no notice`;
    case 'neutral':
      return `${word}  nothing that changes what may leave; it needs no notice`;
  }
}
