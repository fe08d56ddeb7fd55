import { FAULTS, type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { formatTime } from '../domain/time.js';
import { namedBreak, tamperingFault } from '../journal/tampering.js';
import { type JournalReport, parseAnchor, verifyJournal } from '../workflow/audit.js';
import { checkHeld, type Held, readHeld, remainsOf, rowsOf } from '../workflow/audit-checkpoints.js';
import { readVerifierKeys } from '../workflow/checkpoint-files.js';
import type { Desk } from '../workflow/ports.js';
import { haltOnTampering } from '../workflow/tamper-halt.js';
import type { Failure, VerbContext, Words } from './command.js';
import { haltText } from './render/automatic-halt.js';

/** A shorter journal is done before anybody wonders. */
const LONG = 2000;
const STEP = 250;

export interface VerifiedJournal {
  readonly report: JournalReport;
  /** The head that was noted elsewhere, as it was given. */
  readonly noted: string | null;
  readonly held: Held;
}

/** `audit verify` of a workspace: the journal by itself, and against what was noted, signed and exported elsewhere. */
export async function verifyWorkspace(
  words: Words,
  context: VerbContext,
): Promise<Result<VerifiedJournal, Fault | Failure>> {
  const { compose } = context;
  const noted = words.text('head') ?? null;
  const anchor = noted === null ? ok(null) : parseAnchor(noted);
  if (!anchor.ok) return anchor;
  const lonely = words.text('tiles') !== undefined && words.list('checkpoint').length === 0;
  if (lonely || words.text('old') !== undefined) {
    return fail(
      'E_USAGE',
      lonely ? '--tiles says nothing without the checkpoint that it leads to' : '--old goes with --proof',
      {
        remedy: lonely
          ? 'give --checkpoint FILE as well'
          : 'give --proof FILE as well, or hold the journal against it: --checkpoint FILE',
      },
    );
  }
  if (words.list('trust').length > 0 && words.list('checkpoint').length === 0) {
    return fail('E_USAGE', '--trust says nothing without a checkpoint: no signature of these keys would be looked at', {
      remedy:
        'give --checkpoint FILE as well, or --bundle or --proof; without --trust the journal is verified by itself',
    });
  }
  const trusted = await readVerifierKeys(compose.files, words.list('trust'));
  if (!trusted.ok) return trusted;
  const held = await readHeld(compose.files, words.list('checkpoint'), trusted.value, words.text('tiles') ?? null);
  if (!held.ok) return held;
  const opened = await compose.openForAudit();
  if (!opened.ok) return err(await cannotOpen(context, held.value, opened.error));
  const { clock, random, documents, files } = compose;
  const desk: Desk = { ...opened.value, ports: { clock, random, documents, files } };
  try {
    const size = await desk.journal.size();
    const total = size.ok ? size.value : 0;
    const verified = await verifyJournal(desk, anchor.value === null ? [] : [anchor.value], (done) => {
      if (total >= LONG && done % STEP === 0) context.progress(`verifying entry ${done} of ${total}`);
    });
    // What stands in the way of every other command is told as they tell it.
    const known = verified.ok ? ok(undefined) : await desk.journal.read();
    if (!known.ok) return err(await cannotOpen(context, held.value, known.error));
    const against = await checkRows(desk, held.value);
    if (verified.ok && against.ok) return ok({ report: verified.value, noted, held: held.value });
    const own = verified.ok ? [] : verified.error;
    const faults = against.ok ? own : [against.error, ...own];
    // A head is typed by hand, and anybody can write a checkpoint that nobody has signed: neither stops an exchange.
    const isProven = noted === null && (against.ok || held.value.signed.length > 0);
    return err(await told(desk, faults, isProven && isTampering(faults) && !words.flag('read-only')));
  } finally {
    await desk.journal.close();
  }
}

const isTampering = ([first]: readonly Fault[]): boolean =>
  first !== undefined && FAULTS[first.tag].exit === 'INTEGRITY' && first.tag !== 'E_CHECKPOINT_ORIGIN';

async function checkRows({ journal }: Desk, held: Held): Promise<Result<void, Fault>> {
  if (held.checkpoints.length === 0) return ok(undefined);
  const raw = await rowsOf(journal);
  return raw.ok ? checkHeld(remainsOf(raw.value), held) : raw;
}

/** A journal that does not open is looked at as it stands: what was done to it has a name and a place. */
async function cannotOpen({ compose }: VerbContext, held: Held, why: Fault): Promise<Failure> {
  const alone: Failure = { faults: [why], data: {}, text: [] };
  if (FAULTS[why.tag].exit !== 'INTEGRITY') return alone;
  const raw = await compose.inspectJournal();
  if (!raw.ok) return alone;
  const remains = remainsOf(raw.value);
  if (held.checkpoints.length > 0) {
    const against = checkHeld(remains, held);
    if (!against.ok) return { ...alone, faults: [against.error, why], text: [NOT_HALTED] };
  }
  const found = namedBreak(remains.rows);
  if (found === null) return alone;
  return { ...alone, faults: [why, tamperingFault(found)], text: [NOT_HALTED] };
}

const NOT_HALTED = '  No command goes on with this journal, and no halt can be written to it: everything stands still.';

/** Findings, with what became of the halt upon them. */
async function told(desk: Desk, faults: readonly Fault[], halts: boolean): Promise<Failure> {
  if (!halts) return { faults, data: {}, text: [] };
  const halt = await haltOnTampering(desk, faults);
  if (!halt.ok) return { faults, data: {}, text: [`  no halt was written: ${halt.error.message}`] };
  return { faults, data: { halt: halt.value }, text: [`  ${haltText(halt.value)}`] };
}

/** What was held against the journal, for the report. */
export function heldData({ checkpoints, signed, copy }: Held): readonly Record<string, unknown>[] {
  return checkpoints.map(({ file, checkpoint }, at) => ({
    file,
    size: checkpoint.size,
    signed_by: (signed[at] ?? []).map(({ key, at: when }) => ({
      name: key.name,
      ...(when === null ? {} : { at: formatTime(when) }),
    })),
    compared_entry_by_entry: copy !== null && at === checkpoints.length - 1,
  }));
}
