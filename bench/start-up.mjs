/** Start-up: `countersign --help` against an empty Node program, in turn. The median of the ratios is what counts. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const RUNS = 25;
const PROGRAM = fileURLToPath(new URL('../bin/countersign.js', import.meta.url));
const COMMANDS = [
  { name: 'node -e 0', args: ['-e', '0'] },
  { name: 'countersign --help', args: [PROGRAM, '--help'] },
  { name: 'countersign --version', args: [PROGRAM, '--version'] },
  { name: 'countersign help exit-codes', args: [PROGRAM, 'help', 'exit-codes'] },
];

/** Wall time of one process in milliseconds. */
function once(args) {
  const start = process.hrtime.bigint();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

for (const { args } of COMMANDS) once(args);
const rounds = Array.from({ length: RUNS }, () => COMMANDS.map(({ args }) => once(args)));
process.stdout.write(`${RUNS} rounds, wall time of whole processes, median\n`);
for (const [index, { name }] of COMMANDS.entries()) {
  const ms = median(rounds.map((round) => round[index])).toFixed(1);
  const ratio = median(rounds.map((round) => round[index] / round[0])).toFixed(2);
  process.stdout.write(`${name.padEnd(28)} ${ms.padStart(7)} ms  ${ratio} x\n`);
}
