import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { Machine } from './machine.ts';
import { forgetMembers, leaveToRules, snoop } from './snooping.ts';
import { until } from './wait.ts';

/** Packets and bytes of one switch port since it was made. `from` the attached machine, `to` it. */
export interface PortCounters {
  readonly from: { readonly packets: number; readonly bytes: number };
  readonly to: { readonly packets: number; readonly bytes: number };
}

/**
 * A switch: a bridge in a namespace of its own that floods multicast addresses. The frames that a bridge floods are
 * clones sharing one buffer. The kernel copies before it translates, but not when it fragments again what it has
 * reassembled (the fast path of ip_do_fragment, net/ipv4/ip_output.c): then the other firewall gets the fragments with
 * the owner's translation in them. A wire doesn't do that. So a port for a firewall writes the source address over itself
 * on the way out, which makes the kernel copy the headers first (skb_ensure_writable in net/netfilter/nft_payload.c).
 */
export class Switch {
  /** Ports without a carrier, and ports that forward nothing: the kernel takes the second only where the first isn't so. */
  readonly #down = new Set<string>();
  readonly #silent = new Set<string>();

  private constructor(
    readonly name: string,
    readonly machine: Machine,
    readonly snoops: boolean,
  ) {}

  /** @param options.snooping the MAC that only members of its IP group get; undefined: everything is flooded */
  static async create(options: {
    run: string;
    name: string;
    logs: string;
    snooping?: string | undefined;
  }): Promise<Switch> {
    const machine = await Machine.start(options);
    await machine.ip([
      'link add br0 type bridge stp_state 0 mcast_snooping 0',
      'link set br0 addrgenmode none',
      'link set br0 up',
    ]);
    if (options.snooping !== undefined) {
      await snoop(machine, options.snooping);
    }
    return new Switch(options.name, machine, options.snooping !== undefined);
  }

  /** Plugs `device` of `machine` (which it makes) into port `port`. `unshare` false leaves frames shared. */
  async attach(machine: Machine, device: string, mac: string, port: string, unshare = true): Promise<void> {
    await this.machine.ip([
      `link add ${port} type veth peer name ${device} address ${mac} netns ${machine.pid}`,
      `link set ${port} addrgenmode none master br0 up`,
      ...(this.snoops ? [leaveToRules(port)] : []),
    ]);
    if (unshare) {
      await this.#unshare(port);
    }
  }

  /** Stops frames through the ports at once, both ways, leaving the carrier on; or lets them through again. */
  async forward(ports: readonly string[], on: boolean): Promise<void> {
    for (const port of ports) {
      on ? this.#silent.delete(port) : this.#silent.add(port);
    }
    await this.machine.ip(
      ports.filter((port) => !this.#down.has(port)).map((port) => `link set dev ${port} state ${on ? 3 : 0}`),
      'bridge',
    );
  }

  /**
   * Keeps frames from ports, as a switch does that has learnt or was told wrongly: `match` is what nft calls them (`ether daddr
   * 01:00:5e:00:01:01`). Returns how to give them out again.
   */
  async withhold(ports: readonly string[], match: string): Promise<() => Promise<void>> {
    const table = `netdev withhold_${ports.join('_')}`;
    const chains = ports.map(
      (port) => `chain ${port} { type filter hook egress device "${port}" priority -10; ${match} drop; }`,
    );
    const input = `table ${table} {}\ndelete table ${table}\ntable ${table} {\n${chains.join('\n')}\n}\n`;
    await this.machine.run(['nft', '-f', '-'], { input });
    return async () => {
      await this.machine.run(['nft', 'delete', 'table', ...table.split(' ')]);
    };
  }

  /** Takes the carrier of a port away, or gives it back. */
  async setPort(port: string, up: boolean): Promise<void> {
    await this.machine.ip([`link set ${port} ${up ? 'up' : 'down'}`]);
    up ? this.#down.delete(port) : this.#down.add(port);
    if (up && this.#silent.has(port)) {
      await this.forward([port], false);
    }
  }

  /** As if it had been switched off for so many milliseconds: all its ports lose their carrier at once. */
  async restart(milliseconds: number): Promise<void> {
    const ports = [...(await this.counters()).keys()];
    await this.machine.ip(ports.map((port) => `link set ${port} down`));
    await sleep(milliseconds);
    if (this.snoops) {
      await forgetMembers(this.machine);
    }
    await this.machine.ip(ports.map((port) => `link set ${port} up`));
  }

  /** Removes a port, unless it has gone already, with its other end. */
  async remove(port: string): Promise<void> {
    await this.machine.ip([`link delete ${port}`]).catch(() => undefined);
    this.#down.delete(port);
    this.#silent.delete(port);
    await until(`port ${port} of ${this.name} to go`, async () => !(await this.counters()).has(port), 10_000);
  }

  /** By port. */
  async counters(): Promise<Map<string, PortCounters>> {
    const { stdout } = await execa('nsenter', [
      `--net=/proc/${this.machine.pid}/ns/net`,
      ...['--', 'ip', '-j', '-s', 'link', 'show', 'master', 'br0'],
    ]);
    return parseCounters(stdout);
  }

  async #unshare(port: string): Promise<void> {
    const table = `netdev unshare_${port}`;
    const rules = [
      `add table ${table}`,
      `delete table ${table}`,
      `add table ${table}`,
      `add chain ${table} out { type filter hook egress device "${port}" priority 0; }`,
      `add rule ${table} out ether saddr set ether saddr`,
    ];
    await this.machine.run(['nft', '-f', '-'], { input: `${rules.join('\n')}\n` });
  }
}

interface LinkStatistics {
  readonly ifname: string;
  readonly stats64: Record<'rx' | 'tx', { packets: number; bytes: number }>;
}

/** Parses what `ip -j -s link` prints. */
export const parseCounters = (text: string): Map<string, PortCounters> => {
  const links: LinkStatistics[] = JSON.parse(text || '[]');
  const pick = ({ packets, bytes }: { packets: number; bytes: number }) => ({ packets, bytes });
  return new Map(
    links
      .filter(({ stats64 }) => stats64 !== undefined)
      .map(({ ifname, stats64 }) => [ifname, { from: pick(stats64.rx), to: pick(stats64.tx) }]),
  );
};
