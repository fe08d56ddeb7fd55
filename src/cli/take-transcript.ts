import { type ExchangeLines, exchangeLines } from '../device/recording/findings.js';
import { parseTranscript, type Transcript } from '../device/transcript.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { VerbContext } from './command.js';

export interface TakenTranscript {
  readonly transcript: Transcript;
  readonly lines: readonly ExchangeLines[];
}

/** Reads a transcript file, or standard input for "-", with the lines at which its exchanges stand. */
export async function takeTranscript({ compose }: VerbContext, file: string): Promise<Result<TakenTranscript, Fault>> {
  const bytes = await compose.files.read(file);
  if (!bytes.ok) return bytes;
  const text = Buffer.from(bytes.value).toString('utf8');
  const transcript = parseTranscript(text, file);
  return transcript.ok ? ok({ transcript: transcript.value, lines: exchangeLines(text) }) : transcript;
}

/** The header as --json gives it. */
export function headerJson({ header }: Transcript): Readonly<Record<string, unknown>> {
  const { device, app, version, fingerprint, psbt, recordedWith, note, redacted = null } = header;
  return { device, app, version, fingerprint, psbt, recorded_with: recordedWith, note, redacted };
}
