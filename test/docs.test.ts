import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Io, runCommandLine } from '../src/cli/program.js';
import { compose } from '../src/compose.js';
import { parseTime } from '../src/domain/time.js';
import { rehearse } from '../src/rehearse.js';
import type { Composition, Rehearsal } from '../src/workflow/ports.js';

const HAS_SSH_KEYGEN = spawnSync('ssh-keygen', ['-?'], { stdio: 'ignore' }).error === undefined;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = [
  'README.md',
  ...readdirSync(`${ROOT}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const read = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

interface Block {
  readonly at: string;
  readonly exit: number;
  readonly commands: readonly string[];
}

/** The `sh` blocks of a page; each that shows a command of countersign says when it runs. */
function blocks(page: string): Block[] {
  const fenced = /(?:<!-- run at=(\S+)(?: exit=(\d+))? -->\n)?```sh\n([\s\S]*?)```/g;
  return [...page.matchAll(fenced)].flatMap(([, at, exit = '0', body = '']) => {
    const commands = body.split('\n').filter((line) => line.startsWith('countersign '));
    if (commands.length === 0) return [];
    if (at === undefined) throw new Error(`no test runs this block; say when it runs:\n${body}`);
    return [{ at, exit: Number(exit), commands }];
  });
}

/** Splits as a shell does, as far as the pages need it: words, and double quotes around some. */
function words(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '').slice(1);
}

/** What the placeholders of a page stand for in the workspace as it is. */
async function filled(argv: readonly string[], composition: Composition): Promise<string[]> {
  if (!argv.some((word) => ['ID', 'FIRST', 'COIN', 'HEAD'].includes(word))) return [...argv];
  const opened = await composition.openWorkspace();
  if (!opened.ok) throw new Error(opened.error.message);
  const state = await opened.value.journal.read();
  if (!state.ok) throw new Error(state.error.message);
  const batches = [...state.value.batches.values()].sort((a, b) => a.plannedSeq - b.plannedSeq);
  const coins = JSON.parse(read('examples/demo/coins.json')) as { coins: { outpoint: string }[] };
  const { head } = state.value;
  await opened.value.journal.close();
  const meaning: Readonly<Record<string, string>> = {
    ID: batches.at(-1)?.id ?? '',
    FIRST: batches[0]?.id ?? '',
    COIN: coins.coins.at(-1)?.outpoint ?? '',
    HEAD: head === null ? '' : `${head.seq}:${head.hash}`,
  };
  return argv.map((word) => meaning[word] ?? word);
}

describe.each(PAGES.map((name) => ({ name, blocks: blocks(read(name)) })).filter((page) => page.blocks.length > 0))(
  'the commands of $name',
  ({ blocks: sequence }) => {
    let rehearsal: Rehearsal;
    beforeAll(async () => {
      rehearsal = await rehearse('test', compose);
    });
    afterAll(() => rehearsal.dispose());

    // Approvals on these pages are made by ssh-keygen. Without it, what follows the first one has nothing to go by; the
    // demo, which brings signatures along, is tested on such machines too.
    const firstApproval = sequence.findIndex(({ commands }) => commands.some((command) => command.includes(' --key ')));
    for (const [index, { at, exit, commands }] of sequence.entries()) {
      const lacking = !HAS_SSH_KEYGEN && firstApproval >= 0 && index >= firstApproval;
      it.skipIf(lacking).each(commands)(`at ${at} end with ${exit}: %s`, async (command) => {
        const composition = await rehearsal.at(parseTime(at) ?? Number.NaN);
        let output = '';
        const keep = (text: string): void => {
          output += text;
        };
        const io: Io = { stdout: keep, stderr: keep, colors: false, rewrites: false };
        const code = await runCommandLine(await filled(words(command), composition), async () => composition, io);
        expect(`${code}\n${output}`).toMatch(new RegExp(`^${exit}\\n`));
        expect(output).not.toBe('');
      });
    }
  },
);

it('the generated documents are up to date: npm run docs', async () => {
  // The script runs the built program, as `npm run docs` does; `npm test` builds first.
  const script = new URL('../scripts/make-docs.mjs', import.meta.url).href;
  const { generatedFiles } = (await import(script)) as { generatedFiles: () => Promise<Map<string, string>> };
  for (const [path, text] of await generatedFiles()) expect(read(path), path).toBe(text);
});

it('every page that a page links to exists', () => {
  for (const name of PAGES) {
    const folder = name.startsWith('docs/') ? 'docs/' : '';
    for (const [, target = ''] of read(name).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
      const path = `${ROOT}${folder}${target}`;
      expect(() => readdirSync(path.replace(/\/[^/]*$/, '')), `${name} links to ${target}`).not.toThrow();
      const entries = readdirSync(path.replace(/\/[^/]*$/, ''));
      expect(entries, `${name} links to ${target}`).toContain(path.split('/').at(-1));
    }
  }
});

it('the README names every page under docs/, and every folder of the source has its line in the architecture', () => {
  const readme = read('README.md');
  const pages = PAGES.filter((name) => name.startsWith('docs/'));
  expect(pages.filter((name) => !readme.includes(`](${name})`))).toEqual([]);
  const rooms = readdirSync(`${ROOT}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const page = read('docs/architecture.md');
  expect(rooms.map(({ name }) => name).filter((name) => !page.includes(`\`src/${name}/\``))).toEqual([]);
});
