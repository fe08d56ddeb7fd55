import { afterAll, describe, expect, it } from 'vitest';
import { parseTranscript, type Transcript } from '../../src/device/transcript.js';
import { A, multisigStage, removeMultisig, replay } from '../cli/multisig-session.js';
import type { Ran, Session } from '../cli/session.js';
import { readRecording } from '../device/recordings.js';
import { child, thinking } from './signalled.js';

/** A signal while a person is to approve a wallet policy, or to compare an address. */
afterAll(removeMultisig);

const REGISTER = readRecording('multisig-register-wsh-a');
const ADDRESS = readRecording('multisig-address-wsh-a');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Sends a signal when the device has answered so much, and returns how the program ended. */
async function signalled(
  s: Session,
  { exchanges }: Transcript,
  answers: number,
  signal: NodeJS.Signals,
  ...argv: string[]
): Promise<{ code: number | null; signal: NodeJS.Signals | null; said: string }> {
  const { spec, asked } = await thinking(exchanges, answers);
  const running = child(s, [...argv, '--device', spec]);
  await Promise.race([asked, running.ended]);
  running.process.kill(signal);
  return running.ended;
}

const registrations = async (s: Session): Promise<number> => {
  const { entries } = await s.json(0, 'audit', 'log');
  return entries.filter(({ body }: { body: { kind: string } }) => body.kind === 'device.registered').length;
};

describe('a signal during device register', () => {
  const LAST = REGISTER.exchanges.length - 1;
  it.each([
    ['SIGINT', 'before the device is known', 1],
    ['SIGTERM', 'while the person reads', Math.floor(LAST / 2)],
    ['SIGHUP', 'when the device has registered, and was not tried yet', LAST],
  ] as const)('%s %s: nothing is kept, and the next attempt registers', async (signal, _, answers) => {
    const s = await multisigStage('coins');
    const ended = await s.untouched(() => signalled(s, REGISTER, answers, signal, 'device', 'register', '--signer', A));
    expect([ended.signal, ended.code], ended.said).toEqual([null, 25]);
    expect(ended.said).toContain('interrupted: the device is let go');
    expect(ended.said).toContain('run the command again: the journal is as it was');
    expect(await registrations(s)).toBe(0);
    await s.expect(0, 'device', 'register', '--signer', A, '--device', replay('register-wsh-a'));
    expect(await registrations(s)).toBe(1);
  });

  it('leaves an earlier registration in use, and what was said is recorded', async () => {
    const s = await multisigStage('registered');
    const before = await registrations(s);
    const words = ['device', 'register', '--signer', A, '--record', 'so-far.apdu'];
    const ended = await signalled(s, REGISTER, 6, 'SIGINT', ...words);
    expect([ended.signal, ended.code], ended.said).toEqual([null, 25]);
    expect(await registrations(s)).toBe(before);
    const recorded = parseTranscript(s.read('so-far.apdu'), 'so-far.apdu');
    expect(recorded.ok && recorded.value.exchanges).toEqual(REGISTER.exchanges.slice(0, 6));
    const shown: Ran = await s.run('vault', 'address', '3', '--verify', '--device', replay('address-wsh-a'));
    expect(shown.code, shown.stderr).toBe(0);
  });
});

describe('a signal during vault address --verify', () => {
  it.each(SIGNALS.map((signal, index) => [signal, [1, 4, ADDRESS.exchanges.length - 1][index] ?? 1] as const))(
    '%s after %i answers: nothing is changed, and the next attempt compares',
    async (signal, answers) => {
      const s = await multisigStage('registered');
      const words = ['vault', 'address', '3', '--verify'];
      const ended = await s.untouched(() => signalled(s, ADDRESS, answers, signal, ...words));
      expect([ended.signal, ended.code], ended.said).toEqual([null, 25]);
      expect(ended.said).toContain('run the command again: the journal is as it was');
      await s.expect(0, ...words, '--device', replay('address-wsh-a'));
    },
  );
});
