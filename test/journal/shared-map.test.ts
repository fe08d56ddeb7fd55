import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedMap } from '../../src/journal/shared-map.js';

const KEYS = ['a', 'b', 'c', 'd'];
const key = fc.constantFrom(...KEYS);

type Step =
  | { readonly do: 'set'; readonly key: string; readonly value: number }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'share' }
  | { readonly do: 'read' | 'walk'; readonly moment: number };

/** Sharing is what happens most, so that moments lie many steps apart. */
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('set' as const), key, value: fc.nat() }) },
    { weight: 5, arbitrary: fc.constant({ do: 'share' as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('read' as const, 'walk' as const), moment: fc.nat(200) }) },
  ),
  { maxLength: 200, size: 'max' },
);

const read = (map: ReadonlyMap<string, number>): unknown => [map.size, KEYS.map((one) => [map.has(one), map.get(one)])];
const walk = (map: ReadonlyMap<string, number>): unknown => {
  const each: [string, number][] = [];
  map.forEach((value, one) => {
    each.push([one, value]);
  });
  return [[...map], [...map.keys()], [...map.values()], [...map.entries()], each];
};

describe('a shared map', () => {
  it('is at each moment that was handed out what a copy of that moment is, in its order', () => {
    fc.assert(
      fc.property(steps, (list: readonly Step[]) => {
        const shared = new SharedMap<number>(new Map([['a', 0]]));
        const model = new Map([['a', 0]]);
        const moments: [ReadonlyMap<string, number>, ReadonlyMap<string, number>][] = [];
        for (const step of list) {
          if (step.do === 'set') {
            shared.set(step.key, step.value);
            model.set(step.key, step.value);
          } else if (step.do === 'delete') {
            shared.delete(step.key);
            model.delete(step.key);
          } else if (step.do === 'share') {
            moments.push([shared.share(), new Map(model)]);
          } else {
            const [moment, then] = moments[step.moment % Math.max(1, moments.length)] ?? [model, model];
            if (step.do === 'read') expect(read(moment)).toEqual(read(then));
            else expect(walk(moment)).toEqual(walk(then));
          }
          expect([shared.size, KEYS.map((one) => shared.get(one))]).toEqual([
            model.size,
            KEYS.map((one) => model.get(one)),
          ]);
        }
        for (const [moment, then] of moments) {
          expect(read(moment)).toEqual(read(then));
          expect(walk(moment)).toEqual(walk(then));
          expect(read(moment)).toEqual(read(then));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('may be written while somebody walks through what it was', () => {
    const shared = new SharedMap<number>(new Map());
    for (const one of KEYS) shared.set(one, 1);
    const seen: unknown[] = [];
    for (const [one, value] of shared.share()) {
      shared.set(`${one}${one}`, value + 1);
      shared.delete(one);
      seen.push(one, value);
    }
    expect(seen).toEqual(['a', 1, 'b', 1, 'c', 1, 'd', 1]);
    expect([...shared.share().keys()]).toEqual(['aa', 'bb', 'cc', 'dd']);
  });

  it('hands out the same moment as long as nothing is written', () => {
    const from = new Map([['a', 1]]);
    const shared = new SharedMap<number>(from);
    expect(shared.share()).toBe(from);
    shared.set('b', 2);
    const moment = shared.share();
    expect(shared.share()).toBe(moment);
    shared.delete('c');
    expect(shared.share()).toBe(moment);
    shared.set('b', 3);
    expect(shared.share()).not.toBe(moment);
    expect([from.size, moment.get('b'), shared.share().get('b')]).toEqual([1, 2, 3]);
  });

  it('costs a write after a snapshot the same, however much it holds', () => {
    const cost = (size: number): number => {
      const shared = new SharedMap<number>(new Map());
      for (let n = 0; n < size; n += 1) shared.set(`${n}`, n);
      const before = process.cpuUsage();
      for (let n = 0; n < 2_000; n += 1) {
        shared.share();
        shared.set('0', n);
      }
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    // Copying 200,000 rows 2,000 times would take minutes.
    expect(cost(200_000)).toBeLessThan(5_000_000);
  });
});
