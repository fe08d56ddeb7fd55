import { formatBtc, type Sats } from '../../domain/sats.js';
import type { Screen } from '../types.js';
import type { Layout, Ticker } from './layout.js';
import { pages } from './nanos-pages.js';

/** Below this total of the inputs, in sats, the app does not warn of high fees. */
const HIGH_FEE_FLOOR = 10_000n;

const APPROVE: Screen = { title: 'Approve', text: '' };
const CONTINUE: Screen = { title: 'Continue', text: '' };
const SIGN: Screen = { title: 'Sign', text: 'transaction' };
const APPROVED = new Set([APPROVE, CONTINUE, SIGN].map(({ title, text }) => `${title} ${text}`));

/** "TEST 0.015", "BTC 2": without trailing zeros. */
const amount = (sats: Sats, ticker: Ticker): string => `${ticker} ${formatBtc(sats).replace(/\.?0+$/, '')}`;

/** A Nano S: every output is approved, then a warning of high fees, then the fee. Outputs are numbered without change. */
export const nanos: Layout = {
  model: 'nanos',
  recorded: '2.2.7',
  alike: ['2.2.0', '2.3.0'],
  signing({ wallet, outputs, fee, inputsTotal, ticker }) {
    const warns = 10n * fee >= inputsTotal && inputsTotal > HIGH_FEE_FLOOR;
    return [
      ...(wallet === null
        ? []
        : [{ title: 'Spend from', text: 'known wallet' }, ...pages('Wallet name:', wallet), CONTINUE]),
      ...outputs.flatMap(({ value, address }, index) => [
        { title: 'Review', text: `output #${index + 1}` },
        ...pages('Amount', amount(value, ticker)),
        ...pages('Address', address),
        CONTINUE,
      ]),
      ...(warns ? [{ title: 'Fees over 10%', text: 'of total value!' }, CONTINUE] : []),
      ...(outputs.length === 0 ? [{ title: 'Confirm', text: 'self-transfer' }] : []),
      ...pages('Fees', amount(fee, ticker)),
      SIGN,
    ];
  },
  address(wallet, address) {
    const shown = [...pages('Address', address), APPROVE];
    if (wallet === null) return shown;
    return [{ title: 'Receive in', text: 'known wallet' }, ...pages('Wallet name:', wallet), ...shown];
  },
  registration: ({ name, template, keys }, isOurs) => [
    { title: 'Register wallet', text: '' },
    ...pages('Wallet name:', name),
    ...pages('Wallet policy:', template),
    APPROVE,
    ...keys.flatMap((key, index) => [...pages(`Key @${index}, ${isOurs[index] ? 'ours' : 'theirs'}`, key), APPROVE]),
  ],
  key: (path, xpub) => [
    { title: 'Confirm public key', text: '' },
    ...pages('Path', path),
    ...pages('Public key', xpub),
    APPROVE,
  ],
  isApproved: ({ title, text }) => APPROVED.has(`${title} ${text}`),
};
