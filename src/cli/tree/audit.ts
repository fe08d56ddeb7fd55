import type { CommandSpec } from '../command.js';

const FROM = { flags: '--from <time>', about: 'from this time on, UTC: 2026-06-01T00:00:00Z' };
const TO = { flags: '--to <time>', about: 'before this time' };

/** The journal, and the proofs of it. */
export const AUDIT_COMMANDS: readonly CommandSpec[] = [
  {
    path: ['audit', 'log'],
    about: 'print the journal, one entry after another; --json has every field',
    args: [],
    options: [{ flags: '--from <seq>', about: 'begin at this sequence number' }],
    example: 'countersign audit log',
    load: () => import('../verbs/audit-log.js'),
  },
  {
    path: ['audit', 'verify'],
    about: 'prove the journal again: every hash, policy, verdict, approval and signature',
    args: [],
    options: [
      { flags: '--head <seq:hash>', about: 'a head noted elsewhere, which must lie on the chain' },
      {
        flags: '--checkpoint <file...>',
        about: 'checkpoints that the journal must begin with; with --trust their signatures',
      },
      { flags: '--tiles <dir>', about: 'the export of the newest checkpoint, to name the entry that differs' },
      { flags: '--read-only', about: 'only say what is found: raise no halt' },
      { flags: '--proof <file>', about: 'check this proof alone, without a workspace' },
      { flags: '--bundle <file>', about: 'check this bundle of evidence alone, without a workspace' },
      { flags: '--old <file>', about: 'with --proof: the older checkpoint of a proof of growth' },
      { flags: '--trust <key...>', about: 'verifier keys, or files with them: whose signatures are believed' },
    ],
    example: 'countersign audit verify',
    load: () => import('../verbs/audit-verify.js'),
  },
  {
    path: ['audit', 'key'],
    about: 'make a signing key: of this journal, for checkpoints, or of a witness (docs/proofs.md)',
    args: [{ name: '<file>', about: 'the file to write; FILE.pub holds the verifier key' }],
    options: [{ flags: '--witness <name>', about: 'of a witness of that name; needs no workspace' }],
    example: 'countersign audit key journal.key',
    load: () => import('../verbs/audit-key.js'),
  },
  {
    path: ['audit', 'checkpoint'],
    about: 'sign the root of the tree over all entries; the journal itself stays as it is',
    args: [{ name: '<out>', about: 'the file to write' }],
    options: [
      { flags: '--key <file>', about: 'the signing key of this journal' },
      { flags: '--old <checkpoint>', about: 'with a proof that the journal begins with this one: a file or its size' },
    ],
    example: 'countersign audit checkpoint checkpoint-1 --key journal.key',
    load: () => import('../verbs/audit-checkpoint.js'),
  },
  {
    path: ['audit', 'witness'],
    about: 'cosign a checkpoint that goes on from the last one that was cosigned; needs no workspace',
    args: [{ name: '<checkpoint>', about: 'as audit checkpoint wrote it' }],
    options: [
      { flags: '--key <file>', about: 'the signing key of the witness' },
      { flags: '--state <file>', about: 'what this witness has cosigned so far; made the first time' },
      { flags: '--log <key>', about: 'the first time: the verifier key of the journal, or a file with it' },
      { flags: '--out <file>', about: 'the file to write; default: CHECKPOINT.cosigned' },
    ],
    example: 'countersign audit witness checkpoint-1 --key erin.key --state erin.json --log journal.key.pub',
    load: () => import('../verbs/audit-witness.js'),
  },
  {
    path: ['audit', 'prove'],
    about: 'write a proof that an entry is in a checkpoint, or that a checkpoint begins with an older one',
    args: [{ name: '[seq]', about: 'the entry' }],
    options: [
      { flags: '--checkpoint <file>', about: 'a signed checkpoint of this journal' },
      { flags: '--old <file>', about: 'prove growth since this one instead' },
      { flags: '--out <file>', about: 'the file to write' },
    ],
    example: 'countersign audit prove 3 --checkpoint checkpoint-1 --out entry-3.tlog-proof',
    load: () => import('../verbs/audit-prove.js'),
  },
  {
    path: ['audit', 'bundle'],
    about: 'write what happened in a period as evidence that proves itself elsewhere (docs/evidence.md)',
    args: [{ name: '<out>', about: 'the file to write' }],
    options: [FROM, TO, { flags: '--checkpoint <file>', about: 'a signed checkpoint of this journal' }],
    example:
      'countersign audit bundle june.evidence --from 2026-06-01T00:00:00Z --to 2026-07-01T00:00:00Z --checkpoint checkpoint-1',
    load: () => import('../verbs/audit-bundle.js'),
  },
  {
    path: ['audit', 'payments'],
    about: 'list every payment that was planned, with what became of it; as CSV for a spreadsheet, or --json',
    args: [],
    options: [FROM, TO, { flags: '--csv <file>', about: 'write it there instead of printing it' }],
    example: 'countersign audit payments --from 2026-06-01T00:00:00Z',
    load: () => import('../verbs/audit-payments.js'),
  },
  {
    path: ['audit', 'report'],
    about: 'say what happened in a period, from the journal alone: payments, denials, people, limits (docs/auditor.md)',
    args: [],
    options: [FROM, TO, { flags: '--out <file>', about: 'write it there as Markdown instead of printing it' }],
    example: 'countersign audit report --from 2026-06-01T00:00:00Z --to 2026-07-01T00:00:00Z',
    load: () => import('../verbs/audit-report.js'),
  },
  {
    path: ['audit', 'export'],
    about: 'write the tree and the entries of a checkpoint as static files (c2sp.org/tlog-tiles)',
    args: [],
    options: [
      { flags: '--tiles <dir>', about: 'the folder; what is there already stays' },
      { flags: '--checkpoint <file>', about: 'a signed checkpoint of this journal' },
    ],
    example: 'countersign audit export --tiles export --checkpoint checkpoint-1',
    load: () => import('../verbs/audit-export.js'),
  },
  {
    path: ['audit', 'replay'],
    about: 'judge every verdict again, from the journal alone: each has to come out to the byte',
    args: [],
    options: [],
    example: 'countersign audit replay',
    load: () => import('../verbs/audit-replay.js'),
  },
];
