/** Reading documents: bytes to text, and text to a tree that knows the line and column of every node. */
export { parseJson } from './json.js';
export { decodeText, MAX_DOCUMENT_BYTES } from './text.js';
export { parseYaml } from './yaml.js';
