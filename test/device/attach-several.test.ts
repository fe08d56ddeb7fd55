import { describe, expect, it } from 'vitest';
import { Ledger, meet } from './soft-ledger.js';

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
