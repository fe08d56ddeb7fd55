import { readFileSync } from 'node:fs';
import { Psbt } from 'bitcoinjs-lib';
import { afterAll, describe, expect, it } from 'vitest';
import {
  A,
  B,
  C,
  cosigner,
  emptyMultisig,
  type Fingerprint,
  prepare,
  removeMultisig,
  signaturesOf,
} from './multisig-session.js';
import { NOON, type Session } from './session.js';

afterAll(removeMultisig);

const PAGE = readFileSync('docs/multisig.md', 'utf8');
/** Every command line of the page, in order. */
const COMMANDS = [...PAGE.matchAll(/```console\n([\s\S]*?)```/g)]
  .flatMap(([, body = '']) => body.split('\n'))
  .filter((line) => line.startsWith('$ countersign '))
  .map((line) => line.slice('$ countersign '.length));

const words = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

const isSigner = (text: string | undefined): text is Fingerprint => text === A || text === B || text === C;

/** What a cosigner elsewhere does with the file: any wallet would. */
function signElsewhere(session: Session, from: string, to: string): void {
  const psbt = Psbt.fromBuffer(readFileSync(session.path(from)));
  for (const { input, publicKey, signature } of signaturesOf(B, new Uint8Array(psbt.toBuffer()))) {
    psbt.updateInput(input, { partialSig: [{ pubkey: publicKey ?? new Uint8Array(), signature }] });
  }
  session.write(to, psbt.toBuffer());
}

describe('the commands of docs/multisig.md', () => {
  it('are there', () => {
    expect(COMMANDS.length).toBeGreaterThan(15);
  });

  it('do, one after another, what the page says', async () => {
    const session = emptyMultisig();
    session.now = '2026-04-01T09:00:00Z';
    let id = '';
    const states: string[] = [];
    for (const command of COMMANDS) {
      const argv = words(command).map((word) => (word === 'ID' ? id : word));
      const named = argv[argv.indexOf('--signer') + 1];
      session.signer = () => cosigner(isSigner(named) ? named : A);
      if (argv[1] === 'combine') signElsewhere(session, 'for-bob.psbt', 'from-bob.psbt');
      if (argv[1] === 'plan') {
        if (id === '') await prepare(session);
        session.now = NOON;
        const planned = await session.json(0, ...argv, '--as', 'alice');
        id = planned.batches[0].id;
        continue;
      }
      await session.expect(0, ...argv);
      if (argv[0] === 'batch') states.push(`${argv[1]} ${await session.stateOf(id)}`);
    }
    expect(states.filter((state) => !state.startsWith('approve'))).toEqual([
      'sign PARTIAL',
      'sign SIGNED',
      'export PARTIAL',
      'combine PARTIAL',
      'sign SIGNED',
    ]);
    await session.expect(0, 'audit', 'verify');
  });
});
