import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/domain/bytes.js';
import { formatTime } from '../../../src/domain/time.js';
import type { EntryBody } from '../../../src/journal/entries.js';
import { EMPTY_ROOT } from '../../../src/journal/merkle.js';
import { BATCH_STATES } from '../../../src/journal/transitions.js';
import { addTally, PASSAGES, type Passages } from '../../../src/workflow/report/flows.js';
import type { AuditReport } from '../../../src/workflow/report/fold.js';
import { START, sealAll } from '../../journal/chains.js';
import { mth } from '../../journal/merkle-rfc.js';
import { outpoint, story } from '../../journal/story.js';
import { journalOf, moves } from './random-journal.js';
import { FAR, reportOf } from './report-of.js';

const passages = (a: Passages, b: Passages): Passages => ({
  planned: addTally(a.planned, b.planned),
  signed: addTally(a.signed, b.signed),
  confirmed: addTally(a.confirmed, b.confirmed),
  undone: addTally(a.undone, b.undone),
});

/** Rows of the same key as one, number by number and amount by amount; what else they say is as the first says it. */
function summed<T extends object>(rows: readonly T[], keyOf: (row: T) => string): Map<string, unknown> {
  const sums = new Map<string, unknown>();
  for (const row of rows) sums.set(keyOf(row), plus(sums.get(keyOf(row)), row));
  return sums;
}

function plus(a: unknown, b: unknown): unknown {
  if (a === undefined) return b;
  if (typeof a === 'bigint' && typeof b === 'bigint') return a + b;
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a instanceof Map && b instanceof Map)
    return new Map(
      [...new Set([...a.keys(), ...b.keys()])].sort().map((key) => [key, plus(a.get(key), b.get(key)) ?? a.get(key)]),
    );
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a;
  return Object.fromEntries(
    Object.entries(a).map(([name, value]) => [name, plus(value, (b as Record<string, unknown>)[name])]),
  );
}

