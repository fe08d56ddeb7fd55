import { formatTime, type UnixSeconds } from '../../../domain/time.js';
import { CLOCKS_APART } from '../../screening/hits.js';
import type { PolicyDocument, ScreeningState } from '../../types.js';
import { listed, plural, type Rule, type Said } from '../rule.js';

type NamedList = PolicyDocument['screening']['lists'][number];

/**
 * A list that is there has to be worth something under the policy that judges now, not only under the one that it was
 * taken in by: a tighter one counts at once. What it took the place of is compared by its entries, so that as many new
 * ones do not make up for those that are gone.
 */
export const screeningSound: Rule = {
  tag: 'screening-sound',
  codes: ['DATA_INVALID'],
  check: (context) => {
    const { document, state, time } = context;
    const { lists } = document.screening;
    const faults = lists.flatMap((named, index): Said[] => {
      const list = state.screening.get(named.id);
      if (list === undefined) return [];
      const field = `screening.lists[${index}]`;
      return [
        ...empty(named, list, field),
        ...fromFuture(named, list, field, time),
        ...pinned(named, list, field, document),
        ...shrunk(named, list, field),
      ];
    });
    const text =
      'No screening list that is there is empty, from the future, pinned by somebody else, or lacks too much.';
    return listed(context, 'DATA_INVALID', text, faults);
  },
};

function empty({ id }: NamedList, { scripts }: ScreeningState, field: string): Said[] {
  if (scripts.size > 0) return [];
  return [{ field, subject: id, text: `The screening list ${id} is empty, which is not to be clean.`, remedy: TAKE }];
}

/** Its age would be none for as long as it likes. */
function fromFuture({ id }: NamedList, { issuedAt }: ScreeningState, field: string, time: UnixSeconds): Said[] {
  if (issuedAt <= time + CLOCKS_APART) return [];
  const text = `The screening list ${id} says that it was issued at ${formatTime(issuedAt)}, which is to come.`;
  return [
    {
      field: `${field}.max_age`,
      subject: id,
      text,
      remedy: 'set the clock right; if it is right, ask who dated the list',
    },
  ];
}

function pinned({ id, pinnedBy }: NamedList, list: ScreeningState, field: string, { roles }: PolicyDocument): Said[] {
  if (roles.get(pinnedBy)?.has(list.pinnedBy) === true) return [];
  const text = `The screening list ${id} was pinned by ${list.pinnedBy}, who is not in the role ${pinnedBy}.`;
  const remedy = `have somebody of the role ${pinnedBy} sign a newer list, and take it in`;
  return [{ field: `${field}.sha256_pinned_by`, subject: id, text, remedy }];
}

/** Inclusive, as every limit: removed entries times 10,000 against the entries before times the basis points. */
export function shrinksTooMuch(removed: number, before: number, maxShrinkBp: number): boolean {
  return BigInt(removed) * 10_000n > BigInt(before) * BigInt(maxShrinkBp);
}

function shrunk({ id, maxShrinkBp }: NamedList, { before }: ScreeningState, field: string): Said[] {
  if (before === null || !shrinksTooMuch(before.removed, before.scripts, maxShrinkBp)) return [];
  const gone = `${before.removed} of ${plural(before.scripts, 'script')}`;
  return [
    {
      field: `${field}.max_shrink_bp`,
      subject: id,
      text: `The screening list ${id} lacks ${gone} of the one before; ${maxShrinkBp} bp may go at a time.`,
      remedy: TAKE,
    },
  ];
}

const TAKE = 'take in a newer list, whose entries somebody has compared with its source';
