import { describe, expect, it } from 'vitest';
import { attach, type Reachable, type Wanted } from '../../src/device/attach.js';
import { type ApduChannel, ChannelError } from '../../src/device/types.js';
import { type Fault, fail, fault } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';

const status = (word: number): Uint8Array => Uint8Array.of(word >> 8, word & 0xff);
const OK = status(0x9000);

/** A Ledger in software with its menu, apps, lock and cable. */
class Ledger {
  app = 'Bitcoin Test';
  version = '2.2.7';
  locked = false;
  plugged = true;
  openError: Fault | null = null;
  /** Answers to "open app", in this order; then it opens. */
  refusals: number[] = [];
  /** The next fingerprint is answered with this word. */
  stumbles: number | null = null;
  asked: string[] = [];
  opened = 0;
  closed = 0;
  /** After an app opened or closed, so many looks pass until it is on USB again. */
  away = 0;

  constructor(
    readonly path: string,
    readonly fingerprint = 'f5acc2fd',
  ) {}

  reachable(): Reachable {
    const name = `Ledger Nano S on USB (${this.path})`;
    return {
      name,
      open: async () => {
        if (this.openError !== null) return fail(this.openError.tag, this.openError.message);
        this.opened += 1;
        return ok(this.#channel(name));
      },
    };
  }

  #channel(name: string): ApduChannel {
    return {
      name,
      exchange: async (apdu) => this.#answer(apdu),
      close: async () => {
        this.closed += 1;
        return ok(undefined);
      },
    };
  }

  #answer(apdu: Uint8Array): Uint8Array {
    const head = Buffer.from(apdu.subarray(0, 2)).toString('hex');
    this.asked.push(head);
    if (this.locked) return status(0x5515);
    if (head === 'b001') {
      const [name, version] = [Buffer.from(this.app), Buffer.from(this.version)];
      return Uint8Array.of(1, name.length, ...name, version.length, ...version, 1, 0, ...OK);
    }
    if (head === 'e0d8') return this.#open(Buffer.from(apdu.subarray(5)).toString('latin1'));
    if (head === 'b0a7') {
      this.app = 'BOLOS';
      this.away = 3;
      return OK;
    }
    if (this.stumbles !== null) {
      const word = this.stumbles;
      this.stumbles = null;
      return status(word);
    }
    return Uint8Array.of(...Buffer.from(this.fingerprint, 'hex'), ...OK);
  }

  #open(name: string): Uint8Array {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return status(refusal);
    this.app = name;
    this.away = 3;
    // The device leaves USB: some say so with a status word, some with nothing at all.
    throw new ChannelError(fault('E_DEVICE_GONE', 'it went away'));
  }
}

interface Desk {
  readonly devices: Ledger[];
  /** What a person does, by the number of the look. */
  readonly acts?: Readonly<Record<number, () => void>>;
  readonly wanted?: Partial<Wanted>;
}

async function meet({ devices, acts = {}, wanted = {} }: Desk) {
  const notices: string[] = [];
  let looks = 0;
  const found = await attach(
    {
      list: async () => {
        acts[looks]?.();
        looks += 1;
        return ok(
          devices
            .filter((device) => {
              device.away = Math.max(0, device.away - 1);
              return device.plugged && device.away === 0;
            })
            .map((device) => device.reachable()),
        );
      },
      sleep: async () => {
        if (looks > 500) throw new Error('nobody comes');
      },
    },
    {
      patience: null,
      openApp: false,
      notice: (line) => notices.push(line),
      app: 'Bitcoin Test',
      fingerprints: ['f5acc2fd'],
      ...wanted,
    },
  );
  const open = devices.filter((device) => device.opened !== device.closed);
  return { found, notices, looks, open };
}

