/**
 * Work of the host between two APDUs: replays recordings of signings, where the device answers at once.
 *
 *   npm run build
 *   node bench/device-host.mjs [RECORDING...]
 *
 * The app ends a command if the host takes 5 s; the aim here is under 1 ms. Exit code 1 where a recording misses it.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { identify } from '../dist/device/preflight.js';
import { createSigner } from '../dist/device/signer.js';
import { parseTranscript } from '../dist/device/transcript.js';
import { openReplay } from '../dist/device/transport/replay.js';
import { parseVault } from '../dist/vault/descriptor.js';

const LIMIT_MS = 1;
const ROUNDS = 5;
const DEFAULT = ['sign-wpkh-1', 'sign-wpkh-10', 'sign-sh-wpkh-10', 'sign-tr-10', 'sign-pkh-10'];
const FOLDER = new URL('../test/recordings/nanos-2.2.7/', import.meta.url);

function value(result) {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
}

async function replay(name) {
  const transcript = value(parseTranscript(readFileSync(new URL(`${name}.apdu`, FOLDER), 'utf8'), name));
  const sidecar = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
  const vault = value(parseVault('bench', sidecar.network, sidecar.descriptor));
  const psbt = new Uint8Array(Buffer.from(sidecar.psbt, 'base64'));
  let longest = 0;
  const start = performance.now();
  let last = start;
  const signer = createSigner(openReplay(transcript, name));
  value(await identify(signer, vault, {}));
  const signed = await signer.sign(psbt, vault, () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  });
  const total = performance.now() - start;
  if (!signed.ok) throw new Error(JSON.stringify(signed.error));
  value(await signer.close());
  return { exchanges: transcript.exchanges.length, total, longest };
}

const names = process.argv.slice(2);
process.stdout.write('recording           exchanges  ms total  ms/exchange  longest ms (median of 5)\n');
for (const name of names.length > 0 ? names : DEFAULT) {
  await replay(name);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await replay(name));
  const { exchanges, total, longest } = rounds.sort((a, b) => a.total - b.total)[Math.floor(ROUNDS / 2)];
  const each = total / exchanges;
  if (each >= LIMIT_MS) process.exitCode = 1;
  const cells = [String(exchanges).padStart(9), total.toFixed(1).padStart(9), each.toFixed(3).padStart(12)];
  process.stdout.write(`${name.padEnd(19)} ${cells.join(' ')} ${longest.toFixed(2).padStart(11)}\n`);
}
