import type { ExitName } from '../../domain/exit-codes.js';

/** One step of the demo: what is said, and the command line that an officer would type. */
export interface DemoStep {
  /** The clock of the step (ISO 8601). */
  readonly at: string;
  readonly say: string;
  readonly argv: readonly string[];
  readonly expect: ExitName;
  /** What is done to the bundled files before it. */
  readonly before?: 'tamper';
}

/** Stands for the id of the newest batch. */
export const NEWEST = '{batch}';

export const RECORDINGS = ['recordings/withdrawals.apdu', 'recordings/second.apdu'] as const;
export const TAMPERED = 'recordings/tampered.apdu';
export const SEEDS = ['11'.repeat(32), '22'.repeat(32), '33'.repeat(32)] as const;

const APRIL = '2026-04-01T09:00:00Z';
const MAY = '2026-05-26T09:00:00Z';

const approve = (at: string, person: string, say: string): DemoStep => ({
  at,
  say,
  argv: ['batch', 'approve', NEWEST, '--key', `keys/${person}`],
  expect: 'OK',
});

export const DEMO_STEPS: readonly DemoStep[] = [
  {
    at: APRIL,
    say: 'April. A workspace for an exchange on testnet: the cold wallet, its policy, its address book.',
    argv: ['init', '.', '--network', 'testnet3'],
    expect: 'OK',
  },
  { at: APRIL, say: '', argv: ['vault', 'import', 'demo-cold', 'descriptor.txt'], expect: 'OK' },
  { at: APRIL, say: '', argv: ['policy', 'activate', 'policy.yaml'], expect: 'OK' },
  { at: APRIL, say: '', argv: ['book', 'import', 'book-1.yaml'], expect: 'OK' },
  {
    at: MAY,
    say: 'Late May. Twenty-one payout addresses of a new partner enter the book. They look like any others.',
    argv: ['book', 'import', 'book-2.yaml'],
    expect: 'OK',
  },
  {
    at: '2026-06-01T11:30:00Z',
    say: 'Monday, 1 June. A coin snapshot comes from the online machine on a stick.',
    argv: ['coins', 'import', 'coins.json'],
    expect: 'OK',
  },
  { at: '2026-06-01T11:31:00Z', say: '', argv: ['vault', 'balance'], expect: 'OK' },
  {
    at: '2026-06-01T12:00:00Z',
    say: 'Alice plans the withdrawals of the day.',
    argv: ['batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--seed', SEEDS[0]],
    expect: 'OK',
  },
  {
    at: '2026-06-01T12:01:00Z',
    say: 'She cannot sign on her own word.',
    argv: ['batch', 'sign', NEWEST, '--device', `replay:${RECORDINGS[0]}`],
    expect: 'APPROVALS_MISSING',
  },
  approve('2026-06-01T12:05:00Z', 'bob', 'Bob and Carol approve, each with an SSH signature over these very bytes.'),
  approve('2026-06-01T12:06:00Z', 'carol', ''),
  {
    at: '2026-06-01T12:10:00Z',
    say: "A Nano S signs. Its side of the conversation is a recording of Ledger's Bitcoin Test app 2.2.7.",
    argv: ['batch', 'sign', NEWEST, '--device', `replay:${RECORDINGS[0]}`],
    expect: 'OK',
  },
  {
    at: '2026-06-01T12:30:00Z',
    say: 'Half an hour later: 7 May 2019 again, scaled 1:100. 44 payments, 21 of them to the new addresses, which take 99.97 %.',
    argv: ['batch', 'plan', 'theft.csv', '--as', 'alice', '--seed', SEEDS[1], '--max-outputs', '44'],
    expect: 'DENIED',
  },
  {
    at: '2026-06-01T12:40:00Z',
    say: "Then a policy under which it would pass, with both auditors' signatures. It loosens, so it has to wait 72 hours.",
    argv: ['policy', 'activate', 'looser.yaml'],
    expect: 'DENIED',
  },
  {
    at: '2026-06-01T13:00:00Z',
    say: 'One more honest batch, and this time something between countersign and the device changes one byte of a signature.',
    argv: ['batch', 'plan', 'second.csv', '--as', 'alice', '--seed', SEEDS[2]],
    expect: 'OK',
  },
  approve('2026-06-01T13:01:00Z', 'bob', ''),
  approve('2026-06-01T13:02:00Z', 'carol', ''),
  {
    at: '2026-06-01T13:05:00Z',
    say: '',
    argv: ['batch', 'sign', NEWEST, '--device', `replay:${TAMPERED}`],
    expect: 'DEVICE_MISMATCH',
    before: 'tamper',
  },
  {
    at: '2026-06-01T13:06:00Z',
    say: 'The journal has all of it. The tampered batch counts as spent, since a good signature may exist somewhere.',
    argv: ['batch', 'list'],
    expect: 'OK',
  },
  { at: '2026-06-01T13:07:00Z', say: '', argv: ['audit', 'verify'], expect: 'OK' },
];
