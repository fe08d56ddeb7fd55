import { fromHex, type Hex, toHex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { isLedgerModel, type LedgerModel } from './models.js';

/** One request and its response, status word included. */
export interface Exchange {
  readonly request: Uint8Array;
  readonly response: Uint8Array;
  /** Only where it was recorded with times. */
  readonly time?: ExchangeTime;
}

/** Which half of an exchange. */
export type Side = 'request' | 'response';

/** In ms: when the request was sent, from the first request of the recording on, and how long the answer took. */
export interface ExchangeTime {
  readonly at: number;
  readonly took: number;
}

/** What a recording says of itself. */
export interface TranscriptHeader {
  /** The device's model in one word (nanos, nanosp ...), or "unknown". */
  readonly device: string;
  /** From the first "get app and version" of the recording; null where there was none. */
  readonly app: string | null;
  readonly version: string | null;
  /** Master key fingerprint, from the first answer that gave it; null where there was none. */
  readonly fingerprint: Hex | null;
  /** SHA-256 of the PSBT that was signed; null for a recording that signs nothing. */
  readonly psbt: Hex | null;
  /** "countersign 0.1.0" */
  readonly recordedWith: string;
  readonly note: string;
  /** Says that pseudonyms stand for what was recorded, and which; absent from a recording as it was made. */
  readonly redacted?: string;
}

export interface Transcript {
  readonly header: TranscriptHeader;
  readonly exchanges: readonly Exchange[];
}

/** What the header says of a device that did not tell its model. */
export const UNKNOWN_DEVICE = 'unknown';

/** The model that a recording was made with; null where it is unknown, or no word of ours. */
export function modelOf({ device }: TranscriptHeader): LedgerModel | null {
  return isLedgerModel(device) ? device : null;
}

export const TRANSCRIPT_FORMAT = 'countersign-transcript/1';

/** Header keys in their order, and how a value is kept. */
const KEYS = ['format', 'device', 'app', 'version', 'fingerprint', 'psbt', 'recorded-with', 'note'] as const;
/** Keys that only some headers have. */
const OPTIONAL_KEYS = ['redacted'] as const;
type Key = (typeof KEYS)[number] | (typeof OPTIONAL_KEYS)[number];

const PATTERNS: Partial<Readonly<Record<Key, RegExp>>> = {
  fingerprint: /^(?:none|[0-9a-f]{8})$/,
  psbt: /^(?:none|[0-9a-f]{64})$/,
};

/** A safety net against files that are no transcripts; 100 legacy inputs come to about 60 MB. */
const MAX_CHARACTERS = 256 * 1024 * 1024;

/** Behind a response. Readers that know nothing of times take it for a comment. Ten digits are four months. */
const TIME = /^# at (\d{1,10}) ms, took (\d{1,10}) ms$/;

const isKey = (text: string): text is Key => [...KEYS, ...OPTIONAL_KEYS].some((key) => key === text);
const orNull = (text: string): string | null => (text === 'none' ? null : text);

/**
 * Reads a transcript: header lines `# key: value`, then hw-transport-mocker's `=> hex` and `<= hex` in turn. CRLF, blank
 * lines, upper-case digits and other comments are tolerated. A comment `# at 1250 ms, took 21 ms` behind a response is its
 * time. Faults: E_TRANSCRIPT_FORM with file and line.
 */
export function parseTranscript(text: string, file: string): Result<Transcript, Fault> {
  if (text.length > MAX_CHARACTERS) return fail('E_TRANSCRIPT_FORM', 'the file is too large for a transcript');
  const values = new Map<Key, string>();
  const exchanges: Exchange[] = [];
  let request: { readonly bytes: Uint8Array; readonly line: number } | null = null;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    const content = raw.trim();
    const bad = (message: string) => fail('E_TRANSCRIPT_FORM', message, { where: { file, line } });
    if (content === '') continue;
    const [, at, took] = TIME.exec(content) ?? [];
    if (at !== undefined && took !== undefined) {
      const last = request === null ? exchanges.pop() : undefined;
      if (last === undefined) return bad('a time that does not stand behind a response');
      if (last.time !== undefined) return bad('a second time of one exchange');
      exchanges.push({ ...last, time: { at: Number(at), took: Number(took) } });
      continue;
    }
    if (content.startsWith('#')) {
      const entry = /^#\s*([a-z-]+):\s*(.*)$/.exec(content);
      const key = entry?.[1] ?? '';
      if (!isKey(key) || exchanges.length > 0 || request !== null) continue;
      const value = entry?.[2] ?? '';
      if (values.has(key)) return bad(`the header gives ${key} twice`);
      if (PATTERNS[key]?.test(value) === false) return bad(`${JSON.stringify(value)} is not a ${key}`);
      values.set(key, value);
      continue;
    }
    const match = /^(=>|<=)\s*([0-9a-fA-F\s]*)$/.exec(content);
    if (match === null) return bad('expected "=> hex" or "<= hex"');
    const bytes = fromHex((match[2] ?? '').replace(/\s/g, '').toLowerCase());
    if (!bytes.ok) return bad('an odd number of hexadecimal digits');
    if (match[1] === '=>') {
      if (request !== null) return bad(`a second request: the one in line ${request.line} has no response`);
      if (bytes.value.length < 4) return bad('a request has at least 4 bytes (CLA, INS, P1, P2)');
      request = { bytes: bytes.value, line };
    } else {
      if (request === null) return bad('a response without a request before it');
      if (bytes.value.length < 2) return bad('a response ends with a status word of 2 bytes');
      exchanges.push({ request: request.bytes, response: bytes.value });
      request = null;
    }
  }
  if (request !== null) {
    return fail('E_TRANSCRIPT_FORM', 'the last request has no response', { where: { file, line: request.line } });
  }
  return withHeader(values, exchanges, file);
}

