import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeAddress } from '../../src/domain/address.js';
import { parseTime } from '../../src/domain/time.js';
import { type CallForm, callOf, FINGERPRINT, inferred, readAsNode, unsignedOf } from '../cli/node-session.js';
import { csv, removeAll, type Session, stage } from '../cli/session.js';
import { MINED, onRegtest, regtestWorkspace } from './journey.js';
import { findNode, RegtestNode, withoutSigner } from './node.js';
import { regtestVault } from './vault.js';

const CHILD = fileURLToPath(new URL('./signer.child.mjs', import.meta.url));
const secondsOf = (s: Session): number => parseTime(s.now) ?? Number.NaN;
/** As -signer= has it. */
const commandOf = (s: Session): string => [process.execPath, CHILD, s.folder, secondsOf(s)].join(' ');

afterAll(removeAll);

/** A call as a node makes it: the command split at its spaces, no shell, standard input closed or with the one command. */
function call(s: Session, { argv, stdin }: CallForm) {
  const [program = '', ...words] = commandOf(s).split(' ');
  const ran = spawnSync(program, [...words, ...argv], { encoding: 'utf8', input: stdin ?? '', cwd: '/' });
  return { ...readAsNode({ code: ran.status ?? -1, stdout: ran.stdout, stderr: ran.stderr }), said: ran };
}

describe('the built program, called as a node calls it', () => {
  it('names its signers and descriptors, shows an address, and signs a batch once it may', async () => {
    const s = await stage();
    expect(call(s, callOf('enumerate'))).toMatchObject({ json: [{ fingerprint: FINGERPRINT }] });
    expect(call(s, callOf('getdescriptors'))).toMatchObject({ json: { receive: [expect.stringContaining('/0/*')] } });
    const address = (await s.json(0, 'vault', 'address', '8')).address;
    expect(call(s, callOf('displayaddress', { descriptor: inferred(0, 8) }))).toMatchObject({ json: { address } });

    const id = await s.planOne('withdrawals.csv');
    for (const form of ['quoted', 'words'] as const) {
      expect(call(s, callOf('signtx', { psbt: unsignedOf(s, id) }, form))).toMatchObject({
        error: expect.stringMatching(/^returned 11: error E_APPROVALS_MISSING: /),
      });
    }
    await s.approve(id, 'bob', 'carol');
    expect(call(s, callOf('signtx', { psbt: unsignedOf(s, id) }, 'quoted'))).toMatchObject({
      json: { complete: true },
    });
    expect(await s.stateOf(id)).toBe('SIGNED');
  });

  it('reads a PSBT of any size that a batch has, and waits for no terminal', async () => {
    const s = await stage();
    const psbt = Buffer.concat([Buffer.from('psbt\xff', 'latin1'), Buffer.alloc(3_000_000)]).toString('base64');
    const { said } = call(s, callOf('signtx', { psbt }));
    expect([said.status, said.stderr]).toEqual([2, expect.stringContaining('E_PSBT_PARSE')]);
  });
});

const program = findNode();
const reason = withoutSigner(program);

describe.skipIf(reason !== null)(`a real node with -signer= (${reason ?? program?.name})`, () => {
  let node: RegtestNode;
  let session: Session;
  const deriver = regtestVault();
  const elsewhere = deriver.at(0, 9000).script;
  beforeAll(async () => {
    if (program === null) throw new Error('no node');
    // The node's command names the folder of the workspace, and the workspace the port of the node.
    const empty = await stage({ until: 'nothing' });
    node = await RegtestNode.start(program, [`-signer=${commandOf(empty)}`]);
    await node.rpc('setmocktime', MINED - 7200);
    for (let index = 0; index < 30; index += 1) await node.mine(1, deriver.at(0, index).script);
    await node.mine(110, elsewhere);
    await node.rpc('setmocktime', MINED);
    await node.mine(12, elsewhere);
    session = await regtestWorkspace(node, empty);
    await session.expect(0, 'chain', 'sync');
  }, 120_000);
  afterAll(async () => {
    await node?.stop();
    session?.remove();
  });

  it('finds the signer, makes its wallet of the vault, and has an address shown', async () => {
    expect(await node.rpc('enumeratesigners')).toEqual({
      signers: [{ fingerprint: FINGERPRINT, name: 'countersign demo-cold' }],
    });
    await node.rpc('createwallet', 'cold', true, false, '', false, true, false, true);
    const address = await node.rpc('getnewaddress', '', 'bech32');
    expect(address).toBe(encodeAddress(deriver.at(0, 0).script, 'regtest'));
    expect(await node.rpc('walletdisplayaddress', address)).toEqual({ address });
  }, 60_000);

  it('has a batch signed once it is approved, and nothing else', async () => {
    session.write('one.csv', onRegtest(csv([['x-1', 'warm-1', '1000000']])));
    const id = await session.planOne('one.csv', '--feerate', '5');
    const psbt = readFileSync(session.path(`batches/${id}/unsigned.psbt`)).toString('base64');
    await expect(node.rpc('walletprocesspsbt', psbt)).rejects.toThrow(/returned 11: error E_APPROVALS_MISSING/);
    await session.approve(id, 'bob', 'carol');
    const signed = await node.rpc('walletprocesspsbt', psbt);
    expect(signed.complete).toBe(true);
    const { hex } = signed.hex === undefined ? await node.rpc('finalizepsbt', signed.psbt) : signed;
    expect(await node.rpc('testmempoolaccept', [hex])).toMatchObject([{ allowed: true }]);
    expect(await session.stateOf(id)).toBe('SIGNED');
    const elsewhereAddress = encodeAddress(elsewhere, 'regtest');
    await expect(node.rpc('send', [{ [elsewhereAddress ?? '']: 0.1 }])).rejects.toThrow(/E_SIGNER_UNPLANNED|signer/i);
  }, 60_000);
});
