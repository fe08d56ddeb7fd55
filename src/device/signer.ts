import { sha256Hex, toHex, trustedHex } from '../domain/bytes.js';
import { type Fault, type FaultTag, fail, fault } from '../domain/fault.js';
import { formatPath, parsePath } from '../domain/path.js';
import { err, ok, type Result } from '../domain/result.js';
import { decodePsbt } from '../psbt/decode.js';
import { deviceCopy } from '../psbt/device-copy.js';
import type { ReturnedSignature } from '../psbt/types.js';
import { claimedOrigin } from '../vault/own-output.js';
import type { Vault, VaultKey } from '../vault/types.js';
import { type NamedPolicy, namedPolicy, policyId, walletPolicy } from '../vault/wallet-policy.js';
import { GET_APP_AND_VERSION, parseAppInfo } from './app-info.js';
import { expectedExchanges, isDefaultKind } from './estimate.js';
import { type BitcoinApp, classifyError, openBitcoinApp } from './ledgerjs.js';
import { registrationProblem } from './registration.js';
import { signingShape } from './signing-shape.js';
import { SigningWatch } from './signing-watch.js';
import { defaultVault, signableKeys } from './standard-path.js';
import { isRefusal, statusFault } from './status-words.js';
import { checkTranscriptPsbt } from './transcript.js';
import {
  type ApduChannel,
  ChannelError,
  type Registration,
  type Signer,
  type SigningFailure,
  type SigningProgress,
} from './types.js';

const OK = 0x9000;
const ID_BYTES = 32;
const HMAC_BYTES = 32;
const INCORRECT_DATA = 0x6a80;
/** The app's limit for a path that it exports a key of. */
const MAX_STEPS = 6;
const REOPEN = 'close and open the Bitcoin app on the device, and run the command again';

/**
 * The device's Bitcoin app over a channel. Loads Ledger's library at the first command that needs it. What the device
 * answers is passed on unbelieved: comparing it with the vault and proving signatures is the caller's.
 */
export function createSigner(channel: ApduChannel): Signer {
  let watch: SigningWatch | null = null;
  let notify: () => void = () => {};
  const watched: ApduChannel = {
    name: channel.name,
    async exchange(apdu) {
      watch?.request(apdu);
      const response = await channel.exchange(apdu);
      if (response.length < 2) {
        throw new ChannelError(
          fault('E_DEVICE_PROTOCOL', `${channel.name} gave a response without a status word`, { remedy: REOPEN }),
        );
      }
      watch?.response(apdu, response);
      notify();
      return response;
    },
    close: () => channel.close(),
  };
  let opened: BitcoinApp | null = null;
  /** Of the app, once it was asked: versions differ in how many exchanges they take. */
  let version: string | null = null;
  const app = (): BitcoinApp => {
    opened ??= openBitcoinApp(watched);
    return opened;
  };

  const readFingerprint = () => attempt('asking for the master fingerprint', () => app().fingerprint());

  return {
    model: async () => (await channel.model?.()) ?? null,

    async appInfo() {
      const answer = await command('asking which app is open', () => watched.exchange(GET_APP_AND_VERSION));
      if (!answer.ok) return answer;
      const statusWord = ((answer.value.at(-2) ?? 0) << 8) | (answer.value.at(-1) ?? 0);
      if (statusWord !== OK) return err(statusFault(statusWord, 'asking which app is open'));
      const info = parseAppInfo(answer.value.subarray(0, -2));
      if (info === null) return fail('E_DEVICE_PROTOCOL', `${channel.name} did not name its app`);
      version = info.version;
      return ok(info);
    },

    async fingerprint() {
      let answer = await readFingerprint();
      // A host that died in the middle of a command leaves the app waiting: it answers the next request with 6a80.
      if (!answer.ok && answer.error.statusWord === INCORRECT_DATA) answer = await readFingerprint();
      if (!answer.ok) return err(answer.error.fault);
      if (answer.value.length === 4) return ok(toHex(answer.value));
      return fail('E_DEVICE_PROTOCOL', `${channel.name} gave a fingerprint of ${answer.value.length} bytes`);
    },

    async xpub(text, display) {
      const path = parsePath(text);
      if (!path.ok) return path;
      if (path.value.length > MAX_STEPS) {
        return fail(
          'E_DEVICE_UNSUPPORTED',
          `${text} has ${path.value.length} steps; the app knows paths of up to ${MAX_STEPS}`,
        );
      }
      return command(`asking for the key at ${formatPath(path.value)}`, () => app().xpub(path.value, display));
    },

    async register(vault) {
      const signable = signableKeys(vault);
      if (!signable.ok) return signable;
      if (isDefaultKind(vault.kind)) {
        return fail(
          'E_DEVICE_UNSUPPORTED',
          `the Bitcoin app knows ${vault.kind} by itself: there is nothing to register`,
        );
      }
      const policy = namedPolicy(vault);
      const answer = await command('registering the wallet policy', () => app().policies.register(policy));
      if (!answer.ok) return answer;
      if (answer.value.length !== ID_BYTES + HMAC_BYTES) {
        return fail('E_DEVICE_PROTOCOL', `${channel.name} gave a registration of ${answer.value.length} bytes`);
      }
      const [given, due] = [toHex(answer.value.subarray(0, ID_BYTES)), policyId(policy)];
      if (given === due) return ok({ name: policy.name, policy: due, hmac: toHex(answer.value.subarray(ID_BYTES)) });
      return fail('E_DEVICE_MISMATCH', `${channel.name} registered the policy ${given}, and it was shown ${due}`, {
        remedy: 'do not use this device: it registered another wallet than it was asked to',
      });
    },

    async address(vault, branch, index, registration = null, how = 'shown') {
      const policy = policyFor(vault, registration);
      if (!policy.ok) return policy;
      return command(`showing address ${branch}/${index}`, () =>
        app().policies.address(policy.value.policy, policy.value.hmac, branch, index, how === 'shown'),
      );
    },

    async sign(psbt, vault, onProgress, registration = null) {
      const prepared = prepare(channel, psbt, vault, registration, version);
      if (!prepared.ok) return err({ fault: prepared.error, maySign: false, signatures: [] });
      const { start } = prepared.value;
      const session = new SigningWatch();
      watch = session;
      notify = () => onProgress(progressOf(session, prepared.value));
      try {
        const done = await command('signing', () => start(app()));
        return conclude(session, done, channel.name);
      } finally {
        watch = null;
        notify = () => {};
      }
    },

    close: () => channel.close(),
  };
}