function withHeader(values: ReadonlyMap<Key, string>, exchanges: Exchange[], file: string): Result<Transcript, Fault> {
  const format = values.get('format');
  if (format !== TRANSCRIPT_FORMAT) {
    return fail('E_TRANSCRIPT_FORM', `the header does not say "# format: ${TRANSCRIPT_FORMAT}"`, {
      where: { file },
      remedy: 'record the session with --record; a transcript of another program has no header that can be checked',
    });
  }
  const missing = KEYS.filter((key) => !values.has(key));
  if (missing.length > 0) {
    return fail('E_TRANSCRIPT_FORM', `the header does not give ${missing.join(', ')}`, { where: { file } });
  }
  const value = (key: Key): string => values.get(key) ?? '';
  const redacted = values.get('redacted');
  return ok({
    header: {
      device: value('device'),
      app: orNull(value('app')),
      version: orNull(value('version')),
      fingerprint: orNull(value('fingerprint')),
      psbt: orNull(value('psbt')),
      recordedWith: value('recorded-with'),
      note: value('note'),
      ...(redacted === undefined ? {} : { redacted }),
    },
    exchanges,
  });
}

/** The canonical text of a transcript; parseTranscript reads it back. Line breaks in header values become spaces. */
export function formatTranscript({ header, exchanges }: Transcript): string {
  const values: Readonly<Record<Key, string | null>> = {
    format: TRANSCRIPT_FORMAT,
    device: header.device,
    app: header.app,
    version: header.version,
    fingerprint: header.fingerprint,
    psbt: header.psbt,
    'recorded-with': header.recordedWith,
    note: header.note,
    redacted: header.redacted ?? null,
  };
  const keys = [...KEYS, ...OPTIONAL_KEYS.filter((key) => values[key] !== null)];
  const head = keys.map((key) => `# ${key}: ${(values[key] ?? 'none').replace(/\s+/g, ' ').trim()}`.trimEnd());
  const body = exchanges.map(({ request, response, time }) => {
    const said = time === undefined ? '' : `\n# at ${time.at} ms, took ${time.took} ms`;
    return `=> ${toHex(request)}\n<= ${toHex(response)}${said}`;
  });
  return `${[...head, ...body].join('\n')}\n`;
}

/**
 * A recording signs only the PSBT that it was made with: asked for before any exchange.
 * Faults: E_TRANSCRIPT_OTHER, with both hashes in full.
 */
export function checkTranscriptPsbt(recorded: Hex | null, psbtSha256: Hex, name: string): Result<void, Fault> {
  if (recorded === psbtSha256) return ok(undefined);
  const what = recorded === null ? 'signs nothing' : `was made with the PSBT ${recorded}`;
  return fail('E_TRANSCRIPT_OTHER', `${name} ${what}; this PSBT is ${psbtSha256}`, {
    remedy: 'replay the recording that belongs to this batch, or sign with a device',
  });
}
