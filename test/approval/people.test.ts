import { describe, expect, it } from 'vitest';
import { whoseKey } from '../../src/approval/people.js';

const roles = (entries: Record<string, Record<string, string[]>>) =>
  new Map(Object.entries(entries).map(([role, people]) => [role, new Map(Object.entries(people))]));

describe('whoseKey', () => {
  it('finds the person by type and key, whatever the comment and the spaces are', () => {
    const all = roles({ officers: { alice: ['ssh-ed25519 AAAA alice@desk'], bob: ['ssh-ed25519   BBBB'] } });
    expect(whoseKey(all, 'ssh-ed25519 AAAA')).toBe('alice');
    expect(whoseKey(all, 'ssh-ed25519 BBBB')).toBe('bob');
  });

  it('knows a person of several roles and keys as one', () => {
    const all = roles({
      officers: { alice: ['ssh-ed25519 AAAA', 'ssh-ed25519 CCCC'] },
      risk: { alice: ['ssh-ed25519 AAAA'] },
    });
    expect(whoseKey(all, 'ssh-ed25519 AAAA')).toBe('alice');
    expect(whoseKey(all, 'ssh-ed25519 CCCC')).toBe('alice');
  });

  it('gives a key that two people share to nobody', () => {
    const all = roles({ officers: { alice: ['ssh-ed25519 AAAA'] }, risk: { bob: ['ssh-ed25519 AAAA'] } });
    expect(whoseKey(all, 'ssh-ed25519 AAAA')).toBeNull();
  });

  it.each(['ssh-ed25519 ZZZZ', 'ecdsa-sha2-nistp256 AAAA', 'ssh-ed25519', '', 'ssh-ed25519 AAAA x'])(
    'knows nobody by %j',
    (key) => {
      expect(whoseKey(roles({ officers: { alice: ['ssh-ed25519 AAAA'] } }), key)).toBeNull();
    },
  );
});
