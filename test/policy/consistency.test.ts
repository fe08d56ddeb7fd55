import { describe, expect, it } from 'vitest';
import { checkConsistency } from '../../src/policy/consistency.js';
import { list, roles, screening, tier, tiers } from './classify-support.js';
import { loaded, P0, type PolicyChange } from './fixture.js';

const where = (field: string) => ({ file: 'p.yaml', line: field.length });

/** The complaints about the policy of the cases after a change, which by itself has none. */
const complaints = (change: PolicyChange): readonly string[] =>
  checkConsistency(loaded({ prev: 'sha256:00', ...change }).document, where).map(
    ({ tag, message }) => `${tag} ${message}`,
  );

describe('what the fields of a policy say against each other', () => {
  it('is nothing in the policy of the cases', () => {
    expect(complaints({})).toEqual([]);
  });

  it.each<[string, PolicyChange, string[]]>([
    ['a first version with one before it', { version: 1 }, ['prev: version 1 has no version before it: write "none"']],
    [
      'an end at its beginning',
      { expiresAt: P0.effectiveAt },
      ['expires_at: 2026-05-01T08:00:00Z is not after effective_at, 2026-05-01T08:00:00Z'],
    ],
    ['an end a second after its beginning', { expiresAt: P0.effectiveAt + 1 }, []],
    [
      'the app of another network',
      { wallet: { device: { ...P0.wallet.device, app: 'Bitcoin Test' } } },
      ['wallet.device.app: the app of main is Bitcoin, not Bitcoin Test'],
    ],
    [
      'keys of another network',
      { wallet: { descriptor: 'wpkh([00000000/84h/0h/0h]tpubX/<0;1>/*)' } },
      ['wallet.descriptor: keys of main begin with xpub, not tpub'],
    ],
    [
      'keys of another network, on testnet3',
      {
        wallet: {
          network: 'testnet3',
          descriptor: 'wpkh([00000000/84h/1h/0h]xpubX/<0;1>/*)',
          device: { ...P0.wallet.device, app: 'Bitcoin Test' },
        },
      },
      ['wallet.descriptor: keys of testnet3 begin with tpub, not xpub'],
    ],
    [
      'keys of its own network, on testnet3',
      {
        wallet: {
          network: 'testnet3',
          descriptor: 'wpkh([00000000/84h/1h/0h]tpubX/<0;1>/*)',
          device: { ...P0.wallet.device, app: 'Bitcoin Test' },
        },
      },
      [],
    ],
    [
      'a key of two people',
      roles((all) => {
        all.get('officers')?.set('alice', ['ssh-ed25519 same one']);
        all.get('auditors')?.set('grace', ['ssh-ed25519 same other']);
      }),
      ['roles.auditors.grace: the key of grace is also the key of alice: people count, and one person is not two'],
    ],
    [
      'a key of one person in two roles',
      roles((all) => {
        all.get('officers')?.set('alice', ['ssh-ed25519 same one']);
        all.get('auditors')?.set('alice', ['ssh-ed25519 same other']);
      }),
      [],
    ],
    [
      'a role that nobody bears',
      tiers(tier(null, 1, { from: ['officers', 'nobody'] })),
      ['approvals.tiers[0].from: there is no role nobody'],
    ],
    [
      'a role that nobody bears, alone',
      tiers(tier(null, 1, { from: ['nobody'] })),
      [
        'approvals.tiers[0].from: there is no role nobody',
        'approvals.tiers[0].m: m asks for 1 people, but nobody have 0',
      ],
    ],
    ['as many people as there are', tiers(tier(null, 4)), []],
    [
      'one more person than there are',
      tiers(tier(null, 5)),
      ['approvals.tiers[0].m: m asks for 5 people, but officers have 4'],
    ],
    [
      'a list that no role pins',
      screening(list(), list({ id: 'eu', pinnedBy: 'nobody' })),
      ['screening.lists[1].sha256_pinned_by: there is no role nobody'],
    ],
  ])('%s', (_, change, due) => {
    expect(complaints(change)).toEqual(due.map((message) => `E_POLICY_SCHEMA ${message}`));
  });

  it('is said with its place and what to do', () => {
    const twice = roles((all) => {
      all.get('officers')?.set('alice', ['ssh-ed25519 same']);
      all.get('auditors')?.set('grace', ['ssh-ed25519 same']);
    });
    const [fault] = checkConsistency(loaded({ prev: 'sha256:00', ...twice }).document, where);
    expect(fault).toMatchObject({
      where: where('roles.auditors.grace'),
      remedy: 'give every person a key of their own',
    });
  });
});
