import { createHmac } from 'node:crypto';
import { mnemonicToSeedSync } from '@scure/bip39';
import { BIP32Factory, type BIP32Interface } from 'bip32';
import * as ecc from 'tiny-secp256k1';
import { toHex, trustedHex } from '../../src/domain/bytes.js';

/** Mnemonics that everybody knows, as the notes of the recordings name them, by master key fingerprint. */
export const MNEMONICS: Readonly<Record<string, string>> = {
  f5acc2fd:
    'glory promote mansion idle axis finger extra february uncover one trip resource lawn turtle enact monster seven myth punch hobby comfort wild raise skin',
  '73c5da0a': 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
  b8688df1: 'legal winner thank year wave sausage worth useful legal winner thank yellow',
};

const TESTNET = {
  messagePrefix: '',
  bech32: 'tb',
  bip32: { public: 0x043587cf, private: 0x04358394 },
  pubKeyHash: 0x6f,
  scriptHash: 0xc4,
  wif: 0xef,
};

export function masterOf(fingerprint: string): BIP32Interface {
  const master = BIP32Factory(ecc).fromSeed(seedOf(fingerprint), TESTNET);
  if (toHex(master.fingerprint) !== fingerprint) throw new Error(`${fingerprint} is not what its mnemonic gives`);
  return master;
}

function seedOf(fingerprint: string): Uint8Array {
  const words = MNEMONICS[fingerprint];
  if (words === undefined) throw new Error(`${fingerprint} has no mnemonic in these tests`);
  return mnemonicToSeedSync(words);
}

/** What a Ledger with this seed gives for a policy's id: an HMAC-SHA256 under its SLIP-21 key "LEDGER-Wallet policy". */
export function registrationHmac(fingerprint: string, policyId: string): string {
  const sha512 = (key: Uint8Array | string, ...data: readonly (Uint8Array | string)[]): Buffer => {
    const hmac = createHmac('sha512', key);
    for (const part of data) hmac.update(part);
    return hmac.digest();
  };
  const node = sha512('Symmetric key seed', seedOf(fingerprint));
  const child = sha512(node.subarray(0, 32), Uint8Array.of(0), 'LEDGER-Wallet policy');
  return createHmac('sha256', child.subarray(32)).update(trustedHex(policyId)).digest('hex');
}
