import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json } from '../../src/domain/canonical-json.js';
import { type Anchor, entryHash, NO_ENTRY, sealEntry, verifyChain } from '../../src/journal/chain.js';
import type { Entry, EntryBody } from '../../src/journal/entries.js';
import { START, sealAll } from './chains.js';
import { story } from './story.js';

const LIFE: readonly EntryBody[] = [
  story.opened(),
  story.policy(),
  story.planned('a'),
  story.verdict('a'),
  story.approved('a', 'bob'),
  story.reserved('a', ['bob']),
  story.verdict('a'),
  story.sent('a', ['bob']),
  story.signed('a'),
];
const chain = sealAll(LIFE);

/** Changes one entry and leaves all else, its hash too, as it was. */
const edit = (seq: number, change: Partial<Entry>): Entry[] =>
  chain.map((entry) => (entry.seq === seq ? { ...entry, ...change } : entry));
const rehash = (entry: Entry): Entry => ({ ...entry, hash: entryHash(entry) });
const at = (seq: number): Entry => {
  const entry = chain[seq];
  if (entry === undefined) throw new Error(`no entry ${seq}`);
  return entry;
};
const outcome = async (entries: Iterable<Entry>, anchors?: readonly Anchor[]): Promise<string> => {
  const verified = await verifyChain(entries, anchors);
  return verified.ok ? 'ok' : `${verified.error.tag} ${verified.error.message}`;
};

describe('entryHash', () => {
  it('is the RFC 6962 leaf hash of the canonical JSON of at, body, prev and seq', () => {
    for (const { hash, ...open } of chain) {
      const leaf = canonicalJson(open as unknown as Json);
      expect(hash).toBe(createHash('sha256').update(Buffer.of(0)).update(leaf).digest('hex'));
    }
  });

  it('has not changed since the first release', () => {
    expect(at(0).hash).toBe('09444853aa86677fd277ed91b98c239df91713ae11aab83777ee3aab6202596c');
  });

  it('differs for a change of any field', () => {
    const [first] = chain;
    const hashes = [
      at(1),
      { ...at(1), seq: 2 },
      { ...at(1), at: '2026-06-01T12:01:01Z' },
      { ...at(1), prev: NO_ENTRY },
      { ...at(1), body: story.policy(2) },
    ].map(entryHash);
    expect(new Set([first?.hash, ...hashes]).size).toBe(6);
  });

  it('does not depend on the order in which an object was built', () => {
    const { body } = at(2);
    const reversed = Object.fromEntries(Object.entries(body).reverse()) as unknown as EntryBody;
    expect(entryHash({ ...at(2), body: reversed })).toBe(at(2).hash);
  });
});

