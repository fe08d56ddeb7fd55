import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { publicLine } from '../approval/soft-token.js';
import { demoFile, removeAll, type Session, snapshot, stage, tokenOf } from './session.js';

afterAll(removeAll);

const NAMESPACE = 'countersign-snapshot@v1';

/** The statement as docs/snapshot.md words it, made here by hand. */
function statementOf(file: string): string {
  const { network, vault, tip, taken_at } = JSON.parse(file);
  const digest = `sha256:${createHash('sha256').update(file).digest('hex')}`;
  return `{"digest":"${digest}","height":${tip.height},"network":"${network}","schema":"countersign.snapshot-signature/1","taken_at":"${taken_at}","vault":"${vault}"}`;
}

const HEIGHT: number = JSON.parse(demoFile('coins.json')).tip.height + 1;
const FRESH = snapshot({ height: HEIGHT, takenAt: '2026-06-01T11:52:00Z' });

async function withSigners(...people: readonly string[]): Promise<Session> {
  const session = await stage();
  const lines = people.map((person) => `  ${person}-box: "${publicLine(tokenOf(person))} a comment"\n`).join('');
  session.write('countersign.yaml', `${session.read('countersign.yaml')}snapshot_signers:\n${lines}`);
  session.write('fresh.json', FRESH);
  return session;
}

const sign = (session: Session, person: string, text = statementOf(FRESH), namespace = NAMESPACE): string =>
  session.sign(person, text, { namespace });

describe('a coin snapshot where countersign.yaml names who signs', () => {
  it('is taken in with a signature by one of them, beside it or named; the journal keeps it, and the audit proves it', async () => {
    const session = await withSigners('frank', 'grace');
    session.write('fresh.json.box.sig', sign(session, 'grace'));
    expect(await session.json(0, 'coins', 'import', 'fresh.json')).toMatchObject({ signed_by: 'grace-box' });
    expect((await session.expect(0, 'coins', 'import', 'fresh.json')).stdout).toContain('signed by grace-box');
    const { entries } = await session.json(0, 'audit', 'log');
    expect(entries.at(-1).body.signer).toEqual({ name: 'grace-box', signature: sign(session, 'grace') });
    await session.expect(0, 'audit', 'verify');

    const elsewhere = await withSigners('frank');
    elsewhere.write('other.sig', sign(elsewhere, 'frank'));
    const imported = await elsewhere.json(0, 'coins', 'import', 'fresh.json', '--signature', 'other.sig');
    expect(imported.signed_by).toBe('frank-box');
  });

  it.each([
    ['no signature', null],
    ['one by somebody else', (s: Session) => sign(s, 'mallory')],
    ['one over other bytes', (s: Session) => sign(s, 'frank', statementOf(snapshot({ height: HEIGHT + 1 })))],
    ['one of another namespace', (s: Session) => sign(s, 'frank', statementOf(FRESH), 'countersign-approve@v1')],
    ['a text that is none', () => 'signed, frank'],
  ])('with %s it is refused and nothing is taken in', async (_, make) => {
    const session = await withSigners('frank');
    if (make !== null) session.write('fresh.json.frank.sig', make(session));
    await session.untouched(async () => {
      expect(await session.faultOf(13, 'coins', 'import', 'fresh.json')).toBe('E_SNAPSHOT_SIG');
    });
  });

  it('a good signature does not carry a bad one along, and bytes that were changed have none', async () => {
    const session = await withSigners('frank');
    session.write('fresh.json.frank.sig', sign(session, 'frank'));
    session.write('fresh.json.mallory.sig', sign(session, 'mallory'));
    expect(await session.faultOf(13, 'coins', 'import', 'fresh.json')).toBe('E_SNAPSHOT_SIG');
    const named = ['--signature', 'fresh.json.frank.sig'];
    session.write('changed.json', `${FRESH} `);
    expect(await session.faultOf(13, 'coins', 'import', 'changed.json', ...named)).toBe('E_SNAPSHOT_SIG');
    await session.expect(0, 'coins', 'import', 'fresh.json', ...named);
  });

  it('without named signers an unsigned one is taken in, and one with a signature over something else is not', async () => {
    const session = await stage();
    session.write('fresh.json', FRESH);
    session.write('fresh.json.frank.sig', sign(session, 'frank', 'something else'));
    expect(await session.faultOf(13, 'coins', 'import', 'fresh.json')).toBe('E_SNAPSHOT_SIG');
    session.write('fresh.json.frank.sig', sign(session, 'frank'));
    expect(await session.json(0, 'coins', 'import', 'fresh.json')).toMatchObject({ signed_by: null });
  });
});