/** What the device must be told to know a vault: its policy, and the HMAC unless it knows the policy by itself. */
interface PolicyInUse {
  readonly policy: NamedPolicy;
  readonly hmac: Uint8Array | null;
}

/** Default policies have no name. The id of a registered one is computed again before each use. */
function policyFor(vault: Vault, registration: Registration | null): Result<PolicyInUse, Fault> {
  const signable = signableKeys(vault);
  if (!signable.ok) return signable;
  if (isDefaultKind(vault.kind)) return ok({ policy: { ...walletPolicy(vault), name: '' }, hmac: null });
  const policy = namedPolicy(vault);
  const problem = registrationProblem(vault, registration?.fingerprint ?? null, registration);
  if (registration !== null && problem === null) return ok({ policy, hmac: trustedHex(registration.hmac) });
  return fail('E_DEVICE_UNREGISTERED', problem ?? '', { remedy: 'countersign device register' });
}

interface Prepared {
  readonly expected: number;
  /** For every output its number on the device's screen, from 1; null for change, which is not shown. */
  readonly shown: readonly (number | null)[];
  readonly start: (app: BitcoinApp) => Promise<void>;
}

/** All that can fail before the first exchange. */
function prepare(
  channel: ApduChannel,
  psbt: Uint8Array,
  vault: Vault,
  registration: Registration | null,
  version: string | null,
): Result<Prepared, Fault> {
  const inUse = policyFor(vault, registration);
  if (!inUse.ok) return inUse;
  if (channel.recordedPsbt !== undefined) {
    const same = checkTranscriptPsbt(channel.recordedPsbt, sha256Hex(psbt), channel.name);
    if (!same.ok) return same;
  }
  const shape = signingShape(psbt, vault, registration?.fingerprint ?? null);
  if (!shape.ok) return shape;
  const copy = deviceCopy(psbt, vault, registration?.fingerprint ?? null);
  if (!copy.ok) return copy;
  const expected = expectedExchanges(shape.value, version);
  const shown = shownOutputs(psbt, vault);
  const { policy, hmac } = inUse.value;
  const standard = defaultVault(vault);
  return ok({
    expected,
    shown,
    async start(app) {
      if (standard.ok) await sameDevice(app, standard.value.key);
      await app.policies.signPsbt(copy.value, policy, hmac);
    },
  });
}

