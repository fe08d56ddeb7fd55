import { equalBytes, type Hex, toHex } from '../../domain/bytes.js';
import { GLOBAL, INPUT, OUTPUT } from '../../psbt/fields.js';
import { hashLeaf } from '../merkle-tree.js';
import type { Command, Turn } from './conversation.js';
import { isWhole } from './conversation.js';
import { type MapCommitment, parseMapCommitment, parsePolicy, type SerialisedPolicy } from './protocol.js';

export type Scope = 'global' | 'input' | 'output';

/** What a turn is about: the thing whose hash, place or content the device asks for. */
export type Meaning =
  | { readonly about: 'policy' | 'template' | 'signature' | 'unknown' }
  | { readonly about: 'policy-key'; readonly position: number }
  /** The commitment to the map of an input or output. */
  | { readonly about: 'map'; readonly scope: Scope; readonly map: number }
  /** A key or a value of a map; `type` is null where the conversation does not tell which. */
  | FieldMeaning
  /** Whether and where a map has a key. */
  | { readonly about: 'lookup'; readonly scope: Scope; readonly map: number; readonly type: number | null };

export interface FieldMeaning {
  readonly about: 'key' | 'value';
  readonly scope: Scope;
  readonly map: number;
  readonly position: number;
  readonly type: number | null;
}

/** What a tree is of. Maps with the same keys share a tree of keys: the map that is open tells them apart. */
type Tree =
  | { readonly of: 'policy-keys'; readonly size: number }
  | { readonly of: 'maps'; readonly size: number; readonly scope: Scope }
  | { readonly of: 'keys' | 'values'; readonly size: number; readonly scope: Scope; readonly map: number };

/** As far as the device read a map: its keys (type and key data), and the values behind them. */
export interface ReadMap {
  readonly commitment: MapCommitment;
  readonly keys: Map<number, Uint8Array>;
  readonly values: Map<number, Uint8Array>;
}

/** Something that a turn rests on and that nothing before it announced, or that contradicts what was announced. */
export interface Doubt {
  readonly exchange: number;
  readonly side: 'request' | 'response';
  readonly message: string;
}

/** All that one command says, as far as it can be read. */
export interface Reading {
  /** One for each turn of the command. */
  readonly meanings: readonly Meaning[];
  readonly doubts: readonly Doubt[];
  readonly policy: SerialisedPolicy | null;
  readonly template: Uint8Array | null;
  /** Key information of the policy, by position. */
  readonly policyKeys: ReadonlyMap<number, Uint8Array>;
  /** "input 0": the maps whose commitment is known. */
  readonly maps: ReadonlyMap<string, ReadMap>;
  /** Roots and hashes that the request or an answer announced and the device never opened: nothing proves them. */
  readonly unopened: readonly string[];
}

const TYPES = { global: GLOBAL, input: INPUT, output: OUTPUT } as const;
const PREFIXES = { global: 'PSBT_GLOBAL', input: 'PSBT_IN', output: 'PSBT_OUT' } as const;

/** "PSBT_IN_WITNESS_UTXO", as BIP174, BIP370 and BIP371 name it. */
export function fieldName(scope: Scope, type: number | null): string {
  if (type === null) return 'a field whose key was not read';
  const name = Object.entries(TYPES[scope]).find(([, number]) => number === type)?.[0];
  return name === undefined ? `field 0x${type.toString(16).padStart(2, '0')}` : `${PREFIXES[scope]}_${name}`;
}

export const mapName = (scope: Scope, map: number): string => (scope === 'global' ? 'global' : `${scope} ${map}`);

/** The leaves of keys that consist of their type alone, by which a key is known that a map turns out not to have. */
const BARE_KEYS: ReadonlyMap<Hex, number> = new Map(
  Array.from({ length: 256 }, (_, type) => [toHex(hashLeaf(Uint8Array.of(type))), type]),
);

/**
 * Reads a command along, as the device does: from the roots in the request down to keys and values. In a redacted file
 * keys do not hash to their leaves: what rests on that is left out.
 */
export function readCommand(command: Command, isRedacted: boolean): Reading {
  return new Reader(command, isRedacted).read();
}

