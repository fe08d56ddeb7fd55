import { decodeAddress, encodeAddress } from '../../src/domain/address.js';
import { demoFile, policyText, type Session, stage } from '../cli/session.js';
import type { RegtestNode } from './node.js';
import { DESCRIPTOR } from './vault.js';

/** When the node's blocks are mined: half an hour before the noon of the sessions. */
export const MINED = 1_780_313_400;

const ADDRESS = /\b(?:tb1[0-9a-z]{20,80}|[2mn][1-9A-HJ-NP-Za-km-z]{25,40})\b/g;

/** The demo's documents for regtest: the same scripts, spelled for that network. */
export function onRegtest(text: string): string {
  return text
    .replaceAll(ADDRESS, (address) => {
      const decoded = decodeAddress(address, 'testnet3');
      const spelled = decoded.ok ? encodeAddress(decoded.value.script, 'regtest') : null;
      return spelled ?? address;
    })
    .replace('network: testnet3', 'network: regtest')
    .replace(/descriptor: ".*"/, `descriptor: "${DESCRIPTOR}"`);
}

/** A workspace on a real regtest chain: the demo's policy and book, aged as in the demo, and the node as its back end. */
export async function regtestWorkspace(node: RegtestNode, empty?: Session): Promise<Session> {
  const session = empty ?? (await stage({ until: 'nothing' }));
  const policy = onRegtest(policyText());
  const files: Readonly<Record<string, string>> = {
    'policy.yaml': policy,
    'book-1.yaml': onRegtest(demoFile('book-1.yaml')),
    'book-2.yaml': onRegtest(demoFile('book-2.yaml')),
    'withdrawals.csv': onRegtest(demoFile('withdrawals.csv')),
    'second.csv': onRegtest(demoFile('second.csv')),
    'descriptor.txt': `${DESCRIPTOR}\n`,
  };
  const at = async (time: string, ...argv: string[]): Promise<void> => {
    session.now = time;
    await session.expect(0, ...argv);
  };
  const [april, may] = ['2026-04-01T09:00:00Z', '2026-05-26T09:00:00Z'];
  await at(april, 'init', '.', '--network', 'regtest');
  for (const [name, text] of Object.entries(files)) session.write(name, text);
  session.write(
    'countersign.yaml',
    `${session.read('countersign.yaml')}chain:\n  - backend: core:${node.url}\n    cookie: ${node.cookie}\n`,
  );
  await at(april, 'vault', 'import', 'demo-cold', 'descriptor.txt');
  for (const person of ['frank', 'grace']) await at(april, 'policy', 'sign', 'policy.yaml', '--key', `keys/${person}`);
  await at(april, 'policy', 'activate', 'policy.yaml');
  for (const [book, time] of [
    ['book-1.yaml', april],
    ['book-2.yaml', may],
  ] as const) {
    // Made anew: version 2 names the digest of version 1, which the spelling of addresses has changed.
    for (const person of ['bob', 'erin'])
      await at(time, 'book', 'sign', book, '--key', `keys/${person}`, '--as', person);
    await at(time, 'book', 'import', book);
    if (book === 'book-1.yaml') {
      const { digest } = await session.json(0, 'book', 'show');
      session.write('book-2.yaml', session.read('book-2.yaml').replace(/prev: ".*"/, `prev: "${digest}"`));
    }
  }
  session.now = '2026-06-01T12:00:00Z';
  return session;
}
