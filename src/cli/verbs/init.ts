import { parseNetwork } from '../../domain/network.js';
import { ok } from '../../domain/result.js';
import { modeline, SCHEMA_FOLDER } from '../../policy/published.js';
import type { WorkspaceConfig } from '../../workflow/ports.js';
import type { Verb } from '../command.js';
import { required } from '../with-workspace.js';

export const run: Verb = async (words, { compose }) => {
  const named = required(words, 'network', 'main');
  if (!named.ok) return named;
  const network = parseNetwork(named.value);
  if (!network.ok) return network;
  const store = words.text('store') ?? null;
  const join = words.flag('join');
  const made = await compose.createWorkspace(words.args[0] ?? '.', { network: network.value, store, join });
  if (!made.ok) return made;
  const { root, config, journal } = made.value;
  await journal.close();
  return ok({
    schema: 'countersign.init/1',
    exit: 'OK',
    data: {
      workspace: root,
      network: config.network,
      journal: config.store ?? config.journal,
      joined: join,
      schemas: SCHEMA_FOLDER,
    },
    text: [
      `Made a workspace for ${config.network} in ${root}`,
      ...placeOf(config, join),
      ...(join ? JOINED : FIRST),
      '  an editor with a YAML language server checks and completes a policy whose first line is',
      `        ${modeline('policy')}`,
    ],
  });
};

function placeOf({ store, journal }: WorkspaceConfig, join: boolean): string[] {
  if (store !== null) return [`  ${join ? 'it works with the journal at' : 'its journal is at'} ${store}`];
  if (!join) return [];
  return [`  it works with ${journal}: where that is a copy, what is written here is not in the original`];
}

const FIRST = [
  '  next: countersign vault import NAME DESCRIPTOR_FILE',
  '        countersign policy activate FILE',
  '        countersign book import FILE',
  '        countersign coins import SNAPSHOT',
];

const JOINED = ['  next: countersign audit verify', '        countersign batch list'];
