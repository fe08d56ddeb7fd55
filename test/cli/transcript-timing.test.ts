import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { ADDRESS, ADDRESS_DEVICE } from './node-session.js';
import { removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

const VERIFY = ['vault', 'address', '3', '--verify', '--device'];

/** A device that takes 30 ms each time, and a clock that goes on only then. */
async function recorded(): Promise<Session> {
  const s = await stage({ until: 'vault' });
  let now = 100_000;
  s.deviceTime = {
    now: () => {
      now += 30;
      return now;
    },
    wait: () => Promise.reject(new Error('nobody waits')),
  };
  await s.expect(0, ...VERIFY, ADDRESS_DEVICE, '--record', 'timed.apdu', '--timing');
  return s;
}

describe('--timing', () => {
  it('keeps the times, which show tells and check accepts', async () => {
    const s = await recorded();
    expect(s.read('timed.apdu')).toContain('\n# at 0 ms, took 30 ms\n=> e105000100\n');
    const { stdout } = await s.expect(0, 'transcript', 'show', 'timed.apdu');
    expect(stdout).toMatch(/exchanges {4}10, in 0\.570 s/);
    expect(stdout).toMatch(/GET_VERSION.*\(at 0\.000 s, the device took 0\.030 s\)/);
    expect(stdout).toMatch(/\(6 exchanges, at 0\.240 s, the device\s+took 0\.180 s\)/);
    const shown = await s.json(0, 'transcript', 'show', 'timed.apdu');
    expect([shown.milliseconds, shown.rows[0].time]).toEqual([570, { at: 0, took: 30 }]);
    const { unproven } = await s.json(0, 'transcript', 'check', 'timed.apdu');
    expect(unproven).toContainEqual({ what: 'the times', why: 'nothing signs them', lines: [] });
    await s.expect(0, 'transcript', 'redact', 'timed.apdu', 'redacted.apdu');
    expect((await s.expect(0, 'transcript', 'show', 'redacted.apdu')).stdout).toContain('in 0.570 s');
  });

  it('without it a recording has none, and nothing looks at the clock', async () => {
    const s = await stage({ until: 'vault' });
    s.deviceTime = {
      now: () => {
        throw new Error('nobody asks for the time');
      },
      wait: () => Promise.reject(new Error('nobody waits')),
    };
    await s.expect(0, ...VERIFY, ADDRESS_DEVICE, '--record', 'plain.apdu');
    expect(s.read('plain.apdu')).not.toContain('# at ');
    const shown = await s.json(0, 'transcript', 'show', 'plain.apdu');
    expect([shown.milliseconds, shown.rows[0].time]).toEqual([undefined, undefined]);
  });

  it('is refused without --record', async () => {
    const s = await stage({ until: 'vault' });
    const ran = await s.run(...VERIFY, ADDRESS_DEVICE, '--timing');
    expect([ran.code, ran.stderr]).toEqual([
      2,
      expect.stringContaining('--timing is for a recording, and none is made'),
    ]);
  });
});

describe('--realtime', () => {
  it('answers in the time that the device took', async () => {
    const s = await recorded();
    const waited: number[] = [];
    s.deviceTime = { now: () => 0, wait: async (ms) => void waited.push(ms) };
    const { address } = await s.json(0, ...VERIFY, 'replay:timed.apdu', '--realtime');
    expect([address, waited]).toEqual([ADDRESS, Array(10).fill(30)]);
    waited.length = 0;
    await s.expect(0, ...VERIFY, 'replay:timed.apdu');
    expect(waited).toEqual([]);
  });

  it('can be broken off while it waits', async () => {
    const s = await recorded();
    const stop = new AbortController();
    s.interruptible = (work) => work(stop.signal);
    s.deviceTime = {
      now: () => 0,
      wait: () => {
        stop.abort();
        return new Promise(() => {});
      },
    };
    expect(await s.faultOf(25, ...VERIFY, 'replay:timed.apdu', '--realtime')).toBe('E_DEVICE_INTERRUPTED');
  });

  it('is refused for a recording without times, and for what is no recording, before anything is reserved', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    for (const [says, argv] of [
      ['has no times', [...VERIFY, ADDRESS_DEVICE]],
      ['takes its own time', ['batch', 'sign', id, '--device', 'speculos:http://127.0.0.1:5000']],
      ['takes its own time', ['batch', 'sign', id, '--device', 'hid']],
    ] as const) {
      const ran = await s.untouched(() => s.run(...argv, '--realtime'));
      expect([ran.code, ran.stderr], says).toEqual([2, expect.stringContaining(says)]);
    }
    expect(await s.stateOf(id)).toBe('DRAFT');
  });
});

describe('the commands of docs/transcripts.md about times', () => {
  const [block = ''] = /```console\n[\s\S]*?```/.exec(readFileSync('docs/transcripts.md', 'utf8')) ?? [];
  const commands = [...block.matchAll(/^\$ countersign (.*)$/gm)].map(([, command = '']) => command.split(' '));

  it('do what the page says', async () => {
    const s = await stage({ until: 'vault' });
    s.write('countersign.yaml', s.read('countersign.yaml').replace(/^device: .*$/m, `device: "${ADDRESS_DEVICE}"`));
    expect(commands).toHaveLength(3);
    for (const argv of commands) await s.expect(0, ...argv);
  });
});
