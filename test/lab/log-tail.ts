import { expect } from 'vitest';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';

/** What a node's agent has logged since one looked last. */
export class LogTail {
  readonly #node: FirewallNode;
  #read = 0;

  constructor(node: FirewallNode) {
    this.#node = node;
  }

  /** Forgets what was logged until now. */
  async forget(): Promise<void> {
    this.#read = (await this.#node.daemon('agent').output()).length;
  }

  /** Waits for a line that matches. */
  async hears(line: RegExp, boundMs = 5000): Promise<void> {
    await until(
      `${line} in the log`,
      async () => (await this.#lines()).join('\n'),
      boundMs,
      (text) => line.test(text),
    );
  }

  /** Repeats `act` until a line matches: for what may get lost, or is reported once in a while only. */
  async repeats(act: () => Promise<unknown>, line: RegExp): Promise<void> {
    await until(
      `${line} in the log`,
      async () => {
        await act();
        return (await this.#lines()).join('\n');
      },
      5000,
      (text) => line.test(text),
    );
  }

  /** Waits for what `act` makes the agent warn of, then asks for its status: it goes on, and has said no second line. */
  async warnsOnce(act: () => Promise<unknown>, warning: RegExp): Promise<void> {
    await this.forget();
    await act();
    await until(
      `${warning} in the log`,
      () => this.warnings(),
      5000,
      (lines) => lines.length > 0,
    );
    await this.#node.product(['status', '--json']);
    expect(await this.warnings()).toEqual([expect.stringMatching(warning)]);
  }

  /** Every line that isn't plain information. */
  async warnings(): Promise<readonly string[]> {
    return (await this.#lines()).filter((line) => !/^\S+ fw\d: /.test(line));
  }

  async #lines(): Promise<readonly string[]> {
    const text = await this.#node.daemon('agent').output();
    return text.slice(this.#read).split('\n').filter(Boolean);
  }
}
