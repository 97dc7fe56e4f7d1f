import type { Machine } from '../../test/lab/rig/machine.ts';
import { until } from '../../test/lab/rig/wait.ts';
import { Program } from '../../test/lab/traffic/program.ts';
import { programFile } from '../program-files.ts';

/** What the manager says, and the change in the kernel's rules that is waited for. */
export interface Order {
  /** Written in one go. */
  readonly lines: readonly string[];
  /** Elements of the owned set added or removed, or rules added. */
  readonly awaits: 'added' | 'removed' | 'rules' | 'nothing';
  readonly count: number;
}

interface Outcome {
  readonly milliseconds: number;
}

/** Stands for the HA manager of a node: writes into a FIFO and sees what the kernel does. */
export class Manager {
  readonly #program: Program<Outcome, Order>;
  readonly #outcomes: Outcome[] = [];

  constructor(machine: Machine, fifo: string) {
    this.#program = new Program(machine, [programFile('manager'), fifo], (outcome) => {
      this.#outcomes.push(outcome);
    });
  }

  /** Says something and waits for the change. Returns the milliseconds from the one to the other. */
  async say(order: Order, boundMs = 20_000): Promise<number> {
    this.#program.tell(order);
    const outcome = await until(
      `${order.count} ${order.awaits} after "${order.lines.join(', ')}"`,
      () => this.#outcomes.shift() ?? this.#program.errors,
      boundMs,
      (seen) => seen !== '',
    );
    if (typeof outcome === 'string') {
      throw new Error(`the manager's program failed: ${outcome}`);
    }
    return outcome.milliseconds;
  }
}
