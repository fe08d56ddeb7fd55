import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/domain/bytes.js';
import { formatTime } from '../../../src/domain/time.js';
import type { EntryBody } from '../../../src/journal/entries.js';
import { START, sealAll } from '../../journal/chains.js';
import { outpoint, POLICY, SCRIPT, story } from '../../journal/story.js';
import { FAR, reportOf } from './report-of.js';

/** Each part of a report on a journal that is about it alone; a minute lies between two entries. */
const BASE = [story.opened(), story.policy()];
const minute = (index: number): number => START + index * 60;
const time = (index: number): string => formatTime(minute(index));

/** A batch on its way to a device, with the approvals that counted. */
const sending = (id: string, ...approvers: string[]): EntryBody[] => [
  story.planned(id, { inputs: [`${sha256Hex(id)}:0`] }),
  ...approvers.map((person) => story.approved(id, person)),
  story.verdict(id),
  story.reserved(id, approvers),
  story.verdict(id),
  story.sent(id, approvers),
];

const book = (version: number, added: readonly string[], removed: readonly string[], script = SCRIPT): EntryBody => ({
  kind: 'book.changed',
  digest: sha256Hex(`book ${version}`),
  version,
  document: sha256Hex('document'),
  under: POLICY,
  signatures: [{ person: 'erin', signature: 'armoured' }],
  added: added.map((id) => ({ id, script, label: id })),
  removed: removed.map((id) => ({ id, script: SCRIPT })),
});

describe('halts of a report', () => {
  const entries = sealAll([
    ...BASE,
    story.halted('all', 'one'),
    story.halted('initiator:alice', 'two'),
    story.agreed('halt-2', 'erin'),
    story.resumed('halt-2', ['erin']),
  ]);

  it('last from their entry to the one that ended them, or to the end of the period', () => {
    expect(reportOf(entries, null, minute(10)).halts).toMatchObject({
      raised: 2,
      resumed: 1,
      halts: [
        { halt: 'halt-2', raisedAt: time(2), resumedAt: time(5), approvers: ['erin'], length: 180, source: 'person' },
        { halt: 'halt-3', raisedAt: time(3), resumedAt: null, scope: 'initiator:alice', length: 420 },
      ],
    });
  });

  it('are those that stood in the period, whenever they were raised', () => {
    const named = (from: number, to: number) => reportOf(entries, from, to).halts.halts.map(({ halt }) => halt);
    expect(named(minute(5), FAR)).toEqual(['halt-2', 'halt-3']);
    expect(named(minute(5) + 1, FAR)).toEqual(['halt-3']);
    expect(named(minute(2), minute(3))).toEqual(['halt-2']);
    expect(reportOf(entries, minute(5), FAR).halts).toMatchObject({ raised: 0, resumed: 1 });
  });
});

describe("the initiator's own group", () => {
  const own = (...approvers: string[]) =>
    reportOf(sealAll([...BASE, ...sending('a', ...approvers)])).people.ownGroup.map((one) => [one.batch, one.roles]);

  it('is everybody who has a role that the initiator has, and nobody else', () => {
    expect(own('bob', 'carol')).toEqual([['a', ['officers']]]);
    expect(own('bob', 'erin')).toEqual([]);
    expect(own('erin')).toEqual([]);
  });

  it('approved alone where nobody had to', () => {
    expect(own()).toEqual([['a', ['officers']]]);
  });

  it('is judged by the newest time that the batch went out', () => {
    const again = [story.released('a'), story.approved('a', 'erin'), story.verdict('a')];
    const entries = sealAll([
      ...BASE,
      ...sending('a', 'bob'),
      ...again,
      story.reserved('a', ['bob', 'erin']),
      story.verdict('a'),
      story.sent('a', ['bob', 'erin']),
    ]);
    expect(reportOf(entries).people).toMatchObject({ ownGroup: [], wentOut: 1 });
    expect(reportOf(entries, null, minute(8)).people.ownGroup).toHaveLength(1);
    expect(reportOf(entries).people.people).toMatchObject([
      { person: 'alice' },
      { person: 'bob', given: 1, used: 1 },
      { person: 'erin', given: 1, used: 1 },
      { person: 'frank', documents: 1 },
    ]);
  });
});