class Reader {
  readonly #command: Command;
  readonly #isRedacted: boolean;
  readonly #trees = new Map<Hex, Tree[]>();
  readonly #hashes = new Map<Hex, Meaning>();
  readonly #announced = new Map<Hex, string>();
  readonly #doubts: Doubt[] = [];
  readonly #maps = new Map<string, ReadMap>();
  readonly #policyKeys = new Map<number, Uint8Array>();
  #policy: SerialisedPolicy | null = null;
  #template: Uint8Array | null = null;
  #current: { readonly scope: Scope; readonly map: number } = { scope: 'global', map: 0 };

  constructor(command: Command, isRedacted: boolean) {
    this.#command = command;
    this.#isRedacted = isRedacted;
    const { start } = command;
    if (start.kind === 'sign') {
      this.#openMap('global', 0, start.global);
      this.#announceTree(start.inputs.root, { of: 'maps', scope: 'input', size: start.inputs.size }, 'the inputs');
      this.#announceTree(start.outputs.root, { of: 'maps', scope: 'output', size: start.outputs.size }, 'the outputs');
    }
    if (start.kind === 'sign' || start.kind === 'address') {
      this.#announceHash(start.policy, { about: 'policy' }, 'the wallet policy');
    }
    if (start.kind === 'register') this.#takePolicy(start.policy);
  }

  read(): Reading {
    const meanings = this.#command.turns.map((turn) => this.#turn(turn));
    return {
      meanings,
      doubts: this.#doubts,
      policy: this.#policy,
      template: this.#template,
      policyKeys: this.#policyKeys,
      maps: this.#maps,
      unopened: [...this.#announced.values()],
    };
  }

  #turn(turn: Turn): Meaning {
    const { ask } = turn;
    switch (ask.kind) {
      case 'yield':
        return { about: 'signature' };
      case 'proof':
        return this.#proof(turn, ask);
      case 'index':
        return this.#lookup(turn, ask);
      case 'preimage':
        return this.#preimage(turn, ask);
    }
  }

