import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { HALT_NAMESPACE } from '../../src/approval/halt-statement.js';
import { tamper } from '../adapters/journal-folder.js';
import { removeAll, type Session, stage } from '../cli/session.js';
import { honestSignatures, softSigner } from '../cli/soft-device.mjs';
import { entriesOf } from './forged-journal.js';

afterAll(removeAll);

const raise = (s: Session, person: string, ...more: string[]) =>
  s.json(0, 'halt', 'raise', '--reason', 'looked into', '--key', `keys/${person}`, ...more);

const kinds = async (s: Session): Promise<string[]> => (await entriesOf(s)).map(({ body }) => body.kind);

describe('a halt by one officer', () => {
  it('is there at once, stops approving and signing with 12, and leaves reading and auditing', async () => {
    const s = await stage();
    const [draft, ready] = [await s.planOne('second.csv'), await s.ready('withdrawals.csv')];
    const { halt, verified, scope } = await raise(s, 'alice');
    expect([verified, scope]).toEqual([true, 'all']);
    expect(await s.faultOf(12, 'batch', 'approve', draft, '--key', 'keys/bob')).toBe('E_HALTED');
    expect(await s.faultOf(12, 'batch', 'approve', draft, '--statement', '--person', 'bob')).toBe('E_HALTED');
    const refused = await s.json(12, 'batch', 'sign', ready);
    expect(refused.signed).toBe(false);
    const denied = refused.verdict.findings.filter(({ outcome }: { outcome: string }) => outcome === 'deny');
    expect(denied).toMatchObject([{ code: 'HALTED', subject: halt }]);
    expect((await s.json(12, 'batch', 'check', ready)).verdict.decision).toBe('DENY');
    expect(await s.json(12, 'halt', 'status')).toMatchObject({ halted: true, halts: [{ halt, person: 'alice' }] });
    for (const argv of [
      ['batch', 'list'],
      ['batch', 'show', ready],
      ['vault', 'balance'],
      ['audit', 'log'],
      ['audit', 'verify'],
      ['policy', 'explain'],
    ]) {
      await s.expect(0, ...argv);
    }
  });

  it('does not hide what else the policy would say', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await raise(s, 'alice');
    s.now = '2026-06-01T23:00:00Z';
    const { verdict } = await s.json(12, 'batch', 'sign', id);
    const codes = verdict.findings
      .filter(({ outcome }: { outcome: string }) => outcome !== 'pass')
      .map(({ code }: { code: string }) => code);
    expect(codes).toEqual(expect.arrayContaining(['HALTED', 'TIME_CLOSED']));
  });

  it('lets a plan be made and judged, and gives it up at once', async () => {
    const s = await stage();
    await raise(s, 'alice');
    const planned = await s.json(12, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice');
    expect(JSON.stringify(planned.batches[0].verdict)).toContain('LIMIT_24H');
    expect(await s.stateOf(planned.batches[0].id)).toBe('ABANDONED');
    expect(await s.balance('in a batch')).toBe(0n);
  });

  it('may come from an auditor, who cannot approve', async () => {
    const s = await stage();
    expect((await raise(s, 'frank')).verified).toBe(true);
  });

  it('stands when every file but the journal is gone: it is an entry of it', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await raise(s, 'alice');
    for (const name of ['policy.yaml', 'book-1.yaml', 'book-2.yaml', 'batches', 'coins.json']) {
      rmSync(s.path(name), { recursive: true });
    }
    await s.expect(12, 'halt', 'status');
    await s.expect(12, 'batch', 'sign', id);
  });

  it('needs no sound policy file, no coins and no book', async () => {
    const s = await stage({ until: 'policy' });
    s.write('policy.yaml', 'not a policy');
    expect((await raise(s, 'alice')).verified).toBe(true);
    const before = await stage({ until: 'vault' });
    const words = ['halt', 'raise', '--reason', 'r', '--key', 'keys/alice'];
    expect(await before.faultOf(14, ...words)).toBe('E_POLICY_MISSING');
  });

  it('is not raised by words that have to be corrected first', async () => {
    const s = await stage();
    const words = ['halt', 'raise', '--key', 'keys/alice', '--reason'];
    await s.untouched(async () => {
      expect(await s.faultOf(2, ...words, 'a\u202eb')).toBe('E_TEXT_UNSAFE');
      expect(await s.faultOf(2, ...words, 'r', '--scope', 'everything')).toBe('E_HALT_SCOPE');
      expect(await s.faultOf(2, ...words, 'r', '--scope', 'destination:nowhere')).toBe('E_HALT_SCOPE');
      expect(await s.faultOf(2, ...words, 'r', '--scope', 'initiator:zed')).toBe('E_HALT_SCOPE');
      expect(await s.faultOf(2, 'halt', 'raise', '--reason', 'r')).toBe('E_USAGE');
      expect(await s.faultOf(2, 'halt', 'raise', '--key', 'keys/alice')).toBe('E_USAGE');
      const { faults } = await s.json(2, 'halt', 'raise', '--reason', 'r', '--key', 'keys/absent');
      expect(faults[0].remedy).toContain('--unsigned');
    });
  });
});