/**
 * Fingerprint and account key once more, right before SIGN_PSBT, as hw-app-btc's own signing begins: an HMAC binds a
 * registered policy to its device, and nothing else would a default one.
 */
async function sameDevice(app: BitcoinApp, { fingerprint, path, xpub }: VaultKey): Promise<void> {
  const found = [toHex(await app.fingerprint()), await app.xpub(path, false)];
  for (const [index, due] of [fingerprint, xpub].entries()) {
    if (found[index] === due) continue;
    throw new ChannelError(
      fault('E_DEVICE_MISMATCH', `the device that is to sign says ${found[index]}, and the vault has ${due}`, {
        remedy: "connect the vault's own device, and leave it connected until it has signed",
      }),
    );
  }
}

/** The device hides what claims to be change, and numbers the others. */
function shownOutputs(psbt: Uint8Array, vault: Vault): readonly (number | null)[] {
  const decoded = decodePsbt(psbt);
  const outputs = decoded.ok ? decoded.value.outputs : [];
  let number = 0;
  return outputs.map(({ derivations }) => {
    if (derivations.some((claim) => claimedOrigin(vault, claim)?.branch === 1)) return null;
    number += 1;
    return number;
  });
}

function progressOf(watch: SigningWatch, { expected, shown }: Prepared): SigningProgress {
  const { phase, exchanges, signatures } = watch;
  const number = watch.output === null ? null : (shown[watch.output] ?? null);
  const of = shown.filter((one) => one !== null).length;
  const output = number === null ? null : { number, of };
  return { phase, exchanges, expected, signatures: signatures.length, output };
}

/** The signatures that the device gave out, or why there are none and whether there may be one all the same. */
function conclude(
  watch: SigningWatch,
  done: Result<void, Fault>,
  name: string,
): Result<readonly ReturnedSignature[], SigningFailure> {
  const { signatures } = watch;
  if (!done.ok) return err({ fault: done.error, maySign: maySign(watch), signatures });
  if (watch.unreadable || watch.statusWord !== OK) {
    const what = watch.unreadable ? 'gave out a signature in an unknown form' : 'did not end the command';
    const failure = fault('E_DEVICE_PROTOCOL', `${name} ${what}`, { remedy: REOPEN });
    return err({ fault: failure, maySign: maySign(watch), signatures });
  }
  return ok(signatures);
}

/**
 * A signature leaves the device only as a yield, and every response was seen. So there is none where SIGN_PSBT was never
 * sent, or where its last answer is a refusal and nothing was yielded before; in every other case there may be one.
 */
function maySign(watch: SigningWatch): boolean {
  if (!watch.sent) return false;
  const yielded = watch.unreadable || watch.signatures.length > 0;
  return yielded || watch.statusWord === null || !isRefusal(watch.statusWord);
}

interface CommandFailure {
  readonly fault: Fault;
  /** Where the device ended the command with one. */
  readonly statusWord: number | null;
}

/** Runs one command of the app; whatever Ledger's library or the channel rejects with becomes a fault. */
async function attempt<T>(during: string, work: () => Promise<T>): Promise<Result<T, CommandFailure>> {
  try {
    return ok(await work());
  } catch (error) {
    if (error instanceof ChannelError) return err({ fault: error.fault, statusWord: null });
    const found = classifyError(error);
    switch (found.kind) {
      case 'status':
        return err({ fault: statusFault(found.statusWord, during), statusWord: found.statusWord });
      case 'disconnected':
        return err(protocolFailure('E_DEVICE_GONE', `while ${during}, the device went away`));
      case 'foreign':
      case 'framing':
      case 'other':
        return err(protocolFailure('E_DEVICE_PROTOCOL', `while ${during}: ${found.message}`));
    }
  }
}

function protocolFailure(tag: FaultTag, message: string): CommandFailure {
  return { fault: fault(tag, message, { remedy: REOPEN }), statusWord: null };
}

async function command<T>(during: string, work: () => Promise<T>): Promise<Result<T, Fault>> {
  const done = await attempt(during, work);
  return done.ok ? done : err(done.error.fault);
}
