import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 25;
const GIVE_UP_MS = 60_000;
/** Pages that end a review with both buttons. */
const APPROVING = new Set(['Continue', 'Approve', 'Sign transaction']);
/** Texts of an app that waits for nobody. */
const BUSY = ['is ready', 'Processing', 'Loading'];

/** A person at the Nano S of a Speculos emulator: reads each page through the HTTP API and presses the buttons. */
export class Buttons {
  #address;

  constructor(address) {
    this.#address = address;
  }

  /** Waits until the app is at its first page. */
  async idle() {
    for (let waited = 0; waited < GIVE_UP_MS; waited += POLL_MS) {
      if ((await this.#screen()).at(-1) === 'is ready') return;
      await sleep(POLL_MS);
    }
    throw new Error('the app did not return to its first page: press its buttons yourself, then record again');
  }

  /**
   * Pages through everything that is shown until `work` ends, and approves or refuses at the last page of each review; a
   * number for `answer` is how many reviews are approved before one is refused. Returns the result of `work` and every page, in order.
   */
  async during(work, answer) {
    let done = false;
    const result = work.finally(() => {
      done = true;
    });
    const screens = [];
    let last = '';
    let approvals = { approve: Number.POSITIVE_INFINITY, refuse: 0 }[answer] ?? answer;
    for (let waited = 0; !done; waited += POLL_MS) {
      if (waited > GIVE_UP_MS) throw new Error(`nothing new on the screen after ${JSON.stringify(screens.at(-1))}`);
      const lines = await this.#screen();
      const text = lines.join(' ');
      if (text !== last && lines.length > 0 && !BUSY.some((busy) => text.includes(busy))) {
        waited = 0;
        last = text;
        screens.push({ title: lines[0], text: lines.slice(1).join(' ') });
        const approves = approvals > 0 && APPROVING.has(text);
        if (approves) approvals -= 1;
        const decides = approves || (approvals === 0 && text === 'Reject');
        await this.#press(decides ? 'both' : 'right');
      }
      await sleep(POLL_MS);
    }
    return { result: await result, screens };
  }

  /** The lines that are on the screen now, from the top. */
  async #screen() {
    const response = await fetch(new URL('/events?currentscreenonly=true', this.#address));
    const { events } = await response.json();
    return events.map(({ text }) => text);
  }

  async #press(button) {
    const body = JSON.stringify({ action: 'press-and-release', delay: 0.03 });
    await fetch(new URL(`/button/${button}`, this.#address), { method: 'POST', body });
  }
}