/** All of a report that two periods in a row share out between them. */
function parts(reports: readonly AuditReport[]) {
  const all = <T>(of: (report: AuditReport) => readonly T[]): T[] => reports.flatMap((report) => of(report));
  const sum = (of: (report: AuditReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return {
    entries: sum(({ entries }) => entries),
    kinds: summed(
      all(({ flows }) => flows.kinds),
      ({ kind }) => kind,
    ),
    replacements: reports.map(({ flows }) => flows.replacements).reduce(passages),
    payees: summed(
      all(({ flows }) => flows.payees).map(({ destination, signed, confirmed, undone }) => ({
        destination,
        signed,
        confirmed,
        undone,
      })),
      ({ destination }) => destination ?? 'outside',
    ),
    deposits: reports
      .map(({ flows }) => flows.deposits)
      .reduce((a, b) => ({ coins: a.coins + b.coins, amount: a.amount + b.amount })),
    endings: summed(
      all(({ flows }) => [flows.endings]),
      () => 'all',
    ),
    firstPayments: all(({ firstPayments }) => firstPayments),
    denials: summed(
      all(({ denials }) => denials.codes).map(({ first: _, last: __, initiators, ...rest }) => ({
        ...rest,
        initiators: new Map([...initiators].sort()),
      })),
      ({ code }) => code,
    ),
    firstDenials: new Map(
      all(({ denials }) => denials.codes)
        .toReversed()
        .map(({ code, first }) => [code, first]),
    ),
    lastDenials: new Map(all(({ denials }) => denials.codes).map(({ code, last }) => [code, last])),
    asked: sum(({ denials }) => denials.asked),
    people: summed(
      all(({ people }) => people.people),
      ({ person }) => person,
    ),
    halts: [sum(({ halts }) => halts.raised), sum(({ halts }) => halts.resumed)],
    books: all(({ books }) => books),
    eyes: all(({ eyes }) => eyes).filter(({ kind }) => kind !== 'open'),
    peaks: new Map(
      all(({ limits }) => limits)
        .sort((a, b) => (a.measured < b.measured ? -1 : 1))
        .map(({ policy, limit, measured }) => [`${policy} ${limit}`, measured]),
    ),
  };
}

const sorted = (value: unknown): unknown => {
  if (value instanceof Map)
    return [...value].map(([key, inner]) => [key, sorted(inner)]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return value;
};
const comparable = (reports: readonly AuditReport[]) =>
  Object.fromEntries(Object.entries(parts(reports)).map(([name, value]) => [name, sorted(value)]));

describe('any journal', () => {
  it('is shared out between periods in a row: nothing is counted twice, and nothing is left out', () => {
    fc.assert(
      fc.property(moves, fc.array(fc.nat({ max: 90_000 }), { minLength: 1, maxLength: 3 }), (told, cuts) => {
        const entries = journalOf(told);
        const borders = [...new Set(cuts)].sort((a, b) => a - b).map((cut) => START + 1 + cut);
        const ends = [...borders, FAR];
        const pieces = ends.map((to, index) => reportOf(entries, borders[index - 1] ?? null, to));
        expect(comparable(pieces)).toEqual(comparable([reportOf(entries, null, FAR)]));
        for (const [index, piece] of pieces.entries()) {
          const next = pieces[index + 1];
          if (next === undefined) continue;
          expect(next.opening).toEqual(piece.closing);
          expect(next.begin).toEqual(piece.end);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is counted as a look at its entries counts it', () => {
    fc.assert(
      fc.property(moves, (told) => {
        const entries = journalOf(told);
        const report = reportOf(entries, null, FAR);
        const of = <K extends EntryBody['kind']>(kind: K) =>
          entries.flatMap(({ body }) => (body.kind === kind ? [body as Extract<EntryBody, { kind: K }>] : []));
        const plans = new Map(of('batch.planned').map((plan) => [plan.batch, plan]));
        const paid = (batch: string): bigint =>
          BigInt(plans.get(batch)?.spend ?? 0) - BigInt(plans.get(batch)?.fee ?? 0);
        const sumOf = (passage: (typeof PASSAGES)[number]) =>
          report.flows.kinds.reduce((sum, { passages: each }) => addTally(sum, each[passage]), {
            batches: 0,
            inputs: 0,
            requests: 0,
            paid: 0n,
            fee: 0n,
          });
        const kinds = {
          planned: 'batch.planned',
          signed: 'batch.signed',
          confirmed: 'batch.confirmed',
          undone: 'batch.unconfirmed',
        } as const;
        for (const passage of PASSAGES) {
          const bodies = of(kinds[passage]);
          const total = sumOf(passage);
          expect(total.batches).toBe(bodies.length);
          expect(total.paid).toBe(bodies.reduce((sum, { batch }) => sum + paid(batch), 0n));
          expect(total.fee).toBe(bodies.reduce((sum, { batch }) => sum + BigInt(plans.get(batch)?.fee ?? 0), 0n));
          if (passage === 'planned') continue;
          expect(report.flows.payees.reduce((sum, payee) => sum + payee[passage].amount, 0n)).toBe(total.paid);
        }
        expect(report.flows.deposits.amount).toBe(
          of('coins.imported').reduce((sum, { deposits }) => sum + BigInt(deposits?.total ?? 0), 0n),
        );
        const people = report.people.people;
        const approvals = of('batch.approved');
        expect(people.reduce((sum, { given }) => sum + given, 0)).toBe(approvals.length);
        expect(people.reduce((sum, { withdrawn }) => sum + withdrawn, 0)).toBe(of('batch.withdrawn').length);
        expect(people.reduce((sum, { rejected }) => sum + rejected, 0)).toBe(of('batch.rejected').length);
        const denied = of('batch.verdict').filter(({ decision }) => decision === 'DENY');
        expect(report.denials.verdicts.plan + report.denials.verdicts.sign).toBe(denied.length);
        expect(report.denials.codes.find(({ code }) => code === 'LIMIT_24H')?.verdicts ?? 0).toBe(denied.length);
        expect(report.denials.codes.map(({ code }) => code)).not.toContain('APPROVALS_MISSING');
        expect(report.halts.halts.length).toBe(of('halt.raised').length);
        expect(report.closing.batches.reduce((sum, { batches }) => sum + batches, 0)).toBe(plans.size);
        expect(toHex(report.end.root)).toBe(mth(entries.map(({ hash }) => Buffer.from(hash, 'hex'))).toString('hex'));
        // Every approval was used, taken back, ran out, or can still be used.
        const used = people.reduce((sum, one) => sum + one.used, 0);
        const expired = people.reduce((sum, one) => sum + one.expired, 0);
        expect(used + expired + report.people.standing).toBeLessThanOrEqual(approvals.length);
        expect(used + expired + report.people.standing).toBeGreaterThanOrEqual(
          approvals.length - of('batch.withdrawn').length,
        );
      }),
      { numRuns: 150 },
    );
  });

  it('reaches every part of a report: the moves above are not all refused', () => {
    const reports = fc.sample(moves, { numRuns: 300, seed: 5 }).map((told) => reportOf(journalOf(told), null, FAR));
    const total = (of: (report: AuditReport) => number): number => reports.reduce((sum, report) => sum + of(report), 0);
    const batches = (passage: (typeof PASSAGES)[number]) =>
      total(({ flows }) => flows.kinds.reduce((sum, { passages: each }) => sum + each[passage].batches, 0));
    for (const passage of PASSAGES) expect(batches(passage), passage).toBeGreaterThan(0);
    expect(total(({ flows }) => flows.replacements.signed.batches)).toBeGreaterThan(0);
    expect(total(({ people }) => people.people.reduce((sum, { expired }) => sum + expired, 0))).toBeGreaterThan(0);
    expect(total(({ people }) => people.people.reduce((sum, { used }) => sum + used, 0))).toBeGreaterThan(0);
    expect(total(({ firstPayments }) => firstPayments.length)).toBeGreaterThan(0);
    expect(total(({ halts }) => halts.resumed)).toBeGreaterThan(0);
    expect(total(({ policies }) => policies.length)).toBeGreaterThan(reports.length);
    expect(total(({ limits }) => limits.filter(({ measured }) => measured > 0n).length)).toBeGreaterThan(0);
    expect(new Set(reports.flatMap(({ eyes }) => eyes.map(({ kind }) => kind)))).toEqual(
      new Set(['open', 'released', 'unknown', 'unconfirmed', 'frozen', 'unfrozen']),
    );
  });
});

describe('an empty journal', () => {
  it('has a report that says nothing happened', () => {
    const report = reportOf([], null, FAR);
    expect(report).toMatchObject({ network: null, vault: null, entries: 0, policies: [], limits: [], eyes: [] });
    expect(report.begin).toEqual({ size: 0, head: null, root: EMPTY_ROOT });
    expect(report.end).toEqual(report.begin);
    expect(report.opening.batches.map(({ state }) => state)).toEqual([...BATCH_STATES]);
    expect(report.flows.payees).toEqual([]);
  });
});

describe('a border', () => {
  const at = (index: number): number => START + index * 60;
  const PAYING = [
    story.opened(),
    story.policy(),
    story.planned('a', { inputs: [outpoint(1)] }),
    story.verdict('a'),
    story.reserved('a'),
    story.verdict('a'),
    story.sent('a'),
    story.signed('a'),
  ];
  const signedAt = at(PAYING.length - 1);
  const entries = sealAll(PAYING);
  const signedIn = (from: number | null, to: number): number =>
    reportOf(entries, from, to).flows.kinds.reduce((sum, { passages: each }) => sum + each.signed.batches, 0);

  it('belongs to the period that begins there, to the second', () => {
    expect(signedIn(signedAt, signedAt + 1)).toBe(1);
    expect(signedIn(null, signedAt)).toBe(0);
    expect(signedIn(signedAt + 1, FAR)).toBe(0);
    expect(signedIn(signedAt - 1, signedAt)).toBe(0);
  });

  it('cuts the state as well: sent before, signed after', () => {
    const { opening, closing } = reportOf(entries, signedAt, signedAt + 1);
    const state = (standing: typeof opening) =>
      standing.batches.filter(({ batches }) => batches > 0).map(({ state: name }) => name);
    expect([state(opening), state(closing)]).toEqual([['SENT'], ['SIGNED']]);
    expect(opening.unconfirmed).toBe(91_000n);
  });

  it('leaves an empty period without entries and with the state that was', () => {
    const report = reportOf(entries, FAR - 10, FAR);
    expect(report.entries).toBe(0);
    expect(report.begin).toEqual(report.end);
    expect(report.opening).toEqual(report.closing);
    expect(report.begin.head?.seq).toBe(PAYING.length - 1);
    // What was used before is still in the windows that reach back so far.
    expect(report.limits.find(({ limit }) => limit === 'limits.signed_unconfirmed')).toMatchObject({
      measured: 91_000n,
      at: formatTime(FAR - 10),
    });
  });

  it('counts an approval as expired in the period in which it ran out, unless it was used', () => {
    const until = formatTime(at(4) + 100);
    const given = sealAll(
      [
        story.opened(),
        story.policy(),
        story.planned('a', { inputs: [outpoint(1)] }),
        story.approved('a', 'bob', until),
        story.approved('a', 'carol', until),
        story.verdict('a'),
        story.reserved('a', ['carol']),
      ].slice(0, 7),
      20,
    );
    const expired = (from: number | null, to: number) =>
      reportOf(given, from, to).people.people.map(({ person, expired: count }) => [person, count]);
    expect(expired(null, at(4) + 100)).toContainEqual(['bob', 0]);
    expect(expired(null, at(4) + 101)).toEqual([
      ['alice', 0],
      ['bob', 1],
      ['carol', 0],
      ['frank', 0],
    ]);
    expect(expired(at(4) + 100, at(4) + 101)).toEqual([['bob', 1]]);
    expect(expired(at(4) + 101, FAR)).toEqual([]);
  });
});

describe('a policy that waits', () => {
  const LATER = formatTime(START + 3600);
  const entries = sealAll([story.opened(), story.policy(), story.policy(2, 'ab'.repeat(32), LATER), story.vault()]);

  it('is in force from its time on, also where nothing is written then', () => {
    const { policies, closing } = reportOf(entries, START + 3000, START + 3601);
    expect(policies.map(({ version, inForceFrom, inForceTo }) => [version, inForceFrom, inForceTo])).toEqual([
      [1, '2026-06-01T12:01:00Z', LATER],
      [2, LATER, null],
    ]);
    expect(closing.policy?.version).toBe(2);
  });

  it('is not before, and what it replaces is not after', () => {
    expect(reportOf(entries, START + 300, START + 3600).policies.map(({ version }) => version)).toEqual([1]);
    expect(reportOf(entries, START + 3600, START + 3601).policies.map(({ version }) => version)).toEqual([2]);
  });

  it('never was where a newer one came first', () => {
    const superseded = sealAll([
      story.opened(),
      story.policy(),
      story.policy(2, 'ab'.repeat(32), LATER),
      story.policy(3, 'cd'.repeat(32), '2026-06-01T12:00:00Z'),
    ]);
    const { policies } = reportOf(superseded, null, FAR);
    expect(policies.map(({ version, inForceFrom, inForceTo }) => [version, inForceFrom, inForceTo])).toEqual([
      [1, '2026-06-01T12:01:00Z', '2026-06-01T12:03:00Z'],
      [2, null, null],
      [3, '2026-06-01T12:03:00Z', null],
    ]);
  });
});
