/** A parsed YAML or JSON document with the place of every node, so that any complaint can name file, line and column. */
export type SourceNode = SourceMap | SourceList | SourceScalar;

interface Placed {
  readonly line: number;
  readonly column: number;
}

export interface SourceMap extends Placed {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, { readonly key: Placed; readonly value: SourceNode }>;
}

export interface SourceList extends Placed {
  readonly kind: 'list';
  readonly items: readonly SourceNode[];
}

/** `integer` only for plain 0 or [1-9][0-9]* within 2^53; every other plain scalar stays text ("null" is an empty value). */
export interface SourceScalar extends Placed {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly quoted: boolean;
}
