import { type Fault, fail } from './fault.js';
import { ok, type Result } from './result.js';

/** A transaction output. The txid is in display order (reversed hash), as block explorers and Bitcoin Core's RPC show it. */
export interface Outpoint {
  readonly txid: string;
  readonly vout: number;
}

export function formatOutpoint({ txid, vout }: Outpoint): string {
  return `${txid}:${vout}`;
}

export function parseOutpoint(text: string): Result<Outpoint, Fault> {
  const match = /^([0-9a-f]{64}):(0|[1-9][0-9]{0,9})$/.exec(text);
  const vout = Number(match?.[2]);
  if (match?.[1] !== undefined && vout <= 0xffffffff) return ok({ txid: match[1], vout });
  return fail('E_OUTPOINT_SYNTAX', `${JSON.stringify(text.slice(0, 90))} is not an outpoint`, {
    remedy: 'write TXID:VOUT, 64 lower-case hexadecimal digits, a colon and the output number',
  });
}
