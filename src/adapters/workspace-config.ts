import { SSH_KEY_TYPES } from '../approval/sshsig.js';
import { type Fault, fail, type SourcePosition } from '../domain/fault.js';
import { type Network, parseNetwork } from '../domain/network.js';
import { err, ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import { dictionary, matching } from '../domain/source-reader.js';
import type { SourceNode } from '../domain/source-tree.js';
import type { ChainSource } from '../vault/chain.js';
import type { FeeConfig } from '../vault/fees.js';
import { feesOf } from './chain/fee-sources.js';
import { sourcesOf } from './chain/sources.js';
import { parseYaml } from './source-text.js';

export const WORKSPACE_FILE = 'countersign.yaml';

export interface WorkspaceFields {
  readonly network: Network;
  /** The file of the journal; not looked at where there is a store. */
  readonly journal: string;
  /** The address of a journal that several machines share; null for a file. */
  readonly store: string | null;
  readonly policy: string;
  readonly book: string;
  readonly batches: string;
  readonly officer: string | null;
  readonly device: string;
  readonly chain: readonly ChainSource[];
  /** By name, the SSH keys of which one has to sign a coin snapshot that is brought; none where it need not be signed. */
  readonly snapshotSigners: ReadonlyMap<string, string>;
  /** Null where nothing is said of feerates. */
  readonly fees: FeeConfig | null;
}

const TEXT_FIELDS = ['journal', 'store', 'policy', 'book', 'batches', 'officer', 'device'] as const;
/** Fields that are more than a text, each with a reader of its own. */
const LIST_FIELDS: readonly string[] = ['chain', 'fees', 'snapshot_signers'];
const DEFAULTS = {
  journal: 'journal.sqlite',
  policy: 'policy.yaml',
  book: 'book.yaml',
  batches: 'batches',
  device: 'hid',
};

/** Reads countersign.yaml (countersign.workspace/1): network is mandatory, the rest has defaults. */
export function readWorkspaceConfig(text: string, file: string): Result<WorkspaceFields, Fault> {
  const parsed = parseYaml(text, file);
  if (!parsed.ok) return parsed;
  const fields = plainFields(parsed.value, file);
  if (!fields.ok) return fields;
  const schema = fields.value.get('schema');
  if (schema?.text !== 'countersign.workspace/1') {
    return fail('E_WORKSPACE_SCHEMA', `schema is ${quoted(schema?.text ?? '')}, not countersign.workspace/1`, {
      where: schema?.where ?? { file, line: 1 },
      remedy: 'write schema: countersign.workspace/1, or use the countersign that made this workspace',
    });
  }
  const named = fields.value.get('network');
  const network = parseNetwork(named?.text ?? '');
  if (!network.ok) {
    return fail('E_WORKSPACE_SCHEMA', network.error.message, {
      where: named?.where ?? { file, line: 1 },
      remedy: network.error.remedy,
    });
  }
  const chainNode = parsed.value.kind === 'map' ? parsed.value.entries.get('chain')?.value : undefined;
  const chain = chainNode === undefined ? ok([]) : sourcesOf(chainNode, file);
  if (!chain.ok) return chain;
  const feesNode = parsed.value.kind === 'map' ? parsed.value.entries.get('fees')?.value : undefined;
  const fees = feesNode === undefined ? ok(null) : feesOf(feesNode, file);
  if (!fees.ok) return fees;
  const signersNode = parsed.value.kind === 'map' ? parsed.value.entries.get('snapshot_signers')?.value : undefined;
  const signers = signersNode === undefined ? ok(new Map<string, string>()) : signersOf(signersNode, file);
  if (!signers.ok) return signers;
  const store = fields.value.get('store');
  if (store !== undefined && fields.value.has('journal')) {
    return fail('E_WORKSPACE_SCHEMA', 'journal and store both say where the journal is', {
      where: store.where,
      remedy: 'leave one of them out',
    });
  }
  const textOf = (name: keyof typeof DEFAULTS): string => fields.value.get(name)?.text ?? DEFAULTS[name];
  return ok({
    network: network.value,
    journal: textOf('journal'),
    store: store?.text ?? null,
    policy: textOf('policy'),
    book: textOf('book'),
    batches: textOf('batches'),
    device: textOf('device'),
    officer: fields.value.get('officer')?.text ?? null,
    chain: chain.value,
    fees: fees.value,
    snapshotSigners: signers.value,
  });
}

interface Field {
  readonly text: string;
  readonly where: SourcePosition;
}

function plainFields(node: SourceNode, file: string): Result<Map<string, Field>, Fault> {
  if (node.kind !== 'map') {
    return fail('E_WORKSPACE_SCHEMA', 'the file is not a list of "name: value" lines', {
      where: { file, line: node.line },
      remedy: 'countersign init FOLDER makes one to compare with',
    });
  }
  const known: readonly string[] = ['schema', 'network', ...TEXT_FIELDS, ...LIST_FIELDS];
  const fields = new Map<string, Field>();
  for (const [name, { key, value }] of node.entries) {
    const where = { file, line: key.line, column: key.column };
    if (!known.includes(name)) {
      return fail('E_UNKNOWN_FIELD', `${quoted(name)} is not a field of countersign.workspace/1`, {
        where,
        remedy: `it has ${known.join(', ')}`,
      });
    }
    if (LIST_FIELDS.includes(name)) continue;
    if (value.kind !== 'scalar' || typeof value.value !== 'string' || value.value === '') {
      return fail('E_FIELD_TYPE', `${name} has to be a text`, {
        where,
        remedy: `write ${name}: VALUE, in quotes where it looks like a number`,
      });
    }
    fields.set(name, { text: value.value, where });
  }
  return ok(fields);
}

const KEY_LINE = new RegExp(`^(?:${SSH_KEY_TYPES.join('|').replaceAll('.', '\\.')}) [A-Za-z0-9+/]+={0,2}(?: .*)?$`);
const SIGNER = /^[a-z0-9][a-z0-9-]{0,31}$/;

const readSigners = dictionary(
  (name) => (SIGNER.test(name) ? name : null),
  'a short name: a-z 0-9 -',
  matching(KEY_LINE, 'a public key in one line, as a .pub file has it: "ssh-ed25519 AAAA..."'),
  1,
);

/** The field `snapshot_signers` of countersign.yaml: the first fault, or who may sign. */
function signersOf(node: SourceNode, file: string): Result<ReadonlyMap<string, string>, Fault> {
  const reading = { file, path: 'snapshot_signers', faults: [] as Fault[] };
  const read = readSigners(node, reading);
  const [first] = reading.faults;
  if (first !== undefined) return err({ ...first, remedy: first.remedy ?? 'docs/snapshot.md shows the field' });
  if (read === undefined) throw new Error('signers were refused without a fault');
  return ok(read);
}

/** The first countersign.yaml; with the address of a shared journal, or a file beside it. */
export function workspaceTemplate(network: Network, store: string | null): string {
  return `# A countersign workspace. Paths are relative to this file.
schema: countersign.workspace/1
network: ${network}
${store === null ? `journal: ${DEFAULTS.journal}` : `store: ${JSON.stringify(store)}`}
policy: ${DEFAULTS.policy}
book: ${DEFAULTS.book}
batches: ${DEFAULTS.batches}
device: ${DEFAULTS.device}      # hid, speculos:http://127.0.0.1:5000, or replay:FILE
# chain: [{ backend: "core:http://127.0.0.1:8332", cookie: "/var/lib/bitcoind/.cookie" }]
# fees: { sources: [chain, "fixed:10"], max_factor: "3", floor: "1", ceiling: "100" }
# officer: alice   # who plans here, unless a command says --as NAME
`;
}
