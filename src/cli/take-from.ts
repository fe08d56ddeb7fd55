import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { asksSources } from '../policy/screening/hits.js';
import type { ChainBackend, ChainSource } from '../vault/chain.js';
import { latestSnapshot, openVault } from '../workflow/open-vault.js';
import type { Desk } from '../workflow/ports.js';
import { type TakenSnapshot, takeSnapshot } from '../workflow/take-snapshot.js';
import { gapInForce, policyInForce } from '../workflow/vault.js';
import type { VerbContext, VerbResult, Words } from './command.js';
import { withFees } from './take-feerate.js';
import { withWorkspace } from './with-workspace.js';

/** The back ends that --backend names, or those of countersign.yaml. */
async function chainSources(
  words: Words,
  { compose }: VerbContext,
  desk: Desk,
): Promise<Result<readonly ChainSource[], Fault>> {
  const named = words.list('backend');
  if (named.length === 0 && words.text('cookie') === undefined && desk.config.chain.length > 0)
    return ok(desk.config.chain);
  if (named.length === 0 && words.text('cookie') === undefined) {
    return fail('E_CHAIN_NONE', 'no chain back end is named', {
      remedy: 'write chain: into countersign.yaml, or give --backend core:http://127.0.0.1:8332 --cookie FILE',
    });
  }
  if (words.text('cookie') !== undefined && !named.some((name) => name.startsWith('core:'))) {
    return fail('E_USAGE', '--cookie is for a node, and --backend names none', {
      remedy: 'name the node beside it: --backend core:http://127.0.0.1:8332',
    });
  }
  const sources: ChainSource[] = [];
  for (const name of named) {
    const source = await compose.chainSource(name, name.startsWith('core:') ? words.text('cookie') : undefined);
    if (!source.ok) return source;
    sources.push(source.value);
  }
  return ok(sources);
}

/** Runs the work with the workspace and its back ends, and closes both whatever happened. */
export async function withBackends(
  words: Words,
  context: VerbContext,
  work: (desk: Desk, backends: readonly ChainBackend[], sources: readonly ChainSource[]) => Promise<VerbResult>,
): Promise<VerbResult> {
  return withWorkspace(context, async (desk) => {
    const sources = await chainSources(words, context, desk);
    if (!sources.ok) return sources;
    const backends = await context.compose.openChain(sources.value, desk.root);
    try {
      return await work(desk, backends, sources.value);
    } finally {
      for (const backend of backends) await backend.close();
    }
  });
}

/** Reads the coins of the workspace's vault from back ends. */
export async function takeFrom(
  words: Words,
  context: VerbContext,
  desk: Desk,
  backends: readonly ChainBackend[],
  sources: readonly ChainSource[],
): Promise<Result<TakenSnapshot, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const { state, deriver } = open.value;
  const known = state.coins === null ? ok(null) : await latestSnapshot(desk, open.value);
  if (!known.ok) return known;
  const gap = await gapInForce(desk, open.value);
  const policy = await policyInForce(desk, open.value);
  return withFees(words, context, desk, sources, (fees) =>
    takeSnapshot({
      deriver,
      backends,
      state,
      known: known.value,
      gap,
      asksOrigins: policy !== null && asksSources(policy),
      fees,
      clock: context.compose.clock,
      onProgress: context.progress,
    }),
  );
}
