import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parseTranscript } from '../../src/device/transcript.js';
import { removeAll, stage } from '../cli/session.js';
import { isSignPsbt } from '../device/faulty.js';
import { child, thinking } from './signalled.js';

/** Ctrl-C and its like reach the built program in a process of its own, while a device owes it an answer. */
afterAll(removeAll);

const FILE = fileURLToPath(new URL('../../examples/demo/recordings/withdrawals.apdu', import.meta.url));
const parsed = parseTranscript(readFileSync(FILE, 'utf8'), FILE);
if (!parsed.ok) throw new Error(parsed.error.message);
const { exchanges } = parsed.value;
const SIGN = exchanges.findIndex(({ request }) => isSignPsbt(request));

async function interrupted(answers: number, signal: NodeJS.Signals, words: readonly string[] = []) {
  const s = await stage();
  const id = await s.ready('withdrawals.csv');
  const { spec, asked } = await thinking(exchanges, answers);
  const running = child(s, ['batch', 'sign', id, '--device', spec, ...words]);
  await Promise.race([asked, running.ended]);
  running.process.kill(signal);
  return { s, id, ended: await running.ended };
}

describe('a signal while a device owes an answer', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s before it was asked to sign: the budget is given back',
    async (signal) => {
      const { s, id, ended } = await interrupted(1, signal);
      expect([ended.signal, ended.code], ended.said).toEqual([null, 25]);
      expect(ended.said).toContain('interrupted: the device is let go');
      expect(ended.said).toContain(`batch ${id} is RELEASED: the budget is given back`);
      expect(await s.stateOf(id)).toBe('RELEASED');
      // The same batch, with a device that answers.
      await s.expect(0, 'batch', 'sign', id, '--device', `replay:${FILE}`);
    },
  );

  it('when it was asked to sign: the batch counts as spent, and what was said so far is recorded', async () => {
    const { s, id, ended } = await interrupted(SIGN + 40, 'SIGINT', ['--record', 'so-far.apdu']);
    expect([ended.signal, ended.code], ended.said).toEqual([null, 25]);
    expect(ended.said).toContain('refuse on the device what it may still show');
    expect(ended.said).toContain(`batch ${id} is UNKNOWN: it counts as spent`);
    expect(await s.stateOf(id)).toBe('UNKNOWN');
    expect((await s.expect(0, 'audit', 'log')).stdout).toContain('batch.unknown');
    const text = s.read('so-far.apdu');
    const recorded = parseTranscript(text, 'so-far.apdu');
    expect(recorded.ok && recorded.value.exchanges).toEqual(exchanges.slice(0, SIGN + 40));
    expect(text).toContain(`# after exchange ${SIGN + 40}: `);
    expect(text).toContain('E_DEVICE_INTERRUPTED');
  });

  it('a second one ends the process at once, and the state that is left is honest', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const { spec, asked } = await thinking(exchanges, SIGN + 40);
    const running = child(s, ['batch', 'sign', id, '--device', spec], { stuck: true });
    await Promise.race([asked, running.ended]);
    running.process.kill('SIGINT');
    await Promise.race([running.says('stuck'), running.ended]);
    running.process.kill('SIGINT');
    const ended = await running.ended;
    expect([ended.signal, ended.code], ended.said).toEqual(['SIGINT', null]);
    expect(await s.stateOf(id)).toBe('SENT');
  });
});
