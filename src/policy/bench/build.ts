import { decodeAddress } from '../../domain/address.js';
import { sha256Hex, toHex, trustedHex, utf8 } from '../../domain/bytes.js';
import type { Coin } from '../../domain/coin.js';
import { fault } from '../../domain/fault.js';
import { virtualSize } from '../../domain/feerate.js';
import { formatOutpoint, type Outpoint, parseOutpoint } from '../../domain/outpoint.js';
import { sumSats } from '../../domain/sats.js';
import type { UnixSeconds } from '../../domain/time.js';
import { decodePsbt } from '../../psbt/decode.js';
import { type CoinSources, NO_SOURCES } from '../../psbt/sources.js';
import type { DecodedInput, DecodedOutput, DecodedPsbt } from '../../psbt/types.js';
import type { DerivationClaim, DerivedScript, Deriver } from '../../vault/types.js';
import { signedTransactionWeight } from '../../vault/weights.js';
import { deriveFacts } from '../facts.js';
import type { Payable } from '../scripts-of-book.js';
import type { Facts, LoadedPolicy } from '../types.js';
import { Refusal } from './refusal.js';
import type { CaseChange, CaseContent, CaseInput, CaseOutput, CaseReaders, Target } from './types.js';

/** What a case stands on: the policy that judges it, the vault of that policy, and the scripts that its book names. */
export interface Ground {
  readonly policy: LoadedPolicy;
  readonly deriver: Deriver;
  /** Id of the book to what it stands for. */
  readonly book: ReadonlyMap<string, Payable>;
}

/** Values that a case need not write; docs/policy-cases.md lists them. */
export const TIP_HEIGHT = 950_000;
export const LAST_CHANGE = 41;
const CONFIRMATIONS = 100;
const SEQUENCE = 0xfffffffd;

/** A target of a case as a script: an id of the book, an address of the network, or script:HEX. */
export function scriptOf({ text, where }: Target, { policy, book }: Ground): Uint8Array {
  const known = book.get(text);
  if (known !== undefined && 'script' in known) return known.script;
  const place = indexedTarget(text);
  const ranged = place === null ? known : book.get(place.destination);
  if (ranged !== undefined && 'counterparty' in ranged) {
    if (place !== null) return ranged.counterparty.at(place.index);
    const remedy = `write which of its addresses is meant, for example ${text}/0`;
    throw new Refusal([fault('E_FIELD_TYPE', `${text} is a descriptor in the book of the case`, { where, remedy })]);
  }
  const hex = /^script:((?:[0-9a-f]{2})*)$/.exec(text)?.[1];
  if (hex !== undefined) return trustedHex(hex);
  const decoded = decodeAddress(text, policy.document.wallet.network);
  if (decoded.ok) return decoded.value.script;
  // A word is a misspelt id rather than an address.
  if (/^[a-z0-9-]{1,24}(?:\/[0-9]+)?$/.test(text) && decoded.error.tag === 'E_ADDRESS_FORM') {
    const remedy = `known here: ${[...book.keys()].join(', ') || 'nothing'}; or write an address, or script:HEX`;
    throw new Refusal([fault('E_FIELD_TYPE', `the book of the case has no ${text}`, { where, remedy })]);
  }
  throw new Refusal([{ ...decoded.error, where }]);
}

/** "okx/5": index 5 of the descriptor okx; null for any other text. */
export function indexedTarget(text: string): { readonly destination: string; readonly index: number } | null {
  const match = /^([a-z0-9][a-z0-9-]{0,31})\/(0|[1-9][0-9]{0,8})$/.exec(text);
  const [, destination, index] = match ?? [];
  return destination === undefined || index === undefined ? null : { destination, index: Number(index) };
}

/** "u1" stands for output 0 of a transaction made of the name; TXID:VOUT for itself. */
export function outpointOf(name: string): Outpoint {
  const given = parseOutpoint(name);
  return given.ok ? given.value : { txid: sha256Hex(`coin ${name}`), vout: 0 };
}

