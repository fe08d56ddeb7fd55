import { type Exchange, formatTranscript, parseTranscript } from '../../device/transcript.js';
import type { Fault } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';

/** The client command that yields a signature, and the status word under which the app sends it. */
const YIELD = 0x10;
const INTERRUPTED = 0xe000;

/** A recording in which the last signature differs by one bit: the device's answer, changed on its way. */
export function tamperRecording(text: string, file: string): Result<string, Fault> {
  const transcript = parseTranscript(text, file);
  if (!transcript.ok) return transcript;
  const { header, exchanges } = transcript.value;
  const last = exchanges.findLastIndex(isYield);
  const changed = exchanges.map((exchange, index) => (index === last ? withOneBitFlipped(exchange) : exchange));
  return ok(formatTranscript({ header, exchanges: changed }));
}

function isYield({ response }: Exchange): boolean {
  const statusWord = ((response.at(-2) ?? 0) << 8) | (response.at(-1) ?? 0);
  return statusWord === INTERRUPTED && response[0] === YIELD;
}

/** Within the last bytes of S, so that the signature stays well-formed and only its proof can fail. */
function withOneBitFlipped({ request, response }: Exchange): Exchange {
  const changed = response.slice();
  const place = changed.length - 10;
  changed[place] = (changed[place] ?? 0) ^ 1;
  return { request, response: changed };
}
