import { readRequests } from './adapters/requests.js';
import { readSnapshot } from './adapters/snapshot.js';
import { decodeText, parseJson, parseYaml } from './adapters/source-text.js';
import type { Fault } from './domain/fault.js';
import { err, type Result } from './domain/result.js';
import type { SourceNode } from './domain/source-tree.js';
import { loadBook } from './policy/book.js';
import { loadPolicy } from './policy/load.js';
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
  requests: (bytes, file, network) => readRequests(bytes, file, formatOf(bytes, file), network),
  psbt: readPsbt,
  snapshot: (bytes, file, deriver) => readSnapshot(bytes, file, deriver, 'derive'),
  knownSnapshot: (bytes, file, deriver) => readSnapshot(bytes, file, deriver, 'known'),
};

function sourceTree(bytes: Uint8Array, file: string): Result<SourceNode, Fault> {
  const text = decodeText(bytes, file);
  if (!text.ok) return text;
  return file.endsWith('.json') ? parseJson(text.value, file) : parseYaml(text.value, file);
}

/** By the name; standard input is JSON where it begins with a brace. */
function formatOf(bytes: Uint8Array, file: string): 'csv' | 'json' {
  if (file.endsWith('.json')) return 'json';
  return file === '-' && Buffer.from(bytes.subarray(0, 64)).toString('utf8').trimStart().startsWith('{')
    ? 'json'
    : 'csv';
}
