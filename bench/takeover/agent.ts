import * as z from 'zod';
import { askAgent } from '../../src/agent/control.ts';
import type { Status } from '../../src/observe/status.ts';
import { statusSchema } from '../../src/observe/status-schema.ts';
import type { Daemon } from '../../test/lab/rig/daemon.ts';
import type { FirewallNode } from '../../test/lab/rig/node.ts';
import { until } from '../../test/lab/rig/wait.ts';
import { programFile } from '../program-files.ts';

/** Longest turns of an agent's event loop since they were last asked for, in milliseconds. */
export interface Turns {
  /** By the clock. */
  readonly heldMs: number;
  /** Without the time in which other programs had the processors. */
  readonly ownMs: number;
}

/** One run over the table in which the agent touched the flows it owns. */
export interface Adoption {
  readonly flows: number;
  readonly milliseconds: number;
}

const turnsLine = z.object({ turns: z.object({ heldMs: z.number(), ownMs: z.number() }) });

/** The product's agent on a node, with a watch on its event loop. */
export class MeasuredAgent {
  readonly #node: FirewallNode;
  readonly #daemon: Daemon;

  private constructor(node: FirewallNode, daemon: Daemon) {
    this.#node = node;
    this.#daemon = daemon;
  }

  /** The configuration must have `log: { level: debug }`: that it has adopted is said there. */
  static async start(
    node: FirewallNode,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<MeasuredAgent> {
    const argv = [process.execPath, programFile('agent'), '-c', '/etc/conntrack-ha/cluster.yaml', 'run'];
    const agent = new MeasuredAgent(node, await node.machine.spawn('agent', argv, environment));
    await until(`the agent of ${node.name}`, () => agent.status(), 15_000);
    return agent;
  }

  async status(): Promise<Status> {
    const socket = this.#node.machine.path('/run/conntrack-ha/agent.sock');
    return statusSchema.parse(await askAgent(socket, { command: 'status' }, 5000));
  }

  get pid(): number {
    return this.#daemon.pid;
  }

  /** What it has printed so far. */
  output(): Promise<string> {
    return this.#daemon.output();
  }

  /** How far its log goes now. */
  async logged(): Promise<number> {
    return (await this.#daemon.output()).length;
  }

  /** Waits until it has, from that place of its log on, adopted so many flows or more. */
  async untilAdopted(from: number, atLeast: number): Promise<Adoption> {
    const lines = (text: string): readonly Adoption[] =>
      [...text.matchAll(/adopted (\d+) flows in (\d+) ms/g)].map(([, flows, milliseconds]) => ({
        flows: Number(flows),
        milliseconds: Number(milliseconds),
      }));
    const [found] = await this.#untilLogged(`adopting ${atLeast} flows`, from, (text) =>
      lines(text).filter(({ flows }) => flows >= atLeast),
    );
    return found;
  }

  /** Waits until it has, from that place of its log on, disowned, and has nothing else left to do. */
  async untilAtRest(from: number): Promise<void> {
    await this.#untilLogged('rest', from, (text) => text.match(/disowned.*adopted \d+ flows/s) ?? []);
  }

  async turns(): Promise<Turns> {
    const lines = async (): Promise<readonly string[]> =>
      (await this.#daemon.output()).split('\n').filter((line) => line.startsWith('{"turns":'));
    const before = (await lines()).length;
    await this.#daemon.kill('SIGUSR2');
    const after = await until('the longest turns', lines, 5000, (seen) => seen.length > before);
    return turnsLine.parse(JSON.parse(after.at(-1) ?? '')).turns;
  }

  async #untilLogged<T>(
    what: string,
    from: number,
    find: (text: string) => readonly T[],
  ): Promise<readonly [T, ...T[]]> {
    const found = await until(
      `${what} on ${this.#node.name}`,
      async () => find((await this.#daemon.output()).slice(from)),
      120_000,
      (all) => all.length > 0,
    );
    const [first, ...more] = found;
    if (first === undefined) {
      throw new RangeError(what);
    }
    return [first, ...more];
  }
}
