import { readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import type { Machine } from '../../test/lab/rig/machine.ts';
import { until } from '../../test/lab/rig/wait.ts';

/** The one processor that senders and receivers take turns on. */
export const PROCESSOR = '0';

/**
 * The kernel's thread that takes packets from a device of a machine and does with them whatever is to be done, up to where
 * they are dropped or handed to the next device. So its time is the firewall's, with nothing of the sender's in it. As with a
 * network card it takes up to 64 packets at once: by themselves most of the time would go to finding the code again.
 */
export class Receiver {
  readonly #machine: Machine;
  readonly #device: string;
  readonly #pid: number;

  private constructor(machine: Machine, device: string, pid: number) {
    this.#machine = machine;
    this.#device = device;
    this.#pid = pid;
  }

  /**
   * Has a virtual device work like that (NAPI, which veth has with GRO; /sys/class/net/DEVICE/threaded). The other end must
   * have no segmentation (TSO), else it gets past NAPI: veth_skb_is_eligible_for_gro() in drivers/net/veth.c.
   */
  static async create(machine: Machine, device: string): Promise<Receiver> {
    const before = threadsOf(device);
    await machine.run(['ethtool', '-K', device, 'gro', 'on']);
    await machine.run(['tee', `/sys/class/net/${device}/threaded`], { input: '1' });
    const came = threadsOf(device).filter((one) => !before.includes(one));
    const [pid] = came;
    if (pid === undefined || came.length > 1) {
      throw new Error(
        `${came.length} threads came for ${device} instead of one: threaded NAPI needs Linux 5.12, and one benchmark at a time`,
      );
    }
    return new Receiver(machine, device, pid);
  }

  /** It takes turns with a sender on the same processor, and never interrupts it (SCHED_BATCH): 256 packets come first. */
  async follow(): Promise<void> {
    await execa('chrt', ['--batch', '--pid', '0', String(this.#pid)]);
    await execa('taskset', ['-cp', PROCESSOR, String(this.#pid)]);
  }

  /** Waits until nothing is in the queue. */
  async rest(): Promise<void> {
    let last = -1;
    await until(
      `${this.#device} of ${this.#machine.name} to rest`,
      () => {
        const before = last;
        last = this.packets();
        return last === before && /\) [SI] /.test(readFileSync(`/proc/${this.#pid}/stat`, 'utf8'));
      },
      10_000,
    );
  }

  /** Time that it has run, in nanoseconds. Documentation/scheduler/sched-stats.rst. */
  clock(): number {
    const [ran = ''] = readFileSync(`/proc/${this.#pid}/schedstat`, 'utf8').split(' ');
    return Number(ran);
  }

  /** How many it has taken from the queue. */
  packets(): number {
    return receivedOn(this.#machine, this.#device);
  }
}

/** Packets that a device of a machine has received. proc_net(5): the first number that isn't of bytes. */
export const receivedOn = (machine: Machine, device: string): number => {
  const text = readFileSync(`/proc/${machine.pid}/net/dev`, 'utf8');
  const [, packets = ''] = new RegExp(`^ *${device}: *\\d+ +(\\d+)`, 'm').exec(text) ?? [];
  return Number(packets);
};

/** The kernel's threads of devices of this name, in any machine. */
const threadsOf = (device: string): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandOf(pid).startsWith(`napi/${device}-`))
    .map(Number);

const commandOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return ''; // gone since
  }
};
