import type { FaultTable } from './meaning.js';

export const AMOUNT_FAULTS = {
  E_AMOUNT_SYNTAX: { exit: 'USAGE', meaning: 'an amount is not written as a plain decimal number in its unit' },
  E_AMOUNT_RANGE: { exit: 'USAGE', meaning: 'an amount is zero where it may not be, or above 21,000,000 BTC' },
  E_FEERATE_SYNTAX: { exit: 'USAGE', meaning: 'a feerate is not a decimal number of sat/vB with at most 3 decimals' },
  E_NETWORK_UNKNOWN: { exit: 'USAGE', meaning: 'a network is not one of main, testnet3, testnet4, signet, regtest' },
  E_ADDRESS_EMPTY: { exit: 'USAGE', meaning: 'an address is missing' },
  E_ADDRESS_FORM: { exit: 'USAGE', meaning: 'an address is neither base58check nor bech32' },
  E_ADDRESS_CHECKSUM: { exit: 'USAGE', meaning: 'the checksum of an address does not match' },
  E_ADDRESS_MIXED_CASE: { exit: 'USAGE', meaning: 'a bech32 address mixes upper and lower case (BIP173)' },
  E_ADDRESS_WRONG_NETWORK: { exit: 'USAGE', meaning: 'an address belongs to another network' },
  E_ADDRESS_VARIANT: { exit: 'USAGE', meaning: 'bech32 where bech32m is due, or the reverse (BIP350)' },
  E_ADDRESS_LENGTH: {
    exit: 'USAGE',
    meaning: 'a witness program or hash has a length that its version does not allow',
  },
  E_ADDRESS_OFF_CURVE: {
    exit: 'USAGE',
    meaning: 'a taproot key is not a point of the curve: nobody can spend it (BIP340)',
  },
  E_ADDRESS_FUTURE_WITNESS: { exit: 'USAGE', meaning: 'a witness version that has no meaning yet (2 to 16)' },
  E_ADDRESS_ANCHOR: { exit: 'USAGE', meaning: 'a pay-to-anchor output: anyone can spend it' },
  E_PATH_SYNTAX: { exit: 'USAGE', meaning: 'a BIP32 path is malformed' },
  E_OUTPOINT_SYNTAX: { exit: 'USAGE', meaning: 'an outpoint is not TXID:VOUT' },
  E_HEX_SYNTAX: { exit: 'USAGE', meaning: 'a text is not lower-case hexadecimal of even length' },
} as const satisfies FaultTable;
