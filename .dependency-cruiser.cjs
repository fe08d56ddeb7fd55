// The one-way rule of docs/architecture.md: rooms import only from the rooms above them.
const ROOMS = {
  domain: [],
  vault: ['domain'],
  selection: ['domain', 'vault'],
  psbt: ['domain', 'vault', 'selection'],
  policy: ['domain', 'vault', 'psbt'],
  approval: ['domain'],
  journal: ['domain'],
  device: ['domain', 'vault', 'psbt'],
  adapters: ['domain', 'journal', 'approval', 'vault'],
  workflow: ['domain', 'vault', 'selection', 'psbt', 'policy', 'approval', 'journal', 'device'],
  cli: ['domain', 'vault', 'selection', 'psbt', 'policy', 'approval', 'journal', 'device', 'workflow'],
};

const roomRules = Object.entries(ROOMS).map(([room, allowed]) => ({
  name: `${room}-imports`,
  comment: `src/${room} may import only from: ${[room, ...allowed].join(', ')}`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
}));

const PURE = '^src/(domain|vault|selection|psbt|policy|approval|journal)/';

module.exports = {
  forbidden: [
    ...roomRules,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pure-rooms',
      comment: 'pure rooms do no I/O: of Node they may use hashing alone; one file loads a library late',
      severity: 'error',
      from: { path: PURE, pathNot: '^src/vault/miniscript-library\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer)$' },
    },
    {
      name: 'one-ledger-file',
      comment: 'only src/device/ledgerjs.ts touches @ledgerhq/*',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/device/ledgerjs\\.ts$' },
      to: { path: '@ledgerhq/' },
    },
    { name: 'no-unresolved', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true } },
    {
      name: 'no-dev-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
