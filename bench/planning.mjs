// Planning 100 withdrawals over growing sets of coins: CPU time, its growth, and a bare sort of as many coins beside it.
//     npm run build && node bench/planning.mjs
import { createHash } from 'node:crypto';
import { defaultShapeLimits } from '../dist/selection/cost.js';
import { planTransactions } from '../dist/selection/plan.js';
import { random } from '../dist/selection/random.js';

const SIZES = [10_000, 25_000, 50_000, 100_000];
const ROUNDS = 5;

const hash = (text) => createHash('sha256').update(text).digest('hex');
const seed = hash('countersign bench');
const script = (number) => {
  const bytes = new Uint8Array(22);
  bytes.set([0, 20]);
  new DataView(bytes.buffer).setUint32(2, number);
  return bytes;
};

const vault = { id: 'bench', network: 'regtest', kind: 'wpkh', threshold: 1, keys: [], descriptor: '' };

// Deposits between 0.0001 and about 20 BTC, small ones far more often: uniform in the exponent.
const amounts = random(seed, 'input-order');
const deposit = () => BigInt(Math.floor(10_000 * 10 ** ((amounts.below(1_000_000) / 1_000_000) * 5.3)));
const coins = Array.from({ length: SIZES.at(-1) }, (_, index) => ({
  outpoint: { txid: hash(`coin ${index}`), vout: index % 4 },
  value: deposit(),
  script: script(index),
  origin: { branch: 0, index },
  height: 1,
  coinbase: false,
}));
const payments = Array.from({ length: 100 }, (_, index) => ({
  requestId: `W-${index}`,
  script: script(1_000_000 + index),
  value: deposit(),
}));

function plan(offered) {
  const result = planTransactions({
    vault,
    payments,
    coins: offered,
    feerate: 20_000n,
    longTermFeerate: 10_000n,
    limits: defaultShapeLimits(vault),
    tipHeight: 1_000,
    seed,
    nextChange: (n) => ({ origin: { branch: 1, index: n }, script: script(2_000_000 + n) }),
  });
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** Least CPU milliseconds of several rounds: what the work takes when nothing else disturbs it. */
function cpu(work) {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

const line = (...cells) => process.stdout.write(`${cells.map((cell) => String(cell).padStart(10)).join('')}\n`);

plan(coins.slice(0, 10_000));
line('coins', 'plan ms', 'growth', 'sort ms', 'plan/sort', 'parts', 'inputs');
let previous = null;
for (const size of SIZES) {
  const offered = coins.slice(0, size);
  const parts = plan(offered);
  const planning = cpu(() => plan(offered));
  const sorting = cpu(() => offered.toSorted((a, b) => (a.value < b.value ? 1 : a.value > b.value ? -1 : 0)));
  line(
    size,
    planning.toFixed(1),
    previous === null ? '' : `${(planning / previous).toFixed(2)}x`,
    sorting.toFixed(1),
    (planning / sorting).toFixed(2),
    parts.length,
    parts.reduce((sum, { inputs }) => sum + inputs.length, 0),
  );
  previous = planning;
}