describe('payees', () => {
  it('are named by the book of the moment at which the batch went out', () => {
    const entries = sealAll([
      ...BASE,
      book(1, ['hot'], []),
      ...sending('a'),
      book(2, ['renamed'], ['hot']),
      story.signed('a'),
      story.confirmed('a'),
    ]);
    const { flows, firstPayments } = reportOf(entries);
    expect(flows.payees).toMatchObject([
      { destination: 'hot', signed: { requests: 1, amount: 90_000n }, confirmed: { requests: 1, amount: 90_000n } },
    ]);
    expect(firstPayments).toEqual([{ destination: 'hot', since: time(2), at: time(9), age: 420, batch: 'a' }]);
  });

  it('stand with their address where the book has not got them', () => {
    const entries = sealAll([...BASE, ...sending('a'), story.signed('a')]);
    expect(reportOf(entries)).toMatchObject({
      firstPayments: [],
      flows: { payees: [{ destination: null, script: SCRIPT, address: 'bcrt1q', signed: { amount: 90_000n } }] },
    });
  });

  it('are paid for the first time again once the book has dropped them and taken them back', () => {
    const entries = sealAll([
      ...BASE,
      book(1, ['hot'], []),
      ...sending('a'),
      story.signed('a'),
      ...sending('b'),
      story.signed('b'),
      book(2, [], ['hot']),
      book(3, ['hot'], []),
      ...sending('c'),
      story.signed('c'),
    ]);
    expect(reportOf(entries).firstPayments.map(({ batch }) => batch)).toEqual(['a', 'c']);
  });
});

describe('what a reorganisation takes back', () => {
  it('is counted by itself, and confirmed again it counts again', () => {
    const entries = sealAll([
      ...BASE,
      ...sending('a'),
      story.signed('a'),
      story.confirmed('a'),
      story.unconfirmed('a'),
      story.confirmed('a'),
    ]);
    const [withdrawal] = reportOf(entries).flows.kinds;
    expect(withdrawal?.passages).toMatchObject({
      confirmed: { batches: 2, paid: 180_000n, fee: 2000n },
      undone: { batches: 1, paid: 90_000n, fee: 1000n },
    });
    expect(reportOf(entries).eyes).toMatchObject([{ kind: 'unconfirmed', batch: 'a', seq: 9 }]);
    expect(reportOf(entries).closing.confirmed).toBe(91_000n);
  });
});

describe('limits at their peak', () => {
  const entries = sealAll([
    ...BASE,
    ...sending('a'),
    story.signed('a'),
    ...sending('b'),
    story.released('b'),
    story.confirmed('a', time(20)),
  ]);
  const peak = (limit: string, cap: bigint, from: number | null = null, to = FAR) => {
    const change = { limits: { rolling: { '1h': cap, '24h': cap, '7d': null }, rollingBlocks: new Map([[6, cap]]) } };
    return reportOf(entries, from, to, change).limits.find((one) => one.limit === limit);
  };

  it.each([
    [182_000n, 10_000n],
    [182_001n, 9999n],
    [181_999n, 10_000n],
    [0n, null],
  ])('of %d sat', (cap, shareBp) => {
    expect(peak('limits.rolling.24h', cap)).toMatchObject({ measured: 182_000n, cap, shareBp, at: time(10) });
  });

  it('begin from what earlier periods left in the windows', () => {
    expect(peak('limits.rolling.1h', 1n, minute(15), minute(16))).toMatchObject({ measured: 91_000n, at: time(15) });
    // Confirmed in minute 20, and out of the window an hour later.
    expect(peak('limits.rolling.1h', 1n, minute(79), minute(200))).toMatchObject({ measured: 91_000n });
    expect(peak('limits.rolling.1h', 1n, minute(80), minute(200))).toMatchObject({ measured: 0n });
    expect(peak('limits.rolling.24h', 1n, minute(80), minute(200))).toMatchObject({ measured: 91_000n });
  });

  it('have no share of what is unlimited', () => {
    expect(peak('limits.rolling.7d', 1n)).toMatchObject({ cap: null, shareBp: null, measured: 182_000n });
    expect(peak('limits.rolling_blocks.6', 182_000n)).toMatchObject({ shareBp: 10_000n });
  });
});

