import { type Fault, type FaultTag, fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import type { SourceMap, SourceNode } from '../domain/source-tree.js';
import { checkCharacters, checkSize, MAX_NESTING, type TextOptions } from './text.js';

/**
 * Strict JSON (RFC 8259) to a tree that knows its lines. Unlike JSON.parse it refuses a key that stands twice, and every
 * number but 0 and the positive integers up to 2^53 - 1: those it would round or read in several spellings.
 */
export function parseJson(
  text: string,
  file: string,
  options: Pick<TextOptions, 'maxBytes'> = {},
): Result<SourceNode, Fault> {
  const size = checkSize(text.length, file, options.maxBytes);
  if (!size.ok) return size;
  const characters = checkCharacters(text, file);
  if (!characters.ok) return characters;
  try {
    return ok(new JsonReader(text, file).document());
  } catch (error) {
    if (error instanceof Refusal) return err(error.fault);
    throw error;
  }
}

/** Carries a fault out of the recursion of this file's reader, and no further. */
class Refusal extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** What a string has to be read for character by character: an escape, or what may not stand in one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is its purpose.
const NOT_PLAIN = /[\\\0-\x1f]/;

class JsonReader {
  private offset = 0;
  private line = 1;
  private lineStart = 0;

  constructor(
    private readonly text: string,
    private readonly file: string,
  ) {}

  document(): SourceNode {
    this.space();
    if (this.offset === this.text.length) throw this.refusal('the file is empty');
    const node = this.value(1);
    this.space();
    if (this.offset < this.text.length) throw this.refusal(`${this.seen()} follows the end of the document`);
    return node;
  }

  private value(depth: number): SourceNode {
    // A snapshot has a million of these nodes: each is made in one piece.
    const { line, offset } = this;
    const column = offset - this.lineStart + 1;
    switch (this.text[this.offset]) {
      case '{':
        return this.object(this.deeper(depth));
      case '[':
        return this.array(this.deeper(depth));
      case '"':
        return { kind: 'scalar', value: this.string(), quoted: true, line, column };
      default:
        return { kind: 'scalar', value: this.plain(), quoted: false, line, column };
    }
  }

  private deeper(depth: number): number {
    if (depth > MAX_NESTING) throw this.refusal(`nested deeper than ${MAX_NESTING} levels`);
    return depth + 1;
  }

  private object(depth: number): SourceMap {
    const place = this.place();
    const entries = new Map<string, { key: { line: number; column: number }; value: SourceNode }>();
    this.offset++;
    this.space();
    if (this.takes('}')) return { kind: 'map', entries, ...place };
    do {
      this.space();
      const key = this.place();
      if (this.text[this.offset] !== '"') throw this.refusal(`a key in quotes is due here, not ${this.seen()}`);
      const name = this.string();
      const first = entries.get(name);
      if (first !== undefined) {
        const message = `the key ${quoted(name)} stands here and in line ${first.key.line}`;
        throw this.refusal(message, 'E_DUPLICATE_KEY', 'remove one of the two', key);
      }
      this.space();
      if (!this.takes(':')) throw this.refusal(`":" is due after a key, not ${this.seen()}`);
      this.space();
      entries.set(name, { key, value: this.value(depth) });
      this.space();
    } while (this.takes(','));
    if (!this.takes('}')) throw this.refusal(`"," or "}" is due here, not ${this.seen()}`);
    return { kind: 'map', entries, ...place };
  }

  private array(depth: number): SourceNode {
    const place = this.place();
    const items: SourceNode[] = [];
    this.offset++;
    this.space();
    if (this.takes(']')) return { kind: 'list', items, ...place };
    do {
      this.space();
      items.push(this.value(depth));
      this.space();
    } while (this.takes(','));
    if (!this.takes(']')) throw this.refusal(`"," or "]" is due here, not ${this.seen()}`);
    return { kind: 'list', items, ...place };
  }

  private string(): string {
    const plain = this.plainString();
    if (plain !== null) return plain;
    let value = '';
    let from = ++this.offset;
    for (; ; this.offset++) {
      const unit = this.text[this.offset];
      if (unit === undefined || unit < ' ') throw this.refusal('a string is not closed in its line');
      if (unit === '"') break;
      if (unit !== '\\') continue;
      value += this.text.slice(from, this.offset) + this.escape();
      from = this.offset + 1;
    }
    value += this.text.slice(from, this.offset++);
    if (/\p{Cs}/u.test(value)) throw this.refusal('a string holds half of a surrogate pair');
    return value;
  }

  /** A string without escapes, in one step and from a text without half surrogates; null where it is not one. */
  private plainString(): string | null {
    const end = this.text.indexOf('"', this.offset + 1);
    const value = this.text.slice(this.offset + 1, end);
    if (end < 0 || NOT_PLAIN.test(value)) return null;
    this.offset = end + 1;
    return value;
  }

  /** Reads from the backslash to the last character of the escape, and stays on it. */
  private escape(): string {
    const letter = this.text[++this.offset] ?? '';
    const plain = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (plain !== undefined) return plain;
    const hex = /^u([0-9a-fA-F]{4})$/.exec(this.text.slice(this.offset, this.offset + 5))?.[1];
    if (hex === undefined) throw this.refusal(`a string holds an escape that JSON does not know: \\${letter}`);
    this.offset += 4;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  private plain(): number | boolean | null {
    const place = this.place();
    const end = /[^-+.0-9A-Za-z_]|$/g;
    end.lastIndex = this.offset;
    const word = this.text.slice(this.offset, end.exec(this.text)?.index);
    if (word === '') throw this.refusal(`a value is due here, not ${this.seen()}`);
    this.offset += word.length;
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === 'null') return null;
    const number = /^(?:0|[1-9][0-9]{0,15})$/.test(word) ? Number(word) : Number.NaN;
    if (Number.isSafeInteger(number)) return number;
    if (/^[-+.0-9]/.test(word)) {
      const remedy = 'write an amount as a string of digits, for example "150000000"';
      throw this.refusal(
        `${quoted(word)} is a number that would not be read exactly`,
        'E_AMOUNT_SYNTAX',
        remedy,
        place,
      );
    }
    throw this.refusal(`${quoted(word)} is not a value of JSON`, 'E_PARSE', 'put texts in double quotes', place);
  }

  private takes(character: string): boolean {
    if (this.text[this.offset] !== character) return false;
    this.offset++;
    return true;
  }

  /** Only here can a line end: inside a string JSON allows none. */
  private space(): void {
    for (; ; this.offset++) {
      const unit = this.text[this.offset];
      if (unit === '\n') {
        this.line++;
        this.lineStart = this.offset + 1;
      } else if (unit !== ' ' && unit !== '\t') return;
    }
  }

  private seen(): string {
    const character = this.text[this.offset];
    return character === undefined ? 'the end of the file' : quoted(character);
  }

  private place(): { line: number; column: number } {
    return { line: this.line, column: this.offset - this.lineStart + 1 };
  }

  private refusal(message: string, tag: FaultTag = 'E_PARSE', remedy?: string, place = this.place()): Refusal {
    return new Refusal(fault(tag, message, { remedy, where: { file: this.file, ...place } }));
  }
}
