import { Psbt } from 'bitcoinjs-lib';
import { afterAll, describe, expect, it } from 'vitest';
import { fault } from '../../src/domain/fault.js';
import { err } from '../../src/domain/result.js';
import { A, B, cosigner, multisigStage, removeMultisig } from './multisig-session.js';
import { asNode, callOf, FINGERPRINT, readAsNode, unsignedOf } from './node-session.js';
import { csv, type Ran, removeAll, type Session, stage } from './session.js';
import { softSigner } from './soft-device.mjs';

/** What a node may have signed: what `batch sign` would sign, and nothing else. */
afterAll(() => {
  removeAll();
  removeMultisig();
});

const signtx = (s: Session, psbt: string, fingerprint = FINGERPRINT): Promise<Ran> =>
  asNode(s, callOf('signtx', { psbt, fingerprint }));

/** A device that nobody may ask. */
const untouchable = () => {
  throw new Error('the device was asked');
};

describe('a batch that may be signed', () => {
  it('is signed, kept and given to the node, with the bytes that batch sign comes to', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const twin = await stage();
    await twin.ready('withdrawals.csv');
    const { transaction, txid } = await twin.json(0, 'batch', 'sign', id);

    const { code, stdout } = await signtx(s, unsignedOf(s, id));
    const answer = JSON.parse(stdout);
    expect([code, answer.complete]).toEqual([0, true]);
    const psbt = Psbt.fromBase64(answer.psbt);
    expect(psbt.extractTransaction(true).toHex()).toBe(transaction);
    expect(await s.stateOf(id)).toBe('SIGNED');
    const kinds = async (one: Session) =>
      (await one.json(0, 'audit', 'log')).entries.map(({ body }: { body: { kind: string } }) => body.kind);
    expect(await kinds(s)).toEqual(await kinds(twin));
    expect(s.read(`batches/${id}/transaction.hex`)).toBe(twin.read(`batches/${id}/transaction.hex`));
    expect((await s.json(0, 'batch', 'show', id)).batch.txid).toBe(txid);
  });

  it('is known by its transaction, whatever else the PSBT says', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const bare = new Psbt();
    const full = Psbt.fromBase64(unsignedOf(s, id));
    bare.setVersion(full.version).setLocktime(full.locktime);
    bare.addInputs(
      full.txInputs.map(({ hash, index, sequence }) => ({ hash, index, sequence: sequence ?? 0xffffffff })),
    );
    bare.addOutputs(full.txOutputs.map(({ script, value }) => ({ script, value })));
    const { code, stdout } = await signtx(s, bare.toBase64());
    expect([code, JSON.parse(stdout).complete]).toEqual([0, true]);
  });

  it('can be given as a file by hand', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const words = ['--fingerprint', FINGERPRINT, '--chain', 'test'];
    const signed = await s.json(0, 'signer', 'signtx', `batches/${id}/unsigned.psbt`, ...words);
    expect(signed).toMatchObject({ schema: 'countersign.signer-signtx/1', batch: id, complete: true });
  });

  it('was planned again after it was given up: the one that is alive is signed', async () => {
    const s = await stage();
    const first = await s.planOne('withdrawals.csv');
    const psbt = unsignedOf(s, first);
    await s.expect(0, 'batch', 'abandon', first, '--reason', 'once more', '--as', 'alice');
    s.wait(60);
    const second = await s.ready('withdrawals.csv');
    expect(unsignedOf(s, second)).toBe(psbt);
    expect((await signtx(s, psbt)).code).toBe(0);
    expect([await s.stateOf(first), await s.stateOf(second)]).toEqual(['ABANDONED', 'SIGNED']);
  });
});

const entriesOf = async (s: Session): Promise<string[]> =>
  (await s.json(0, 'audit', 'log')).entries.map(({ body }: { body: { kind: string } }) => body.kind);

