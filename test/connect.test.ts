import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { connect } from '../src/connect.js';

const folder = mkdtempSync(join(tmpdir(), 'countersign-connect-'));
const RECORDING = fileURLToPath(new URL('../examples/demo/recordings/second.apdu', import.meta.url));
cpSync(RECORDING, join(folder, 'second.apdu'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const named = (path: string): string => join(folder, path);
const NO_TIME = { now: () => 0, wait: () => Promise.reject(new Error('nobody waits here')) };
const open = (spec: string, more: { record?: string; psbt?: string } = {}) =>
  connect({ spec, record: more.record ?? null, psbt: more.psbt ?? null }, '0.0.0', named, {
    timing: false,
    realtime: false,
    time: NO_TIME,
  });

describe('connect', () => {
  it('opens a recording by its name', async () => {
    const opened = await open('replay:second.apdu');
    expect(opened).toMatchObject({ ok: true, value: { name: 'replay of second.apdu' } });
    expect(opened.ok && (await opened.value.signer.appInfo())).toMatchObject({ value: { name: 'Bitcoin Test' } });
  });

  it.each([
    ['usb', {}, 'E_USAGE'],
    ['', {}, 'E_USAGE'],
    ['replay', {}, 'E_USAGE'],
    ['HID', {}, 'E_USAGE'],
    ['replay:absent.apdu', {}, 'E_FILE_MISSING'],
    ['replay:second.apdu', { psbt: '00'.repeat(32) }, 'E_TRANSCRIPT_OTHER'],
    ['replay:second.apdu', { record: 'second.apdu' }, 'E_FILE_EXISTS'],
    ['speculos:http://example.com:5000', {}, 'E_DEVICE_ADDRESS'],
  ])('refuses %j with %j', async (spec, more, tag) => {
    expect(await open(spec, more)).toMatchObject({ ok: false, error: { tag } });
  });

  it('refuses a recording that is not one, by its name', async () => {
    writeFileSync(named('bad.apdu'), 'hello\n');
    expect(await open('replay:bad.apdu')).toMatchObject({
      ok: false,
      error: { tag: 'E_TRANSCRIPT_FORM', where: { file: 'bad.apdu' } },
    });
  });

  it('never replays a redacted recording', async () => {
    const text = readFileSync(RECORDING, 'utf8').replace('# note:', '# redacted: all of it\n# note:');
    writeFileSync(named('redacted.apdu'), text);
    expect(await open('replay:redacted.apdu')).toMatchObject({
      ok: false,
      error: { tag: 'E_TRANSCRIPT_REDACTED', where: { file: 'redacted.apdu' } },
    });
  });
});
