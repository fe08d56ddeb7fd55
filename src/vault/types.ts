import type { Hex } from '../domain/bytes.js';
import type { Branch, OwnOrigin } from '../domain/coin.js';
import type { Network } from '../domain/network.js';
import type { Path } from '../domain/path.js';

/** The output descriptors whose script follows from a threshold and keys alone (BIP381-386). */
export type PlainKind = 'pkh' | 'sh(wpkh)' | 'wpkh' | 'tr' | 'wsh(sortedmulti)' | 'sh(wsh(sortedmulti))';

/** The output descriptors that a vault may be: those, and miniscript in wsh() (BIP379). */
export type VaultKind = PlainKind | 'wsh(miniscript)';

/** One cosigner: `[fingerprint/path]xpub/<0;1>/*`. */
export interface VaultKey {
  /** Master key fingerprint, 8 lower-case hex digits. */
  readonly fingerprint: Hex;
  /** From the master key to the account key, for example 84'/1'/0'. */
  readonly path: Path;
  /** Serialised account key (xpub or tpub), exactly as the descriptor has it. */
  readonly xpub: string;
}

/** Part of a witness script: opcodes and numbers as they are, or a push that depends on a key (its index in the vault). */
export type ScriptPiece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'key' | 'key hash'; readonly key: number };

/** One item of a witness below the script: bytes as they are, or what depends on a key. */
export type WitnessPiece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'signature' | 'key'; readonly key: number };

/** One way to spend: the keys whose signatures it takes, and the witness from its first item on. */
export interface Satisfaction {
  readonly keys: readonly number[];
  readonly stack: readonly WitnessPiece[];
}

/** What the spending transaction must say: the sequence of the input (BIP112) and its own locktime (BIP65). */
export interface TimeLock {
  readonly sequence: number | null;
  readonly locktime: number | null;
}

/** A miniscript (BIP379), compiled. Keys are indexes into those of the vault. */
export interface MiniscriptPolicy {
  /** With keys as @0, @1, ... in the order in which they stand. */
  readonly expression: string;
  readonly script: readonly ScriptPiece[];
  /** The ways without a time lock: one for every choice of `threshold` out of `signers`. */
  readonly satisfactions: readonly Satisfaction[];
  /** Keys of the branch that countersign spends by, in ascending order. */
  readonly signers: readonly number[];
  readonly threshold: number;
  /** The ways that wait for a time lock: what somebody else can do later. */
  readonly delayed: readonly { readonly keys: readonly number[]; readonly lock: TimeLock }[];
}

/** The cold wallet: a parsed descriptor with a verified checksum. Pure data; derivation takes it as an argument. */
export interface Vault {
  /** Lower-case name chosen at import, 1 to 32 of a-z 0-9 -. */
  readonly id: string;
  readonly network: Network;
  readonly kind: VaultKind;
  /** Signatures needed, of `signingKeys`; 1 for the single-key kinds. */
  readonly threshold: number;
  readonly keys: readonly VaultKey[];
  /** There for wsh(miniscript), and for no other kind. */
  readonly miniscript?: MiniscriptPolicy;
  /** Canonical text: hardened steps as h, `<0;1>/*`, with `#checksum`. */
  readonly descriptor: string;
}

/** One public key of a derived script, with all that a PSBT says about it. */
export interface DerivedKey {
  readonly fingerprint: Hex;
  /** From the master key: origin path, branch, index. */
  readonly path: Path;
  /** 33 bytes compressed; for tr its last 32 bytes are the internal key (BIP371). */
  readonly publicKey: Uint8Array;
}

/** A script of the vault at one branch and index, and what spending it takes. */
export interface DerivedScript {
  readonly origin: OwnOrigin;
  readonly script: Uint8Array;
  readonly redeemScript?: Uint8Array;
  readonly witnessScript?: Uint8Array;
  readonly keys: readonly DerivedKey[];
}

/** Derives scripts of a vault and remembers them: derivation is the slow part (about 0.4 ms a key). */
export interface Deriver {
  readonly vault: Vault;
  at(branch: Branch, index: number): DerivedScript;
  /** Finds a script on both branches among the 2,000 indexes up to and including `upTo`; null if it is not there. */
  find(script: Uint8Array, upTo: number): DerivedScript | null;
}

/** What a PSBT output claims about one of its keys (PSBT_OUT_BIP32_DERIVATION, PSBT_OUT_TAP_BIP32_DERIVATION). */
export interface DerivationClaim {
  readonly fingerprint: Hex;
  readonly path: Path;
  /** 33 bytes, or 32 for taproot. */
  readonly publicKey: Uint8Array;
}

/** Whether a script is the vault's own, established by deriving it again and never by believing a claim. */
export type OwnProof =
  | { readonly own: true; readonly origin: OwnOrigin; readonly claimed: boolean }
  | { readonly own: false; readonly problem: null }
  /** Claims our fingerprint but is not our script, or is ours at a place that cannot be change. */
  | { readonly own: false; readonly problem: 'CHANGE_UNPROVEN' | 'CHANGE_PATH' | 'CHANGE_GAP' };
