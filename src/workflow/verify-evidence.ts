import type { VerifiedSignature } from '../approval/note.js';
import type { VerifierKey } from '../approval/note-key.js';
import { whoseKey } from '../approval/people.js';
import { verifySshsig } from '../approval/sshsig.js';
import { APPROVAL_NAMESPACE } from '../approval/statement.js';
import { equalBytes, trustedHex, utf8 } from '../domain/bytes.js';
import { type Fault, fail, fault } from '../domain/fault.js';
import { ownValue, parsedJson } from '../domain/json-difference.js';
import { type Network, parseNetwork } from '../domain/network.js';
import { err, ok, type Result } from '../domain/result.js';
import type { Checkpoint } from '../journal/checkpoint.js';
import type { Entry } from '../journal/entries.js';
import { type Evidence, parseEvidence } from '../journal/evidence-file.js';
import { rootOfSome } from '../journal/multi-proof.js';
import type { LoadedPolicy } from '../policy/types.js';
import { createDeriver } from '../vault/derive.js';
import { parseVault } from '../vault/descriptor.js';
import type { Deriver } from '../vault/types.js';
import { DocumentAudit } from './audit-documents.js';
import { signingProblem } from './audit-evidence.js';
import type { Body } from './audit-problem.js';
import { openCheckpoint, signedCheckpoint } from './checkpoint-files.js';
import { carriedBlobs, isGround } from './evidence.js';
import type { Documents } from './ports.js';

/** One batch, as far as the bundle tells it. */
export interface ProvenBatch {
  readonly id: string;
  readonly spend: string;
  readonly fee: string;
  readonly initiator: string;
  /** The newest verdict, at a plan or before signing. */
  readonly decision: string | null;
  readonly approvers: readonly string[];
  readonly txid: string | null;
  /** The kind of the newest entry about it. */
  readonly last: string;
}

export interface ProvenEvidence {
  readonly evidence: Evidence;
  readonly checkpoint: Checkpoint;
  readonly signed: readonly VerifiedSignature[];
  readonly inPeriod: number;
  readonly approvals: number;
  /** Under policies and books. */
  readonly documentSignatures: number;
  readonly signatures: number;
  readonly batches: readonly ProvenBatch[];
  /** Documents that are named and not carried, by the kind of their entry. */
  readonly left: number;
}

/**
 * Proves a bundle with nothing but the keys of those who signed its checkpoint: every entry lies in that tree, none of the
 * period is left out, every document is the one that is named, every policy and book is in its place and signed by those who
 * may, every approval is signed over this batch by a key of its policy, nothing was reserved or sent on another's word, every
 * transaction is the planned one with valid signatures. Verdicts are not judged again: that takes the journal.
 * E_EVIDENCE_FORM, E_EVIDENCE_INVALID, and what readers of checkpoints say.
 */
export async function verifyEvidence(
  bytes: Uint8Array,
  file: string,
  trusted: readonly VerifierKey[],
  documents: Documents,
): Promise<Result<ProvenEvidence, Fault>> {
  const read = parseEvidence(bytes, file);
  if (!read.ok) return read;
  const evidence = read.value;
  const signed = signedCheckpoint(utf8(evidence.checkpoint), file);
  if (!signed.ok) return signed;
  const { checkpoint } = signed.value;
  const opened = openCheckpoint(signed.value, trusted);
  if (!opened.ok) return opened;
  const placed = checkPlaces(evidence, checkpoint) ?? checkPeriod(evidence, checkpoint) ?? checkBlobs(evidence);
  if (placed !== null) return invalid(file, placed);
  const network = networkOf(evidence);
  if (!network.ok) return network;
  const judge = new EvidenceJudge(evidence, documents, network.value);
  for (const entry of evidence.entries) {
    const problem = await judge.take(entry);
    if (problem !== null) return invalid(file, `entry ${entry.seq}, ${entry.body.kind}: ${problem}`);
  }
  const { approvals, documentSignatures, signatures } = judge;
  const inPeriod = evidence.entries.filter((entry) => isWithin(entry, evidence)).length;
  const left = evidence.entries.filter(({ body }) => isUncarried(body)).length;
  return ok({
    evidence,
    checkpoint,
    signed: opened.value,
    inPeriod,
    approvals,
    documentSignatures,
    signatures,
    batches: judge.batches(),
    left,
  });
}

const isUncarried = ({ kind }: Entry['body']): boolean => kind === 'coins.imported' || kind === 'screening.imported';
const isWithin = ({ at }: Entry, { from, to }: Evidence): boolean => at >= from && at < to;

