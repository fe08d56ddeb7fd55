import { describe, expect, it } from 'vitest';
import { createSigner } from '../../src/device/signer.js';
import { type ApduChannel, ChannelError } from '../../src/device/types.js';
import { trustedHex } from '../../src/domain/bytes.js';
import { fault } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import { descriptorChecksum } from '../../src/vault/descriptor.js';
import { readRecording, readSidecar, type SigningSidecar, vaultOf } from './recordings.js';

const NAME = 'sign-wpkh-1';
const sidecar = readSidecar<SigningSidecar>(NAME);
const vault = vaultOf(sidecar);
const psbt = new Uint8Array(Buffer.from(sidecar.psbt, 'base64'));
const { exchanges } = readRecording(NAME);
const isSignPsbt = (apdu: Uint8Array): boolean => apdu[0] === 0xe1 && apdu[1] === 0x04;
const isYield = (response: Uint8Array): boolean => response[0] === 0x10 && response.at(-2) === 0xe0;

/** Places in the recording: hw-app-btc's own first exchange, SIGN_PSBT, the yield of the signature, the last one. */
const START = 3;
const SIGN = exchanges.findIndex(({ request }) => isSignPsbt(request));
const YIELDS = exchanges.findIndex(({ response }) => isYield(response));
const LAST = exchanges.length - 1;

type Answer = Uint8Array | ChannelError | Error;

/** The recorded device, from the first request of `sign` on, with another answer at one place. */
function faulty(place: number, answer: Answer): ApduChannel {
  let next = START;
  return {
    name: 'device',
    async exchange() {
      const at = next;
      next += 1;
      if (at === place && !(answer instanceof Uint8Array)) throw answer;
      const recorded = exchanges[at];
      if (recorded === undefined) throw new Error('asked after the end');
      return at === place && answer instanceof Uint8Array ? answer : recorded.response;
    },
    close: async () => ok(undefined),
  };
}

const sign = (channel: ApduChannel) => createSigner(channel).sign(psbt, vault, () => {});
const gone = new ChannelError(fault('E_DEVICE_GONE', 'unplugged'));
const status = (word: string): Uint8Array => trustedHex(word);

describe('sign: what a failure says of a signature that may exist', () => {
  it('is asked about a recording with a yield before its end', async () => {
    expect([SIGN > START, YIELDS > SIGN, LAST > YIELDS]).toEqual([true, true, true]);
    expect(await sign(faulty(-1, gone))).toMatchObject({ ok: true, value: [{ input: 0 }] });
  });

  it.each([
    ['the device gone before SIGN_PSBT', START, gone, 'E_DEVICE_GONE', false],
    ['locked before SIGN_PSBT', START, status('5515'), 'E_DEVICE_LOCKED', false],
    ['the device gone at the account key', START + 1, gone, 'E_DEVICE_GONE', false],
    ['the device gone at SIGN_PSBT itself', SIGN, gone, 'E_DEVICE_GONE', true],
    ['the data refused at once', SIGN, status('6a80'), 'E_DEVICE_DATA', false],
    ['another app', SIGN, status('6e00'), 'E_DEVICE_APP', false],
    ['a person who refuses', YIELDS - 40, status('6985'), 'E_DEVICE_REFUSED', false],
    ['something not supported', SIGN + 5, status('6a82'), 'E_DEVICE_DATA', false],
    ['the device gone in the middle', SIGN + 5, gone, 'E_DEVICE_GONE', true],
    ['a device that lost the thread', SIGN + 5, status('b007'), 'E_DEVICE_PROTOCOL', true],
    ['a technical problem', SIGN + 5, status('6f00'), 'E_DEVICE_PROTOCOL', true],
    ['an unknown status word', SIGN + 5, status('6123'), 'E_DEVICE_PROTOCOL', true],
    ['a response without a status word', SIGN + 5, status('90'), 'E_DEVICE_PROTOCOL', true],
    [
      'a request for a preimage that nobody knows',
      SIGN + 5,
      status(`4000${'77'.repeat(32)}e000`),
      'E_DEVICE_PROTOCOL',
      true,
    ],
    ['an end without a signature', SIGN + 5, status('9000'), 'none', false],
    ['a refusal after a signature', YIELDS + 1, status('6985'), 'E_DEVICE_REFUSED', true],
    ['the device gone after a signature', YIELDS + 1, gone, 'E_DEVICE_GONE', true],
    ['a yield without a key', YIELDS, status('100000aabbe000'), 'E_DEVICE_PROTOCOL', true],
    ['a yield that is cut off', YIELDS, status('100021aae000'), 'E_DEVICE_PROTOCOL', true],
    ['an error that is a bug', SIGN + 5, new Error('second exchange'), 'E_DEVICE_PROTOCOL', true],
  ] as const)('%s', async (_, place, answer, tag, maySign) => {
    const signed = await sign(faulty(place, answer));
    if (tag === 'none') {
      // The device ended well and signed nothing: the proof misses the signatures, and the caller decides by that.
      expect(signed).toEqual({ ok: true, value: [] });
      return;
    }
    expect(signed).toMatchObject({ ok: false, error: { maySign, fault: { tag } } });
  });

  it('a PSBT that cannot be read: nothing is sent', async () => {
    const signed = await createSigner(faulty(START, gone)).sign(psbt.subarray(0, 50), vault, () => {});
    expect(signed).toMatchObject({ ok: false, error: { maySign: false, fault: { tag: 'E_PSBT_PARSE' } } });
  });

  it('a multisig vault: nothing is sent, and the reason is named', async () => {
    const key =
      '[f5acc2fd/48h/1h/0h/2h]tpubDFAqEGNyad35aBCKUAXbQGDjdVhNueno5ZZVEn3sQbW5ci457gLR7HyTmHBg93oourBssgUxuWz1jX5uhc1qaqFo9VsybY1J5FuedLfm4dK/<0;1>/*';
    const other =
      '[76223a6e/48h/1h/0h/2h]tpubDE7NQymr4AFtewpAsWtnreyq9ghkzQBXpCZjWLFVRAvnbf7vya2eMTvT2fPapNqL8SuVvLQdbUbMfWLVDCZKnsEBqp6UK93QEzL8Ck23AwF/<0;1>/*';
    const body = `wsh(sortedmulti(2,${other},${key}))`;
    const multisig = vaultOf({ network: 'testnet3', descriptor: `${body}#${descriptorChecksum(body)}` });
    const signer = createSigner(faulty(START, gone));
    expect(await signer.sign(psbt, multisig, () => {})).toMatchObject({
      ok: false,
      error: {
        maySign: false,
        fault: { tag: 'E_DEVICE_UNREGISTERED', message: expect.stringContaining('registered') },
      },
    });
    expect(await signer.address(multisig, 0, 0)).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_UNREGISTERED' } });
  });
});

