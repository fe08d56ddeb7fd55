import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { parseTranscript, type Transcript } from '../../src/device/transcript.js';
import { recorded, standIn } from '../device/usb.js';
import { removeAll, Session, stage } from './session.js';

const bus = standIn();
afterEach(() => bus.clear());
afterAll(removeAll);

const FILE = fileURLToPath(new URL('../../examples/demo/recordings/withdrawals.apdu', import.meta.url));
const recording = (): Transcript => {
  const parsed = parseTranscript(readFileSync(FILE, 'utf8'), FILE);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
};

async function attached(until: 'vault' | 'coins' = 'vault'): Promise<Session> {
  const session = await stage({ until });
  session.usb = true;
  return session;
}

const b001 = (name: string, version: string): Uint8Array =>
  Uint8Array.of(1, name.length, ...Buffer.from(name), version.length, ...Buffer.from(version), 1, 0, 0x90, 0x00);
/** A device that says which app it has open, and its fingerprint. */
const says =
  (name: string, version: string, fingerprint = 'f5acc2fd') =>
  (apdu: Uint8Array) =>
    apdu[0] === 0xb0 ? b001(name, version) : Uint8Array.from([...Buffer.from(fingerprint, 'hex'), 0x90, 0x00]);

describe('device list', () => {
  it('names every Ledger by path, model and serial, and opens none, inside a workspace or not', async () => {
    const session = new Session('/nonexistent');
    session.usb = true;
    const a = bus.plug('/dev/hidraw3', says('Bitcoin', '2.2.7'));
    bus.plug('/dev/hidraw5', says('Bitcoin', '2.4.6'), { productId: 0x5011, serial: '' });
    expect((await session.json(0, 'device', 'list')).devices).toEqual([
      { path: '/dev/hidraw3', model: 'Ledger Nano S', product_id: '1011', serial: '0001' },
      { path: '/dev/hidraw5', model: 'Ledger Nano S Plus', product_id: '5011', serial: null },
    ]);
    const { stdout } = await session.expect(0, 'device', 'list');
    expect(stdout).toMatch(/2 Ledgers on USB\n[\s\S]*\/dev\/hidraw3 +Ledger Nano S +1011 +0001\n/);
    expect([a.opened, a.requests]).toEqual([0, []]);
  });

  it('says that none is there, which is no failure', async () => {
    const session = new Session('/nonexistent');
    expect((await session.json(0, 'device', 'list')).devices).toEqual([]);
    expect((await session.expect(0, 'device', 'list')).stdout).toBe('no Ledger is attached to this machine\n');
  });
});

describe('device info', () => {
  it('says what is attached and that it can sign', async () => {
    const session = await attached();
    bus.plug('/dev/hidraw3', says('Bitcoin Test', '2.2.7'));
    const info = await session.json(0, 'device', 'info');
    expect(info).toMatchObject({
      device: 'Ledger Nano S on USB (/dev/hidraw3)',
      app: { name: 'Bitcoin Test', version: '2.2.7' },
      fingerprint: 'f5acc2fd',
      key_of_vault: true,
      usable: true,
      recommended_version: '2.2.7',
    });
  });

  it('takes 2.1.0 and recommends a newer one', async () => {
    const session = await attached();
    bus.plug('/dev/hidraw3', says('Bitcoin Test', '2.1.0', '00000001'));
    const { stdout } = await session.expect(0, 'device', 'info');
    expect(stdout).toMatch(/can sign +yes; 2\.2\.7 or newer is recommended/);
    expect(stdout).toMatch(/key of the vault +no/);
  });

  it.each([
    ['Bitcoin Test', '2.0.9', 'E_DEVICE_VERSION', '2.1.0 or newer', '2.2.7'],
    ['BOLOS', '2.1.0', 'E_DEVICE_APP', 'no app is open', 'Bitcoin Test'],
    ['Ethereum', '1.12.0', 'E_DEVICE_APP', '"Ethereum" is open', 'Bitcoin Test'],
  ])('reports %s %s, asks it for nothing else, and ends with 22', async (name, version, tag, message, remedy) => {
    const session = await attached();
    const device = bus.plug('/dev/hidraw3', says(name, version));
    const info = await session.json(22, 'device', 'info');
    expect(info).toMatchObject({ app: { name, version }, fingerprint: null, usable: false, problem: { tag } });
    expect(info.problem.message).toContain(message);
    expect(info.problem.remedy).toContain(remedy);
    expect(device.requests).toHaveLength(1);
    expect((await session.expect(22, 'device', 'info')).stdout).toContain(message);
  });

  it.each([
    ['Permission denied', 'E_DEVICE_PERMISSION', 'KERNEL=="hidraw*"'],
    ['Device or resource busy', 'E_DEVICE_BUSY', 'Ledger Live'],
    ['No such device', 'E_DEVICE_GONE', 'connect the device again'],
  ])('tells why a device does not open: %s', async (openError, tag, remedy) => {
    const session = await attached();
    bus.plug('/dev/hidraw3', says('Bitcoin Test', '2.2.7'), { openError });
    const { faults } = await session.json(20, 'device', 'info');
    expect(faults[0]).toMatchObject({ tag, remedy: expect.stringContaining(remedy) });
  });
});

