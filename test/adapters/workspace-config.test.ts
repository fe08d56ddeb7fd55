import { describe, expect, it } from 'vitest';
import { readWorkspaceConfig, workspaceTemplate } from '../../src/adapters/workspace-config.js';

const FILE = 'countersign.yaml';
const SCHEMA = 'schema: countersign.workspace/1\n';

describe('countersign.yaml', () => {
  it.each(['main', 'testnet3', 'testnet4', 'signet', 'regtest'] as const)('as init writes it for %s', (network) => {
    expect(readWorkspaceConfig(workspaceTemplate(network, null), FILE)).toEqual({
      ok: true,
      value: {
        network,
        journal: 'journal.sqlite',
        store: null,
        policy: 'policy.yaml',
        book: 'book.yaml',
        batches: 'batches',
        device: 'hid',
        officer: null,
        chain: [],
        fees: null,
        snapshotSigners: new Map(),
      },
    });
  });

  it('as init writes it for a journal that several machines share', () => {
    const store = 'postgres://alice@db.example/treasury?schema=cold_1';
    expect(readWorkspaceConfig(workspaceTemplate('main', store), FILE)).toMatchObject({ ok: true, value: { store } });
  });

  it('names one place of the journal, not two', () => {
    expect(readWorkspaceConfig(`${SCHEMA}network: main\njournal: j\nstore: "postgres://h/d"\n`, FILE)).toMatchObject({
      error: { tag: 'E_WORKSPACE_SCHEMA', where: { line: 4 }, remedy: 'leave one of them out' },
    });
  });

  it('may name everything', () => {
    const text = `${SCHEMA}network: main\njournal: j\npolicy: p\nbook: b\nbatches: s\ndevice: d\nofficer: alice\n`;
    expect(readWorkspaceConfig(text, FILE)).toEqual({
      ok: true,
      value: {
        network: 'main',
        journal: 'j',
        store: null,
        policy: 'p',
        book: 'b',
        batches: 's',
        device: 'd',
        officer: 'alice',
        chain: [],
        fees: null,
        snapshotSigners: new Map(),
      },
    });
  });

  it.each([
    ['no network', SCHEMA, 'E_WORKSPACE_SCHEMA', 1],
    ['a network that is none', `${SCHEMA}network: bitcoin\n`, 'E_WORKSPACE_SCHEMA', 2],
    ['no schema', 'network: main\n', 'E_WORKSPACE_SCHEMA', 1],
    ['another schema', '# a\nschema: countersign.workspace/2\nnetwork: main\n', 'E_WORKSPACE_SCHEMA', 2],
    ['an unknown field', `${SCHEMA}network: main\nofficers: alice\n`, 'E_UNKNOWN_FIELD', 3],
    ['a list for a text', `${SCHEMA}network: main\nofficer: [alice]\n`, 'E_FIELD_TYPE', 3],
    ['an empty text', `${SCHEMA}network: main\nofficer: ""\n`, 'E_FIELD_TYPE', 3],
    ['a number', `${SCHEMA}network: main\nofficer: 7\n`, 'E_FIELD_TYPE', 3],
    ['a list', '- schema\n', 'E_WORKSPACE_SCHEMA', 1],
    ['a back end that is none', `${SCHEMA}network: main\nchain: [http://127.0.0.1:8332]\n`, 'E_CHAIN_CONFIG', 3],
    [
      'a back end without credentials',
      `${SCHEMA}network: main\nchain: ["core:http://127.0.0.1:8332"]\n`,
      'E_CHAIN_CONFIG',
      3,
    ],
    [
      'a password in the file',
      `${SCHEMA}network: main\nchain: ["core:http://u:p@127.0.0.1:8332"]\n`,
      'E_CHAIN_CONFIG',
      3,
    ],
    ['a source of feerates that is none', `${SCHEMA}network: main\nfees: { sources: [oracle] }\n`, 'E_CHAIN_CONFIG', 3],
    ['no source of feerates', `${SCHEMA}network: main\nfees: { sources: [] }\n`, 'E_MISSING_FIELD', 3],
    [
      'a floor above the ceiling',
      `${SCHEMA}network: main\nfees: { sources: [chain], floor: "2.001", ceiling: "2" }\n`,
      'E_FIELD_TYPE',
      3,
    ],
    ['a factor below 1', `${SCHEMA}network: main\nfees: { sources: [chain], max_factor: "0.5" }\n`, 'E_FIELD_TYPE', 3],
    ['nobody who signs snapshots', `${SCHEMA}network: main\nsnapshot_signers: {}\n`, 'E_MISSING_FIELD', 3],
    [
      'a signer whose key is none',
      `${SCHEMA}network: main\nsnapshot_signers: { a: "ssh-rsa AAAA" }\n`,
      'E_FIELD_TYPE',
      3,
    ],
    [
      'a signer with a strange name',
      `${SCHEMA}network: main\nsnapshot_signers: { "A b": "ssh-ed25519 AAAA" }\n`,
      'E_UNKNOWN_FIELD',
      3,
    ],
    ['a key twice', `${SCHEMA}network: main\nnetwork: main\n`, 'E_DUPLICATE_KEY', 3],
  ])('with %s is refused at its line, with a remedy', (_, text, tag, line) => {
    const read = readWorkspaceConfig(text, FILE);
    expect(read).toMatchObject({ ok: false, error: { tag, where: { file: FILE, line } } });
    expect(read.ok || read.error.remedy).toMatch(/\w/);
  });
});