describe('a halt of less than everything', () => {
  it('of a destination stops what pays it, and nothing else', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const { batch } = await s.json(0, 'batch', 'show', id);
    const { entries } = await s.json(0, 'book', 'show');
    const paid = entries.find((one: { script: string }) => one.script === batch.requests[0].script);
    const other = entries.find((one: { id: string }) => one.id !== paid.id);
    await raise(s, 'alice', '--scope', `destination:${other.id}`);
    expect((await s.json(0, 'batch', 'check', id)).verdict.decision).toBe('ALLOW');
    await raise(s, 'alice', '--scope', `destination:${paid.id}`);
    await s.expect(12, 'batch', 'sign', id);
  });

  it('of an initiator stops what that person asked for', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await raise(s, 'bob', '--scope', 'initiator:dave');
    await s.expect(0, 'batch', 'check', id);
    await raise(s, 'bob', '--scope', 'initiator:alice');
    await s.expect(12, 'batch', 'sign', id);
  });
});

describe('a halt that was signed elsewhere', () => {
  async function statement(s: Session, person: string, ...more: string[]): Promise<string> {
    const words = ['halt', 'raise', '--statement', '--person', person, '--reason', 'signed beforehand', ...more];
    const { stdout } = await s.expect(0, ...words);
    return stdout;
  }
  const bring = (s: Session, text: string, signature: string, code = 0, ...more: string[]) => {
    s.write('halt.json', text);
    s.write('halt.sig', signature);
    return s.json(code, 'halt', 'raise', '--signature', 'halt.sig', '--over', 'halt.json', ...more);
  };

  it('is that person\u2019s, and has its effect once', async () => {
    const s = await stage();
    const text = await statement(s, 'bob');
    const signature = s.sign('bob', text, { namespace: HALT_NAMESPACE });
    s.wait(86_400 * 20);
    const raised = await bring(s, text, signature);
    expect(raised).toMatchObject({ verified: true, person: 'bob', reason: 'signed beforehand', stood_already: false });
    expect(await s.untouched(() => bring(s, text, signature))).toMatchObject({
      halt: raised.halt,
      stood_already: true,
    });
    await s.expect(0, 'audit', 'verify');
  });

  it.each([
    ['by a stranger', 'mallory', (text: string) => text, HALT_NAMESPACE],
    ['by somebody else than it says', 'carol', (text: string) => text, HALT_NAMESPACE],
    ['for another purpose', 'bob', (text: string) => text, 'git'],
    ['over another text', 'bob', (text: string) => text.replace('beforehand', 'afterwards'), HALT_NAMESPACE],
  ])('%s: it stops everything, as nobody\u2019s', async (_, signer, edit, namespace) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const text = await statement(s, 'bob', '--scope', 'initiator:dave');
    const raised = await bring(s, edit(text), s.sign(signer, text, { namespace }));
    expect(raised).toMatchObject({ verified: false, scope: 'all', source: 'unverified' });
    await s.expect(12, 'batch', 'sign', id);
    await s.expect(0, 'audit', 'verify');
  });

  it('of another journal is nobody\u2019s here', async () => {
    const [here, there] = [await stage(), await stage({ until: 'policy' })];
    const text = (await statement(there, 'bob')).replace(/"journal":"[0-9a-f]{64}"/, `"journal":"${'ab'.repeat(32)}"`);
    const raised = await bring(here, text, here.sign('bob', text, { namespace: HALT_NAMESPACE }));
    expect(raised).toMatchObject({ verified: false });
    expect(raised.problem).toContain('journal');
  });

  it('of what nobody knows here stops everything, as the person\u2019s', async () => {
    const s = await stage();
    const text = (await statement(s, 'bob')).replace('"scope":"all"', '"scope":"destination:nowhere"');
    const raised = await bring(s, text, s.sign('bob', text, { namespace: HALT_NAMESPACE }));
    expect(raised).toMatchObject({ verified: true, scope: 'all', person: 'bob' });
    await s.expect(0, 'audit', 'verify');
  });

  it('is whatever is brought, but not a file that is no statement by its size, nor words beside it', async () => {
    const s = await stage();
    expect(await bring(s, '', '')).toMatchObject({ verified: false });
    const other = await stage();
    await other.untouched(async () => {
      other.write('other.sig', '');
      other.write('big.json', 'x'.repeat(70_000));
      const big = ['halt', 'raise', '--signature', 'other.sig', '--over', 'big.json'];
      expect(await other.faultOf(2, ...big)).toBe('E_USAGE');
      expect(await other.faultOf(2, ...big, '--reason', 'r')).toBe('E_USAGE');
      expect(await other.faultOf(2, 'halt', 'raise', '--signature', 'other.sig')).toBe('E_USAGE');
      rmSync(other.path('other.sig'));
      rmSync(other.path('big.json'));
    });
  });

  it('is printed for nobody who may not halt', async () => {
    const s = await stage();
    const words = ['halt', 'raise', '--statement', '--reason', 'r', '--person'];
    expect(await s.faultOf(10, ...words, 'mallory')).toBe('E_HALT_PERSON');
  });
});

