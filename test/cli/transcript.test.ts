import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordingText } from '../device/recordings.js';
import { removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

let s: Session;
beforeAll(async () => {
  // No workspace: whoever is sent a transcript has the file and nothing else.
  s = await stage({ until: 'nothing' });
  for (const name of ['sign-wpkh-1', 'refused-wpkh', 'multisig-sign-wsh-1-a', 'multisig-register-wsh-a', 'wrong-app']) {
    s.write(`${name}.apdu`, recordingText(name));
  }
  const sidecar = new URL('../recordings/nanos-2.2.7/sign-wpkh-1.json', import.meta.url);
  copyFileSync(fileURLToPath(sidecar), s.path('sign.json'));
  s.write('sign.psbt', JSON.parse(s.read('sign.json')).psbt);
});

describe('transcript show', () => {
  it('says what was asked, which output is under review, and whose signature came', async () => {
    const { stdout } = await s.expect(0, 'transcript', 'show', 'sign-wpkh-1.apdu');
    expect(stdout).toContain("GET_EXTENDED_PUBKEY of 84'/1'/0', silently");
    expect(stdout).toContain('loading: SIGN_PSBT 1 input, 2 outputs');
    expect(stdout).toContain('reviewing: reads output 0, under review: PSBT_OUT_AMOUNT 750000 sat (0.00750000 BTC)');
    expect(stdout).toContain('reads output 1, not shown if the device derives it as change');
    expect(stdout).toContain('signing: gives the signature of input 0 by the key 027cb75d34b005c4eb9f62bbf2c457');
  });

  it('says at what a person refused', async () => {
    const { stdout } = await s.expect(0, 'transcript', 'show', 'refused-wpkh.apdu');
    expect(stdout).toMatch(
      /ends with 6985, while reviewing, with output 0 read last: the person at the device\s+refused/,
    );
  });

  it('gives every exchange a row with --all, and the rows as JSON', async () => {
    const few = await s.json(0, 'transcript', 'show', 'sign-wpkh-1.apdu');
    const all = await s.json(0, 'transcript', 'show', 'sign-wpkh-1.apdu', '--all');
    const exchanges = (rows: { exchanges: number }[]): number => rows.reduce((sum, row) => sum + row.exchanges, 0);
    expect(few.schema).toBe('countersign.transcript-show/1');
    expect(few.header).toMatchObject({
      app: 'Bitcoin Test',
      version: '2.2.7',
      fingerprint: 'f5acc2fd',
      redacted: null,
    });
    // Each exchange is told once, however they are put together.
    expect([exchanges(few.rows), exchanges(all.rows)]).toEqual([few.exchanges, few.exchanges]);
    expect(all.rows.length).toBeGreaterThan(few.rows.length);
    const texts: string[] = all.rows.map(({ text }: { text: string }) => text);
    expect(texts).toContain('GET_MERKLE_LEAF_INDEX: where input 0 has PSBT_IN_WITNESS_UTXO: at 1');
    expect(texts).toContain('GET_PREIMAGE: the value of PSBT_OUT_AMOUNT of output 0 = 750000 sat (0.00750000 BTC)');
    expect(texts.filter((text) => text.startsWith('YIELD: a signature = the signature of input 0'))).toHaveLength(1);
  });

  it('names the policy that is registered or signed with', async () => {
    const registered = await s.expect(0, 'transcript', 'show', 'multisig-register-wsh-a.apdu');
    expect(registered.stdout).toContain('REGISTER_WALLET "treasury-1", 3 keys');
    const signed = await s.expect(0, 'transcript', 'show', 'multisig-sign-wsh-1-a.apdu');
    expect(signed.stdout).toContain('wsh(sortedmulti(2,@0/**,@1/**,@2/**))');
  });

  it('refuses what is no transcript, with its line', async () => {
    s.write('bad.apdu', '# format: countersign-transcript/1\nhello\n');
    const { faults } = await s.json(2, 'transcript', 'show', 'bad.apdu');
    expect(faults[0]).toMatchObject({ tag: 'E_TRANSCRIPT_FORM', where: { file: 'bad.apdu', line: 2 } });
  });
});

describe('transcript check', () => {
  it('ends with 0 and says what is proven and what cannot be', async () => {
    const report = await s.json(0, 'transcript', 'check', 'sign-wpkh-1.apdu', '--psbt', 'sign.psbt');
    expect(report).toMatchObject({ schema: 'countersign.transcript-check/1', redacted: false });
    expect(report.proven).toContainEqual({ what: 'the PSBT is the one that the header names', count: 1 });
    expect(report.unproven).toContainEqual({
      what: 'the flags of the app',
      why: 'nothing else in the file depends on them',
      lines: [10],
    });
    const { stdout } = await s.expect(0, 'transcript', 'check', 'wrong-app.apdu');
    expect(stdout).toMatch(/^consistent {2}wrong-app.apdu, 1 exchange\n/);
  });

  it('ends with 13 and the line of the first contradiction', async () => {
    const lines = s.read('sign-wpkh-1.apdu').split('\n');
    const changed = lines.map((line, index) =>
      index === 100 ? line.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')) : line,
    );
    s.write('changed.apdu', changed.join('\n'));
    const { faults, proven } = await s.json(13, 'transcript', 'check', 'changed.apdu');
    expect(faults[0]).toMatchObject({ tag: 'E_TRANSCRIPT_CONTRADICTION', where: { file: 'changed.apdu', line: 101 } });
    expect(faults.length).toBeLessThanOrEqual(3);
    expect(proven.length).toBeGreaterThan(0);
  });

  it('ends with 13 for the PSBT of another signing, and with 2 for none', async () => {
    expect(await s.faultOf(13, 'transcript', 'check', 'multisig-sign-wsh-1-a.apdu', '--psbt', 'sign.psbt')).toBe(
      'E_TRANSCRIPT_CONTRADICTION',
    );
    expect(await s.faultOf(2, 'transcript', 'check', 'sign-wpkh-1.apdu', '--psbt', 'sign.json')).toBe('E_PSBT_PARSE');
  });
});

describe('transcript check of several files', () => {
  const GOOD = ['sign-wpkh-1.apdu', 'wrong-app.apdu'];

  it('gives each a line, aligned, and a count; as JSON a list in the order of the command line', async () => {
    const { stdout } = await s.expect(0, 'transcript', 'check', ...GOOD);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(GOOD.length + 2);
    expect(lines[1]).toMatch(/^consistent {2}sign-wpkh-1\.apdu +213 /);
    expect(lines[2]).toMatch(/^consistent {2}wrong-app\.apdu +1 /);
    expect(lines[3]).toBe('all consistent  2 recordings');
    const report = await s.json(0, 'transcript', 'check', ...GOOD);
    expect(report).toMatchObject({ schema: 'countersign.transcript-checks/1', files: 2, consistent: 2 });
    expect(report.results.map(({ file }: { file: string }) => file)).toEqual(GOOD);
    const { proven, unproven, redacted } = await s.json(0, 'transcript', 'check', 'sign-wpkh-1.apdu');
    expect(report.results[0]).toMatchObject({ consistent: true, proven, unproven, redacted, faults: [] });
  });

  it('checks all of them, and ends with the highest exit code wherever the file stands', async () => {
    const lines = s.read('sign-wpkh-1.apdu').split('\n');
    lines[100] = (lines[100] ?? '').replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    s.write('one-byte.apdu', lines.join('\n'));
    s.write('no-transcript.apdu', 'hello\n');
    const bad = ['no-transcript.apdu', 'one-byte.apdu'];
    for (const files of [
      [...bad, ...GOOD],
      [...GOOD, ...bad.toReversed()],
    ]) {
      const report = await s.json(13, 'transcript', 'check', ...files);
      expect(report).toMatchObject({ files: 4, consistent: 2 });
      const byFile = new Map(report.results.map((one: { file: string }) => [one.file, one]));
      expect(byFile.get('no-transcript.apdu')).toMatchObject({ consistent: false, exchanges: null });
      expect(byFile.get('one-byte.apdu')).toMatchObject({
        consistent: false,
        faults: expect.arrayContaining([
          expect.objectContaining({
            tag: 'E_TRANSCRIPT_CONTRADICTION',
            where: { file: 'one-byte.apdu', line: 101 },
          }),
        ]),
      });
    }
    const { stdout } = await s.expect(13, 'transcript', 'check', ...bad, ...GOOD);
    expect(stdout).toMatch(/^contradicts +one-byte\.apdu .* {2}line 101: /m);
    expect(stdout).toMatch(/^not read +no-transcript\.apdu /m);
    expect(stdout).toContain('2 of 4 not consistent, 2 consistent\n');
    await s.expect(2, 'transcript', 'check', 'no-transcript.apdu', ...GOOD);
    await s.expect(2, 'transcript', 'check', 'missing.apdu', ...GOOD);
  });

  it('takes a PSBT for one of them only', async () => {
    expect(await s.faultOf(2, 'transcript', 'check', ...GOOD, '--psbt', 'sign.psbt')).toBe('E_USAGE');
  });
});

describe('transcript redact', () => {
  it('writes a copy that is shown and checked, says that it is one, and is never replayed', async () => {
    const report = await s.json(0, 'transcript', 'redact', 'sign-wpkh-1.apdu', 'copy.apdu');
    expect(report).toMatchObject({ schema: 'countersign.transcript-redact/1', file: 'copy.apdu', exchanges: 213 });
    expect(s.read('copy.apdu')).toContain('\n# redacted: by countersign 0.0.0-test: pseudonyms stand for keys');
    expect(s.read('copy.apdu')).not.toContain('f5acc2fd');

    const shown = await s.expect(0, 'transcript', 'show', 'copy.apdu');
    expect(shown.stdout).toContain('reads output 0, under review: PSBT_OUT_AMOUNT');
    expect(shown.stdout).toMatch(/^redacted +by countersign/m);
    expect(await s.json(0, 'transcript', 'check', 'copy.apdu')).toMatchObject({ redacted: true });
    const refused = await s.faultOf(2, 'transcript', 'record', 'again.apdu', '--device', 'replay:copy.apdu');
    expect(refused).toBe('E_TRANSCRIPT_REDACTED');
    expect(await s.faultOf(2, 'transcript', 'redact', 'copy.apdu', 'twice.apdu')).toBe('E_TRANSCRIPT_REDACTED');
  });

  it('overwrites nothing', async () => {
    s.write('kept.txt', 'kept');
    expect(await s.faultOf(2, 'transcript', 'redact', 'refused-wpkh.apdu', 'kept.txt')).toBe('E_FILE_EXISTS');
    expect(s.read('kept.txt')).toBe('kept');
  });
});

describe('transcript record', () => {
  it('keeps app, fingerprint and an account key of what is attached, and needs no workspace', async () => {
    s.write('xpub.apdu', recordingText('sign-wpkh-1').split('\n').slice(0, 14).join('\n'));
    const report = await s.json(
      0,
      'transcript',
      'record',
      'new.apdu',
      '--path',
      "84'/1'/0'",
      '--device',
      'replay:xpub.apdu',
    );
    expect(report).toMatchObject({
      file: 'new.apdu',
      app: { name: 'Bitcoin Test' },
      fingerprint: 'f5acc2fd',
      path: "84'/1'/0'",
    });
    expect((await s.json(0, 'transcript', 'check', 'new.apdu')).proven.length).toBeGreaterThan(3);
    expect((await s.expect(0, 'transcript', 'show', 'new.apdu')).stdout).toContain("GET_EXTENDED_PUBKEY of 84'/1'/0'");
  });

  it('keeps the answer that ended it', async () => {
    const [head = '', ...rest] = recordingText('wrong-app').split('=>');
    const locked = `${head}=>${rest.join('=>').replace(/<= \w+/, '<= 5515')}`;
    s.write('locked.apdu', locked);
    expect(await s.faultOf(21, 'transcript', 'record', 'kept.apdu', '--device', 'replay:locked.apdu')).toBe(
      'E_DEVICE_LOCKED',
    );
    expect((await s.expect(0, 'transcript', 'show', 'kept.apdu')).stdout).toContain(
      'ends with 5515: the device is locked',
    );
  });

  it('refuses a path that is none before anything is asked', async () => {
    const words = ['transcript', 'record', 'none.apdu', '--path', 'x', '--device', 'replay:xpub.apdu'];
    expect(await s.faultOf(2, ...words)).toBe('E_PATH_SYNTAX');
  });
});
