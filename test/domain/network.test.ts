import { describe, expect, test } from 'vitest';
import type { Fault } from '../../src/domain/fault.js';
import { NETWORKS, networkParameters, parseNetwork } from '../../src/domain/network.js';
import type { Result } from '../../src/domain/result.js';

/** The value, or the tag of the fault. */
function outcome<T>(result: Result<T, Fault>): T | string {
  return result.ok ? result.value : result.error.tag;
}

describe('network', () => {
  test.each(NETWORKS)('%s names itself', (network) => {
    expect(outcome(parseNetwork(network))).toBe(network);
  });
  test.each(['mainnet', 'testnet', 'Main', ' main', '', 'constructor'])('%j is none', (text) => {
    expect(outcome(parseNetwork(text))).toBe('E_NETWORK_UNKNOWN');
  });
  test('only main has coin type 0 and the main app', () => {
    const mains = NETWORKS.filter((network) => networkParameters(network).coinType === 0);
    expect(mains).toEqual(['main']);
    expect(networkParameters('main')).toMatchObject({ ledgerApp: 'Bitcoin', bech32: 'bc', xpubVersion: 0x0488b21e });
    expect(networkParameters('regtest')).toMatchObject({ ledgerApp: 'Bitcoin Test', bech32: 'bcrt' });
  });
});
