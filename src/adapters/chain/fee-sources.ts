import { type Fault, fail } from '../../domain/fault.js';
import { parseFeeRate } from '../../domain/feerate.js';
import { err, ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import { field, integer, list, object, optionalField, type Reader, text, through } from '../../domain/source-reader.js';
import type { SourceNode } from '../../domain/source-tree.js';
import { type FeeConfig, type FeeSource, FURTHEST_TARGET, USUAL_TARGET } from '../../vault/fees.js';
import { parseHttpPlace, parseSource, withoutSecrets } from './sources.js';

const FORMS = 'chain, mempool:https://HOST/api, esplora:https://HOST/api, electrum:tls://HOST:50002 or fixed:12.5';

function parseFeeSource(name: string): Result<FeeSource, Fault> {
  if (name === 'chain') return ok({ kind: 'chain' });
  const [, kind = '', rest = ''] = /^(mempool|fixed|esplora|electrum):(.+)$/.exec(name) ?? [];
  switch (kind) {
    case 'fixed': {
      const rate = parseFeeRate(rest);
      return rate.ok ? ok({ kind, rate: rate.value }) : rate;
    }
    case 'mempool': {
      const url = parseHttpPlace(rest, name, FORMS);
      return url.ok ? ok({ kind, url: url.value }) : url;
    }
    case 'esplora':
    case 'electrum': {
      const source = parseSource(name, undefined);
      return source.ok ? ok({ kind: 'backend', source: source.value }) : source;
    }
    default:
      return fail('E_CHAIN_CONFIG', `${quoted(withoutSecrets(name), 60)} names no source of feerates`, {
        remedy: `write one of ${FORMS}; a node stands in chain, where its cookie is named`,
      });
  }
}

/** A factor with at most three decimals, in thousandths. */
function parseFactor(written: string): Result<bigint, Fault> {
  const [, whole = '', decimals = ''] = /^([1-9][0-9]{0,3})(?:\.([0-9]{1,3}))?$/.exec(written) ?? [];
  if (whole !== '') return ok(BigInt(whole) * 1000n + BigInt(decimals.padEnd(3, '0')));
  return fail('E_FIELD_TYPE', `${quoted(written, 40)} is not a factor`, {
    remedy: 'write a decimal number from 1 on with at most 3 decimals, in quotes: "2.5"',
  });
}

/** What makes two sources the same. */
function identity(source: FeeSource): string {
  switch (source.kind) {
    case 'chain':
      return source.kind;
    case 'mempool':
      return `mempool ${source.url}`;
    case 'fixed':
      return `fixed ${source.rate}`;
    case 'backend':
      return JSON.stringify(source.source);
  }
}

const shape = object({
  sources: field('sources', list(through(text, parseFeeSource), 1, identity)),
  target: optionalField('target', integer(1, FURTHEST_TARGET)),
  maxFactor: optionalField('max_factor', through(text, parseFactor)),
  floor: optionalField('floor', through(text, parseFeeRate)),
  ceiling: optionalField('ceiling', through(text, parseFeeRate)),
});

const fees: Reader<FeeConfig> = through(shape, (read) => {
  const { sources, target = USUAL_TARGET, maxFactor = null, floor = null, ceiling = null } = read;
  if (floor !== null && ceiling !== null && floor > ceiling) {
    return fail('E_FIELD_TYPE', 'the floor lies above the ceiling', { remedy: 'exchange the two' });
  }
  return ok({ sources, target, maxFactor, floor, ceiling });
});

/** The field `fees` of countersign.yaml: the first fault, or what it says. */
export function feesOf(node: SourceNode, file: string): Result<FeeConfig, Fault> {
  const reading = { file, path: 'fees', faults: [] as Fault[] };
  const read = fees(node, reading);
  const [first] = reading.faults;
  if (first !== undefined)
    return err({ ...first, remedy: first.remedy ?? 'docs/fees.md shows the field and what it may say' });
  if (read === undefined) throw new Error('fees were refused without a fault');
  return ok(read);
}
