import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type Scalar,
} from 'yaml';
import { type Fault, fail, type SourcePosition } from '../domain/fault.js';
import { all, ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import type { SourceMap, SourceNode, SourceScalar } from '../domain/source-tree.js';
import { checkCharacters, checkSize, MAX_NESTING } from './text.js';

type Token = Parser['stack'][number];
type Place = { readonly line: number; readonly column: number };

const EXPLICIT = 'write the document out in full: one document of plain keys, texts, whole numbers, true and false';

/**
 * The strict subset of YAML 1.2 that countersign's documents are written in: objects, lists, texts, non-negative whole
 * numbers in their one spelling, lower-case true and false, and null (~, null or nothing). No anchors, aliases, tags,
 * merge keys, directives or second document: each of them makes a line mean something that does not stand in it.
 * Every other plain scalar (1e8, +5, 0x10, 010, .inf, 1_000, 1.5, yes, No) is the text that it is written as.
 */
export function parseYaml(text: string, file: string): Result<SourceNode, Fault> {
  const size = checkSize(text.length, file);
  if (!size.ok) return size;
  const characters = checkCharacters(text, file);
  if (!characters.ok) return characters;

  const lines = new LineCounter();
  const tokens = readTokens(text, file, lines);
  if (!tokens.ok) return tokens;
  // Tags are left to our own reading of plain scalars (failsafe makes texts of them all), and so are duplicate keys:
  // the composer compares each key with every other one, which a large object turns into minutes.
  const composer = new Composer({ version: '1.2', schema: 'failsafe', strict: true, uniqueKeys: false, merge: false });
  const documents = [...composer.compose(tokens.value)];
  const [document, second] = documents;
  const at = (offset: number): { file: string } & Place => ({ file, ...placeAt(lines, offset) });
  if (second !== undefined) {
    const where = at(second.range[0]);
    return fail('E_YAML_FEATURE', 'a second document begins here', { remedy: EXPLICIT, where });
  }
  if (document === undefined || document.contents === null) {
    return fail('E_PARSE', `${file} is empty`, { where: { file } });
  }
  const refused = firstError(document);
  if (refused !== null) {
    const tag = refused.isFeature ? 'E_YAML_FEATURE' : 'E_PARSE';
    return fail(tag, refused.message, { remedy: refused.isFeature ? EXPLICIT : undefined, where: at(refused.offset) });
  }
  return new TreeBuilder(file, lines).node(document.contents, 1);
}

/** Enough for a book of 8,000 destinations. The parser holds about a kilobyte for each piece. */
const MAX_PIECES = 300_000;

/**
 * Lexes and parses with one eye on depth and number of pieces: composing recurses, and keeps an error for each piece that
 * is out of place, so a thousand brackets or a megabyte of dashes must end here.
 */
function readTokens(text: string, file: string, lines: LineCounter): Result<Token[], Fault> {
  const parser = new Parser(lines.addNewLine);
  const tokens: Token[] = [];
  let pieces = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      const refused = refuseToken(token, file, lines);
      if (refused !== null) return refused;
      tokens.push(token);
    }
    const where = (): SourcePosition => ({ file, ...placeAt(lines, parser.offset) });
    // The stack also holds the document and the scalar in progress.
    if (parser.stack.length > MAX_NESTING + 2) {
      return fail('E_PARSE', `nested deeper than ${MAX_NESTING} levels`, { where: where() });
    }
    if (++pieces > MAX_PIECES) {
      return fail('E_PARSE', `${file} has more than ${MAX_PIECES} keys, values and marks`, { where: where() });
    }
  }
  tokens.push(...parser.end());
  return ok(tokens);
}