describe('the other commands', () => {
  const answering = (...answers: Answer[]): { readonly channel: ApduChannel; readonly asked: string[] } => {
    const asked: string[] = [];
    return {
      asked,
      channel: {
        name: 'device',
        async exchange(apdu) {
          const answer = answers[asked.length] ?? new Error('asked too often');
          asked.push(Buffer.from(apdu).toString('hex'));
          if (answer instanceof Uint8Array) return answer;
          throw answer;
        },
        close: async () => ok(undefined),
      },
    };
  };

  it('asks for the fingerprint once more after 6a80, which ends what an earlier run left open', async () => {
    const { channel, asked } = answering(status('6a80'), status('f5acc2fd9000'));
    expect(await createSigner(channel).fingerprint()).toEqual(ok('f5acc2fd'));
    expect(asked).toEqual(['e105000100', 'e105000100']);
  });

  it('does not ask a third time, nor again after another status word', async () => {
    const twice = answering(status('6a80'), status('6a80'));
    expect(await createSigner(twice.channel).fingerprint()).toMatchObject({ error: { tag: 'E_DEVICE_DATA' } });
    expect(twice.asked).toHaveLength(2);
    const once = answering(status('5515'));
    expect(await createSigner(once.channel).fingerprint()).toMatchObject({ error: { tag: 'E_DEVICE_LOCKED' } });
    expect(once.asked).toHaveLength(1);
  });

  it.each([
    ['f5acc29000', 'E_DEVICE_PROTOCOL'],
    ['6e00', 'E_DEVICE_APP'],
    ['90', 'E_DEVICE_PROTOCOL'],
  ])('the fingerprint answered with %s: %s', async (answer, tag) => {
    expect(await createSigner(answering(status(answer)).channel).fingerprint()).toMatchObject({ error: { tag } });
  });

  it.each([
    ['6e01', 'E_DEVICE_APP'],
    ['9000', 'E_DEVICE_PROTOCOL'],
    ['020141013100009000', 'E_DEVICE_PROTOCOL'],
    ['01ff41013100009000', 'E_DEVICE_PROTOCOL'],
    ['01010a013100009000', 'E_DEVICE_PROTOCOL'],
    ['01009000', 'E_DEVICE_PROTOCOL'],
  ])('the app answered with %s: %s', async (answer, tag) => {
    expect(await createSigner(answering(status(answer)).channel).appInfo()).toMatchObject({ error: { tag } });
  });

  it('asks for keys at paths of up to six steps', async () => {
    const { channel, asked } = answering(new Uint8Array([...Buffer.from('tpub'), 0x90, 0]));
    const signer = createSigner(channel);
    expect(await signer.xpub("m/84'/1'/0'/0/0/0", false)).toEqual(ok('tpub'));
    expect(await signer.xpub("m/84'/1'/0'/0/0/0/0", false)).toMatchObject({ error: { tag: 'E_DEVICE_UNSUPPORTED' } });
    expect(await signer.xpub('84"/1', false)).toMatchObject({ error: { tag: 'E_PATH_SYNTAX' } });
    expect(asked).toHaveLength(1);
  });
});
