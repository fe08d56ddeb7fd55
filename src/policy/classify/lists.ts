import { parseTime } from '../../domain/time.js';
import { capText, counted, durationText, listText } from '../describe.js';
import type { Cap, DenialLimit, PolicyDocument } from '../types.js';
import {
  type ChangeKind,
  capRise,
  type Difference,
  lessIsTighter,
  moreAreTighter,
  NONE,
  type Order,
  type Pair,
} from './order.js';
import { peopleInRole } from './people.js';
import { minus } from './sets.js';

// ---------------------------------------------------------------- caps of single destinations

/** Compared with what holds for the destination in the other version: its own cap, or the default. */
export const DESTINATION_CAPS: Order<ReadonlyMap<string, Cap>> = {
  law: 'compared destination by destination with what held before, its own cap or default_cap_24h: a lower one is tighter',
  compare: (before, after, pair) =>
    [...new Set([...before.keys(), ...after.keys()])].flatMap((id): Difference[] => {
      const [old, now] = [before.get(id), after.get(id)];
      if (old === now) return [];
      const [held, holds] = [
        old === undefined ? pair.before.document.destinations.defaultCap24h : old,
        now === undefined ? pair.after.document.destinations.defaultCap24h : now,
      ];
      const text = (own: Cap | undefined, cap: Cap): string =>
        own === undefined ? `${capText(cap)} (the default)` : capText(cap);
      const rise = capRise(held, holds);
      const kind = rise > 0 ? 'loosening' : rise < 0 ? 'tightening' : 'neutral';
      const why = { loosening: 'it may get more', tightening: 'it may get less', neutral: 'it may get as much' }[kind];
      return [{ part: `.${id}`, before: text(old, held), after: text(now, holds), kind, why, gone: now === undefined }];
    }),
};

// ---------------------------------------------------------------- windows of blocks

type Windows = ReadonlyMap<number, Cap>;

/** What leaves within some blocks is at most what leaves within more of them, so a longer window can stand for a shorter. */
function impliedBy(windows: Windows, blocks: number, cap: bigint): boolean {
  return [...windows].some(([length, other]) => length >= blocks && other !== null && other <= cap);
}

export const BLOCK_WINDOWS: Order<Windows> = {
  law: 'every window has to be kept, or implied by one that is at least as long with a cap at most as high; a window that the old ones do not imply is tighter',
  compare: (before, after) =>
    [...new Set([...before.keys(), ...after.keys()])]
      .sort((a, b) => a - b)
      .flatMap((blocks): Difference[] => {
        const [old, now] = [before.get(blocks), after.get(blocks)];
        if (old === now) return [];
        const text = (cap: Cap | undefined): string => (cap === undefined ? NONE : capText(cap));
        const effect = windowEffect(blocks, old ?? null, now ?? null, before, after);
        return [{ part: `.${blocks}`, before: text(old), after: text(now), ...effect, gone: now === undefined }];
      }),
};

function windowEffect(
  blocks: number,
  old: Cap,
  now: Cap,
  before: Windows,
  after: Windows,
): { readonly kind: ChangeKind; readonly why: string } {
  const span = counted(blocks, 'block');
  if (old !== null && !impliedBy(after, blocks, old)) {
    return { kind: 'loosening', why: `nothing in the new version holds ${span} to ${capText(old)}` };
  }
  if (now !== null && !impliedBy(before, blocks, now)) {
    return { kind: 'tightening', why: `nothing in the old version held ${span} to ${capText(now)}` };
  }
  return { kind: 'neutral', why: 'the other windows say as much' };
}

// ---------------------------------------------------------------- closed dates

const DAY = 86_400;

/** Whether a date touches the life of the new version; outside of it nothing may leave anyway. */
function matters(date: string, { after }: Pair): boolean {
  const start = parseTime(`${date}T00:00:00Z`);
  if (start === null) return true;
  return start + DAY > after.document.effectiveAt && start < after.document.expiresAt;
}

const DATES = moreAreTighter('a date');

export const CLOSED_DATES: Order<readonly string[]> = {
  law: `${DATES.law}; a date before effective_at or after expires_at of the new version has no effect`,
  compare: (before, after, pair) => {
    const living = (dates: readonly string[]): string[] => dates.filter((date) => matters(date, pair));
    const found = DATES.compare(living(before), living(after), pair);
    if (found.length > 0) return found.map((one) => ({ ...one, before: listText(before), after: listText(after) }));
    return DATES.compare(before, after, pair).map((one) => ({
      ...one,
      kind: 'neutral',
      why: 'the new version does not apply on these dates',
    }));
  },
};