describe('a node cannot get past', () => {
  const refusals: readonly [string, number, RegExp, (s: Session) => Promise<string>][] = [
    [
      'missing approvals',
      11,
      /E_APPROVALS_MISSING: batch \S+ is not signed: APPROVAL/,
      async (s) => unsignedOf(s, await s.planOne('withdrawals.csv')),
    ],
    [
      'the policy: a batch that was approved is denied by now',
      10,
      /E_DENIED: batch \S+ is not signed: INPUT_FROZEN: .*frozen/,
      async (s) => {
        const id = await s.ready('withdrawals.csv');
        const [coin] = (await s.json(0, 'batch', 'show', id)).batch.inputs;
        await s.expect(0, 'coins', 'freeze', coin, '--reason', 'stolen?', '--as', 'bob');
        return unsignedOf(s, id);
      },
    ],
    [
      'a halt',
      12,
      /E_HALTED: batch \S+ is not signed: .*HALTED/,
      async (s) => {
        const id = await s.ready('withdrawals.csv');
        await s.expect(0, 'halt', 'raise', '--reason', 'who asked for this?', '--key', 'keys/bob');
        return unsignedOf(s, id);
      },
    ],
    [
      'the journal: a transaction that nobody planned',
      10,
      /E_SIGNER_UNPLANNED: no batch of the journal is the transaction [0-9a-f]{64} \(remedy: .*batch plan/,
      async () => {
        const other = await stage();
        other.write('other.csv', csv([['o-1', 'warm-1', '123456']]));
        return unsignedOf(other, await other.planOne('other.csv'));
      },
    ],
    [
      'what was planned: the same coins, another payment',
      10,
      /E_SIGNER_UNPLANNED: .*; batch \S+ spends some of its coins in another transaction/,
      async (s) => {
        const planned = Psbt.fromBase64(unsignedOf(s, await s.ready('withdrawals.csv')));
        const stolen = new Psbt().setVersion(planned.version).setLocktime(planned.locktime);
        stolen.addInputs(planned.data.inputs.map((input, at) => ({ ...planned.txInputs[at], ...input }) as never));
        stolen.addOutputs(
          planned.txOutputs.map(({ script, value }, at) => ({ script, value: at === 0 ? value + 1n : value })),
        );
        return stolen.toBase64();
      },
    ],
    ['a PSBT that is none', 2, /E_PSBT_PARSE/, async () => 'AAAA'],
    [
      'a PSBT that is cut off',
      2,
      /E_PSBT_PARSE/,
      async () => Buffer.from('psbt\xff\x01\x00', 'latin1').toString('base64'),
    ],
  ];

  it.each(refusals)('%s', async (_, code, says, prepare) => {
    const s = await stage();
    const psbt = await prepare(s);
    s.signer = untouchable;
    const before = { files: s.files(), entries: await entriesOf(s) };
    const ran = await signtx(s, psbt);
    // A denial is an entry, as everywhere; nothing else is written, whatever the node asks for.
    const added = (await entriesOf(s)).slice(before.entries.length);
    expect(added).toEqual(
      says.source.startsWith('E_DENIED') || says.source.startsWith('E_HALTED') ? ['batch.verdict'] : [],
    );
    expect(s.files()).toEqual(before.files);
    expect(ran.code, ran.stderr).toBe(code);
    expect(ran.stderr).toMatch(says);
    expect(ran.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(ran.stdout).psbt).toBeUndefined();
    expect(readAsNode(ran)).toHaveProperty('error');
  });

  it.each([
    [
      'another chain',
      { chain: 'main' },
      2,
      'E_SIGNER_CHAIN: the node is on "main", and the vault demo-cold is on testnet3',
    ],
    ['a chain that there is not', { chain: 'testnet3' }, 2, 'E_SIGNER_CHAIN'],
    [
      'a signer of nobody',
      { fingerprint: '00000000' },
      2,
      'E_USAGE: "00000000" is not a signer of the vault demo-cold',
    ],
  ])('the vault: %s', async (_, values, code, says) => {
    const s = await stage();
    const psbt = unsignedOf(s, await s.ready('withdrawals.csv'));
    s.signer = untouchable;
    const ran = await s.untouched(() => asNode(s, callOf('signtx', { psbt, ...values })));
    expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(says)]);
  });

  it('a batch that is signed: it is not signed twice, and the node is told where it is', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const psbt = unsignedOf(s, id);
    await s.expect(0, 'batch', 'sign', id);
    s.signer = untouchable;
    const ran = await s.untouched(() => signtx(s, psbt));
    expect([ran.code, ran.stderr]).toEqual([
      15,
      expect.stringContaining(`E_BATCH_STATE: batch ${id} is signed already`),
    ]);
  });

  it('the person at the device', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const refusal = { fault: fault('E_DEVICE_REFUSED', 'the person at the device refused'), maySign: false };
    s.signer = () => softSigner(() => err(refusal));
    const ran = await signtx(s, unsignedOf(s, id));
    expect([ran.code, await s.stateOf(id)]).toEqual([23, 'RELEASED']);
    expect(ran.stderr).toMatch(/^error E_DEVICE_REFUSED: .*\n$/);
  });

  it('a halt that is raised while the device signs: what it signed is kept and not given out', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    s.signer = () => {
      const device = softSigner();
      return {
        ...device,
        async sign(psbt, vault, progress) {
          const signed = await device.sign(psbt, vault, progress);
          await s.expect(0, 'halt', 'raise', '--reason', 'wait', '--key', 'keys/bob');
          return signed;
        },
      };
    };
    const ran = await signtx(s, unsignedOf(s, id));
    expect([ran.code, await s.stateOf(id)]).toEqual([12, 'SIGNED']);
    expect(ran.stderr).toContain(`E_HALTED: batch ${id} is not signed: it is held by a halt`);
    expect(ran.stdout).not.toContain('cHNidP');
  });

  it('a signal: the conversation ends, the batch is where the journal says, and the code is 25', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const psbt = unsignedOf(s, id);
    s.interruptible = (work) => work(AbortSignal.abort());
    const ran = await s.untouched(() => signtx(s, psbt));
    expect([ran.code, await s.stateOf(id)]).toEqual([25, 'DRAFT']);
  });
});