describe('one device', () => {
  it('is asked nothing where nobody waits', async () => {
    const device = new Ledger('1');
    const { found, open } = await meet({ devices: [device], wanted: { patience: 0 } });
    expect(found.ok).toBe(true);
    expect([device.asked, open]).toEqual([[], [device]]);
  });

  it('is known by its app and its fingerprint, without a word', async () => {
    const device = new Ledger('1');
    const { found, notices, open } = await meet({ devices: [device] });
    expect(found.ok && found.value.name).toBe('Ledger Nano S on USB (1)');
    expect([device.asked, notices, open]).toEqual([['b001', 'e105'], [], [device]]);
  });

  it('after a host that died, its first 6a80 is asked again', async () => {
    const device = new Ledger('1');
    device.stumbles = 0x6a80;
    expect((await meet({ devices: [device] })).found.ok).toBe(true);
    expect(device.asked).toEqual(['b001', 'e105', 'e105']);
  });

  it.each([
    [
      'not there',
      (device: Ledger) => {
        device.plugged = false;
      },
      (device: Ledger) => {
        device.plugged = true;
      },
      'no Ledger is attached',
    ],
    [
      'locked',
      (device: Ledger) => {
        device.locked = true;
      },
      (device: Ledger) => {
        device.locked = false;
      },
      'locked',
    ],
    [
      'at its menu',
      (device: Ledger) => {
        device.app = 'BOLOS';
      },
      (device: Ledger) => {
        device.app = 'Bitcoin Test';
      },
      'no app is open',
    ],
    [
      'in another app',
      (device: Ledger) => {
        device.app = 'Ethereum';
      },
      (device: Ledger) => {
        device.app = 'Bitcoin Test';
      },
      '"Ethereum" is open',
    ],
    [
      'held by another program',
      (device: Ledger) => {
        device.openError = fault('E_DEVICE_BUSY', 'held by x');
      },
      (device: Ledger) => {
        device.openError = null;
      },
      'held by x',
    ],
    [
      'not yet this user’s',
      (device: Ledger) => {
        device.openError = fault('E_DEVICE_PERMISSION', 'may not');
      },
      (device: Ledger) => {
        device.openError = null;
      },
      'may not',
    ],
  ])('that is %s is awaited, and that is said once', async (_, prepare, after, words) => {
    const device = new Ledger('1');
    prepare(device);
    const { found, notices, looks, open } = await meet({ devices: [device], acts: { 40: () => after(device) } });
    expect(found.ok).toBe(true);
    expect(notices).toEqual([expect.stringContaining(words)]);
    expect(notices[0]).toContain('Ctrl-C');
    expect([looks, open]).toEqual([41, [device]]);
  });

  it.each([
    [
      'E_DEVICE_ABSENT',
      (device: Ledger) => {
        device.plugged = false;
      },
    ],
    [
      'E_DEVICE_LOCKED',
      (device: Ledger) => {
        device.locked = true;
      },
    ],
    [
      'E_DEVICE_APP',
      (device: Ledger) => {
        device.app = 'BOLOS';
      },
    ],
  ])('%s after the patience, and after not a moment less', async (tag, prepare) => {
    const device = new Ledger('1');
    prepare(device);
    for (const [seconds, looks] of [
      [1, 3],
      [30, 61],
    ] as const) {
      const ended = await meet({ devices: [device], wanted: { patience: seconds } });
      expect(ended.found).toMatchObject({ ok: false, error: { tag } });
      expect([ended.looks, ended.open]).toEqual([looks, []]);
    }
  });

  it('that is another one is awaited too, named by both fingerprints', async () => {
    const [other, right] = [new Ledger('1', '00000001'), new Ledger('2')];
    right.plugged = false;
    const swap = (): void => {
      other.plugged = false;
      right.plugged = true;
    };
    const { found, notices } = await meet({ devices: [other, right], acts: { 5: swap } });
    expect(found.ok && found.value.name).toContain('(2)');
    expect(notices[0]).toMatch(/00000001.*f5acc2fd/);
  });

  it('a signal ends the waiting', async () => {
    const stop = new AbortController();
    const device = new Ledger('1');
    device.locked = true;
    const { found, open } = await meet({
      devices: [device],
      acts: { 3: () => stop.abort() },
      wanted: { signal: stop.signal },
    });
    expect(found).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_INTERRUPTED' } });
    expect(open).toEqual([]);
  });

  it('what no person can change there ends it at once', async () => {
    const device = new Ledger('1');
    device.openError = fault('E_DEVICE_OPEN', 'odd');
    const { found, looks } = await meet({ devices: [device] });
    expect([found.ok ? '' : found.error.tag, looks]).toEqual(['E_DEVICE_OPEN', 1]);
  });
});