/** The facts of a case. They come out of deriveFacts as those of a real PSBT do; only the bytes are spared. */
export function factsOf(content: CaseContent, name: string, ground: Ground, readers: CaseReaders, file: string): Facts {
  const tip = { height: content.tip ?? TIP_HEIGHT, hash: '00'.repeat(32), medianTimePast: 0 };
  const gap = { lastUsedChange: content.lastChange ?? LAST_CHANGE, maxGap: ground.policy.document.change.maxGap };
  const described =
    content.psbt === undefined
      ? describe(content, name, ground, tip.height)
      : realPsbt(content.psbt, ground, readers, file, tip.height);
  const facts = deriveFacts(described.decoded, {
    deriver: ground.deriver,
    coins: described.coins,
    tip,
    frozen: described.frozen,
    gap,
    sources: ({ outpoint }) => described.sources.get(formatOutpoint(outpoint)) ?? NO_SOURCES,
  });
  return {
    ...facts,
    vsize: content.vsize === undefined ? facts.vsize : BigInt(content.vsize),
    vault: { ...facts.vault, ...content.vault },
  };
}

interface Described {
  readonly decoded: DecodedPsbt;
  readonly coins: ReadonlyMap<string, Coin>;
  readonly frozen: ReadonlyMap<string, string>;
  readonly sources: ReadonlyMap<string, CoinSources>;
}

/** Real bytes: the coins that they spend of the vault are in the snapshot, well confirmed. */
function realPsbt(base64: string, ground: Ground, readers: CaseReaders, file: string, tip: number): Described {
  const bytes = readers.psbt(base64, file);
  if (!bytes.ok) throw new Refusal([bytes.error]);
  const decoded = decodePsbt(bytes.value);
  if (!decoded.ok) throw new Refusal([decoded.error]);
  const coins = decoded.value.inputs.flatMap(({ outpoint, prevout }): [string, Coin][] => {
    const own = prevout === null ? null : ground.deriver.find(prevout.script, 1000);
    if (prevout === null || own === null) return [];
    const height = tip - CONFIRMATIONS + 1;
    return [[formatOutpoint(outpoint), { outpoint, ...prevout, origin: own.origin, height, coinbase: false }]];
  });
  return { decoded: decoded.value, coins: new Map(coins), frozen: new Map(), sources: new Map() };
}

function describe(content: CaseContent, name: string, ground: Ground, tip: number): Described {
  const outputs = [
    ...(content.pay ?? []).map(({ to, amount }) => ({ ...NO_SCRIPTS, value: amount, script: scriptOf(to, ground) })),
    ...(content.outputs ?? []).map((output) => decodedOutput(output, ground)),
    ...(content.change ?? []).map((change, index) => changeOutput(change, index, content, ground)),
  ];
  const wanted = content.inputs ?? [{}];
  const values = inputValues(content, wanted, outputs, ground);
  const inputs = wanted.map((input, index) => describeInput(input, index, values[index] ?? 0n, ground, tip));
  return {
    decoded: {
      sha256: sha256Hex(utf8(`case ${name}`)),
      unsignedTxid: sha256Hex(utf8(`transaction of case ${name}`)),
      version: content.version ?? 2,
      locktime: content.locktime ?? tip,
      inputs: inputs.map(({ decoded }) => decoded),
      outputs,
      malformed: content.malformed ?? null,
    },
    coins: new Map(inputs.flatMap(({ coins }) => coins.map((coin) => [formatOutpoint(coin.outpoint), coin] as const))),
    frozen: new Map(inputs.flatMap(({ frozen }) => frozen)),
    sources: new Map(
      wanted.map(({ from = [], untold = 0 }, index) => [
        formatOutpoint(inputs[index]?.decoded.outpoint ?? outpointOf(`of input ${index}`)),
        { scripts: from.map((target) => scriptHex(target, ground)), untold },
      ]),
    ),
  };
}

const NO_SCRIPTS = { redeemScript: null, witnessScript: null, derivations: [] };

function decodedOutput({ to, amount, claims }: CaseOutput, ground: Ground): DecodedOutput {
  return {
    ...NO_SCRIPTS,
    value: amount,
    script: scriptOf(to, ground),
    derivations: claims === undefined ? [] : [claimOf(claims, ground.deriver)],
  };
}

/** Of a place of the vault its true key and path; of any other path a key that is nobody's, with the vault's fingerprint. */
function claimOf({ path, origin }: NonNullable<CaseOutput['claims']>, deriver: Deriver): DerivationClaim {
  if (origin !== null) {
    const [claim] = claimsOf(deriver.at(origin.branch, origin.index), deriver);
    if (claim !== undefined) return claim;
  }
  const fingerprint = deriver.vault.keys[0]?.fingerprint ?? '';
  return { fingerprint, path, publicKey: trustedHex(`02${sha256Hex(path.join('/'))}`) };
}

