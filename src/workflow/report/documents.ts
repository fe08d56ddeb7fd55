import type { Hex } from '../../domain/bytes.js';
import { formatTime, parseTime, type UnixSeconds } from '../../domain/time.js';
import type { EntryBody, PayableRecord } from '../../journal/entries.js';
import { type ChangeKind, classify, overallKind } from '../../policy/classify.js';
import type { LoadedPolicy } from '../../policy/types.js';
import { isWithin, type Period, type Step } from './step.js';

/** A version that was in force in the period, or was taken in then. */
export interface PolicyVersion {
  readonly version: number;
  readonly digest: Hex;
  readonly seq: number;
  readonly activatedAt: string;
  readonly signers: readonly string[];
  /** Digest of the policy whose quorum signed it; null for the first. */
  readonly under: Hex | null;
  /** Null where another version took its place before it came into force. */
  readonly inForceFrom: string | null;
  /** Null while nothing has taken its place by the end of the period. */
  readonly inForceTo: string | null;
  /** What it is against the policy that it was signed under; null for the first. */
  readonly change: ChangeKind | null;
  readonly loosens: readonly string[];
  readonly tightens: readonly string[];
  /** Seconds between its entry and its effective_at. */
  readonly notice: number;
  /** What the policy that it was signed under asks of a loosening; null for the first. */
  readonly noticeAsked: number | null;
}

export interface BookVersion {
  readonly version: number;
  readonly digest: Hex;
  readonly seq: number;
  readonly at: string;
  readonly signers: readonly string[];
  readonly added: readonly BookAddition[];
  readonly removed: readonly string[];
  /** There before and there again, for something else: its age began anew. */
  readonly changed: readonly BookAddition[];
  /** Descriptors that stand for fewer addresses, and keep their age. */
  readonly narrowed: readonly string[];
}

export type BookAddition = PayableRecord & { readonly id: string; readonly label: string };

export interface ScreeningIntake {
  readonly list: string;
  readonly seq: number;
  readonly at: string;
  readonly document: Hex;
  readonly issuedAt: string;
  readonly pinnedBy: string;
  readonly scripts: number;
  readonly unusable: number;
  readonly removed: number;
  /** Scripts of this vault that it names. */
  readonly own: readonly Hex[];
}

type PolicyBody = Extract<EntryBody, { kind: 'policy.activated' }>;

interface Activation {
  readonly body: PolicyBody;
  readonly policy: LoadedPolicy;
  readonly seq: number;
  readonly at: UnixSeconds;
  readonly effectiveAt: UnixSeconds;
}

/** The policies, by their versions, their order in time, and what each changes. */
export class PolicyLine {
  readonly #activations: Activation[] = [];
  readonly #byDigest = new Map<Hex, LoadedPolicy>();

  take({ entry, at }: Step, policy: LoadedPolicy | null): void {
    const { body, seq } = entry;
    if (body.kind !== 'policy.activated' || policy === null) return;
    this.#activations.push({ body, policy, seq, at, effectiveAt: parseTime(body.effectiveAt) ?? at });
    this.#byDigest.set(body.digest, policy);
  }

  of(digest: Hex): LoadedPolicy | undefined {
    return this.#byDigest.get(digest);
  }

  result(period: Period, until: UnixSeconds): readonly PolicyVersion[] {
    return this.#activations.flatMap((one, index) => {
      const from = this.#inForceFrom(index);
      const to = this.#inForceTo(index);
      const known = from === null || from >= until ? null : from;
      const isOf = isWithin(period, one.at);
      const applied = known !== null && (to === null || period.from === null || to > period.from);
      if (!isOf && !applied) return [];
      const ended = to !== null && to < until ? to : null;
      return [this.#version(one, known, known === null ? null : ended)];
    });
  }

  #inForceFrom(index: number): UnixSeconds | null {
    const one = this.#activations[index];
    if (one === undefined) return null;
    const from = Math.max(one.at, one.effectiveAt);
    const next = this.#activations[index + 1];
    // A version that waits gives way to whatever is taken in before it begins to apply.
    return next !== undefined && next.at < from ? null : from;
  }

  #inForceTo(index: number): UnixSeconds | null {
    for (let later = index + 1; later < this.#activations.length; later += 1) {
      const from = this.#inForceFrom(later);
      if (from !== null) return from;
    }
    return null;
  }

  #version({ body, policy, seq, at, effectiveAt }: Activation, from: UnixSeconds | null, to: UnixSeconds | null) {
    const under = body.under === undefined ? undefined : this.#byDigest.get(body.under);
    const changes = under === undefined ? null : classify(under, policy);
    const fieldsOf = (kind: ChangeKind): string[] =>
      (changes ?? []).filter((change) => change.kind === kind).map(({ field }) => field);
    return {
      version: body.version,
      digest: body.digest,
      seq,
      activatedAt: formatTime(at),
      signers: body.signatures.map(({ person }) => person),
      under: body.under ?? null,
      inForceFrom: from === null ? null : formatTime(from),
      inForceTo: to === null ? null : formatTime(to),
      change: changes === null ? null : overallKind(changes),
      loosens: fieldsOf('loosening'),
      tightens: fieldsOf('tightening'),
      notice: Math.max(0, effectiveAt - at),
      noticeAsked: under === undefined ? null : under.document.changeControl.looseningNotice,
    };
  }
}

/** What changed in the address book, and which screening lists came in. */
export class DocumentCount {
  readonly #books: BookVersion[] = [];
  readonly #screening: ScreeningIntake[] = [];

  take({ entry, counts }: Step): void {
    if (!counts) return;
    const { body, seq, at } = entry;
    if (body.kind === 'book.changed') {
      const gone = new Set(body.removed.map(({ id }) => id));
      const there = new Set(body.added.map(({ id }) => id));
      this.#books.push({
        version: body.version,
        digest: body.digest,
        seq,
        at,
        signers: body.signatures.map(({ person }) => person),
        added: body.added.filter(({ id }) => !gone.has(id)),
        removed: [...gone].filter((id) => !there.has(id)),
        changed: body.added.filter(({ id }) => gone.has(id)),
        narrowed: (body.narrowed ?? []).map(({ id }) => id),
      });
    }
    if (body.kind === 'screening.imported') {
      const { list, document, issuedAt, pin, scripts, unusable, removed, own } = body;
      this.#screening.push({
        list,
        seq,
        at,
        document,
        issuedAt,
        pinnedBy: pin.person,
        scripts,
        unusable,
        removed,
        own,
      });
    }
  }

  result(): { readonly books: readonly BookVersion[]; readonly screening: readonly ScreeningIntake[] } {
    return { books: this.#books, screening: this.#screening };
  }
}
