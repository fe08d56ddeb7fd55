import { fromHex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The raw bytes of a PSBT file in any of the three forms that wallets write: binary, base64 or hex, the last two with
 * line breaks anywhere. Only the form is looked at here; `decodePsbt` reads the bytes. E_PSBT_PARSE names the file.
 */
export function readPsbt(contents: Uint8Array, file: string): Result<Uint8Array, Fault> {
  const head = Buffer.from(contents.subarray(0, 5)).toString('latin1');
  if (head === 'psbt\xff') return ok(new Uint8Array(contents));
  const text = Buffer.from(contents)
    .toString('latin1')
    .replace(/[\r\n]+/g, '')
    .trim();
  if (text.startsWith('cHNidP') && BASE64.test(text)) return ok(new Uint8Array(Buffer.from(text, 'base64')));
  if (/^70736274ff/i.test(text)) {
    const bytes = fromHex(text.toLowerCase());
    if (bytes.ok) return bytes;
  }
  return fail('E_PSBT_PARSE', contents.length === 0 ? 'the file is empty' : 'the file is not a PSBT', {
    remedy: 'give a PSBT as raw bytes, as base64 (it begins with cHNidP) or as hex (it begins with 70736274ff)',
    where: { file },
  });
}
