import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { formatBtc } from '../../domain/sats.js';
import { formatTime, type UnixSeconds } from '../../domain/time.js';
import type { BatchLine } from '../../journal/batch-line.js';
import type { BatchRecord, BatchState } from '../../journal/state.js';
import { BATCH_STATES } from '../../journal/transitions.js';
import { type Asked, type BatchList, listBatches, NEWEST, overviewOf } from '../../workflow/list-batches.js';
import type { Verb, Words } from '../command.js';
import type { Style } from '../render/style.js';
import { table } from '../render/table.js';
import { plural, printable } from '../render/text.js';
import { tellVerified, timeOption, wholeNumber } from '../with-workspace.js';

/** A batch that was sent and has no answer in the journal: another terminal is signing it, or was killed. */
export const UNANSWERED = 'no answer is recorded, so it counts as UNKNOWN';

/** The batches that a batch is tied to, as far as there are any. */
export function tiesData({
  replaces,
  replacedBy,
  childOf,
}: Pick<BatchRecord, 'replaces' | 'replacedBy' | 'childOf'>): Record<string, string> {
  return {
    ...(replaces === null ? {} : { replaces }),
    ...(replacedBy === null ? {} : { replaced_by: replacedBy }),
    ...(childOf === null ? {} : { child_of: childOf }),
  };
}

export const run: Verb = async (words, context) => {
  const { compose, style } = context;
  const asked = askedFor(words);
  if (!asked.ok) return asked;
  const read = await compose.readLines((batches) => listBatches(batches, asked.value), tellVerified(context));
  if (!read.ok) return read;
  const { lines, total } = read.value;
  return ok({
    schema: 'countersign.batch-list/1',
    exit: 'OK',
    data: { total, batches: lines.map(lineData) },
    // Beside JSON people are shown what they see without it.
    text: shown(
      asked.value === 'all' && !words.flag('all') ? overviewOf(read.value) : read.value,
      compose.clock(),
      style,
    ),
  });
};

/** A reader of JSON gets all of them, unless it says which. */
function askedFor(words: Words): Result<Asked, Fault> {
  const from = timeOption(words, 'from');
  if (!from.ok) return from;
  const states = statesOption(words);
  if (!states.ok) return states;
  const text = words.text('last');
  const last = text === undefined ? ok(null) : wholeNumber(text, 1_000_000, 'a number of batches');
  if (!last.ok) return last;
  const chooses = from.value !== null || states.value !== null || last.value !== null;
  if (chooses && words.flag('all')) {
    return fail('E_USAGE', '--all lists every batch, and --state, --from and --last choose some', {
      remedy: 'leave one of the two out',
    });
  }
  if (chooses) return ok({ states: states.value, from: from.value, before: null, last: last.value });
  return ok(words.flag('all') || words.flag('json') ? 'all' : 'overview');
}

function statesOption(words: Words): Result<readonly BatchState[] | null, Fault> {
  const given = words.list('state');
  const unknown = given.find((name) => !BATCH_STATES.some((state) => state === name.toUpperCase()));
  if (unknown !== undefined) {
    return fail('E_USAGE', `--state ${JSON.stringify(unknown.slice(0, 40))} is no state of a batch`, {
      remedy: `the states are ${BATCH_STATES.join(', ')}`,
    });
  }
  const wanted = new Set(given.map((name) => name.toUpperCase()));
  return ok(given.length === 0 ? null : BATCH_STATES.filter((state) => wanted.has(state)));
}

const COLUMNS = [
  { title: 'batch' },
  { title: 'state' },
  { title: 'planned' },
  { title: 'by' },
  { title: 'requests', align: 'right' as const },
  { title: 'sat', align: 'right' as const },
  { title: 'BTC', align: 'right' as const },
  { title: 'replaces' },
  { title: 'txid, reason or approvals' },
];

function shown({ lines, total, leftOut }: BatchList, now: UnixSeconds, style: Style): string[] {
  if (total === 0) return ['No batches yet: plan one with countersign batch plan withdrawals.csv --as NAME'];
  if (lines.length === 0) return [`None of the ${plural(total, 'batch', 'batches')} is one of these.`];
  // What stands in a row was checked by nobody: it came from the journal without its chain.
  const rows = lines.map((line) => [
    printable(line.id),
    line.state,
    formatTime(line.plannedAt),
    printable(line.initiator),
    line.kind === 'withdrawal' ? `${line.requests}` : line.kind,
    `${line.spend}`,
    formatBtc(line.spend),
    printable(line.replaces ?? ''),
    printable(line.txid ?? stateNote(line, now)),
  ]);
  const older = plural(leftOut, 'older batch', 'older batches');
  return [
    ...table(COLUMNS, rows, style),
    ...(leftOut > 0
      ? [
          `Not shown: ${older} that ${leftOut === 1 ? 'has' : 'have'} ended, before the newest ${NEWEST}; --all shows every batch, --state, --from and --last choose.`,
        ]
      : []),
    ...(rows.some((row) => row.at(-1)?.startsWith(APPROVED)) ? [COUNTED_ELSEWHERE] : []),
  ];
}

const APPROVED = 'approvals of';
/** A list comes without the policy, whose tier says whose approval is one. */
const COUNTED_ELSEWHERE = 'Approvals as they were given: countersign batch show ID says which of them count.';

function stateNote({ state, reason, approvals, objection, childOf }: BatchLine, now: UnixSeconds): string {
  if (state === 'SENT') return UNANSWERED;
  if (objection !== null && state !== 'ABANDONED') {
    const { kind, person } = objection;
    return kind === 'rejected' ? `rejected by ${person}` : `approval withdrawn by ${person}`;
  }
  if (reason !== null) return reason;
  if (childOf !== null) return `child of ${childOf}`;
  const people = approvals.filter(({ validUntil }) => validUntil > now).map(({ person }) => person);
  return people.length > 0 ? `${APPROVED} ${people.join(', ')}` : '';
}

function lineData(line: BatchLine): Record<string, unknown> {
  return {
    id: line.id,
    kind: line.kind,
    state: line.state,
    planned_at: formatTime(line.plannedAt),
    initiator: line.initiator,
    requests: line.requests,
    spend: line.spend,
    fee: line.fee,
    ...tiesData(line),
    ...(line.txid === null ? {} : { txid: line.txid }),
    ...(line.reason === null ? {} : { reason: line.reason }),
  };
}