  #proof(turn: Turn, { root, size, index }: Extract<Turn['ask'], { kind: 'proof' }>): Meaning {
    const tree = this.#tree(turn, root);
    if (tree === null) return { about: 'unknown' };
    if (tree.size !== size) this.#doubt(turn, `the device takes a tree of ${tree.size} for one of ${size}`);
    const meaning = this.#leafMeaning(tree, index);
    if (meaning.about === 'map') this.#current = { scope: meaning.scope, map: meaning.map };
    if (turn.answer?.kind === 'proof') this.#hashes.set(toHex(turn.answer.leaf), meaning);
    return meaning;
  }

  #leafMeaning(tree: Tree, index: number): Meaning {
    switch (tree.of) {
      case 'policy-keys':
        return { about: 'policy-key', position: index };
      case 'maps':
        return { about: 'map', scope: tree.scope, map: index };
      case 'keys':
      case 'values': {
        const about = tree.of === 'keys' ? 'key' : 'value';
        const { scope, map } = tree;
        return { about, scope, map, position: index, type: this.#typeAt(scope, map, index) };
      }
    }
  }

  #lookup(turn: Turn, { root, leaf }: Extract<Turn['ask'], { kind: 'index' }>): Meaning {
    const tree = this.#tree(turn, root);
    if (tree === null || (tree.of !== 'keys' && tree.of !== 'values')) return { about: 'unknown' };
    const { scope, map } = tree;
    const found = turn.answer?.kind === 'index' && turn.answer.found ? turn.answer.index : null;
    const keys = this.#maps.get(mapName(scope, map))?.keys ?? new Map<number, Uint8Array>();
    if (turn.answer?.kind === 'index' && !this.#isRedacted) this.#checkLookup(turn, keys, leaf, found);
    const type = found === null ? (BARE_KEYS.get(toHex(leaf)) ?? null) : this.#typeAt(scope, map, found);
    return { about: 'lookup', scope, map, type };
  }

  /** The answer of GET_MERKLE_LEAF_INDEX against the keys that were read before. */
  #checkLookup(turn: Turn, keys: ReadonlyMap<number, Uint8Array>, leaf: Uint8Array, found: number | null): void {
    const known = [...keys].find(([, key]) => equalBytes(hashLeaf(key), leaf))?.[0] ?? null;
    if (known !== null && known !== found) {
      const said = found === null ? 'has no such key' : `has the key at ${found}`;
      this.#doubt(turn, `the answer says that the map ${said}, and it was read at ${known}`, 'request');
    } else if (known === null && found !== null && keys.has(found)) {
      this.#doubt(turn, 'the answer says that the map has the key where another one was read', 'request');
    }
  }

  #preimage(turn: Turn, { hash }: Extract<Turn['ask'], { kind: 'preimage' }>): Meaning {
    const key = toHex(hash);
    const meaning = this.#hashes.get(key);
    if (meaning === undefined) {
      this.#doubt(turn, `the device asks for the preimage of ${key}, which nothing in the conversation names`);
      return { about: 'unknown' };
    }
    this.#announced.delete(key);
    const { answer } = turn;
    if (answer?.kind !== 'preimage' || !isWhole(answer)) return meaning;
    if (meaning.about === 'policy') this.#takePolicy(answer.bytes);
    if (meaning.about === 'template') this.#template = answer.bytes;
    // Leaves begin with a zero byte (see hashLeaf).
    const content = answer.bytes.subarray(1);
    if (meaning.about === 'policy-key') this.#policyKeys.set(meaning.position, content);
    if (meaning.about === 'map') this.#takeMap(turn, meaning.scope, meaning.map, content);
    if (meaning.about !== 'key' && meaning.about !== 'value') return meaning;
    const map = this.#maps.get(mapName(meaning.scope, meaning.map));
    map?.[meaning.about === 'key' ? 'keys' : 'values'].set(meaning.position, content);
    return { ...meaning, type: this.#typeAt(meaning.scope, meaning.map, meaning.position) };
  }

  #takePolicy(bytes: Uint8Array): void {
    const policy = parsePolicy(bytes);
    if (policy === null) return;
    this.#policy = policy;
    this.#announceHash(policy.template, { about: 'template' }, "the wallet policy's template");
    this.#announceTree(policy.keys.root, { of: 'policy-keys', size: policy.keys.size }, "the wallet policy's keys");
  }

  #takeMap(turn: Turn, scope: Scope, map: number, content: Uint8Array): void {
    const commitment = parseMapCommitment(content);
    if (commitment === null)
      this.#doubt(turn, `the answer is no commitment to the map of ${mapName(scope, map)}`, 'request');
    else this.#openMap(scope, map, commitment);
  }

  #openMap(scope: Scope, map: number, commitment: MapCommitment): void {
    const name = mapName(scope, map);
    if (this.#maps.has(name)) return;
    this.#maps.set(name, { commitment, keys: new Map(), values: new Map() });
    const { size, keys, values } = commitment;
    this.#announceTree(keys, { of: 'keys', scope, map, size }, `the keys of ${name}`);
    this.#announceTree(values, { of: 'values', scope, map, size }, `the values of ${name}`);
  }

  #announceTree(root: Uint8Array, tree: Tree, name: string): void {
    const key = toHex(root);
    this.#trees.set(key, [...(this.#trees.get(key) ?? []), tree]);
    if (tree.size > 0) this.#announced.set(key, name);
  }

  #announceHash(hash: Uint8Array, meaning: Meaning, name: string): void {
    this.#hashes.set(toHex(hash), meaning);
    this.#announced.set(toHex(hash), name);
  }

  #tree(turn: Turn, root: Uint8Array): Tree | null {
    const key = toHex(root);
    const trees = this.#trees.get(key);
    this.#announced.delete(key);
    const [last] = trees?.slice(-1) ?? [];
    if (trees === undefined || last === undefined) {
      this.#doubt(turn, `the device asks about the tree ${key}, which nothing in the conversation names`);
      return null;
    }
    const { scope, map } = this.#current;
    return trees.find((tree) => 'map' in tree && tree.scope === scope && tree.map === map) ?? last;
  }

  #typeAt(scope: Scope, map: number, position: number): number | null {
    return this.#maps.get(mapName(scope, map))?.keys.get(position)?.[0] ?? null;
  }

  #doubt({ asked, answered }: Turn, message: string, side: 'request' | 'response' = 'response'): void {
    const exchange = side === 'request' ? (answered ?? asked.at(-1)) : asked[0];
    this.#doubts.push({ exchange: exchange ?? 0, side, message });
  }
}