function checkPlaces({ entries, proof }: Evidence, { size, root }: Checkpoint): string | null {
  const leaves = entries.map(({ hash }) => trustedHex(hash));
  const seqs = entries.map(({ seq }) => seq);
  const made = rootOfSome(leaves, seqs, size, proof);
  return made !== null && equalBytes(made, root) ? null : 'its entries do not lead to the root of its checkpoint';
}

/** Numbers without a gap from the entry before the period to the one behind it: nothing in between was withheld. */
function checkPeriod(evidence: Evidence, { size }: Checkpoint): string | null {
  const within = evidence.entries.filter((entry) => isWithin(entry, evidence));
  const before = evidence.entries.filter(({ at }) => at < evidence.from).at(-1)?.seq ?? -1;
  const after = evidence.entries.find(({ at }) => at >= evidence.to)?.seq ?? size;
  const due = after - before - 1;
  if (within.length === due && within.every(({ seq }, index) => seq === before + 1 + index)) return null;
  return `it has ${within.length} entries of its period, and ${due} lie between its neighbours`;
}

function checkBlobs({ entries, blobs }: Evidence): string | null {
  const named = new Set(entries.flatMap(({ body }) => carriedBlobs(body)));
  const missing = [...named].find((name) => !blobs.has(name));
  if (missing !== undefined) return `document ${missing} is missing`;
  const stray = [...blobs.keys()].find((name) => !named.has(name));
  return stray === undefined ? null : `no entry names document ${stray}`;
}

function invalid(file: string, why: string): Result<never, Fault> {
  return fail('E_EVIDENCE_INVALID', why, {
    where: { file },
    remedy: 'believe nothing of this file; ask for a new bundle, and for the journal',
  });
}

/** E_EVIDENCE_INVALID where the opening of the journal is missing. */
function networkOf({ entries }: Evidence): Result<Network, Fault> {
  const opening = entries.find(({ body }) => body.kind === 'journal.opened')?.body;
  return opening?.kind === 'journal.opened'
    ? parseNetwork(opening.network)
    : fail('E_EVIDENCE_INVALID', 'the entry that opened the journal is missing');
}

class EvidenceJudge {
  approvals = 0;
  signatures = 0;
  readonly #evidence: Evidence;
  readonly #documents: Documents;
  readonly #policies = new Map<string, LoadedPolicy>();
  readonly #planned = new Map<string, { readonly entry: Entry; readonly body: Body<'batch.planned'> }>();
  readonly #batches = new Map<string, ProvenBatch>();
  readonly #ground: DocumentAudit;
  /** Until when whose word stands, by batch and person. */
  readonly #words = new Map<string, ReadonlyMap<string, string>>();
  #deriver: Deriver | null = null;

  constructor(evidence: Evidence, documents: Documents, network: Network) {
    this.#evidence = evidence;
    this.#documents = documents;
    const config = { network, policy: 'the policy', book: 'the book' };
    this.#ground = new DocumentAudit({ journal: { blob: (name) => this.#blob(name) }, config, ports: { documents } });
  }

  get documentSignatures(): number {
    return this.#ground.signatures;
  }

  batches(): readonly ProvenBatch[] {
    return [...this.#batches.values()];
  }

  /** What is wrong with the next entry; null for nothing. */
  async take(entry: Entry): Promise<string | null> {
    const { body } = entry;
    const held = isGround(body) ? await this.#ground.take(entry) : ok(undefined);
    if (!held.ok) return held.error.message;
    switch (body.kind) {
      case 'vault.imported':
        return this.#takeVault(body);
      case 'policy.activated':
        return this.#takePolicy(body);
      case 'batch.planned':
        return this.#takePlan(entry, body);
      default:
        return 'batch' in body ? this.#takeStep(entry, body) : null;
    }
  }

  #takeVault({ vault, network, descriptor }: Body<'vault.imported'>): string | null {
    const known = parseNetwork(network);
    const parsed = known.ok ? parseVault(vault, known.value, descriptor) : known;
    if (!parsed.ok) return parsed.error.message;
    this.#deriver = createDeriver(parsed.value);
    return null;
  }

