import type { Daemon } from '../rig/daemon.ts';
import type { FirewallNode } from '../rig/node.ts';

/** `[2026-11-29T22:48:27.9] Deleted 3: eth1    inet 192.168.0.5/32 ...` */
const EVENT = /^\[(\S+)\] (Deleted )?\d+: (\S+) +inet6? (\S+)/gm;

/** Knows how long addresses of a node were gone, by what its kernel has told. */
export class AddressWatch {
  readonly #monitor: Daemon;

  private constructor(monitor: Daemon) {
    this.#monitor = monitor;
  }

  static async start(node: FirewallNode): Promise<AddressWatch> {
    return new AddressWatch(await node.machine.spawn('addresses', ['ip', '-ts', 'monitor', 'address']));
  }

  /** How long each of these was gone when it was so for longest, in milliseconds; infinite if it still is, 0 if it never was. */
  async gone(addresses: readonly string[]): Promise<readonly number[]> {
    const events = [...(await this.#monitor.output()).matchAll(EVENT)].map(
      ([, at = '', deleted, , address]) => ({ at: Date.parse(at), deleted: deleted !== undefined, address }),
    );
    return addresses.map((wanted) => {
      let since: number | undefined;
      let longest = 0;
      for (const { at, deleted } of events.filter(({ address }) => address === wanted)) {
        if (deleted) since ??= at;
        else {
          longest = Math.max(longest, at - (since ?? at));
          since = undefined;
        }
      }
      return since === undefined ? longest : Number.POSITIVE_INFINITY;
    });
  }
}