function refuseToken(token: Token, file: string, lines: LineCounter): Result<never, Fault> | null {
  if (token.type === 'directive') {
    const where = { file, ...placeAt(lines, token.offset) };
    return fail('E_YAML_FEATURE', 'the document has a directive (%)', { remedy: EXPLICIT, where });
  }
  if (token.type === 'error') {
    return fail('E_PARSE', token.message, { where: { file, ...placeAt(lines, token.offset) } });
  }
  return null;
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/** The composer's own complaint; a tag that it cannot resolve is a feature that is not offered. */
function firstError(document: Document.Parsed): { message: string; offset: number; isFeature: boolean } | null {
  const [problem] = [...document.errors, ...document.warnings];
  if (problem === undefined) return null;
  const isFeature = problem.code === 'TAG_RESOLVE_FAILED';
  return { message: problem.message.slice(0, 200), offset: problem.pos[0], isFeature };
}

class TreeBuilder {
  constructor(
    private readonly file: string,
    private readonly lines: LineCounter,
  ) {}

  node(node: Node, depth: number): Result<SourceNode, Fault> {
    const place = this.place(node);
    const where = { file: this.file, ...place };
    if (isAlias(node)) return fail('E_YAML_FEATURE', 'an alias (*) stands here', { remedy: EXPLICIT, where });
    if (node.anchor !== undefined) {
      return fail('E_YAML_FEATURE', `the anchor ${quoted(node.anchor)} stands here`, { remedy: EXPLICIT, where });
    }
    if (node.tag !== undefined) {
      return fail('E_YAML_FEATURE', `the tag ${quoted(node.tag)} stands here`, { remedy: EXPLICIT, where });
    }
    if (isScalar<string>(node)) return this.scalar(node, place);
    if (depth > MAX_NESTING) return fail('E_PARSE', `nested deeper than ${MAX_NESTING} levels`, { where });
    if (isMap<Node, Node | null>(node)) return this.map(node.items, place, depth);
    if (!isSeq<Node>(node)) throw new Error('the composer made a node of an unknown kind');
    const items = all(node.items.map((item) => this.node(item, depth + 1)));
    return items.ok ? ok({ kind: 'list', items: items.value, ...place }) : items;
  }

  private map(
    pairs: readonly { readonly key: Node; readonly value: Node | null }[],
    place: Place,
    depth: number,
  ): Result<SourceNode, Fault> {
    const entries: Map<string, { key: Place; value: SourceNode }> = new Map();
    for (const pair of pairs) {
      const keyPlace = this.place(pair.key);
      const where = { file: this.file, ...keyPlace };
      const key = this.node(pair.key, depth + 1);
      if (!key.ok) return key;
      if (!isScalar<string>(pair.key)) return fail('E_PARSE', 'a key must be a text', { where });
      const name = pair.key.value;
      if (name === '<<' && pair.key.type === 'PLAIN') {
        return fail('E_YAML_FEATURE', 'a merge key (<<) stands here', { remedy: EXPLICIT, where });
      }
      const first = entries.get(name);
      if (first !== undefined) {
        const message = `the key ${quoted(name)} stands here and in line ${first.key.line}`;
        return fail('E_DUPLICATE_KEY', message, { remedy: 'remove one of the two', where });
      }
      const value: Result<SourceNode, Fault> =
        pair.value === null
          ? ok({ kind: 'scalar', value: null, quoted: false, ...keyPlace })
          : this.node(pair.value, depth + 1);
      if (!value.ok) return value;
      entries.set(name, { key: keyPlace, value: value.value });
    }
    const map: SourceMap = { kind: 'map', entries, ...place };
    return ok(map);
  }

  private scalar(node: Scalar<string>, place: Place): Result<SourceScalar, Fault> {
    if (/\p{Cs}/u.test(node.value)) {
      const where = { file: this.file, ...place };
      return fail('E_PARSE', 'a text holds half of a surrogate pair', { where });
    }
    const quoted = node.type !== 'PLAIN';
    return ok({ kind: 'scalar', value: quoted ? node.value : plainValue(node.value), quoted, ...place });
  }

  private place(node: Node): Place {
    return placeAt(this.lines, node.range?.[0] ?? 0);
  }
}

function plainValue(text: string): string | number | boolean | null {
  if (text === '' || text === '~' || text === 'null') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return text;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}
