import type { OptionSpec } from '../command.js';

/** Of every verb. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { flags: '--json', about: 'one JSON object on stdout; text for people goes to stderr' },
  { flags: '-w, --workspace <folder>', about: 'the folder that holds countersign.yaml; default: the current one' },
  { flags: '-h, --help', about: 'this text' },
];

/** Options that several verbs take in the same words. */
export const AS: OptionSpec = { flags: '--as <name>', about: 'who does this; default: officer of countersign.yaml' };
export const BACKEND: OptionSpec = {
  flags: '--backend <name...>',
  about: 'core:URL, esplora:URL or electrum:tls://HOST:PORT; default: chain of countersign.yaml',
};
export const COOKIE: OptionSpec = {
  flags: '--cookie <file>',
  about: 'the cookie file of a node named by --backend core:URL',
};
export const TARGET: OptionSpec = {
  flags: '--target <blocks>',
  about: 'propose a feerate to confirm within so many blocks; default: 6',
};
export const REASON: OptionSpec = { flags: '--reason <text>', about: 'why; it stands in the journal for good' };
export const DEVICE: OptionSpec = {
  flags: '--device <spec>',
  about: 'hid, speculos:URL or replay:FILE; default: device of countersign.yaml',
};
export const RECORD: OptionSpec = {
  flags: '--record <file>',
  about: 'write the APDU transcript of the conversation to a new file',
};

const REALTIME: OptionSpec = {
  flags: '--realtime',
  about: 'with replay:FILE: answer in the time that the device took, where it was recorded with --timing',
};
export const TIMING: OptionSpec = { flags: '--timing', about: 'with --record: keep how long each exchange took' };
/** Of every verb that talks to a device. */
export const ON_DEVICE: readonly OptionSpec[] = [DEVICE, REALTIME];
export const ON_RECORD: readonly OptionSpec[] = [...ON_DEVICE, RECORD, TIMING];

export const SIGNER: OptionSpec = {
  flags: '--signer <fingerprint>',
  about: 'the one cosigner that is meant, by master key fingerprint; default: whichever is attached',
};

const WAIT: OptionSpec = {
  flags: '--wait <seconds>',
  about: 'wait so long for the device to be connected and unlocked; default: at a terminal until Ctrl-C, elsewhere not',
};
const OPEN_APP: OptionSpec = {
  flags: '--open-app',
  about: 'have the device open the app that is needed; you confirm it there',
};

/** Of every verb that waits for a device. */
export const AWAITED: readonly OptionSpec[] = [OPEN_APP, WAIT];

export const SIGN_KEY: OptionSpec = { flags: '--key <file>', about: 'your SSH key: ssh-keygen signs with it' };
export const SIGN_AS: OptionSpec = {
  flags: '--as <name>',
  about: 'who signs, for the name of the file; default: whose key it is in the policy',
};
export const STATEMENT: OptionSpec = {
  flags: '--statement',
  about: 'print what would be signed, to be signed elsewhere',
};
export const SIGNATURES: OptionSpec = {
  flags: '--signature <file...>',
  about: 'signatures under it; default: every FILE.*.sig beside it',
};

export const ISSUED_AT: OptionSpec = {
  flags: '--issued-at <time>',
  about: 'when a list of plain text was fetched from its source; the signature covers it',
};
export const WORD: readonly OptionSpec[] = [
  { flags: '--key <file>', about: 'your SSH key: ssh-keygen signs with it, and its .pub says who you are' },
  { flags: '--statement', about: 'print the statement for --person, to be signed elsewhere' },
  { flags: '--person <name>', about: 'whose statement' },
  { flags: '--signature <file>', about: 'a signature made elsewhere, with --over' },
  { flags: '--over <file>', about: 'the statement that --signature signs' },
];