describe('asking for the app', () => {
  const wanted = { openApp: true, patience: 0 };

  it('opens it from the menu, which a person confirms, and takes up the device that comes back', async () => {
    const device = new Ledger('1');
    device.app = 'BOLOS';
    const { found, notices, open } = await meet({ devices: [device], wanted });
    expect(found.ok).toBe(true);
    expect(device.asked).toEqual(['b001', 'e0d8', 'b001', 'e105']);
    expect(notices).toEqual([expect.stringContaining('confirm on the device that it opens the app "Bitcoin Test"')]);
    expect(open).toEqual([device]);
  });

  it('leaves another app first', async () => {
    const device = new Ledger('1');
    device.app = 'Ethereum';
    expect((await meet({ devices: [device], wanted })).found.ok).toBe(true);
    expect(device.asked).toEqual(['b001', 'b0a7', 'b001', 'e0d8', 'b001', 'e105']);
  });

  it('is not asked where it is open, and nobody asks without the option', async () => {
    const device = new Ledger('1');
    expect((await meet({ devices: [device], wanted })).found.ok).toBe(true);
    expect(device.asked).toEqual(['b001', 'e105']);
    device.app = 'BOLOS';
    device.asked = [];
    const refused = await meet({ devices: [device], wanted: { patience: 2 } });
    expect(refused.found).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_APP', remedy: expect.stringContaining('--open-app') },
    });
    expect(new Set(device.asked)).toEqual(new Set(['b001']));
  });

  it.each([
    [0x5501, 'E_DEVICE_REFUSED'],
    [0x6807, 'E_DEVICE_APP'],
    [0x6985, 'E_DEVICE_REFUSED'],
  ])('%i: %s', async (word, tag) => {
    const device = new Ledger('1');
    device.app = 'BOLOS';
    device.refusals = [word];
    const { found, open } = await meet({ devices: [device], wanted });
    expect(found).toMatchObject({ ok: false, error: { tag } });
    expect(open).toEqual([]);
  });

  it('a device that never opens it is not asked for ever', async () => {
    const device = new Ledger('1');
    device.app = 'BOLOS';
    device.refusals = Array.from({ length: 100 }, () => 0x9000);
    const { found } = await meet({ devices: [device], wanted });
    expect(found).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_APP' } });
    expect(device.asked.filter((head) => head === 'e0d8')).toHaveLength(6);
  });
});

describe('several devices', () => {
  const three = (): readonly [Ledger, Ledger, Ledger] => [
    new Ledger('1', '00000001'),
    new Ledger('2', 'f5acc2fd'),
    new Ledger('3', '00000003'),
  ];

  it.each([0, null])(
    'the right one is chosen by its fingerprint, wherever it is plugged in (patience %s)',
    async (patience) => {
      const [a, b, c] = three();
      for (const devices of [
        [a, b, c],
        [b, c, a],
        [c, a, b],
      ]) {
        const { found, open, notices } = await meet({ devices, wanted: { patience } });
        expect(found.ok && found.value.name).toBe('Ledger Nano S on USB (2)');
        expect([open, notices]).toEqual([[b], []]);
        for (const device of devices) device.closed = device.opened;
      }
    },
  );

  it('none of them: says what each is', async () => {
    const [a, , c] = three();
    const { found, open } = await meet({ devices: [a, c], wanted: { patience: 0 } });
    expect(found).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_MISMATCH' } });
    expect(found.ok ? '' : found.error.message).toMatch(
      /none of 2 Ledgers is ready as f5acc2fd: .*\(1\): fingerprint 00000001; .*\(3\): fingerprint 00000003/,
    );
    expect(open).toEqual([]);
  });

  it('one that cannot be read yet may be the one: it is awaited', async () => {
    const [a, b, c] = three();
    b.locked = true;
    const refused = await meet({ devices: [a, b, c], wanted: { patience: 0 } });
    expect(refused.found).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_LOCKED' } });
    const { found } = await meet({
      devices: [a, b, c],
      acts: {
        9: () => {
          b.locked = false;
        },
      },
    });
    expect(found.ok && found.value.name).toContain('(2)');
  });

  it('two that would do are not chosen between, by fingerprint or as twins', async () => {
    const [a, b] = three();
    const many = await meet({ devices: [a, b], wanted: { fingerprints: ['f5acc2fd', '00000001'] } });
    expect(many.found).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_SEVERAL', remedy: expect.stringContaining('--signer') },
    });
    expect(many.found.ok ? '' : many.found.error.message).toMatch(/fingerprint 00000001.*fingerprint f5acc2fd/);
    expect(many.open).toEqual([]);
    const twins = await meet({ devices: [b, new Ledger('9')], wanted: { patience: 0 } });
    expect(twins.found).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_SEVERAL', remedy: expect.stringContaining('same keys') },
    });
  });

  it('where any would do, they are named by their fingerprints', async () => {
    const { found } = await meet({ devices: [...three()], wanted: { patience: 0, fingerprints: null, app: null } });
    expect(found).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_SEVERAL' } });
    expect(found.ok ? '' : found.error.message).toMatch(/00000001.*f5acc2fd.*00000003/);
  });
});
