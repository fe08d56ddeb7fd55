import { afterAll, describe, expect, it } from 'vitest';
import { encodeAddress, groupedAddress } from '../../src/domain/address.js';
import { hash160, sha256 } from '../../src/domain/bytes.js';
import { parseCounterparty } from '../../src/vault/counterparty.js';
import { keyHashProof, publicOf } from '../psbt/bip322-signer.js';
import { keyText, withChecksum } from '../vault/fixtures.js';
import { addressOf, demoFile, NOON, policyText, removeAll, SEED, type Session, stage } from './session.js';

afterAll(removeAll);

const OKX = withChecksum(`wpkh(${keyText(9, '84h/1h/7h')}/0/*)`);
const read = parseCounterparty('testnet3', OKX);
if (!read.ok) throw new Error(read.error.message);
const okx = read.value;
const addressAt = (index: number): string => encodeAddress(okx.at(index), 'testnet3') ?? '';

function keyPairOf(): { readonly secret: Uint8Array; readonly script: Uint8Array } {
  const secret = sha256('a key of the tests that proves its control');
  return { secret, script: Uint8Array.of(0, 20, ...hash160(publicOf(secret))) };
}

const OWN = demoFile('descriptor.txt').trim().replace(/#.*/, '').replace('<0;1>', '0');

const entry = (id: string, descriptor: string, more = ''): string =>
  `  - id: ${id}\n    descriptor: "${descriptor}"\n${more}    label: "OKX deposits"\n    owner: "okx"\n    purpose: "settlement"\n`;

/** Imports the book that follows the one in force, with another text. */
// biome-ignore lint/suspicious/noExplicitAny: the tests look into the documented object.
async function nextBook(s: Session, file: string, edit: (text: string) => string, code = 0): Promise<any> {
  const from = Number(/\d+/.exec(file)?.[0]) - 1;
  const { digest } = await s.json(0, 'book', 'show');
  const text = s
    .read(`book-${from}.yaml`)
    .replace(/^version: .*$/m, `version: ${from + 1}`)
    .replace(/^prev: .*$/m, `prev: "${digest}"`);
  s.write(file, edit(text));
  await s.signDocument('book', file, 'bob', 'erin');
  return s.json(code, 'book', 'import', file);
}

/** A workspace at noon of the first of June whose book has had okx for six days. */
async function withOkx(more = ''): Promise<Session> {
  const s = await stage({ until: 'book' });
  s.now = '2026-05-26T10:00:00Z';
  await nextBook(s, 'book-3.yaml', (text) => text + entry('okx', OKX, more));
  s.now = '2026-06-01T11:30:00Z';
  await s.expect(0, 'coins', 'import', 'coins.json');
  s.now = NOON;
  return s;
}

const file = (s: Session, name: string, ...rows: string[]): string => {
  s.write(name, `${['id,address,amount,destination,index', ...rows].join('\n')}\n`);
  return name;
};

describe('a descriptor in the book, from the file to the audit', () => {
  it('is paid at the index that was declared, and the audit proves it again', async () => {
    const s = await withOkx();
    const first = file(s, 'a.csv', `a,${addressAt(5)},100000000,okx,5`, `b,${addressOf('warm-1')},100000000,,`);
    const planned = await s.expect(0, 'batch', 'plan', first, '--as', 'alice', '--seed', SEED);
    const shown = `okx /5  ${groupedAddress(addressAt(5))}`;
    expect(planned.stdout).toContain(shown);
    const [{ id }] = (await s.json(0, 'batch', 'list')).batches;
    await s.approve(id, 'bob', 'carol');
    const row = new RegExp(`100000000 +${shown.replace(/ +/, ' +')}`);
    expect((await s.expect(0, 'batch', 'check', id)).stdout).toContain(shown);
    expect((await s.expect(0, 'batch', 'show', id)).stdout).toMatch(row);
    expect((await s.json(0, 'batch', 'show', id)).batch.requests).toContainEqual(
      expect.objectContaining({ id: 'a', destination: 'okx', index: 5 }),
    );
    await s.expect(0, 'batch', 'sign', id);

    s.wait(60);
    const again = file(s, 'b.csv', `c,${addressAt(5)},100000000,okx,5`, `d,${addressAt(6)},100000000,okx,6`);
    const { batches } = await s.json(0, 'batch', 'plan', again, '--as', 'alice', '--seed', SEED);
    const { findings } = batches[0].verdict;
    const find = (code: string) => findings.filter((one: { code: string }) => one.code === code);
    expect(find('DEST_INDEX_REUSE')).toMatchObject([{ outcome: 'warn', subject: 'okx /5' }]);
    expect(find('YOUNG_CAP')).toMatchObject([{ subject: 'okx', measured: '300000000' }]);
    expect(find('DEST_CAP')).toMatchObject([{ subject: 'okx', measured: '300000000' }]);
    await s.expect(0, 'audit', 'verify');
  });

  it('is denied at another index, with both addresses, and the id may be planned again with the right one', async () => {
    const s = await withOkx();
    const wrong = file(s, 'a.csv', `a,${addressAt(6)},100000000,okx,5`);
    const denied = await s.json(10, 'batch', 'plan', wrong, '--as', 'alice', '--seed', SEED);
    const reasons = denied.batches[0].verdict.findings.filter((one: { outcome: string }) => one.outcome === 'deny');
    expect(reasons).toMatchObject([{ code: 'DEST_DERIVATION', subject: 'request a' }]);
    for (const part of [addressAt(5), addressAt(6), 'index 6']) expect(reasons[0].text).toContain(part);
    const undeclared = file(s, 'b.csv', `a,${addressAt(6)},100000000,,`);
    await s.expect(10, 'batch', 'plan', undeclared, '--as', 'alice', '--seed', SEED);
    const right = file(s, 'c.csv', `a,${addressAt(6)},100000000,okx,6`);
    await s.expect(0, 'batch', 'plan', right, '--as', 'alice', '--seed', SEED);
    await s.expect(0, 'audit', 'verify');
  });

  it('counts its caps over all addresses, and keeps counting when the book is changed', async () => {
    const s = await withOkx();
    const first = await s.ready(file(s, 'a.csv', `a,${addressAt(1)},300000000,okx,1`));
    await s.expect(0, 'batch', 'sign', first);
    const more = (name: string, id: string, amount: number): string =>
      file(s, name, `${id},${addressAt(2)},${amount},okx,2`);
    const plan = (name: string) => ['batch', 'plan', name, '--as', 'alice', '--seed', SEED];
    await s.expect(10, ...plan(more('b.csv', 'b', 200000001)));
    await s.expect(0, ...plan(more('c.csv', 'c', 200000000)));
    // Removed and added again, with more indexes: its age begins anew, what it got does not.
    await nextBook(s, 'book-4.yaml', (text) => text.replace(OKX, `${OKX}"\n    max_index: 2000\n    #"`));
    s.wait(60);
    const denied = await s.json(10, ...plan(more('d.csv', 'd', 200000001)));
    const codes = denied.batches[0].verdict.findings
      .filter((one: { outcome: string }) => one.outcome === 'deny')
      .map((one: { code: string }) => one.code);
    expect(codes).toEqual(['DEST_COOLDOWN', 'YOUNG_CAP']);
    await s.expect(0, 'audit', 'verify');
  });

  it('keeps its age with fewer indexes, and loses it with more', async () => {
    const s = await withOkx('    max_index: 10\n');
    const since = async (): Promise<string> =>
      (await s.json(0, 'book', 'show', 'okx')).entries.map((one: { since: string }) => one.since).join();
    const before = await since();
    const narrower = await nextBook(s, 'book-4.yaml', (text) => text.replace('max_index: 10', 'max_index: 9'));
    expect(narrower).toMatchObject({ added: [], removed: [], narrowed: ['okx'] });
    expect(await since()).toBe(before);
    const plan = (name: string) => ['batch', 'plan', name, '--as', 'alice', '--seed', SEED];
    await s.expect(10, ...plan(file(s, 'a.csv', `a,${addressAt(10)},100000000,okx,10`)));
    await s.expect(0, ...plan(file(s, 'b.csv', `b,${addressAt(9)},100000000,okx,9`)));
    s.wait(60);
    const wider = await nextBook(s, 'book-5.yaml', (text) => text.replace('max_index: 9', 'max_index: 10'));
    expect(wider).toMatchObject({ added: ['okx'], removed: ['okx'], narrowed: [] });
    expect(await since()).toBe(s.now);
    await s.expect(0, 'audit', 'verify');
  });

  it('that is the receiving branch of the vault itself is refused', async () => {
    const s = await stage();
    const own = withChecksum(OWN.replace(/\[.*\]/, ''));
    const refused = await nextBook(s, 'book-3.yaml', (text) => text + entry('okx', own), 2);
    expect(refused.faults).toMatchObject([{ tag: 'E_BOOK_OWN', where: { file: 'book-3.yaml' } }]);
  });
});

describe('book show', () => {
  it('prints a descriptor in full, and the address at any index that the book allows', async () => {
    const s = await withOkx('    max_index: 10\n');
    const shown = await s.expect(0, 'book', 'show');
    expect(shown.stdout).toContain(groupedAddress(addressAt(0)));
    expect(shown.stdout).toContain(OKX);
    expect(shown.stdout).toContain('11 addresses, /0 to /10');
    const one = await s.json(0, 'book', 'show', 'okx', '--index', '10');
    expect(one.addresses).toEqual([{ name: 'okx /10', address: addressAt(10) }]);
    expect(one.entries).toMatchObject([{ id: 'okx', descriptor: OKX, maxIndex: 10 }]);
  });

  it.each<[string, readonly string[]]>([
    ['an index above the highest', ['okx', '--index', '11']],
    ['an index of an address', ['warm-1', '--index', '0']],
    ['an index of nothing', ['--index', '0']],
    ['an index that is none', ['okx', '--index', '1.5']],
    ['an id that is not there', ['okx2']],
  ])('refuses %s', async (_name, words) => {
    const s = await withOkx('    max_index: 10\n');
    expect(await s.faultOf(2, 'book', 'show', ...words)).toBe('E_USAGE');
  });
});

describe('policy simulate', () => {
  it('asks for the next address of a descriptor, as one destination', async () => {
    const s = await withOkx();
    const before = await s.json(0, 'policy', 'simulate', '--to', 'okx');
    const id = await s.ready(file(s, 'a.csv', `a,${addressAt(4)},300000000,okx,4`));
    await s.expect(0, 'batch', 'sign', id);
    const after = await s.json(0, 'policy', 'simulate', '--to', 'okx');
    const most = (simulation: { destinations: { most: string }[] }) => simulation.destinations.map((one) => one.most);
    expect([most(before), most(after)]).toEqual([['500000000'], ['200000000']]);
    await s.expect(0, 'policy', 'simulate', '--to', 'okx', '--amount', '200000000');
    await s.expect(10, 'policy', 'simulate', '--to', 'okx', '--amount', '200000001');
  });
});

describe('proofs of control', () => {
  const proving = keyPairOf();
  const address = encodeAddress(proving.script, 'testnet3') ?? '';
  const place = `  - id: prover\n    address: ${address}\n    label: "Prover"\n    owner: "prover"\n    purpose: "tests"\n`;

  async function requiring(): Promise<Session> {
    const text = policyText().replace('  script_types:', '  proof: required\n  script_types:');
    const s = await stage({ until: 'book', policy: text });
    s.now = '2026-05-26T10:00:00Z';
    return s;
  }

  it('are asked for by book proofs, verified on import, and let a destination be paid', async () => {
    const s = await requiring();
    s.write('draft.yaml', s.read('book-2.yaml') + place);
    const asked = await s.json(0, 'book', 'proofs', 'draft.yaml', 'prover');
    expect(asked.entries).toMatchObject([{ id: 'prover', address, proven: false }]);
    const [{ message }] = asked.entries;
    expect((await s.expect(0, 'book', 'proofs', 'draft.yaml')).stdout).toContain(message);
    const proof = keyHashProof(proving.script, proving.secret, message);
    const done = await nextBook(s, 'book-3.yaml', (text) => `${text}${place}    proof: "${proof}"\n`);
    expect(done).toMatchObject({ added: ['prover'], proven: ['prover'] });
    expect((await s.json(0, 'book', 'show', 'prover')).entries).toMatchObject([{ id: 'prover', proven: true }]);

    s.now = '2026-06-01T11:30:00Z';
    await s.expect(0, 'coins', 'import', 'coins.json');
    s.now = NOON;
    const plan = (name: string) => ['batch', 'plan', name, '--as', 'alice', '--seed', SEED];
    await s.expect(0, ...plan(file(s, 'a.csv', `a,${address},100000000,prover,`)));
    const denied = await s.json(10, ...plan(file(s, 'b.csv', `b,${addressOf('warm-1')},100000000,,`)));
    const reasons = denied.batches[0].verdict.findings.filter((one: { outcome: string }) => one.outcome === 'deny');
    expect(reasons).toMatchObject([{ code: 'BOOK_PROOF', subject: 'warm-1' }]);
    s.wait(60);
    // A proof that is taken out again leaves the age, and lets nothing be paid.
    const gone = await nextBook(s, 'book-4.yaml', (text) => text.replace(/ {4}proof: .*\n/, ''));
    expect(gone).toMatchObject({ added: [], removed: [], proven: [] });
    await s.expect(10, ...plan(file(s, 'c.csv', `c,${address},100000000,prover,`)));
    await s.expect(0, 'audit', 'verify');
  });

  it('that are not good make a book unreadable, with the line', async () => {
    const s = await requiring();
    const proof = keyHashProof(proving.script, proving.secret, 'another message');
    s.write('bad.yaml', `${s.read('book-2.yaml')}${place}    proof: "${proof}"\n`);
    const line = s.read('bad.yaml').split('\n').indexOf('  - id: prover') + 1;
    for (const words of [
      ['book', 'proofs', 'bad.yaml'],
      ['book', 'import', 'bad.yaml'],
      ['book', 'sign', 'bad.yaml', '--key', 'keys/bob', '--as', 'bob'],
    ]) {
      const { faults } = await s.json(2, ...words);
      expect(faults).toMatchObject([{ tag: 'E_BOOK_PROOF', where: { line } }]);
    }
    expect(await s.faultOf(2, 'book', 'proofs', 'book-2.yaml', 'nobody')).toBe('E_USAGE');
  });
});