function claimsOf({ keys }: DerivedScript, { vault }: Deriver): DerivationClaim[] {
  return keys.map(({ fingerprint, path, publicKey }) => ({
    fingerprint,
    path,
    publicKey: vault.kind === 'tr' ? publicKey.subarray(1) : publicKey,
  }));
}

function changeOutput(change: CaseChange, index: number, content: CaseContent, { deriver }: Ground): DecodedOutput {
  const next = (content.lastChange ?? LAST_CHANGE) + 1 + index;
  const { branch, index: place } = change.at ?? { branch: 1, index: next };
  const derived = deriver.at(branch, place);
  const derivations = change.claimed === false ? [] : claimsOf(derived, deriver);
  return { ...NO_SCRIPTS, value: change.amount, script: derived.script, derivations };
}

/** The first input without a value carries what the outputs and the fee ask for. */
function inputValues(
  content: CaseContent,
  inputs: readonly CaseInput[],
  outputs: readonly DecodedOutput[],
  { policy, deriver }: Ground,
): readonly bigint[] {
  const scripts = outputs.map(({ script }) => script);
  const vsize =
    content.vsize === undefined
      ? virtualSize(signedTransactionWeight(deriver.vault, inputs.length, scripts))
      : BigInt(content.vsize);
  const rate = policy.document.fees.minRate > 1000n ? policy.document.fees.minRate : 1000n;
  const fee = content.fee ?? (rate * vsize + 999n) / 1000n;
  const due = sumSats(outputs.map(({ value }) => value)) + fee;
  const open = inputs.findIndex(({ value }) => value === undefined);
  // What a PSBT does not show at all is decoded as nothing, so the other inputs carry the batch.
  const given = sumSats(
    inputs.map(({ value = 0n, proof }) => (proof === 'absent' || proof === 'mismatch' ? 0n : value)),
  );
  return inputs.map(({ value = 0n }, index) => (index === open && due > given ? due - given : value));
}

function describeInput(
  input: CaseInput,
  index: number,
  value: bigint,
  ground: Ground,
  tip: number,
): { decoded: DecodedInput; coins: Coin[]; frozen: [string, string][] } {
  const { deriver } = ground;
  const origin = input.at ?? { branch: 0, index };
  const derived = input.of === undefined ? deriver.at(origin.branch, origin.index) : null;
  const script = derived?.script ?? (input.of === undefined ? new Uint8Array() : scriptOf(input.of, ground));
  const outpoint = outpointOf(input.coin ?? `of input ${index}`);
  const proof = input.proof ?? 'proven';
  const isKnown = input.inSnapshot ?? derived !== null;
  const confirmations = input.confirmations ?? CONFIRMATIONS;
  const height = confirmations === 0 ? null : tip - confirmations + 1;
  const coin: Coin = {
    outpoint,
    value: input.snapshotValue ?? value,
    script,
    origin,
    height,
    coinbase: input.coinbase ?? false,
  };
  const others = Array.from({ length: input.othersOnScript ?? 0 }, (_, other) => ({
    ...coin,
    outpoint: { txid: sha256Hex(`neighbour ${other} of ${formatOutpoint(outpoint)}`), vout: 0 },
  }));
  return {
    decoded: {
      outpoint,
      sequence: input.sequence ?? SEQUENCE,
      prevout: proof === 'absent' || proof === 'mismatch' ? null : { value, script },
      proof,
      sighashType: input.sighash ?? null,
      redeemScript: null,
      witnessScript: null,
      derivations: derived === null ? [] : claimsOf(derived, deriver),
      presigned: input.presigned ?? false,
      foreignFields: input.foreignFields ?? [],
    },
    coins: [...(isKnown ? [coin] : []), ...others],
    frozen: input.frozen === undefined ? [] : [[formatOutpoint(outpoint), input.frozen]],
  };
}

/** When a spend of a case was confirmed, at ten minutes a block. */
export function heightAt(confirmed: UnixSeconds, now: UnixSeconds, tip: number): number {
  return tip - Math.max(0, Math.floor((now - confirmed) / 600));
}

/** A script in hex under which the state of the journal keeps it. */
export const scriptHex = (to: Target, ground: Ground): string => toHex(scriptOf(to, ground));
