import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LookedFor, lookForDescriptor, lookForScripts } from '../../../src/adapters/chain/looked-for.js';
import { toHex } from '../../../src/domain/bytes.js';
import type { Branch } from '../../../src/domain/coin.js';
import { createDeriver } from '../../../src/vault/derive.js';
import type { Deriver } from '../../../src/vault/types.js';
import { deriverOf } from '../../psbt/fixtures.js';
import { KINDS, vaultOf } from '../../vault/fixtures.js';

const deriver = createDeriver(vaultOf('wpkh'));
const script = (branch: Branch, index: number): string => toHex(deriver.at(branch, index).script);
const last = fc.integer({ min: 0, max: 450 });

/** Every place that the scan objects of a descriptor cover, in their order. */
function covered({ wanted }: LookedFor): string[] {
  return wanted.flatMap((one) => {
    const { desc, range } = one as { desc: string; range: [number, number] };
    const [from, to] = range;
    const branch = /\/([01])\/\*/.exec(desc)?.[1];
    return Array.from({ length: to - from + 1 }, (_, step) => `${branch}/${from + step}`);
  });
}

describe('a vault looked for by its descriptor', () => {
  it('covers every place once, in ranges that old nodes derive quickly', () => {
    fc.assert(
      fc.property(last, last, (receive, change) => {
        const lookedFor = lookForDescriptor(deriver, [receive, change]);
        const due = ([0, 1] as const).flatMap((branch) =>
          Array.from({ length: [receive, change][branch] ?? 0 }, (_, index) => `${branch}/${index}`).concat(
            `${branch}/${[receive, change][branch]}`,
          ),
        );
        expect(covered(lookedFor)).toEqual(due);
        for (const { range } of lookedFor.wanted as { range: [number, number] }[]) {
          expect(range[1] - range[0]).toBeLessThan(100);
        }
      }),
    );
  });

  it('derives nothing where the node says where a coin lies', () => {
    const blind: Deriver = { ...deriver, at: () => expect.unreachable('derived') };
    const lookedFor = lookForDescriptor(blind, [20, 20]);
    expect(lookedFor.placeOf(script(0, 7), "wpkh([f5acc2fd/84'/1'/0'/0/7]02aa)#k50mmke7")).toEqual({
      branch: 0,
      index: 7,
    });
    expect(lookedFor.placeOf(script(1, 20), 'tr([f5acc2fd/86h/1h/0h/1/20]aa)')).toEqual({ branch: 1, index: 20 });
  });

  it.each([
    ['nothing', undefined],
    ['an address', 'addr(tb1q)#00000000'],
    ['the script alone', 'raw(0014aa)#00000000'],
    ['a branch that was not asked for', 'wpkh([f5acc2fd/84h/1h/0h/2/7]02aa)'],
    ['an index beyond what was asked for', 'wpkh([f5acc2fd/84h/1h/0h/0/21]02aa)'],
    ['a number of another form', 'wpkh([f5acc2fd/84h/1h/0h/0/07]02aa)'],
    ['a hardened step', "wpkh([f5acc2fd/84h/1h/0h/0/7']02aa)"],
  ])('finds the place itself where the node says %s', (_, descriptor) => {
    const lookedFor = lookForDescriptor(deriver, [20, 20]);
    expect(lookedFor.placeOf(script(0, 7), descriptor)).toEqual({ branch: 0, index: 7 });
    expect(lookedFor.placeOf(script(0, 21), descriptor)).toBeNull();
    expect(lookedFor.placeOf('6a', descriptor)).toBeNull();
  });
});

describe('a vault looked for script by script', () => {
  it.each(KINDS)('of %s has the scripts that its descriptor has', (kind) => {
    const own = deriverOf(kind);
    const until = [12, 3] as const;
    const scripts = lookForScripts(own, until);
    const places = covered(lookForDescriptor(own, until));
    expect(scripts.wanted).toEqual(
      places.map((place) => {
        const [branch, index] = place.split('/').map(Number);
        return { desc: `raw(${toHex(own.at(branch === 0 ? 0 : 1, index ?? 0).script)})` };
      }),
    );
    expect(scripts.placeOf(toHex(own.at(1, 3).script), undefined)).toEqual({ branch: 1, index: 3 });
    expect(scripts.placeOf(toHex(own.at(1, 4).script), undefined)).toBeNull();
  });

  it('tells how far it is', () => {
    const told: number[] = [];
    lookForScripts(deriver, [250, 0], (done) => told.push(done));
    expect(told).toEqual([1, 101, 201, 252]);
  });
});
