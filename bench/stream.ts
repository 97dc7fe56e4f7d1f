import { addressAt } from '../test/lab/flows.ts';
import type { Lab } from '../test/lab/rig/lab.ts';
import { SERVER } from '../test/lab/rig/plan.ts';
import { until } from '../test/lab/rig/wait.ts';
import { Program } from '../test/lab/traffic/program.ts';
import { programFile } from './program-files.ts';
import type { Arrivals } from './programs/arrivals.ts';

const PORT = 9000;
/** Longer without a datagram is an interruption; keepalived doesn't notice a death sooner than in three advertisements. */
const QUIET_MS = 100;

/** A datagram a millisecond from a client through the node whose home its address is, counted at the server. */
export class Stream {
  readonly #server: Program<Arrivals, string>;
  readonly #said: Arrivals[] = [];

  constructor(lab: Lab) {
    this.#server = new Program(lab.server, [programFile('arrivals'), String(PORT)], (value: Arrivals) => {
      this.#said.push(value);
    });
    const client = lab.client('c1');
    const from = addressAt(client.plan, 'fw1');
    new Program(client.machine, [programFile('stream'), from, SERVER, String(PORT)], () => undefined);
  }

  /** What came since it was asked last. */
  async arrivals(): Promise<Arrivals> {
    const before = this.#said.length;
    this.#server.tell('');
    await until(
      'the server',
      () => this.#said.length > before || this.#server.errors,
      5000,
      (state) => state === true,
    );
    const last = this.#said.at(-1);
    if (last === undefined) {
      throw new RangeError('the server said nothing');
    }
    return last;
  }

  /** Waits until datagrams come one after the other. */
  async flows(): Promise<void> {
    await until(
      'the stream',
      () => this.arrivals(),
      10_000,
      ({ count, longestMs }) => count > 0 && longestMs < QUIET_MS,
    );
  }

  /** Waits for the end of an interruption. Returns how long that was, in milliseconds. */
  async silence(): Promise<number> {
    const { longestMs } = await until(
      'the stream after an interruption',
      () => this.arrivals(),
      10_000,
      (seen) => seen.longestMs >= QUIET_MS,
    );
    return longestMs;
  }
}
