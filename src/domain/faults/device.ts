import type { FaultTable } from './meaning.js';

export const DEVICE_FAULTS = {
  E_DEVICE_ABSENT: { exit: 'DEVICE_ABSENT', meaning: 'no Ledger is attached' },
  E_DEVICE_OPEN: { exit: 'DEVICE_ABSENT', meaning: 'a Ledger is attached but cannot be opened' },
  E_DEVICE_SEVERAL: { exit: 'DEVICE_ABSENT', meaning: 'several Ledgers are attached' },
  E_DEVICE_GONE: { exit: 'DEVICE_ABSENT', meaning: 'the device was unplugged or went to sleep during a command' },
  E_DEVICE_LOCKED: { exit: 'DEVICE_LOCKED', meaning: 'the device is locked' },
  E_DEVICE_APP: { exit: 'DEVICE_APP', meaning: 'another app is open on the device' },
  E_DEVICE_VERSION: { exit: 'DEVICE_APP', meaning: 'the app on the device is too old' },
  E_DEVICE_REFUSED: { exit: 'DEVICE_REFUSED', meaning: 'the person at the device refused' },
  E_DEVICE_MISMATCH: {
    exit: 'DEVICE_MISMATCH',
    meaning: "the device's master fingerprint or account xpub is not the vault's",
  },
  E_DEVICE_PROTOCOL: {
    exit: 'DEVICE_PROTOCOL',
    meaning: 'the device answered something that the protocol does not allow',
  },
  E_DEVICE_DATA: { exit: 'DEVICE_PROTOCOL', meaning: 'the device found the data incorrect or not supported' },
  E_TRANSCRIPT_FORM: { exit: 'USAGE', meaning: 'a transcript file is malformed' },
  E_TRANSCRIPT_OTHER: { exit: 'INTEGRITY', meaning: 'a transcript belongs to another PSBT, vault or device' },
  E_REPLAY_DIFFERS: { exit: 'INTEGRITY', meaning: 'a request differs from the recording' },
  E_REPLAY_EXHAUSTED: { exit: 'INTEGRITY', meaning: 'the recording ended before the conversation did' },
  E_DEVICE_UNSUPPORTED: {
    exit: 'USAGE',
    meaning: 'a kind of vault or a derivation path that the device does not sign for without registration',
  },
  E_DEVICE_ADDRESS: { exit: 'USAGE', meaning: 'the address of an emulator is not a local HTTP address' },
  E_DEVICE_EMULATOR: { exit: 'USAGE', meaning: 'an emulator was named as the device of a vault on the main network' },
  E_DEVICE_UNREGISTERED: {
    exit: 'DATA_STALE',
    meaning:
      'the wallet policy of a multisig vault is not registered on the device, or its registration no longer holds',
  },
  E_REPLAY_LEFT_OVER: { exit: 'INTEGRITY', meaning: 'exchanges of the recording were never asked for' },
  E_TRANSCRIPT_CONTRADICTION: {
    exit: 'INTEGRITY',
    meaning: 'a transcript contradicts itself or the PSBT that it signs',
  },
  E_TRANSCRIPT_REDACTED: {
    exit: 'USAGE',
    meaning: 'a redacted transcript was given where only a recording as it was made will do',
  },
  E_DEVICE_INTERRUPTED: {
    exit: 'DEVICE_PROTOCOL',
    meaning: 'Ctrl-C or another signal broke off a command before the device was done',
  },
  E_DEVICE_USB: { exit: 'DEVICE_ABSENT', meaning: 'USB cannot be used on this machine: a library is missing' },
  E_DEVICE_PERMISSION: {
    exit: 'DEVICE_ABSENT',
    meaning: 'a Ledger is attached, and the operating system does not let this user open it',
  },
  E_DEVICE_BUSY: {
    exit: 'DEVICE_ABSENT',
    meaning: 'another program holds the device, or talks to it at the same time',
  },
  E_DEVICE_LIMIT: { exit: 'USAGE', meaning: "more than the device's app takes: it would refuse" },
  E_DEVICE_STALLED: {
    exit: 'DEVICE_PROTOCOL',
    meaning: 'the device does not answer what it has to answer without a person',
  },
  E_TRANSCRIPT_LEAK: { exit: 'INTEGRITY', meaning: 'a transcript cannot be redacted: an original value would remain' },
} as const satisfies FaultTable;
