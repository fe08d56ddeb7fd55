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