describe('changes of the book', () => {
  it('tell what is new, what is gone, and what stands for something else', () => {
    const other = `0014${'ef'.repeat(20)}`;
    const entries = sealAll([
      ...BASE,
      book(1, ['stays', 'moves', 'goes'], []),
      book(2, ['moves', 'comes'], ['moves', 'goes'], other),
    ]);
    const names = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id);
    const [first, second] = reportOf(entries).books;
    expect(names(first?.added ?? [])).toEqual(['stays', 'moves', 'goes']);
    expect(second).toMatchObject({
      version: 2,
      seq: 3,
      at: time(3),
      signers: ['erin'],
      removed: ['goes'],
      narrowed: [],
    });
    expect([names(second?.added ?? []), names(second?.changed ?? [])]).toEqual([['comes'], ['moves']]);
  });
});

describe('denials', () => {
  const denied = (id: string, initiator: string, stage: 'plan' | 'sign', ...codes: string[]): EntryBody[] => [
    { ...story.planned(id, { inputs: [`${sha256Hex(id)}:0`] }), initiator } as EntryBody,
    { ...story.verdict(id, 'DENY', stage), codes } as EntryBody,
  ];

  it('are counted by code, with who asked, and the most frequent first', () => {
    const entries = sealAll([
      ...BASE,
      ...denied('a', 'alice', 'plan', 'LIMIT_1H', 'LIMIT_24H'),
      ...denied('b', 'dave', 'plan', 'LIMIT_24H'),
      ...denied('c', 'alice', 'sign', 'LIMIT_24H', 'APPROVALS_MISSING', 'OF_LATER'),
      story.verdict('c', 'NEED'),
    ]);
    const { denials } = reportOf(entries);
    expect(denials).toMatchObject({ verdicts: { plan: 2, sign: 1 }, asked: 4 });
    expect(denials.codes).toEqual([
      {
        code: 'LIMIT_24H',
        verdicts: 3,
        first: time(3),
        last: time(7),
        initiators: new Map([
          ['alice', 2],
          ['dave', 1],
        ]),
      },
      { code: 'LIMIT_1H', verdicts: 1, first: time(3), last: time(3), initiators: new Map([['alice', 1]]) },
      // A code of a newer version: what it does not know, the report does not drop.
      { code: 'OF_LATER', verdicts: 1, first: time(7), last: time(7), initiators: new Map([['alice', 1]]) },
    ]);
  });
});

describe('what a person should look at', () => {
  it('is what may be signed, and what nobody of the journal did', () => {
    const entries = sealAll([
      ...BASE,
      ...sending('a'),
      story.released('a'),
      ...sending('b'),
      story.unknown('b'),
      story.planned('c', { inputs: [outpoint(3)] }),
      story.verdict('c'),
      story.reserved('c'),
      story.released('c'),
      story.frozen(),
      story.unverified('brought'),
      story.automatic('out_of_band_spend', 'x'),
      story.automatic('ledger_tamper', 'y'),
    ]);
    // What was released before a device was asked cannot have been signed.
    expect(reportOf(entries).eyes.map(({ kind, batch }) => [kind, batch])).toEqual([
      ['open', 'b'],
      ['released', 'a'],
      ['unknown', 'b'],
      ['frozen', null],
      ['unverified-halt', null],
      ['out-of-band-spend', null],
      ['automatic-halt', null],
    ]);
  });

  it('is a list that names scripts of the vault', () => {
    const list = (own: readonly string[]): EntryBody => ({
      kind: 'screening.imported',
      list: 'ofac',
      document: sha256Hex('list'),
      set: sha256Hex('set'),
      issuedAt: time(0),
      scripts: 5,
      unusable: 1,
      under: POLICY,
      pin: { person: 'erin', signature: 'armoured' },
      removed: 0,
      searched: 20,
      own,
    });
    const found = reportOf(sealAll([...BASE, list([SCRIPT])]));
    expect(found.screening).toMatchObject([{ list: 'ofac', scripts: 5, unusable: 1, pinnedBy: 'erin', own: [SCRIPT] }]);
    expect(found.eyes).toMatchObject([{ kind: 'screening-hit', seq: 2 }]);
    expect(reportOf(sealAll([...BASE, list([])])).eyes).toEqual([]);
  });
});
