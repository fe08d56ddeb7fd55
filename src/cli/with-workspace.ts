import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { parseTime, type UnixSeconds } from '../domain/time.js';
import type { Composition, Desk } from '../workflow/ports.js';
import type { VerbContext, VerbResult, Words } from './command.js';

/** Opens the workspace, runs the work, and closes the journal whatever happened. */
export async function withWorkspace(
  context: VerbContext,
  work: (desk: Desk) => Promise<VerbResult>,
): Promise<VerbResult> {
  const done = await inWorkspace(context, work);
  return done.ok ? done.value : done;
}

/** The same for a part of a verb: gives back whatever the work gives. */
export async function inWorkspace<T>(
  context: Pick<VerbContext, 'compose' | 'attended' | 'progress'>,
  work: (desk: Desk) => Promise<T>,
): Promise<Result<T, Fault>> {
  const { compose } = context;
  const opened = await openAttended(context);
  if (!opened.ok) return opened;
  const { clock, random, documents, files } = compose;
  try {
    return ok(await work({ ...opened.value, ports: { clock, random, documents, files } }));
  } finally {
    await opened.value.journal.close();
  }
}

/** A shorter journal is verified before anybody wonders. */
const LONG = 20_000;

/** What shows whoever sits there how far the verifying of a long journal is; undefined where nobody does. */
export function tellVerified({
  attended,
  progress,
}: Pick<VerbContext, 'attended' | 'progress'>): ((done: number, of: number) => void) | undefined {
  const told = (done: number, of: number): void => {
    if (of >= LONG) progress(`verifying the journal: entry ${done} of ${of}`);
  };
  return attended ? told : undefined;
}

/** Opens the workspace, with tellVerified. */
export function openAttended(
  context: Pick<VerbContext, 'compose' | 'attended' | 'progress'>,
): ReturnType<Composition['openWorkspace']> {
  return context.compose.openWorkspace(tellVerified(context));
}

/** Who acts: --as, or the officer of countersign.yaml. */
export function actor(words: Words, desk: Desk): Result<string, Fault> {
  const name = words.text('as') ?? desk.config.officer;
  if (name === null || name === undefined) {
    return fail('E_USAGE', 'it is not said who does this', {
      remedy: 'give --as NAME, or write officer: NAME into countersign.yaml',
    });
  }
  if (!/^[a-z0-9][a-z0-9._-]{0,31}$/.test(name)) {
    return fail('E_USAGE', `${JSON.stringify(name)} is not a name of a person`, {
      remedy: 'use the name that the roles of the policy have: lower-case letters, digits, . _ -',
    });
  }
  return ok(name);
}

/** A mandatory option. */
export function required(words: Words, option: string, example: string): Result<string, Fault> {
  const value = words.text(option);
  if (value !== undefined && value.trim() !== '') return ok(value);
  return fail('E_USAGE', `--${option} is missing`, { remedy: `for example --${option} ${example}` });
}

/** A positional argument: commander has seen to it that it is there. */
export function argument(words: Words, index: number): string {
  const value = words.args[index];
  if (value === undefined) throw new Error(`argument ${index} was not declared as mandatory`);
  return value;
}

/** A time as an option gives it; null where it is not given. */
export function timeOption(words: Words, option: string): Result<UnixSeconds | null, Fault> {
  const text = words.text(option);
  if (text === undefined) return ok(null);
  const time = parseTime(text);
  if (time !== null) return ok(time);
  return fail('E_USAGE', `--${option} ${JSON.stringify(text.slice(0, 40))} is not a time`, {
    remedy: /^\d{4}-\d{2}-\d{2}$/.test(text)
      ? `a day has no one moment: write when in it, in UTC, such as ${text}T00:00:00Z for its beginning`
      : 'write it in UTC as 2026-06-01T06:00:00Z',
  });
}

/** --from and --to, each null where it is not given. E_USAGE where the period ends before it begins, or at once. */
export function periodOptions(
  words: Words,
): Result<{ readonly from: UnixSeconds | null; readonly to: UnixSeconds | null }, Fault> {
  const [from, to] = [timeOption(words, 'from'), timeOption(words, 'to')];
  if (!from.ok) return from;
  if (!to.ok) return to;
  if (from.value !== null && to.value !== null && from.value >= to.value) return noPeriod();
  return ok({ from: from.value, to: to.value });
}

export function noPeriod(): Result<never, Fault> {
  return fail('E_USAGE', 'a period has a beginning and a later end', {
    remedy: 'for example --from 2026-06-01T00:00:00Z --to 2026-07-01T00:00:00Z',
  });
}

export function wholeNumber(text: string, most: number, what: string): Result<number, Fault> {
  const value = /^(0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : Number.NaN;
  if (value <= most) return ok(value);
  return fail('E_USAGE', `${JSON.stringify(text.slice(0, 40))} is not ${what}`, {
    remedy: `give a whole number from 0 to ${most}`,
  });
}