// ---------------------------------------------------------------- screening lists

type ScreeningList = PolicyDocument['screening']['lists'][number];

/** A role by its people. */
const PINNED_BY: Order<string> = {
  law: 'another role that pins it is tighter if all of its people could pin it before',
  compare: (before, after, pair) => {
    if (before === after) return [];
    const [could, can] = [peopleInRole(before, pair.before.document), peopleInRole(after, pair.after.document)];
    const strangers = [...minus(can, could)];
    const texts = { before: `pinned by ${before}`, after: `pinned by ${after}` };
    if (strangers.length > 0)
      return [{ ...texts, kind: 'loosening', why: `${listText(strangers)} could not pin it before` }];
    const kind = can.size < could.size ? 'tightening' : 'neutral';
    return [{ ...texts, kind, why: 'nobody can pin it who could not before' }];
  },
};

/** By part, so that the compiler refuses a new one without an order; the id says which list it is. */
const LIST_PARTS: { readonly [K in Exclude<keyof ScreeningList, 'id'>]: Order<ScreeningList[K]> } = {
  pinnedBy: PINNED_BY,
  maxAge: lessIsTighter('tolerated age', (seconds) => `up to ${durationText(seconds)} old`, 'time'),
  maxShrinkBp: lessIsTighter('shrinkage', (bp) => `shrinks by up to ${bp} bp`),
};

function compareList(before: ScreeningList, after: ScreeningList, pair: Pair): readonly Difference[] {
  return [
    ...LIST_PARTS.pinnedBy.compare(before.pinnedBy, after.pinnedBy, pair),
    ...LIST_PARTS.maxAge.compare(before.maxAge, after.maxAge, pair),
    ...LIST_PARTS.maxShrinkBp.compare(before.maxShrinkBp, after.maxShrinkBp, pair),
  ];
}

export const SCREENING_LISTS: Order<readonly ScreeningList[]> = {
  law: `one more list is tighter, one less is looser; of a list: ${Object.values(LIST_PARTS)
    .map(({ law }) => law)
    .join('; ')}`,
  compare: (before, after, pair) => {
    const gone = before.filter(({ id }) => !after.some((list) => list.id === id));
    return [
      ...after.flatMap((list, index): Difference[] => {
        const part = `[${index}]`;
        const old = before.find(({ id }) => id === list.id);
        if (old !== undefined) return compareList(old, list, pair).map((one) => ({ ...one, part }));
        return [
          { part, before: NONE, after: `the list ${list.id}`, kind: 'tightening', why: 'one more list is asked' },
        ];
      }),
      ...gone.map(
        ({ id }): Difference => ({
          part: `[${before.findIndex((list) => list.id === id)}]`,
          before: `the list ${id}`,
          after: NONE,
          kind: 'loosening',
          why: 'the list is no longer asked',
          gone: true,
        }),
      ),
    ];
  },
};

// ---------------------------------------------------------------- denials that halt

const denialText = (limit: DenialLimit | undefined): string =>
  limit === undefined ? NONE : `${counted(limit.count, 'denial')} within ${durationText(limit.within)}`;

/** Fewer denials, or as many over a longer time, halt sooner. */
function haltsAsSoon(limit: DenialLimit, other: DenialLimit): boolean {
  return limit.count <= other.count && limit.within >= other.within;
}

export const DENIALS: Order<DenialLimit | undefined> = {
  law: 'tighter if every run of denials that halted before still does: no more of them, over no less time; left out, no number of them halts, which is the loosest',
  compare: (before, after) => {
    const texts = { before: denialText(before), after: denialText(after) };
    if (before === undefined) {
      return after === undefined ? [] : [{ ...texts, kind: 'tightening', why: 'denials did not halt anything before' }];
    }
    if (after === undefined)
      return [{ ...texts, kind: 'loosening', why: 'denials no longer halt anything', gone: true }];
    if (before.count === after.count && before.within === after.within) return [];
    return haltsAsSoon(after, before)
      ? [{ ...texts, kind: 'tightening', why: 'whatever run of denials halted before still does' }]
      : [{ ...texts, kind: 'loosening', why: 'some runs of denials halted before and no longer do' }];
  },
};
