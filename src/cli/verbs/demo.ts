import { exitCode } from '../../domain/exit-codes.js';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { parseTime } from '../../domain/time.js';
import { EVERY_LINE } from '../../journal/batch-lines.js';
import type { Composition, Rehearsal } from '../../workflow/ports.js';
import type { Verb, VerbContext } from '../command.js';
import { DEMO_STEPS, type DemoStep, NEWEST, RECORDINGS, TAMPERED } from '../demo/steps.js';
import { tamperRecording } from '../demo/tamper.js';

/** Runs the command lines of DEMO_STEPS as an officer would type them; what is printed is what they print. */
export const run: Verb = async (_words, context) => {
  const rehearsal = await context.compose.rehearse();
  try {
    return await perform(rehearsal, context);
  } finally {
    await rehearsal.dispose();
  }
};

async function perform(rehearsal: Rehearsal, context: VerbContext): ReturnType<Verb> {
  const { say, style } = context;
  const done: { command: string; exit: number }[] = [];
  if (!rehearsal.hasSshKeygen)
    say('There is no ssh-keygen here: approvals come from signatures that it made before.\n');
  for (const step of DEMO_STEPS) {
    const compose = await rehearsal.at(secondsOf(step));
    const argv = await wordsOf(step, compose, rehearsal);
    if (!argv.ok) return argv;
    if (step.say !== '') say(`\n${style.bold(step.say)}\n`);
    const command = `countersign ${argv.value.join(' ')}`;
    say(`\n${style.dim(`${step.at} $`)} ${command}\n`);
    if (step.before === 'tamper') {
      const tampered = await tamper(compose);
      if (!tampered.ok) return tampered;
    }
    const exit = await context.runWithin(argv.value, compose);
    done.push({ command, exit });
    say(style.dim(`exit ${exit}\n`));
    const expected = exitCode(step.expect);
    if (exit !== expected) {
      return fail('E_DEMO', `"${command}" ended with exit code ${exit}, and ${expected} was expected`, {
        remedy: 'the demo shows what the program does: one of the two has changed',
      });
    }
  }
  return ok({ schema: 'countersign.demo/1', exit: 'OK', data: { steps: done }, text: ['', summary(done.length)] });
}

function summary(steps: number): string {
  return `${steps} commands, each ended as it should. Everything above was printed by the commands themselves.`;
}

function secondsOf({ at }: DemoStep): number {
  const seconds = parseTime(at);
  if (seconds === null) throw new Error(`${at} is not a time`);
  return seconds;
}

/** The command line with the newest batch in place, and with bundled signatures where nothing can sign. */
async function wordsOf(
  step: DemoStep,
  compose: Composition,
  rehearsal: Rehearsal,
): Promise<Result<readonly string[], Fault>> {
  if (!step.argv.includes(NEWEST)) return ok(step.argv);
  const newest = await newestBatch(compose);
  if (!newest.ok) return newest;
  const argv = step.argv.map((word) => (word === NEWEST ? newest.value : word));
  const key = argv.indexOf('--key');
  if (key === -1 || rehearsal.hasSshKeygen) return ok(argv);
  const person = argv[key + 1]?.replace('keys/', '') ?? '';
  const stem = `approvals/${newest.value}.${person}`;
  return ok([...argv.slice(0, key), '--signature', `${stem}.sig`, '--over', `${stem}.json`]);
}

async function newestBatch(compose: Composition): Promise<Result<string, Fault>> {
  const newest = await compose.readLines((batches) => batches.select({ ...EVERY_LINE, last: 1 }));
  return newest.ok ? ok(newest.value[0]?.id ?? '') : newest;
}

async function tamper({ files }: Composition): Promise<Result<void, Fault>> {
  const recording = await files.read(RECORDINGS[1]);
  if (!recording.ok) return recording;
  const text = tamperRecording(Buffer.from(recording.value).toString('utf8'), RECORDINGS[1]);
  return text.ok ? files.writeNew(TAMPERED, Buffer.from(text.value)) : text;
}