describe('sealEntry', () => {
  it('begins at 0 and links each entry to the one before', () => {
    expect(chain.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(chain.map(({ prev }) => prev)).toEqual([NO_ENTRY, ...chain.slice(0, -1).map(({ hash }) => hash)]);
  });

  it.each([
    [-1, '2026-06-01T12:00:00Z'],
    [0, '2026-06-01T12:00:00Z'],
    [1, '2026-06-01T12:00:01Z'],
  ])('with the clock %i s from the head gives the time %s', (offset, time) => {
    const head = { seq: 4, hash: NO_ENTRY, at: START };
    expect(sealEntry(head, START + offset, story.sent('a'))).toMatchObject({ seq: 5, prev: NO_ENTRY, at: time });
  });
});

describe('verifyChain', () => {
  it('accepts a whole life of a batch and gives count, head and state', async () => {
    const verified = await verifyChain(chain);
    expect(verified).toMatchObject({ ok: true, value: { count: 9, head: { seq: 8, hash: at(8).hash } } });
    expect(verified.ok && verified.value.state.batches.get('a')?.state).toBe('SIGNED');
  });

  it('takes entries that come one by one', async () => {
    async function* slowly() {
      for (const entry of chain) yield await Promise.resolve(entry);
    }
    expect(await verifyChain(slowly())).toMatchObject({ ok: true, value: { count: 9 } });
  });

  const swapped = [...chain.slice(0, 3), at(4), at(3), ...chain.slice(5)];
  const cases: [string, Entry[], RegExp][] = [
    ['an edited body', edit(2, { body: story.planned('a', { amount: '90001' }) }), /entry 2 .*edited/],
    ['an edited time', edit(3, { at: '2026-06-01T12:03:01Z' }), /entry 3 .*edited/],
    ['an edited hash', edit(3, { hash: NO_ENTRY }), /entry 3 .*edited/],
    ['a hash in capitals', edit(3, { hash: at(3).hash.toUpperCase() }), /entry 3 .*edited/],
    [
      'an edited entry with its hash made anew',
      edit(2, rehash({ ...at(2), at: '2026-06-01T12:02:01Z' })),
      /entry 3 .*before it/,
    ],
    ['another prev', edit(3, { prev: NO_ENTRY }), /entry 3 .*does not name the hash/],
    ['a first entry with a prev', edit(0, rehash({ ...at(0), prev: at(1).hash })), /entry 0 .*does not name/],
    ['two entries swapped', swapped, /entry 3 .*missing: entry 4/],
    [
      'two entries swapped with their numbers',
      swapped.map((entry, seq) => ({ ...entry, seq })),
      /entry 3 .*does not name/,
    ],
    ['an entry twice', [...chain.slice(0, 4), at(3), ...chain.slice(4)], /entry 4 .*entry 3 stands in its place/],
    ['an entry left out', chain.filter(({ seq }) => seq !== 3), /entry 3 .*missing: entry 4/],
    ['the first entry left out', chain.slice(1), /entry 0 .*missing: entry 1/],
    ['a number that is none', edit(3, { seq: 3.5 }), /entry 3 .*not a whole number/],
    ['a time that is none', edit(3, rehash({ ...at(3), at: 'yesterday' })), /entry 3 .*not a time/],
    ['no entry at all', [], /entry 0 .*even a new journal/],
  ];
  it.each(cases)('finds %s', async (_, entries, words) => {
    const found = await outcome(entries);
    expect(found).toMatch(/^E_JOURNAL_TAMPERED /);
    expect(found).toMatch(words);
  });

  it('finds an inserted entry where the chain breaks: at the entry after it', async () => {
    const inserted = sealEntry({ seq: 2, hash: at(2).hash, at: START + 120 }, START + 120, story.verdict('a', 'NEED'));
    const entries = [
      ...chain.slice(0, 3),
      inserted,
      ...chain.slice(3).map((entry) => ({ ...entry, seq: entry.seq + 1 })),
    ];
    expect(await outcome(entries)).toMatch(/entry 4 .*does not name/);
  });

  it('finds a time that goes back in a chain written anew, by one second and not by none', async () => {
    const back = (step: number) =>
      sealAll(LIFE.slice(0, 2)).map((entry, i) =>
        i === 1 ? rehash({ ...entry, at: `2026-06-01T${step === 0 ? '12:00:00' : '11:59:59'}Z` }) : entry,
      );
    expect(await outcome(back(0))).toBe('ok');
    expect(await outcome(back(1))).toMatch(/E_JOURNAL_TAMPERED .*entry 1 .*lies before/);
  });

  it('finds an illegal transition in a chain that holds', async () => {
    const bodies = [story.opened(), story.policy(), story.planned('a'), story.sent('a')];
    expect(await outcome(sealAll(bodies))).toMatch(/^E_JOURNAL_TAMPERED entry 3 .*DRAFT; batch.sent needs RESERVED/);
  });

  it('says of an unknown kind that a newer version may have written it', async () => {
    const bodies = [story.opened(), { kind: 'chain.followed', by: 'alice' } as unknown as EntryBody];
    expect(await outcome(sealAll(bodies))).toMatch(/^E_JOURNAL_SCHEMA entry 1 .*"chain.followed"/);
  });

  it.each([
    ['a field that does not belong', { ...story.policy(), extra: 1 }],
    ['a missing field', { kind: 'policy.activated', version: 1 }],
    ['an amount with a sign', { ...story.reserved('a'), spend: '-1' }],
    ['an amount over 21,000,000 BTC', { ...story.reserved('a'), spend: '2100000000000001' }],
    ['a body that is not an object', 'text'],
    ['a body of null', null],
    ['an array', []],
  ])('finds %s', async (_, body) => {
    const entries = [at(0), { ...at(1), body: body as unknown as EntryBody }];
    expect(await outcome(entries)).toMatch(/^E_JOURNAL_TAMPERED entry 1 /);
  });

  it('finds any change of any one stored character', async () => {
    const texts = chain.map((entry) => JSON.stringify(entry));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(chain.length - 1),
        fc.nat(10_000),
        fc.integer({ min: 0x20, max: 0x7e }),
        async (seq, spot, code) => {
          const text = texts[seq] ?? '';
          const place = spot % text.length;
          const changed = text.slice(0, place) + String.fromCharCode(code) + text.slice(place + 1);
          fc.pre(changed !== text);
          let entry: Entry;
          try {
            entry = JSON.parse(changed);
          } catch {
            return;
          }
          // A key that is renamed outside the five fields leaves a hole: the reader of a file refuses that before us.
          fc.pre(['seq', 'at', 'prev', 'body', 'hash'].every((key) => key in entry));
          const verified = await verifyChain(chain.map((one) => (one.seq === seq ? entry : one)));
          expect(verified.ok).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('what a bare chain cannot show, and an anchor can', () => {
  const anchor = { seq: 6, hash: at(6).hash };
  const cut = chain.slice(0, 6);
  const anew = sealAll([...LIFE.slice(0, 4), story.abandoned('a')]);

  it('does not see entries cut off at the end, nor a chain written anew', async () => {
    expect(await outcome(cut)).toBe('ok');
    expect(await outcome(anew)).toBe('ok');
  });

  it('sees both by a place that was noted elsewhere', async () => {
    expect(await outcome(chain, [anchor])).toBe('ok');
    expect(await outcome(cut, [anchor])).toMatch(/entry 6 .*cut off/);
    expect(await outcome(anew, [{ seq: 4, hash: at(4).hash }])).toMatch(/entry 4 .*written anew/);
  });

  it('takes the last entry as an anchor, and not one after it', async () => {
    expect(await outcome(cut, [{ seq: 5, hash: at(5).hash }])).toBe('ok');
    expect(await outcome(chain, [anchor, { seq: 9, hash: NO_ENTRY }])).toMatch(/entry 9 .*cut off/);
  });

  it('says so where two anchors contradict each other', async () => {
    expect(await outcome(chain, [anchor, { seq: 6, hash: NO_ENTRY }])).toMatch(/entry 6 .*contradict/);
  });
});
