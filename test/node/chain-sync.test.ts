import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTime } from '../../src/domain/time.js';
import { publicLine } from '../approval/soft-token.js';
import { type Session, stage, tokenOf } from '../cli/session.js';
import { findNode, RegtestNode } from './node.js';
import { DESCRIPTOR, regtestVault } from './vault.js';

const program = findNode();

describe.skipIf(program === null)('chain verbs against a real node (needs bitcoind or litecoind)', () => {
  let node: RegtestNode;
  let session: Session;
  const deriver = regtestVault();
  const elsewhere = deriver.at(0, 9000).script;

  /** Blocks bear the time of this machine, so the session does too. */
  const catchUp = (): void => {
    session.now = formatTime(Math.floor(Date.now() / 1000) + 60);
  };

  beforeAll(async () => {
    if (program === null) throw new Error('no node');
    node = await RegtestNode.start(program);
    await node.mine(1, deriver.at(0, 0).script);
    await node.mine(1, deriver.at(1, 3).script);
    await node.mine(100, elsewhere);
    session = await stage({ until: 'nothing' });
    await session.expect(0, 'init', '.', '--network', 'regtest');
    session.write('descriptor.txt', `${DESCRIPTOR}\n`);
    await session.expect(0, 'vault', 'import', 'cold', 'descriptor.txt');
    const config = session.read('countersign.yaml');
    session.write('countersign.yaml', `${config}chain:\n  - backend: core:${node.url}\n    cookie: ${node.cookie}\n`);
    catchUp();
  }, 60_000);
  afterAll(() => node?.stop());

  it('takes in coins and previous transactions, and asks for each transaction once', async () => {
    const first = await session.json(0, 'chain', 'sync');
    expect(first).toMatchObject({ schema: 'countersign.chain-sync/1', height: 102, coins: 2, fetched_transactions: 2 });
    await node.mine(1, deriver.at(0, 1).script);
    catchUp();
    const second = await session.json(0, 'chain', 'sync');
    expect(second).toMatchObject({ height: 103, coins: 3, fetched_transactions: 1 });
    const { coins } = await session.json(0, 'vault', 'coins');
    expect(coins).toHaveLength(3);
  });

  it('writes the same as a file that coins import reads', async () => {
    await session.expect(0, 'chain', 'snapshot', 'out.json');
    const { coins, height } = await session.json(0, 'coins', 'import', 'out.json');
    expect({ coins, height }).toEqual({ coins: 3, height: 103 });
  });

  it('signs the file with a key, and only a signature by a named key lets it in', async () => {
    const { signature } = await session.json(
      0,
      'chain',
      'snapshot',
      'signed.json',
      '--key',
      'keys/frank',
      '--as',
      'node-1',
    );
    expect(signature).toBe('signed.json.node-1.sig');
    const config = session.read('countersign.yaml');
    const named = (person: string): void =>
      session.write('countersign.yaml', `${config}snapshot_signers: { node-1: "${publicLine(tokenOf(person))}" }\n`);
    named('frank');
    const imported = await session.json(0, 'coins', 'import', 'signed.json');
    expect(imported).toMatchObject({ coins: 3, signed_by: 'node-1' });
    named('grace');
    expect(await session.faultOf(13, 'coins', 'import', 'signed.json')).toBe('E_SNAPSHOT_SIG');
    // What this machine reads itself is no file that somebody carried.
    await session.expect(0, 'chain', 'sync');
    session.write('countersign.yaml', config);
    expect(await session.faultOf(2, 'chain', 'snapshot', 'x.json', '--as', 'node-1')).toBe('E_USAGE');
    await session.expect(0, 'audit', 'verify');
  });

  it('tells what it could not do, and changes nothing', async () => {
    const missing = 'core:http://127.0.0.1:1';
    session.write('bad-cookie', '__cookie__:00');
    await session.untouched(async () => {
      expect(await session.faultOf(30, 'chain', 'sync', '--backend', missing, '--cookie', node.cookie)).toBe(
        'E_CHAIN_UNREACHABLE',
      );
      expect(await session.faultOf(30, 'chain', 'status', '--backend', `core:${node.url}`, '--cookie', 'nowhere')).toBe(
        'E_CHAIN_AUTH',
      );
      expect(
        await session.faultOf(30, 'chain', 'status', '--backend', `core:${node.url}`, '--cookie', 'bad-cookie'),
      ).toBe('E_CHAIN_AUTH');
      expect(await session.faultOf(2, 'chain', 'sync', '--target', '0')).toBe('E_USAGE');
      expect(await session.faultOf(2, 'chain', 'sync', '--cookie', 'bad-cookie')).toBe('E_USAGE');
      const indexer = 'esplora:http://127.0.0.1:1';
      expect(await session.faultOf(2, 'chain', 'status', '--backend', indexer, '--cookie', 'bad-cookie')).toBe(
        'E_USAGE',
      );
      expect(await session.faultOf(2, 'chain', 'sync', '--backend', 'core:http://user:secret@127.0.0.1:1')).toBe(
        'E_CHAIN_CONFIG',
      );
    });
  });

  it('looks for deposits from where the vault was ever used, not from where coins are left', async () => {
    await node.mine(1, deriver.at(0, 2010).script);
    catchUp();
    await session.expect(0, 'chain', 'snapshot', 'low.json');
    const low = JSON.parse(session.read('low.json'));
    expect([low.coins.length, low.last_used]).toEqual([3, { receive: 1, change: 3 }]);
    // What a wallet knows whose coins up to 0/1500 are spent.
    session.write('used.json', JSON.stringify({ ...low, last_used: { receive: 1500, change: 3 } }));
    await session.expect(0, 'coins', 'import', 'used.json');
    expect((await session.json(0, 'chain', 'sync')).coins).toBe(4);
    await session.expect(0, 'chain', 'snapshot', 'high.json');
    expect(JSON.parse(session.read('high.json')).last_used).toEqual({ receive: 2010, change: 3 });
  }, 60_000);

  it('refuses a node of another network', async () => {
    const other = await stage({ until: 'vault' });
    expect(await other.faultOf(2, 'chain', 'sync', '--backend', `core:${node.url}`, '--cookie', node.cookie)).toBe(
      'E_CHAIN_NETWORK',
    );
    other.remove();
  });
});
