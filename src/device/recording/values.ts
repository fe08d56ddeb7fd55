import { encodeAddress } from '../../domain/address.js';
import { toHex } from '../../domain/bytes.js';
import type { Network } from '../../domain/network.js';
import { formatPath, type Path } from '../../domain/path.js';
import { formatAmount } from '../../domain/sats.js';
import { GLOBAL, INPUT, OUTPUT } from '../../psbt/fields.js';
import { ByteReader } from '../../psbt/wire.js';
import type { Scope } from './meaning.js';

/** A value of a PSBT's map in words: amounts, addresses, outpoints, paths; of anything else its length. */
export function describeValue(scope: Scope, type: number | null, value: Uint8Array, network: Network | null): string {
  const words = type === null ? null : knownValue(scope, type, value, network);
  return words ?? `${value.length} bytes`;
}

function knownValue(scope: Scope, type: number, value: Uint8Array, network: Network | null): string | null {
  const reader = new ByteReader(value);
  const whole = (text: string): string | null => (reader.problem === null && reader.remaining === 0 ? text : null);
  if (scope === 'output') {
    if (type === OUTPUT.AMOUNT) return whole(formatAmount(reader.uint64()));
    if (type === OUTPUT.SCRIPT) return describeScript(value, network);
    return type === OUTPUT.BIP32_DERIVATION ? origin(reader) : null;
  }
  if (scope === 'global') {
    return type === GLOBAL.TX_VERSION || type === GLOBAL.FALLBACK_LOCKTIME ? whole(`${reader.uint32()}`) : null;
  }
  switch (type) {
    case INPUT.PREVIOUS_TXID:
      return value.length === 32 ? toHex(Uint8Array.from(value).reverse()) : null;
    case INPUT.OUTPUT_INDEX:
    case INPUT.SEQUENCE:
      return whole(`${reader.uint32()}`);
    case INPUT.WITNESS_UTXO: {
      const amount = formatAmount(reader.uint64());
      return whole(`${amount} at ${describeScript(reader.lengthPrefixed(), network)}`);
    }
    case INPUT.BIP32_DERIVATION:
      return origin(reader);
    default:
      return null;
  }
}

/** The address that stands for a script, or the script. */
function describeScript(script: Uint8Array, network: Network | null): string {
  const address = network === null ? null : encodeAddress(script, network);
  return address ?? `script ${toHex(script)}`;
}

function origin(reader: ByteReader): string | null {
  const fingerprint = toHex(reader.take(4));
  const path: number[] = [];
  while (reader.remaining > 0 && reader.problem === null) path.push(reader.uint32());
  const steps: Path = path;
  return reader.problem === null ? `[${fingerprint}/${formatPath(steps)}]` : null;
}
