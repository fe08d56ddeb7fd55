/**
 * Writes what the documents take from the program: docs/reference.md from its tables, the schemas in policies/schema/ from
 * the readers of documents, and from a run of the demo the output in README.md and the picture docs/demo.svg.
 *
 *   npm run docs
 *
 * A test runs the same code and compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '../dist/cli/program.js';
import { COMMANDS } from '../dist/cli/tree.js';
import { compose } from '../dist/compose.js';
import { EXIT_CODES, exitCode } from '../dist/domain/exit-codes.js';
import { FAULTS } from '../dist/domain/fault.js';
import { readersAlone } from '../dist/domain/json-schema.js';
import { codesMarkdown } from '../dist/policy/codes.js';
import { PUBLICATIONS, publishedFiles, SCHEMA_FOLDER } from '../dist/policy/published.js';
import { mutationPage } from '../test/mutation/report.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(`${root}${path}`, 'utf8');

/** Every generated file with its text, by path. */
export async function generatedFiles() {
  const demo = await demoOutput();
  return new Map([
    ...publishedFiles().map(([name, text]) => [`policies/${SCHEMA_FOLDER}/${name}`, text]),
    ['docs/reference.md', reference()],
    ['docs/mutation.md', mutationPage()],
    ['docs/demo.svg', picture(excerpt(demo, 'batch plan theft.csv', 'Verdict', 'rule destinations.young'))],
    ['README.md', withExcerpts(read('README.md'), demo)],
  ]);
}

function reference() {
  const exits = EXIT_CODES.map(({ code, name, meaning }) => `| ${code} | ${name} | ${meaning} |`);
  const verbs = COMMANDS.map(({ path, about, example }) => `| \`${path.join(' ')}\` | ${about} | \`${example}\` |`);
  const faults = Object.entries(FAULTS).map(
    ([tag, { exit, meaning }]) => `| \`${tag}\` | ${exitCode(exit)} | ${meaning} |`,
  );
  return [
    '# Reference',
    '',
    'Written from the program by `npm run docs`; a test holds them equal.',
    '',
    '## Verbs',
    '',
    '| verb | what it does | example |',
    '|---|---|---|',
    ...verbs,
    '',
    '## Exit codes',
    '',
    '| code | name | meaning |',
    '|---|---|---|',
    ...exits,
    '',
    '## JSON',
    '',
    'With `--json` every verb prints one object on stdout, and text for people goes to stderr. It has `schema`',
    '(`countersign.VERB/1`; the number changes when the meaning of a field does), `exit`, and either the fields of the verb or',
    '`faults`: a list of objects with `tag`, `message`, `exit`, and where they are known `remedy` and `where` (`file`, `line`,',
    '`column`). Amounts are decimal strings of sats.',
    '',
    '## Errors',
    '',
    '| tag | exit | meaning |',
    '|---|---|---|',
    ...faults,
    '',
    '## Reasons of a verdict',
    '',
    ...codesMarkdown(),
    '',
    '## What is checked beyond the schemas',
    '',
    'A document that its JSON Schema ([editors.md](editors.md)) takes is refused where one of these does not hold, or where the file',
    'is not written in strict YAML or JSON. A property test looks for anything else between the two.',
    '',
    ...Object.values(PUBLICATIONS).flatMap(beyondSchema),
  ].join('\n');
}

function beyondSchema(publication) {
  // What holds of a case alone holds of each of several: it is told once.
  const once = [...readersAlone(publication)].filter(([path]) => !/^(?:cases\[\]|defaults)\./.test(path));
  const rows = once.map(([path, checks]) => `| \`${path}\` | ${[...new Set(checks)].join('; and ')} |`);
  return [`| ${publication.title} | countersign also checks |`, '|---|---|', ...rows, ''];
}

/** What the demo prints, without colours. */
async function demoOutput() {
  const { version } = JSON.parse(read('package.json'));
  let text = '';
  const io = {
    stdout: (part) => {
      text += part;
    },
    stderr: (part) => {
      text += part;
    },
    colors: false,
    rewrites: false,
  };
  const code = await runCommandLine(['demo'], async () => compose({ version, workspace: '.' }), io);
  if (code !== 0) throw new Error(`the demo ended with ${code}:\n${text}`);
  return text;
}

/** The lines that a step printed, from one line to another; a step is found by the words of its command line. */
function excerpt(demo, words, from, to) {
  const wanted = words.split(' ').filter((word) => word !== '');
  const [commandWords, exit] = wanted.at(-2) === 'exit' ? [wanted.slice(0, -2), wanted.at(-1)] : [wanted, null];
  const steps = demo.split(/\n(?=\d{4}-\d{2}-\d{2}T[\d:]+Z \$ )/).slice(1);
  const step = steps.find((text) => {
    const [command = ''] = text.split('\n');
    return commandWords.every((word) => command.includes(word)) && (exit === null || text.includes(`\nexit ${exit}`));
  });
  if (step === undefined) throw new Error(`the demo has no step "${words}"`);
  const lines = step.split('\n');
  const command = lines[0].replace(/^\S+ /, '');
  const end = lines.findIndex((line) => line.startsWith('exit '));
  const first = from === undefined ? 1 : lines.findIndex((line) => line.includes(from));
  const last = to === undefined ? end : lines.findIndex((line, index) => index >= first && line.includes(to));
  if (first < 1 || last < first) throw new Error(`"${words}" printed no "${from}" to "${to}"`);
  return [command, ...lines.slice(first, last + 1)];
}

const MARKER = /<!-- demo: ([^|>]*?)(?: \| from "([^"]*)")?(?: to "([^"]*)")? -->\n[\s\S]*?<!-- \/demo -->/g;

function withExcerpts(page, demo) {
  return page.replace(MARKER, (whole, words, from, to) => {
    const [head] = whole.split('\n');
    return [head, '```', ...excerpt(demo, words, from, to), '```', '<!-- /demo -->'].join('\n');
  });
}

const COLOURS = [
  { pattern: /^\$ .*$/, colour: '#9ecbff' },
  { pattern: /DENY|deny/, colour: '#ff7b72' },
  { pattern: /frees at|wait until/, colour: '#e3b341' },
];

/** The lines as a terminal shows them, as a picture that scales. */
function picture(lines) {
  const text = lines.map((line) => line.trimEnd());
  const width = Math.max(...text.map((line) => line.length)) * 7.3 + 40;
  const height = text.length * 18 + 40;
  const rows = text.map((line, index) => {
    const colour = COLOURS.find(({ pattern }) => pattern.test(line))?.colour ?? '#c9d1d9';
    return `<text x="20" y="${index * 18 + 32}" fill="${colour}" xml:space="preserve">${escapeXml(line)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.ceil(width)} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="12">`,
    '<title>countersign refuses the transaction of 7 May 2019, scaled 1:100</title>',
    '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>',
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await generatedFiles()) writeFileSync(`${root}${path}`, text);
}
