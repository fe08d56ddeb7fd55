import { encodeAddress } from '../domain/address.js';
import { equalBytes, type Hex, toHex } from '../domain/bytes.js';
import { type ChainTip, type Coin, confirmations, type OwnOrigin } from '../domain/coin.js';
import { virtualSize } from '../domain/feerate.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { type Sats, sumSats } from '../domain/sats.js';
import { scriptKind } from '../domain/script.js';
import { type CoinSources, NO_SOURCES } from '../psbt/sources.js';
import type { DecodedInput, DecodedOutput, DecodedPsbt } from '../psbt/types.js';
import { type ChangeGap, claimedOrigin, proveOwn } from '../vault/own-output.js';
import type { Deriver } from '../vault/types.js';
import { signedTransactionWeight } from '../vault/weights.js';
import type { Facts, InputFact, OutputFact } from './types.js';

/** What is known besides the bytes of the PSBT. */
export interface FactsContext {
  readonly deriver: Deriver;
  /** The coin snapshot, by outpoint ("TXID:VOUT"). */
  readonly coins: ReadonlyMap<string, Coin>;
  /** Of a child: the change of its parent, by outpoint, unconfirmed as it is. */
  readonly parentChange?: ReadonlyMap<string, Coin>;
  readonly tip: ChainTip;
  /** Outpoint to the reason why it is frozen. */
  readonly frozen: ReadonlyMap<string, string>;
  readonly gap: ChangeGap;
  /** How many coins of the snapshot each script holds, where somebody has counted them already; see coinsOnScripts. */
  readonly onScript?: ReadonlyMap<Hex, number>;
  /** Where coins of the snapshot come from; null where the policy does not ask. */
  readonly sources: ((coin: Coin) => CoinSources) | null;
}

export function coinsOnScripts(coins: ReadonlyMap<string, Coin>): ReadonlyMap<Hex, number> {
  const counts = new Map<Hex, number>();
  for (const { script } of coins.values()) {
    const hex = toHex(script);
    counts.set(hex, (counts.get(hex) ?? 0) + 1);
  }
  return counts;
}

/**
 * The facts that a verdict rests on, from the decoded bytes alone. What a PSBT claims is never believed: inputs are own
 * when the descriptor derives their script at the place that a claim or the snapshot points to, outputs are change when
 * the descriptor derives them on the change branch within the gap.
 */
export function deriveFacts(decoded: DecodedPsbt, context: FactsContext): Facts {
  const { vault } = context.deriver;
  const left = leftBehind(decoded, context);
  const inputs = decoded.inputs.map((input, index) => inputFact(input, index, context, left));
  const outputs = decoded.outputs.map((output, index) => outputFact(output, index, context));
  const change = sumOf(outputs.filter(({ isChange }) => isChange));
  const weight = signedTransactionWeight(
    vault,
    inputs.length,
    outputs.map(({ script }) => script),
  );
  return {
    psbtSha256: decoded.sha256,
    vault: { id: vault.id, network: vault.network, descriptor: vault.descriptor },
    version: decoded.version,
    locktime: decoded.locktime,
    malformed: decoded.malformed,
    inputs,
    outputs,
    fee: sumOf(inputs) - sumOf(outputs),
    external: sumOf(outputs) - change,
    spend: sumOf(inputs.filter(({ origin }) => origin !== null)) - change,
    vsize: virtualSize(weight),
  };
}

function sumOf(items: readonly { readonly value: Sats }[]): Sats {
  return sumSats(items.map(({ value }) => value));
}

/** By script: how many coins of the snapshot stay when this PSBT has spent its inputs. */
function leftBehind(decoded: DecodedPsbt, { coins, onScript }: FactsContext): ReadonlyMap<Hex, number> {
  const counted = onScript ?? coinsOnScripts(coins);
  const left = new Map<Hex, number>();
  for (const name of new Set(decoded.inputs.map(({ outpoint }) => formatOutpoint(outpoint)))) {
    const coin = coins.get(name);
    if (coin === undefined) continue;
    const hex = toHex(coin.script);
    left.set(hex, (left.get(hex) ?? counted.get(hex) ?? 0) - 1);
  }
  return left;
}

const NO_SCRIPT = new Uint8Array();

function inputFact(
  input: DecodedInput,
  index: number,
  context: FactsContext,
  left: ReadonlyMap<string, number>,
): InputFact {
  const name = formatOutpoint(input.outpoint);
  const isParentChange = context.parentChange?.has(name) === true;
  const coin = context.coins.get(name) ?? context.parentChange?.get(name);
  return {
    index,
    outpoint: input.outpoint,
    sequence: input.sequence,
    value: input.prevout?.value ?? 0n,
    script: input.prevout?.script ?? NO_SCRIPT,
    proof: input.proof,
    sighashType: input.sighashType,
    presigned: input.presigned,
    foreignFields: input.foreignFields,
    origin: inputOrigin(input, coin, context.deriver),
    coin:
      coin === undefined
        ? null
        : {
            confirmations: confirmations(coin, context.tip),
            coinbase: coin.coinbase,
            value: coin.value,
            leftOnScript: left.get(toHex(coin.script)) ?? 0,
            ...(isParentChange ? { isParentChange } : {}),
          },
    frozen: context.frozen.get(name) ?? null,
    sources: coin === undefined || context.sources === null ? null : sourcesOf(coin, isParentChange, context.sources),
  };
}

/** The sources of a parent's change are coins of the vault, which were asked for when the parent was judged. */
function sourcesOf(coin: Coin, isParentChange: boolean, tell: (coin: Coin) => CoinSources): CoinSources {
  return isParentChange ? NO_SOURCES : tell(coin);
}

/** Where the vault derives the script that an input spends. An input that states no prevout goes by the snapshot's. */
function inputOrigin(input: DecodedInput, coin: Coin | undefined, deriver: Deriver): OwnOrigin | null {
  const script = input.prevout?.script ?? coin?.script;
  if (script === undefined) return null;
  const places = [
    ...(coin === undefined ? [] : [coin.origin]),
    ...input.derivations.flatMap((claim) => claimedOrigin(deriver.vault, claim) ?? []),
  ];
  return places.find(({ branch, index }) => equalBytes(deriver.at(branch, index).script, script)) ?? null;
}

function outputFact(output: DecodedOutput, index: number, context: FactsContext): OutputFact {
  const { deriver, gap } = context;
  const own = proveOwn(deriver, output.script, output.derivations, gap);
  return {
    index,
    value: output.value,
    script: output.script,
    kind: scriptKind(output.script),
    address: encodeAddress(output.script, deriver.vault.network),
    own,
    isChange: own.own && own.origin.branch === 1 && own.origin.index <= gap.lastUsedChange + gap.maxGap,
  };
}
