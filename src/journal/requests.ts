import { type Hex, sha256Hex } from '../domain/bytes.js';
import { canonicalJson } from '../domain/canonical-json.js';
import type { RequestRecord } from './entries.js';

/**
 * What a request id stands for: SHA-256 of the canonical JSON of id, script and amount, and of who bears the fee where that
 * is the payee: it is paid less then. The spelling of the address, the
 * label and the reference stay out: correcting a note must not force a new id, because it is the id that keeps a
 * withdrawal from being paid twice.
 */
export function requestDigest(
  request: Pick<RequestRecord, 'id' | 'script' | 'amount'> & { readonly feePayer?: 'payee' },
): Hex {
  const { id, script, amount, feePayer } = request;
  return sha256Hex(canonicalJson({ amount, ...(feePayer === undefined ? {} : { feePayer }), id, script }));
}
