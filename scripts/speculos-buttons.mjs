import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
const GIVE_UP_MS = 1_200_000;

/** How a person finds through each model's pages: which of them are approved, refused, or there without asking anything. */
const MODELS = {
  nanos: {
    height: 32,
    approving: /^(?:Continue|Approve|Sign transaction)$/,
    refusing: /^Reject$/,
    passing: /is ready$|Processing|Loading/,
  },
  nanosp: {
    height: 64,
    approving: /^(?:Sign transaction|Approve public key|Confirm|Register account)$/,
    refusing: /^(?:Reject|Cancel)/,
    passing:
      /is ready$|^(?:Loading|Signing) |^Loading$|^(?:Transaction|Address|Account|Public key) (?:signed|rejected|verified|registered|approved|verification cancelled)$|^App info$|^Quit app$/,
  },
};

export const MODEL_NAMES = Object.keys(MODELS);

/** A person at a Speculos emulator of a model: reads each page through the HTTP API and presses the buttons. */
export class Buttons {
  #address;
  #model;

  constructor(address, model) {
    this.#address = address;
    this.#model = MODELS[model];
  }

  /** Waits until the app is at its first page, on a screen that this model has. */
  async idle() {
    const png = Buffer.from(await (await fetch(new URL('/screenshot', this.#address))).arrayBuffer());
    // The height stands in the second word of a PNG's first chunk.
    if (png.readUInt32BE(20) !== this.#model.height) throw new Error('this emulator is another model');
    for (let waited = 0; waited < GIVE_UP_MS; waited += POLL_MS) {
      if ((await this.#screen()).at(-1)?.endsWith('is ready')) return;
      await sleep(POLL_MS);
    }
    throw new Error('the app did not return to its first page: press its buttons yourself, then record again');
  }

  /**
   * Pages through everything that is shown until `work` ends, and approves or refuses at the last page of each review; a
   * number for `answer` is how many reviews are approved before one is refused. Returns the result of `work` and every
   * page, in order: the first line is its title, further ones are its text.
   */
  async during(work, answer) {
    let done = false;
    const result = work.finally(() => {
      done = true;
    });
    const screens = [];
    let seen = '';
    let last = '';
    let approvals = { approve: Number.POSITIVE_INFINITY, refuse: 0 }[answer] ?? answer;
    for (let waited = 0; !done; waited += POLL_MS) {
      if (waited > GIVE_UP_MS) throw new Error(`nothing new on the screen after ${JSON.stringify(screens.at(-1))}`);
      const lines = await this.#screen();
      const text = lines.join(' ');
      // A page is drawn line by line: it is read when it has stood still.
      const stands = text === seen;
      seen = text;
      if (stands && text !== last && lines.length > 0 && !this.#model.passing.test(text)) {
        waited = 0;
        last = text;
        screens.push({ title: lines[0], text: lines.slice(1).join('\n') });
        const approves = approvals > 0 && this.#model.approving.test(text);
        if (approves) approvals -= 1;
        const decides = approves || (approvals === 0 && this.#model.refusing.test(text));
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
