import { readRequests } from './adapters/requests.js';
import { readSnapshot } from './adapters/snapshot.js';
import { decodeText, parseJson, parseYaml } from './adapters/source-text.js';
import type { Fault } from './domain/fault.js';
import type { Network } from './domain/network.js';
import { err, ok, type Result } from './domain/result.js';
import type { SourceNode } from './domain/source-tree.js';
import { loadBook } from './policy/book.js';
import { loadPolicy } from './policy/load.js';
import { loadScreening } from './policy/screening/document.js';
import { readTextList, type ScreeningList } from './policy/screening/list.js';
import { readPsbt } from './psbt/read.js';
import type { Documents } from './workflow/ports.js';

/** Text formats (adapters) meet what the documents mean (pure rooms). */
export const documents: Documents = {
  tree: sourceTree,
  policy: (bytes, file) => {
    const node = sourceTree(bytes, file);
    return node.ok ? loadPolicy(node.value, file) : err([node.error]);
  },
  book: (bytes, file, network) => {
    const node = sourceTree(bytes, file);
    return node.ok ? loadBook(node.value, file, network) : err([node.error]);
  },
  screening: readScreening,
  requests: (bytes, file, network) => readRequests(bytes, file, formatOf(bytes, file), network),
  psbt: readPsbt,
  snapshot: (bytes, file, deriver, before) => readSnapshot(bytes, file, deriver, 'derive', before),
  knownSnapshot: (bytes, file, deriver) => readSnapshot(bytes, file, deriver, 'known'),
};

function sourceTree(bytes: Uint8Array, file: string): Result<SourceNode, Fault> {
  const text = decodeText(bytes, file);
  if (!text.ok) return text;
  return file.endsWith('.json') ? parseJson(text.value, file) : parseYaml(text.value, file);
}

/** A list of a million addresses stays below it. */
const MAX_LIST_BYTES = 100_000_000;

/** By its first character: no address and no comment begins with a brace. */
function readScreening(bytes: Uint8Array, file: string, network: Network): Result<ScreeningList, readonly Fault[]> {
  const limit = { maxBytes: MAX_LIST_BYTES };
  const text = decodeText(bytes, file, limit);
  if (!text.ok) return err([text.error]);
  if (!text.value.trimStart().startsWith('{')) return ok(readTextList(text.value, network));
  const node = parseJson(text.value, file, limit);
  return node.ok ? loadScreening(node.value, file, network) : err([node.error]);
}

/** By the name; standard input is JSON where it begins with a brace. */
function formatOf(bytes: Uint8Array, file: string): 'csv' | 'json' {
  if (file.endsWith('.json')) return 'json';
  return file === '-' && Buffer.from(bytes.subarray(0, 64)).toString('utf8').trimStart().startsWith('{')
    ? 'json'
    : 'csv';
}
