import type { SourcePosition } from '../../domain/fault.js';
import { capText, listText } from '../describe.js';
import type { Cap, LoadedPolicy } from '../types.js';

/** What a change does to what may leave: only a tightening or a change without effect needs no notice. */
export type ChangeKind = 'tightening' | 'loosening' | 'neutral';

/** One difference of meaning between two policies. */
export interface Change {
  /** As the document names it: "limits.rolling.24h", "roles.officers.alice". */
  readonly field: string;
  /** Readable; "none" where there was nothing. */
  readonly before: string;
  readonly after: string;
  readonly kind: ChangeKind;
  /** What makes it this kind. */
  readonly why: string;
  /** The line of the new version; of the old one for what is gone. */
  readonly where: SourcePosition;
}

export interface Pair {
  readonly before: LoadedPolicy;
  readonly after: LoadedPolicy;
}

/** A difference as an order finds it, which does not know the name of its field. */
export interface Difference extends Pick<Change, 'before' | 'after' | 'kind' | 'why'> {
  /** What to append to the name of the field: ".warm-1", "[2]". */
  readonly part?: string;
  /** It stands in the old version alone. */
  readonly gone?: boolean;
}

/** A partial order of the values of a field by tightness. */
export interface Order<T> {
  /** For people: which value is the tighter one. What the law does not call tighter is looser. */
  readonly law: string;
  /** Nothing where both mean the same. */
  compare(before: T, after: T, pair: Pair): readonly Difference[];
}

/** For what is absent on one side. */
export const NONE = 'none';

/** Mixed is loosening: one change that is not provably tighter is enough. */
export function worst(changes: readonly { readonly kind: ChangeKind }[]): ChangeKind {
  const has = (kind: ChangeKind): boolean => changes.some((change) => change.kind === kind);
  return has('loosening') ? 'loosening' : has('tightening') ? 'tightening' : 'neutral';
}

// ---------------------------------------------------------------- values on a scale

interface Scale<T> {
  readonly law: string;
  readonly text: (value: T) => string;
  /** Positive where `after` lies above `before`, negative below, 0 where they are equal. */
  readonly rise: (before: T, after: T) => number;
  readonly up: Pick<Difference, 'kind' | 'why'>;
  readonly down: Pick<Difference, 'kind' | 'why'>;
}

export function scale<T>({ law, text, rise, up, down }: Scale<T>): Order<T> {
  return {
    law,
    compare: (before, after) => {
      const risen = rise(before, after);
      return risen === 0 ? [] : [{ before: text(before), after: text(after), ...(risen > 0 ? up : down) }];
    },
  };
}

const WORDS = {
  amount: ['higher', 'lower'],
  time: ['longer', 'shorter'],
} as const;

type Countable = number | bigint;

const numericRise = <T extends Countable>(before: T, after: T): number =>
  after > before ? 1 : after < before ? -1 : 0;

/** Of the noun, more is tighter: "a higher floor is tighter". */
export function moreIsTighter<T extends Countable>(
  noun: string,
  text: (value: T) => string,
  words: keyof typeof WORDS = 'amount',
): Order<T> {
  const [up, down] = WORDS[words];
  return scale({
    law: `a ${up} ${noun} is tighter`,
    text,
    rise: numericRise,
    up: { kind: 'tightening', why: `the ${noun} is ${up}` },
    down: { kind: 'loosening', why: `the ${noun} is ${down}` },
  });
}

/** Of the noun, less is tighter: "a lower limit is tighter". */
export function lessIsTighter<T extends Countable>(
  noun: string,
  text: (value: T) => string,
  words: keyof typeof WORDS = 'amount',
): Order<T> {
  const [up, down] = WORDS[words];
  return scale({
    law: `a ${down} ${noun} is tighter`,
    text,
    rise: numericRise,
    up: { kind: 'loosening', why: `the ${noun} is ${up}` },
    down: { kind: 'tightening', why: `the ${noun} is ${down}` },
  });
}

/** Positive where a cap lets more through; unlimited is above every amount. */
export function capRise(before: Cap, after: Cap): number {
  if (before === null || after === null) return Number(after === null) - Number(before === null);
  return numericRise(before, after);
}

export const CAP: Order<Cap> = scale({
  law: 'a lower cap is tighter; "unlimited" is above every cap',
  text: capText,
  rise: capRise,
  up: { kind: 'loosening', why: 'the cap is higher' },
  down: { kind: 'tightening', why: 'the cap is lower' },
});

/** A field that may be left out, which means the same as a value of it. */
export function orAbsent<T>({ law, compare }: Order<T>, meaning: T, words: string): Order<T | undefined> {
  return {
    law: `${law}; left out it means ${words}`,
    compare: (before, after, pair) =>
      compare(before ?? meaning, after ?? meaning, pair).map((difference) => ({
        ...difference,
        gone: after === undefined,
      })),
  };
}

// ---------------------------------------------------------------- sets, and what has no order

type Member = string | number;

/** What a list names is allowed, or able: the fewer, the tighter. */
export function fewerIsTighter(noun: string, text: (item: string) => string = String): Order<readonly Member[]> {
  return setOrder(`leaving out ${noun} is tighter, adding any is looser`, text, 'loosening', 'tightening');
}

/** What a list names holds something back: the more, the tighter. */
export function moreAreTighter(noun: string, text: (item: string) => string = String): Order<readonly Member[]> {
  return setOrder(`adding ${noun} is tighter, leaving out any is looser`, text, 'tightening', 'loosening');
}

function setOrder(
  law: string,
  text: (item: string) => string,
  added: ChangeKind,
  removed: ChangeKind,
): Order<readonly Member[]> {
  const names = (list: readonly Member[]): string => listText(list.map((item) => text(String(item))));
  return {
    law,
    compare: (before, after) => {
      const more = after.filter((item) => !before.includes(item));
      const fewer = before.filter((item) => !after.includes(item));
      if (more.length === 0 && fewer.length === 0) return [];
      const effects = [
        ...(more.length > 0 ? [{ kind: added, why: `it adds ${names(more)}` }] : []),
        ...(fewer.length > 0 ? [{ kind: removed, why: `it leaves out ${names(fewer)}` }] : []),
      ];
      const why = effects.map((effect) => effect.why).join(' and ');
      return [{ before: names(before), after: names(after), kind: worst(effects), why }];
    },
  };
}

/** Nothing of it is provably tighter than anything else. */
export function anyChangeLoosens<T extends string | number | boolean>(why: string): Order<T> {
  return {
    law: `any change is looser: ${why}`,
    compare: (before, after) =>
      before === after ? [] : [{ before: String(before), after: String(after), kind: 'loosening', why }],
  };
}

/** It says which document this is, and nothing about what may leave. */
export function noEffect<T extends string | number | null>(why: string): Order<T> {
  return {
    law: `no effect: ${why}`,
    compare: (before, after) =>
      before === after ? [] : [{ before: String(before ?? NONE), after: String(after ?? NONE), kind: 'neutral', why }],
  };
}
