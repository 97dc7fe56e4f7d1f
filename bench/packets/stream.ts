import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from '../../test/lab/rig/machine.ts';
import { onlyChild, signal } from '../../test/lab/rig/processes.ts';
import { until } from '../../test/lab/rig/wait.ts';
import { PROCESSOR, type Receiver, receivedOn } from './receiver.ts';

/** What became of the packets of one turn. */
export interface Turn {
  /** How many the firewall took. */
  readonly taken: number;
  /** How many came out at its other side. */
  readonly through: number;
  /** Nanoseconds of processor time for each packet taken. */
  readonly each: number;
}

export interface StreamPlan {
  readonly name: string;
  /** The packets, as trafgen reads them. */
  readonly file: string;
  /** The device that they are sent on, and the one on which those come back that get through. */
  readonly way: readonly [string, string];
  readonly receiver: Receiver;
}

const TRIES = 50;

/** A program that sends the packets of a file round and round, at rest unless it is its turn. */
export class Stream {
  readonly #machine: Machine;
  readonly #plan: StreamPlan;
  /** The sender, in the host's numbering. */
  readonly #pid: number;

  private constructor(machine: Machine, plan: StreamPlan, pid: number) {
    this.#machine = machine;
    this.#plan = plan;
    this.#pid = pid;
  }

  /** Has a stream start and come to rest. */
  static async start(machine: Machine, plan: StreamPlan): Promise<Stream> {
    const { name, file, way, receiver } = plan;
    // With a gap, even of 0, it sends by send(2), so that the kernel gets each frame in one piece, as from a network card.
    const line = ['trafgen', '--cpus', '1', '--notouch-irq', '--gap', '0ns', '--in', file, '--out', way[0]];
    const before = receiver.packets();
    const daemon = await machine.spawn(name, ['taskset', '-c', PROCESSOR, ...line]);
    const stream = new Stream(machine, plan, await onlyChild(daemon.pid));
    await until(`packets of ${name}`, () => receiver.packets() > before, 10_000);
    await stream.#rest();
    return stream;
  }

  async turn(milliseconds: number): Promise<Turn> {
    const { receiver, way } = this.#plan;
    const through = receivedOn(this.#machine, way[1]);
    const [packets, clock] = [receiver.packets(), receiver.clock()];
    // Where others use the processor it may not have got it in that time.
    for (let tries = 0; tries < TRIES && receiver.packets() === packets; tries += 1) {
      signal(this.#pid, 'SIGCONT');
      await sleep(milliseconds);
      await this.#rest();
    }
    const [taken, ran] = [receiver.packets() - packets, receiver.clock() - clock];
    if (taken === 0 || ran === 0) {
      throw new Error(
        `${this.#plan.name}: ${taken} packets in ${ran} ns: either another program has the processor for itself, or this kernel's veth works otherwise`,
      );
    }
    return {
      taken,
      through: receivedOn(this.#machine, way[1]) - through,
      each: ran / taken,
    };
  }

  /** Nothing is under way afterwards: clock and counters fit to the packet. */
  async #rest(): Promise<void> {
    signal(this.#pid, 'SIGSTOP');
    const stat = `/proc/${this.#pid}/stat`;
    await until(`${this.#plan.name} to rest`, () => /\) T /.test(readFileSync(stat, 'utf8')), 10_000);
    await this.#plan.receiver.rest();
  }
}