describe('batch sign over USB reports', () => {
  it('signs with the whole of Ledger’s transport in between, and records it', async () => {
    const session = await attached('coins');
    const id = await session.ready('withdrawals.csv');
    const device = bus.plug('/dev/hidraw3', recorded(recording()));
    const signed = await session.json(0, 'batch', 'sign', id, '--record', 'sign.apdu');
    expect(signed.signed).toBe(true);
    expect(device.requests).toHaveLength(recording().exchanges.length);
    expect([device.opened, device.closed]).toEqual([1, 1]);
    const kept = parseTranscript(session.read('sign.apdu'), 'sign.apdu');
    expect(kept.ok && kept.value.exchanges).toEqual(recording().exchanges);
  });

  it.each([
    ['the first exchange', 0, 'RELEASED'],
    ['the first of SIGN_PSBT', 6, 'UNKNOWN'],
    ['the last exchange', -1, 'UNKNOWN'],
  ])('unplugged at %s, where nobody waits: exit 20 and %s', async (_, at, state) => {
    const session = await attached('coins');
    const id = await session.ready('withdrawals.csv');
    const { exchanges } = recording();
    bus.plug('/dev/hidraw3', recorded(recording()), { unplugAtExchange: at < 0 ? exchanges.length + at : at });
    const { faults } = await session.json(20, 'batch', 'sign', id);
    expect(faults[0].tag).toBe('E_DEVICE_GONE');
    expect(await session.stateOf(id)).toBe(state);
  });
});

