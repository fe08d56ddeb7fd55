import { type Fault, type FaultTag, fault } from '../domain/fault.js';

/** What a status word of BOLOS or of the Bitcoin app stands for. */
export interface StatusMeaning {
  readonly tag: FaultTag;
  readonly text: string;
  readonly remedy: string;
  /**
   * True where the app answers this to SIGN_PSBT only instead of a signature: nothing was signed if none was yielded
   * before. False for words that may also follow a signature that was made and never handed over.
   */
  readonly refusal: boolean;
}

const UNLOCK = 'enter the PIN on the device, open the Bitcoin app and run the command again';
const OPEN_APP = 'open the Bitcoin app of the right network on the device and run the command again';
const REOPEN = 'close and open the Bitcoin app on the device, and run the command again';
const UPDATE = 'install the newest Bitcoin app with Ledger Live, and run the command again';

const locked = (text: string): StatusMeaning => ({ tag: 'E_DEVICE_LOCKED', text, remedy: UNLOCK, refusal: true });
const otherApp = (text: string): StatusMeaning => ({ tag: 'E_DEVICE_APP', text, remedy: OPEN_APP, refusal: true });
const data = (text: string, remedy: string): StatusMeaning => ({ tag: 'E_DEVICE_DATA', text, remedy, refusal: true });
const broken = (text: string, remedy: string, refusal: boolean): StatusMeaning => ({
  tag: 'E_DEVICE_PROTOCOL',
  text,
  remedy,
  refusal,
});

/** Status words by number. From the Bitcoin app's src/boilerplate/sw.h (2.2.7), BOLOS, and field reports where marked. */
export const STATUS_WORDS: ReadonlyMap<number, StatusMeaning> = new Map<number, StatusMeaning>([
  [0x5515, locked('the device is locked')],
  [0x6982, locked('the device answers that the security status is not satisfied: it is locked')],
  // Field reports, older firmware.
  [0x6804, locked('the device is locked')],
  [0x6b0c, locked('the device is locked')],
  // Also what a device answers that halted: it may have signed before.
  [0x6faa, { ...locked('the device is asleep or locked'), refusal: false }],
  [
    0x6985,
    {
      tag: 'E_DEVICE_REFUSED',
      text: 'the person at the device refused',
      remedy: 'find out what on the screen differed from the plan before trying again',
      refusal: true,
    },
  ],
  [
    0x5501,
    {
      tag: 'E_DEVICE_REFUSED',
      text: 'the person at the device refused at the prompt of the operating system',
      remedy: 'run the command again and accept the prompt',
      refusal: true,
    },
  ],
  [
    0x6a80,
    data(
      'the Bitcoin app found the data incorrect: a missing or malformed field, an amount that differs from the previous transaction, or no input of this device',
      'check the vault and the coins against the device with `countersign device xpub`, and plan the batch again',
    ),
  ],
  [
    0x6a82,
    data(
      'the Bitcoin app does not support this: a non-standard path, an unknown output script, or more than 10 change outputs',
      "use a standard account path (44', 49', 84' or 86', account at most 100), and pay to ordinary addresses",
    ),
  ],
  [
    0xb008,
    {
      tag: 'E_DEVICE_UNREGISTERED',
      text: 'the registration that the journal keeps does not fit: the device has another seed, or the policy or its name was changed',
      remedy:
        'register the wallet policy again: countersign device register; the old registration stays until that is done',
      refusal: true,
    },
  ],
  [0x6a86, broken('the Bitcoin app does not know this version of the protocol', UPDATE, true)],
  [0x6a87, broken('the Bitcoin app found a wrong length in a request', UPDATE, true)],
  [0x6700, broken('the device found a wrong length in a request', UPDATE, true)],
  [0x6d00, otherApp('the open app does not know this command')],
  [0x6d02, otherApp('the open app does not know this command')],
  [0x6e00, otherApp('the open app is not the Bitcoin app')],
  [0x6e01, otherApp('no app is open on the device')],
  [0x6511, otherApp('no app is open on the device')],
  [0x6807, otherApp('the app is not installed on the device')],
  [0x670a, otherApp('the device was asked to open an app without a name')],
  [0x6b00, broken('the device is in a swap with another app', REOPEN, true)],
  // An app that waits longer than 5 seconds for the host's answer ends a command with b007.
  [0xb007, broken('the Bitcoin app lost the thread of the command', REOPEN, false)],
  [0xb000, broken('the Bitcoin app made an answer of a wrong length', REOPEN, false)],
  [0x6f00, broken('the device reports a technical problem', REOPEN, false)],
  [0x6f42, broken('the device reports a technical problem', REOPEN, false)],
  // Speculos: a second request while one is pending.
  [0x6901, broken('the emulator was busy with another request', REOPEN, false)],
]);

/** 4 lower-case hex digits. */
export function formatStatusWord(statusWord: number): string {
  return statusWord.toString(16).padStart(4, '0');
}

/** The fault of a command that ended with a status word; `during` completes "while ...". */
export function statusFault(statusWord: number, during: string): Fault {
  const known = STATUS_WORDS.get(statusWord);
  const word = formatStatusWord(statusWord);
  if (known === undefined) {
    return fault('E_DEVICE_PROTOCOL', `while ${during}, the device answered with the unknown status word ${word}`, {
      remedy: REOPEN,
    });
  }
  return fault(known.tag, `while ${during}: ${known.text} (status word ${word})`, { remedy: known.remedy });
}

/** Whether this status word proves that the app ended SIGN_PSBT before making the signature it was at. */
export function isRefusal(statusWord: number): boolean {
  return STATUS_WORDS.get(statusWord)?.refusal === true;
}
