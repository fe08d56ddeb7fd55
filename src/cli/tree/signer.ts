import type { CommandSpec, OptionSpec } from '../command.js';
import { ON_RECORD } from './options.js';

const FINGERPRINT: OptionSpec = {
  flags: '--fingerprint <hex>',
  about: 'the signer that is meant, by master key fingerprint',
};
const CHAIN: OptionSpec = {
  flags: '--chain <name>',
  about: "the node's: main, test, testnet4, signet or regtest; it has to be the vault's",
};

/**
 * What Bitcoin Core calls with -signer="countersign signer --workspace FOLDER". Each of these answers with one line of JSON
 * on stdout, in the form that the node reads, and with --json as every other verb does.
 */
export const SIGNER_COMMANDS: readonly CommandSpec[] = [
  {
    path: ['signer', 'enumerate'],
    about: 'for Bitcoin Core (-signer=): name the signers of the vault (docs/external-signer.md)',
    args: [],
    options: [FINGERPRINT, CHAIN],
    example: 'countersign signer enumerate',
    load: () => import('../verbs/signer-enumerate.js'),
  },
  {
    path: ['signer', 'getdescriptors'],
    about: 'for Bitcoin Core: the descriptors of the vault, one a branch',
    args: [],
    options: [FINGERPRINT, CHAIN, { flags: '--account <number>', about: 'default: 0' }],
    example: 'countersign signer getdescriptors --fingerprint f5acc2fd --chain test --account 0',
    load: () => import('../verbs/signer-getdescriptors.js'),
  },
  {
    path: ['signer', 'displayaddress'],
    about: 'for Bitcoin Core: show an address of the vault on the device',
    args: [],
    options: [
      { flags: '--desc <descriptor>', about: 'the descriptor of the one address' },
      FINGERPRINT,
      CHAIN,
      ...ON_RECORD,
    ],
    example:
      'countersign signer displayaddress --fingerprint f5acc2fd --chain test --desc "wpkh([f5acc2fd/84h/1h/0h/0/0]KEY)"',
    load: () => import('../verbs/signer-displayaddress.js'),
  },
  {
    path: ['signer', 'signtx'],
    about: 'for Bitcoin Core: sign a PSBT that is a batch of the journal, as batch sign does',
    args: [{ name: '[file]', about: 'the PSBT (binary, base64 or hex)' }],
    options: [
      { flags: '--stdin', about: 'read the command "signtx BASE64" from standard input, as a node gives it' },
      FINGERPRINT,
      CHAIN,
      ...ON_RECORD,
    ],
    example: 'countersign signer signtx unsigned.psbt --fingerprint f5acc2fd --chain test',
    load: () => import('../verbs/signer-signtx.js'),
  },
];