  #takePolicy({ document, digest }: Body<'policy.activated'>): string | null {
    const bytes = this.#evidence.blobs.get(document);
    const policy = bytes === undefined ? null : this.#documents.policy(bytes, `policy ${digest}`);
    if (policy === null || !policy.ok) return 'its document cannot be read';
    if (policy.value.digest !== `sha256:${digest}`) return 'its document is another one';
    this.#policies.set(policy.value.digest, policy.value);
    return null;
  }

  #takePlan(entry: Entry, body: Body<'batch.planned'>): string | null {
    this.#planned.set(body.batch, { entry, body });
    const { batch: id, spend, fee, initiator } = body;
    this.#batches.set(id, { id, spend, fee, initiator, decision: null, approvers: [], txid: null, last: body.kind });
    return null;
  }

  async #takeStep({ at }: Entry, body: Extract<Entry['body'], { batch: string }>): Promise<string | null> {
    const batch = this.#batches.get(body.batch);
    const planned = this.#planned.get(body.batch);
    if (batch === undefined || planned === undefined) return 'the entry that planned its batch is missing';
    let now: ProvenBatch = { ...batch, last: body.kind };
    let problem: string | null = null;
    if (body.kind === 'batch.verdict') now = { ...now, decision: body.decision };
    if (body.kind === 'batch.approved') {
      problem = this.#approvalProblem(body, planned);
      this.#words.set(batch.id, new Map(this.#words.get(batch.id)).set(body.person, body.validUntil));
      this.approvals += 1;
    }
    if (body.kind === 'batch.withdrawn') {
      this.#words.set(batch.id, new Map([...this.#wordsOf(batch)].filter(([person]) => person !== body.person)));
    }
    if ('approvers' in body) problem = this.#baseProblem(batch, body.approvers, at);
    now = { ...now, approvers: [...this.#wordsOf(batch).keys()] };
    if (body.kind === 'batch.signed') {
      problem = await this.#signingProblem(body, planned.body.psbt);
      now = { ...now, txid: body.txid };
      this.signatures += body.signatures;
    }
    this.#batches.set(body.batch, now);
    return problem;
  }

  #wordsOf({ id }: ProvenBatch): ReadonlyMap<string, string> {
    return this.#words.get(id) ?? new Map();
  }

  /** Whatever is reserved or goes out does so on the word of people who have given it, and not taken it back. */
  #baseProblem(batch: ProvenBatch, approvers: readonly string[], at: string): string | null {
    const words = this.#wordsOf(batch);
    const absent = approvers.find((person) => at > (words.get(person) ?? ''));
    return absent === undefined ? null : `it goes on upon the word of ${absent}, who has no approval that stands`;
  }

  #approvalProblem(
    body: Body<'batch.approved'>,
    planned: { readonly entry: Entry; readonly body: Body<'batch.planned'> },
  ): string | null {
    const statement = this.#evidence.blobs.get(body.statement);
    if (statement === undefined) return 'its statement is missing';
    const signed = verifySshsig(body.signature, statement, APPROVAL_NAMESPACE);
    if (!signed.ok) return signed.error.message;
    const said = parsedJson(statement);
    const place = ownValue(said, 'journal');
    const due: readonly (readonly [string, unknown, unknown])[] = [
      ['batch', ownValue(said, 'batch'), body.batch],
      ['psbt_sha256', ownValue(said, 'psbt_sha256'), planned.body.psbt],
      ['approver', ownValue(said, 'approver'), body.person],
      ['valid_until', ownValue(said, 'valid_until'), body.validUntil],
      ['journal.seq', ownValue(place, 'seq'), planned.entry.seq],
      ['journal.hash', ownValue(place, 'hash'), planned.entry.hash],
    ];
    const other = due.find(([, found, expected]) => found !== expected);
    if (other !== undefined) return `the statement has another ${other[0]}`;
    const policy = this.#policies.get(String(ownValue(said, 'policy')));
    if (policy === undefined) return 'the policy that the statement names is not among those of the bundle';
    const owner = whoseKey(policy.document.roles, signed.value.publicKey);
    return owner === body.person ? null : `the key that signed is not one of ${body.person}'s keys in that policy`;
  }

  async #signingProblem(body: Body<'batch.signed'>, psbt: string): Promise<string | null> {
    if (this.#deriver === null) return 'the entry that imported the vault is missing';
    const journal = { blob: (name: string) => this.#blob(name) };
    return signingProblem({ journal }, this.#deriver, body, { psbt });
  }

  async #blob(name: string): Promise<Result<Uint8Array, Fault>> {
    const bytes = this.#evidence.blobs.get(name);
    return bytes === undefined ? err(fault('E_EVIDENCE_INVALID', `document ${name} is missing`)) : ok(bytes);
  }
}