describe('a halt that nobody verifiable raised', () => {
  it.each([
    ['without a key', ['--unsigned']],
    ['with the key of a stranger', ['--key', 'keys/mallory']],
  ])('%s stops everything until one officer clears it', async (_, words) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const raised = await s.json(0, 'halt', 'raise', '--reason', 'r', ...words);
    expect(raised).toMatchObject({ verified: false, source: 'unverified', scope: 'all' });
    await s.expect(12, 'batch', 'sign', id);
    expect(await s.faultOf(10, 'halt', 'resume', '--key', 'keys/frank')).toBe('E_HALT_PERSON');
    expect(await s.faultOf(10, 'halt', 'resume', '--key', 'keys/mallory')).toBe('E_HALT_PERSON');
    expect(await s.json(0, 'halt', 'resume', '--key', 'keys/dave')).toMatchObject({ resumed: true, standing: [] });
    await s.expect(0, 'batch', 'sign', id);
    await s.expect(0, 'audit', 'verify');
  });

  it('stands alone of its kind: the next one writes nothing, so one clearance is enough', async () => {
    const s = await stage();
    const { halt } = await s.json(0, 'halt', 'raise', '--reason', 'r', '--unsigned');
    const again = await s.untouched(() => s.json(0, 'halt', 'raise', '--reason', 'other', '--key', 'keys/mallory'));
    expect(again).toMatchObject({ halt, stood_already: true });
    await s.expect(0, 'halt', 'resume', '--key', 'keys/dave');
    await s.expect(0, 'halt', 'status');
  });

  it('with one statement stops once', async () => {
    const s = await stage();
    s.write('junk.json', 'junk');
    s.write('junk.sig', 'junk');
    const words = ['halt', 'raise', '--signature', 'junk.sig', '--over', 'junk.json'];
    await s.json(0, ...words);
    await s.expect(0, 'halt', 'resume', '--key', 'keys/dave');
    expect(await s.faultOf(10, ...words)).toBe('E_HALT_REPLAY');
  });

  it.each([
    ['while it stands', false],
    ['once it is cleared', true],
  ])('does not use up what the person signed, %s', async (_, isCleared) => {
    const s = await stage();
    const words = ['halt', 'raise', '--statement', '--person', 'bob', '--reason', 'signed beforehand'];
    const { stdout } = await s.expect(0, ...words);
    s.write('halt.json', stdout);
    s.write('halt.sig', s.sign('bob', stdout, { namespace: HALT_NAMESPACE }));
    s.write('cut.sig', s.read('halt.sig').slice(0, 100));
    const bring = (signature: string) => ['halt', 'raise', '--signature', signature, '--over', 'halt.json'];
    expect(await s.json(0, ...bring('cut.sig'))).toMatchObject({ verified: false });
    if (isCleared) await s.expect(0, 'halt', 'resume', '--key', 'keys/dave');
    expect(await s.json(0, ...bring('halt.sig'))).toMatchObject({
      verified: true,
      person: 'bob',
      stood_already: false,
    });
    await s.expect(0, 'audit', 'verify');
  });

  it('without a key is of everything', async () => {
    const s = await stage();
    const words = ['halt', 'raise', '--reason', 'r', '--unsigned', '--scope', 'initiator:alice'];
    expect(await s.untouched(() => s.faultOf(2, ...words))).toBe('E_USAGE');
  });
});

