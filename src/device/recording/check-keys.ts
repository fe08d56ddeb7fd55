import { encodeAddress } from '../../domain/address.js';
import { equalBytes, sha256, toHex } from '../../domain/bytes.js';
import type { Network } from '../../domain/network.js';
import { formatPath, HARDENED } from '../../domain/path.js';
import { createDeriver } from '../../vault/derive.js';
import { decodeExtendedKey } from '../../vault/extended-key.js';
import type { TranscriptHeader } from '../transcript.js';
import { type Command, OK } from './conversation.js';
import type { Findings } from './findings.js';
import { type Reading, readCommand } from './meaning.js';
import { networkOf, policyVault } from './policy-vault.js';
import { HASH, type Start } from './protocol.js';

type Started<K extends Start['kind']> = Extract<Start, { kind: K }>;

/** Extended keys against their checksums, their paths and the wallet policies; addresses and policy ids by deriving them again. */
export function checkKeys(commands: readonly Command[], header: TranscriptHeader, findings: Findings): void {
  const stated = headedKeys(commands, header);
  const paths = new Map<string, string>();
  const network = networkOf(header.app);
  for (const command of commands) {
    const { start, status, result, last, first } = command;
    if (status !== OK) {
      if (start.kind === 'register' || start.kind === 'address') {
        const what = start.kind === 'register' ? 'the name of a policy' : 'the address that was asked for';
        findings.leave(`${what}, where the device refused`, 'no answer rests on it', [first, 'request']);
      }
      continue;
    }
    if (start.kind === 'xpub') {
      findings.leave('whether a key was shown on the screen', 'the answer is the same', [first, 'request']);
      checkXpub(command, start, { network, stated, paths }, findings);
    }
    if (start.kind === 'register') checkRegistration(command, start, findings);
    if (start.kind === 'address') checkAddress(command, start, network, findings);
    if (start.kind === 'sign' && result.length !== 0) {
      findings.contradict(last, 'response', 'SIGN_PSBT ends with data, and has none');
    }
  }
}

/** The keys of the device itself in the wallet policies of the file: by xpub, the paths that they have there. */
function headedKeys(commands: readonly Command[], { fingerprint }: TranscriptHeader): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const command of commands) {
    for (const bytes of readCommand(command, false).policyKeys.values()) {
      const match = /^\[([0-9a-f]{8})\/?([^\]]*)\](\w+)$/.exec(Buffer.from(bytes).toString('latin1'));
      if (match !== null && match[1] === fingerprint) keys.set(match[3] ?? '', match[2] ?? '');
    }
  }
  return keys;
}

interface KeyContext {
  readonly network: Network | null;
  readonly stated: ReadonlyMap<string, string>;
  /** Paths at which the device gave a key, by key. */
  readonly paths: Map<string, string>;
}

function checkXpub(
  { result, first, last }: Command,
  { path }: Started<'xpub'>,
  { network, stated, paths }: KeyContext,
  findings: Findings,
): void {
  const xpub = Buffer.from(result).toString('latin1');
  const text = formatPath(path);
  const networks = network === null ? (['main', 'testnet3'] as const) : [network];
  const nodes = networks.map((one) => decodeExtendedKey(xpub, one, 'the extended key'));
  const node = nodes.find(({ ok }) => ok) ?? nodes[0];
  if (node === undefined || !node.ok) {
    findings.contradict(last, 'response', `it is no extended key of the app's network: ${node?.error.message ?? ''}`);
    return;
  }
  const { depth, index } = node.value;
  const due = path.at(-1) ?? 0;
  if (depth !== path.length || (path.length > 0 && index >>> 0 !== due >>> 0)) {
    const step = index >= HARDENED ? `${index - HARDENED}'` : `${index}`;
    findings.contradict(
      last,
      'response',
      `the key is of depth ${depth} with the last step ${step}, and ${text} was asked for`,
    );
    return;
  }
  const other = stated.get(xpub) ?? paths.get(xpub);
  paths.set(xpub, text);
  if (other !== undefined && other !== text) {
    findings.contradict(first, 'request', `the key of ${text} stands elsewhere in the file as that of ${other}`);
    return;
  }
  findings.prove('extended keys have the right checksum, depth and last step');
  if (stated.has(xpub)) findings.prove('extended keys stand in the wallet policy with the path that was asked for');
  else {
    findings.leave(
      'that the device derived a key along all of its path',
      'the file does not have the keys above it',
      [first, 'request'],
      [last, 'response'],
    );
  }
}

function checkRegistration({ result, last }: Command, { policy }: Started<'register'>, findings: Findings): void {
  if (result.length !== 2 * HASH) {
    findings.contradict(last, 'response', `a registration has ${2 * HASH} bytes, and this one ${result.length}`);
    return;
  }
  if (equalBytes(result.subarray(0, HASH), sha256(policy)))
    findings.prove('the id of the registered policy is the hash of the policy');
  else {
    findings.contradict(
      last,
      'response',
      `the device registers the policy ${toHex(result.subarray(0, HASH))}, and was sent ${toHex(sha256(policy))}`,
    );
  }
  findings.leave('the HMAC of a registration', 'only the device can compute it', [last, 'response']);
}

function checkAddress(command: Command, start: Started<'address'>, network: Network | null, findings: Findings): void {
  const { result, first, last } = command;
  const reading: Reading = readCommand(command, false);
  findings.leave('the HMAC that an address was asked with, and whether it was shown', 'only the device can tell', [
    first,
    'request',
  ]);
  const vault = network === null ? null : policyVault(reading, network);
  const said = Buffer.from(result).toString('latin1');
  if (vault === null || network === null || start.index >= HARDENED) {
    findings.leave(
      'the address that the device gave',
      'the wallet policy is not whole in the file, or is none that countersign derives',
      [first, 'request'],
      [last, 'response'],
    );
    return;
  }
  const { script } = createDeriver(vault).at(start.branch === 0 ? 0 : 1, start.index);
  const due = encodeAddress(script, network);
  if (said === due) findings.prove('addresses are what the wallet policy derives');
  else
    findings.contradict(
      last,
      'response',
      `the device gives the address ${said}, and the wallet policy derives ${due ?? 'none'}`,
    );
}
