import { formatBtc, type Sats } from '../../domain/sats.js';
import type { Screen } from '../types.js';
import type { Layout, Ticker } from './layout.js';
import { pages } from './nanosp-pages.js';

/** Below this total of the inputs, in sats, the app does not warn of high fees. */
const HIGH_FEE_FLOOR = 100_000n;
/** Up to so many outputs are prepared and then shown at once; more are shown while they are read, under another title. */
const SHOWN_AT_ONCE = 16;

const SIGN: Screen = { title: 'Sign transaction', text: '' };
const CONFIRM: Screen = { title: 'Confirm', text: '' };
const REGISTER: Screen = { title: 'Register account', text: '' };
const APPROVE_KEY: Screen = { title: 'Approve public key', text: '' };
const APPROVED = new Set([SIGN, CONFIRM, REGISTER, APPROVE_KEY].map(({ title }) => title));
const VERIFY: Screen = { title: 'Verify bitcoin', text: 'address' };

/** "0.015 TEST", "2 BTC": without trailing zeros. */
const amount = (sats: Sats, ticker: Ticker): string => `${formatBtc(sats).replace(/\.?0+$/, '')} ${ticker}`;

/** A Nano S Plus: one review from the first output to the fee, approved once at its end. */
export const nanosp: Layout = {
  model: 'nanosp',
  recorded: '2.4.6',
  alike: ['2.4.3', '2.5.0'],
  signing({ wallet, outputs, fee, inputsTotal, ticker }) {
    const isStreamed = outputs.length > SHOWN_AT_ONCE;
    const warns = 10n * fee >= inputsTotal && inputsTotal > HIGH_FEE_FLOOR;
    return [
      { title: 'Review transaction', text: 'to send bitcoin' },
      ...(wallet === null ? [] : pages('From', wallet)),
      ...outputs.flatMap(({ value, address }, index) => [
        ...(outputs.length > 1 ? pages('Transaction output', `${index + 1} of ${outputs.length}`) : []),
        ...pages('Amount', amount(value, ticker)),
        ...pages(isStreamed ? 'Address' : 'To', address),
      ]),
      ...(outputs.length === 0 ? pages('Amount', `0 ${ticker} (self-transfer)`) : []),
      ...(warns ? [{ title: 'High fees warning', text: 'Fees are above 10%\n of total amount' }] : []),
      ...pages('Fees', amount(fee, ticker)),
      SIGN,
    ];
  },
  address: (wallet, address) => [
    VERIFY,
    ...pages('Address', address),
    ...(wallet === null ? [] : pages('Account name', wallet)),
    CONFIRM,
  ],
  registration: ({ name, template, keys }, isOurs) => [
    { title: 'Review account', text: 'to register' },
    ...pages('Account name', name),
    ...pages('Wallet policy', template),
    { title: 'Review co-signer', text: 'public keys' },
    ...keys.flatMap((key, index) => pages(`${isOurs[index] ? 'Our' : 'Their'} key@${index}`, key)),
    REGISTER,
  ],
  key: (path, xpub) => [
    { title: 'Confirm public key', text: '' },
    ...pages('Path', path),
    ...pages('Public key', xpub),
    APPROVE_KEY,
  ],
  isApproved: ({ title, text }) => text === '' && APPROVED.has(title),
};