describe('a halt that comes while a batch is being signed', () => {
  it('between the reservation and the device: nothing is sent, and the budget is given back', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const device = softSigner();
    s.signer = () => ({
      ...device,
      appInfo: async () => {
        await raise(s, 'carol');
        return device.appInfo();
      },
      sign: async () => {
        throw new Error('it may not be asked to sign');
      },
    });
    expect((await s.json(12, 'batch', 'sign', id)).signed).toBe(false);
    expect(await s.stateOf(id)).toBe('RELEASED');
    expect((await s.json(0, 'batch', 'show', id)).batch.reason).toContain('HALTED');
  });

  it('while the device signs: the signature is kept, counts as spent, and is released by nothing', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const device = softSigner();
    s.signer = () => ({
      ...device,
      sign: async (psbt) => {
        await raise(s, 'carol');
        return { ok: true, value: honestSignatures(psbt) };
      },
    });
    const signed = await s.json(12, 'batch', 'sign', id);
    expect(signed).toMatchObject({ signed: true, held: true });
    expect(signed).not.toHaveProperty('transaction');
    expect(Object.keys(s.files()).filter((name) => /(?:^|\/)signed|transaction/.test(name))).toEqual([]);
    expect((await kinds(s)).slice(-3)).toEqual(['batch.sent', 'halt.raised', 'batch.signed']);
    expect(await s.balance('in a batch')).toBeGreaterThan(0n);

    const shown = await s.json(0, 'batch', 'show', id);
    expect(shown.batch).toMatchObject({ state: 'SIGNED', held_by: signed.halts });
    expect(shown).not.toHaveProperty('transaction');
    expect((await s.expect(0, 'batch', 'show', id)).stdout).toContain('held by');
    expect(await s.faultOf(12, 'batch', 'show', id, '--export')).toBe('E_HALTED');
    expect(await s.faultOf(12, 'batch', 'show', id, '--raw')).toBe('E_HALTED');

    s.wait(86_400);
    for (const [person, code] of [
      ['alice', 11],
      ['bob', 11],
      ['erin', 0],
    ] as const) {
      await s.expect(code, 'halt', 'resume', '--key', `keys/${person}`);
    }
    await s.expect(0, 'batch', 'show', id, '--export');
    expect(s.read(`batches/${id}/transaction.hex`)).toBe(`${(await s.json(0, 'batch', 'show', id)).transaction}\n`);
    await s.expect(0, 'audit', 'verify');
  });

  it('after it was signed: what is not public yet is neither handed out nor broadcast, and no node is asked', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await s.expect(0, 'batch', 'sign', id);
    await raise(s, 'carol');
    const nobody = 'http://127.0.0.1:9';
    expect(await s.faultOf(12, 'batch', 'broadcast', id, '--backend', `esplora:${nobody}`)).toBe('E_HALTED');
    expect(await s.faultOf(12, 'batch', 'show', id, '--raw')).toBe('E_HALTED');
  });

  it('of something else holds nothing', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const device = softSigner();
    s.signer = () => ({
      ...device,
      sign: async (psbt) => {
        await raise(s, 'carol', '--scope', 'initiator:dave');
        return { ok: true, value: honestSignatures(psbt) };
      },
    });
    expect(await s.json(0, 'batch', 'sign', id)).toHaveProperty('transaction');
  });
});

it('a journal that fails its chain is a halt of its own: everything is refused with 13', async () => {
  const s = await stage();
  const id = await s.ready('second.csv');
  tamper(
    s.path('journal.sqlite'),
    "UPDATE entries SET body = replace(body, 'alice', 'carol') WHERE body LIKE '%batch.planned%'",
  );
  for (const argv of [
    ['batch', 'sign', id],
    ['batch', 'approve', id, '--key', 'keys/dave'],
    ['halt', 'status'],
    ['halt', 'resume', '--key', 'keys/bob'],
    ['audit', 'verify'],
  ]) {
    expect([argv[1], await s.faultOf(13, ...argv)]).toEqual([argv[1], 'E_JOURNAL_TAMPERED']);
  }
});