describe('batch sign with somebody at the terminal', () => {
  /** What `attach` asks first is answered apart from the recording, which begins with the conversation itself. */
  const known = (name = 'Bitcoin Test', version = '2.2.7') => {
    const rest = recorded(recording());
    const first = says(name, version);
    let asked = 0;
    return (apdu: Uint8Array) => {
      asked += 1;
      return asked <= 2 ? first(apdu) : rest(apdu);
    };
  };
  const signing = async (words: readonly string[]) => {
    const session = await attached('coins');
    const id = await session.ready('withdrawals.csv');
    return { session, id, run: () => session.run('batch', 'sign', id, '--json', ...words) };
  };

  it('waits for a device that is not there yet', async () => {
    const { session, id, run } = await signing(['--wait', '60']);
    bus.onLook = (look) => {
      if (look === 3) bus.plug('/dev/hidraw3', known());
    };
    const { code, stderr } = await run();
    expect([code, await session.stateOf(id)]).toEqual([0, 'SIGNED']);
    expect(stderr.match(/waiting for the device/g)).toHaveLength(1);
    expect(stderr).toContain('no Ledger is attached');
  });

  it('waits no longer than it was told to', async () => {
    const { session, id, run } = await signing(['--wait', '1']);
    const { code, stdout } = await run();
    expect([code, JSON.parse(stdout).faults[0].tag]).toEqual([20, 'E_DEVICE_ABSENT']);
    expect(await session.stateOf(id)).toBe('RELEASED');
  });

  it('goes on with a device that was unplugged while it signed, at whatever port it comes back', async () => {
    const { session, id, run } = await signing(['--wait', '60', '--record', 'sign.apdu']);
    const first = bus.plug('/dev/hidraw3', known(), { unplugAtExchange: 100 });
    // Time is told in these tests: what happens, happens at a look at the bus.
    let away = 0;
    bus.onLook = () => {
      away += first.isGone ? 1 : 0;
      if (away === 5) bus.plug('/dev/hidraw7', known());
    };
    const { code, stdout, stderr } = await run();
    expect([code, JSON.parse(stdout).signed, await session.stateOf(id)], stdout + stderr).toEqual([0, true, 'SIGNED']);
    expect(stderr).toContain('Connect the same device again');
    expect(stderr).toContain('output #');
    const [broken, whole] = ['sign.apdu', 'sign.apdu.2'].map((name) => parseTranscript(session.read(name), name));
    expect(whole?.ok && whole.value.exchanges).toEqual(recording().exchanges);
    expect(broken?.ok && broken.value.exchanges.length).toBe(98);
  });

  it('a signal while it is awaited lets go of everything', async () => {
    const { session, id, run } = await signing(['--wait', '60']);
    session.interruptible = (work) => {
      const stop = new AbortController();
      bus.onLook = (look) => {
        if (look === 2) stop.abort();
      };
      return work(stop.signal);
    };
    const { code, stdout } = await run();
    expect([code, JSON.parse(stdout).faults[0].tag]).toEqual([25, 'E_DEVICE_INTERRUPTED']);
    expect(await session.stateOf(id)).toBe('RELEASED');
  });

  it('chooses the vault’s device among three, by its fingerprint', async () => {
    const { session, id, run } = await signing([]);
    const strangers = ['00000001', '00000003'].map((fingerprint, index) =>
      bus.plug(`/dev/hidraw${index}`, says('Bitcoin Test', '2.2.7', fingerprint)),
    );
    bus.plug('/dev/hidraw9', known());
    const { code, stderr } = await run();
    expect([code, await session.stateOf(id)]).toEqual([0, 'SIGNED']);
    expect(stderr).toContain('Ledger Nano S on USB (/dev/hidraw9)');
    expect(strangers.map(({ requests, opened, closed }) => [requests.length, opened, closed])).toEqual([
      [2, 1, 1],
      [2, 1, 1],
    ]);
  });

  it('where none of them is, says what each is, and nothing was asked to sign', async () => {
    const { session, id, run } = await signing([]);
    bus.plug('/dev/hidraw1', says('Bitcoin Test', '2.2.7', '00000001'));
    bus.plug('/dev/hidraw2', says('Bitcoin Test', '2.2.7', '00000002'));
    const { code, stdout } = await run();
    expect([code, await session.stateOf(id)]).toEqual([24, 'RELEASED']);
    expect(JSON.parse(stdout).faults[0].message).toMatch(/none of 2 Ledgers.*00000001.*00000002/);
  });

  it('opens the app where it is asked to', async () => {
    const { session, id, run } = await signing(['--open-app', '--wait', '20']);
    const menu = bus.plug('/dev/hidraw3', (apdu) => {
      if (apdu[0] !== 0xe0) return says('BOLOS', '2.1.0')(apdu);
      expect(Buffer.from(apdu).toString('latin1', 5)).toBe('Bitcoin Test');
      bus.onLook = (look) => {
        if (look === 2) menu.unplug();
        if (look === 4) bus.plug('/dev/hidraw4', known());
      };
      return Uint8Array.of(0x90, 0x00);
    });
    const { code, stderr } = await run();
    expect([code, await session.stateOf(id)]).toEqual([0, 'SIGNED']);
    expect(stderr).toContain('confirm on the device that it opens the app "Bitcoin Test"');
  });

  it('a time that is none is refused before anything is reserved', async () => {
    const { session, id, run } = await signing(['--wait', 'long']);
    expect((await run()).code).toBe(2);
    expect(await session.stateOf(id)).toBe('DRAFT');
  });
});