describe('standard input', () => {
  it.each([
    ['nothing', ''],
    ['another command', 'enumerate'],
    ['two commands', 'signtx cHNidP8BAAo=\nsigntx cHNidP8BAAo='],
    ['no base64', 'signtx {psbt}'],
    ['a file', 'signtx unsigned.psbt'],
    ['an option', 'signtx cHNidP8BAAo= --device replay:other.apdu'],
  ])('that holds %s is refused', async (_, stdin) => {
    const s = await stage();
    const ran = await s.untouched(() => asNode(s, { argv: callOf('signtx').argv, stdin }));
    expect([ran.code, JSON.parse(ran.stdout).error]).toEqual([
      2,
      expect.stringContaining('E_USAGE: standard input holds no command'),
    ]);
  });

  it.each([[['--stdin', 'unsigned.psbt']], [[]]])('and a file: exactly one of them, and not %j', async (words) => {
    const s = await stage();
    const ran = await s.run('signer', 'signtx', ...words, '--fingerprint', FINGERPRINT, '--chain', 'test');
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('from a file or with --stdin')]);
  });
});

describe('a vault of several signers', () => {
  it('is signed by the one that the node names, and the node gets what there is so far', async () => {
    const s = await multisigStage('registered');
    const id = await s.ready('withdrawals.csv');
    const unsigned = unsignedOf(s, id);
    s.signer = () => cosigner(A);
    const first = await signtx(s, unsigned, A);
    const part = JSON.parse(first.stdout);
    expect([first.code, part.complete, await s.stateOf(id)]).toEqual([0, false, 'PARTIAL']);
    for (const { partialSig } of Psbt.fromBase64(part.psbt).data.inputs) expect(partialSig).toHaveLength(1);

    s.signer = () => cosigner(B);
    const second = await signtx(s, part.psbt, B);
    const whole = JSON.parse(second.stdout);
    expect([second.code, whole.complete, await s.stateOf(id)]).toEqual([0, true, 'SIGNED']);
    expect(Psbt.fromBase64(whole.psbt).extractTransaction(true).getId()).toBe(
      (await s.json(0, 'batch', 'show', id)).batch.txid,
    );
  });

  it('lists all of them, of which a node takes only one: the command names it', async () => {
    const s = await multisigStage('vault');
    const { stdout } = await asNode(s, callOf('enumerate'));
    expect(JSON.parse(stdout)).toHaveLength(3);
    expect(JSON.parse((await asNode(s, callOf('enumerate'), ['signer', '--fingerprint', B])).stdout)).toMatchObject([
      { fingerprint: B },
    ]);
  });

  it('another device than the one that is named is sent away, and nothing is spent', async () => {
    const s = await multisigStage('registered');
    const id = await s.ready('withdrawals.csv');
    s.signer = () => cosigner(B);
    const ran = await signtx(s, unsignedOf(s, id), A);
    expect([ran.code, await s.stateOf(id)]).toEqual([24, 'RELEASED']);
  });
});
