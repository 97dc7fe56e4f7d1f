import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SHARED } from '../../test/kernel/dataplane/cluster-config.ts';
import { Machine } from '../../test/lab/rig/machine.ts';
import {
  createRunDirectory,
  type RunDirectory,
  removeRunDirectory,
} from '../../test/lab/rig/run-directory.ts';
import { progress } from '../progress.ts';
import { answersOf, translatedAnswer } from './answers.ts';
import type { Family, Tuple } from './family.ts';
import { DEVICES, dropAllOn, type Firewall, OWN_MACS, type Side } from './firewalls.ts';
import { flowsFrom, packetsOf, reversed } from './frames.ts';
import { Receiver } from './receiver.ts';
import { Stream, type Turn } from './stream.ts';

/** Whose packets a stream consists of. */
export type Owner = 'own' | 'foreign';

/** A stream of a firewall: whose packets, and on which side they come in. */
export interface Sent {
  readonly firewall: Firewall;
  readonly owner: Owner;
  readonly from: Side;
  /** Throws if a packet has gone where it shouldn't. */
  readonly turn: (milliseconds: number) => Promise<Turn>;
}

interface Site {
  readonly firewall: Firewall;
  readonly machine: Machine;
  /** The sender's. */
  readonly links: Readonly<Record<Side, string>>;
  readonly receivers: Readonly<Record<Side, Receiver>>;
}

/** Of one stream. */
export const FLOWS = 1000;
/** Of the server: the howto's node may have translated one of its flows to any port, so answers to others come from another. */
const PORTS = { own: 7000, foreign: 7001 };
/** Enough for each flow of a stream to be seen several times. */
const WARM_MS = 100;
const TRIES = 30;

/**
 * Firewalls side by side, each in a machine of its own between two links of one machine, which sends and drops what comes
 * through.
 */
export class Bed {
  readonly #directory: RunDirectory;
  readonly #family: Family;
  readonly #machines: Machine[] = [];

  private constructor(directory: RunDirectory, family: Family) {
    this.#directory = directory;
    this.#family = family;
  }

  static async create(family: Family): Promise<Bed> {
    return new Bed(await createRunDirectory(), family);
  }

  /** Sets all up and returns the streams, at rest; their flows are known to conntrack in both directions. */
  async streams(firewalls: readonly Firewall[]): Promise<readonly Sent[]> {
    const sender = await this.#start('sender');
    const sites: Site[] = [];
    for (const [index, firewall] of firewalls.entries()) {
      const machine = await this.#start(`fw-${index}`);
      const links = { inside: `in${index}`, outside: `out${index}` };
      await this.#wire(sender, machine, links);
      // That of its own devices, not the host's.
      await machine.run(['mount', '-t', 'sysfs', 'sysfs', '/sys']);
      const receivers = {
        inside: await Receiver.create(machine, DEVICES.inside),
        outside: await Receiver.create(machine, DEVICES.outside),
      };
      await Promise.all([receivers.inside.follow(), receivers.outside.follow()]);
      await firewall.setUp(machine).catch(fail(firewall.name));
      sites.push({ firewall, machine, links, receivers });
      progress('firewalls start', { done: sites.length, of: firewalls.length });
    }
    await dropAllOn(
      sender,
      sites.flatMap(({ links }) => Object.values(links)),
    );
    const all: Sent[] = [];
    for (const [index, site] of sites.entries()) {
      all.push(...(await this.#streamsOf(site, sender)));
      progress('flows begin', { done: index + 1, of: sites.length });
    }
    return all;
  }

  async close(): Promise<void> {
    await Promise.all(this.#machines.map((machine) => machine.kill()));
    await removeRunDirectory(this.#directory);
  }

  async #start(name: string): Promise<Machine> {
    const { id, logs } = this.#directory;
    const machine = await Machine.start({ run: id, name, logs });
    this.#machines.push(machine);
    return machine;
  }

  /** Neighbours are known: nobody answers ARP here. */
  async #wire(sender: Machine, machine: Machine, links: Readonly<Record<Side, string>>): Promise<void> {
    const { own, foreign, server, prefix } = this.#family;
    await machine.run(['sysctl', '-qw', ...FORWARDING]);
    for (const side of ['inside', 'outside'] as const) {
      await sender.ip([
        `link add ${links[side]} type veth peer name ${DEVICES[side]} address ${OWN_MACS[side]} netns ${machine.pid}`,
        `link set ${links[side]} addrgenmode none up`,
      ]);
      await sender.run(['ethtool', '-K', links[side], 'tso', 'off']);
      const neighbours = side === 'inside' ? [...own, ...foreign] : [server];
      await machine.ip([
        `link set ${DEVICES[side]} addrgenmode none up`,
        `address add ${SHARED[side]}/${prefix} dev ${DEVICES[side]}`,
        ...neighbours.map(
          (host) => `neighbour add ${host} lladdr ${NEIGHBOUR} nud permanent dev ${DEVICES[side]}`,
        ),
      ]);
    }
  }

  async #streamsOf({ firewall, machine, links, receivers }: Site, sender: Machine): Promise<readonly Sent[]> {
    const start = async (owner: Owner, from: Side, tuples: readonly Tuple[]): Promise<Sent> => {
      const name = `${links[from]}-${owner}`;
      const file = join(this.#directory.path, `${name}.trafgen`);
      await writeFile(file, packetsOf(this.#family, firewall.macs[from], tuples));
      const to = from === 'inside' ? 'outside' : 'inside';
      const way = [links[from], links[to]] as const;
      const stream = await Stream.start(sender, { name, file, way, receiver: receivers[from] });
      const turn = async (milliseconds: number): Promise<Turn> =>
        checked(firewall, owner, from, await stream.turn(milliseconds));
      await turn(WARM_MS);
      return { firewall, owner, from, turn };
    };
    const { own, foreign, server } = this.#family;
    const flows = flowsFrom(own, { server, port: PORTS.own }, FLOWS);
    const outwards = await start('own', 'inside', flows);
    const answers = firewall.kind === 'receiver' ? flows.map(reversed) : await known(machine, outwards);
    const streams = [outwards, await start('own', 'outside', answers)];
    if (firewall.kind === 'node') {
      const others = flowsFrom(foreign, { server, port: PORTS.foreign }, FLOWS);
      streams.push(
        await start('foreign', 'inside', others),
        await start('foreign', 'outside', others.map(firewall.snat ? translatedAnswer : reversed)),
      );
    }
    return streams;
  }
}

const FORWARDING = ['net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0'];
const NEIGHBOUR = '02:00:00:00:99:02';

/** Sends until conntrack knows each flow, for a queue that is full loses some; returns what answers look like. */
const known = async (machine: Machine, { turn, firewall }: Sent): Promise<readonly Tuple[]> => {
  let answers = await answersOf(machine);
  for (let tries = 0; answers.length < FLOWS && tries < TRIES; tries += 1) {
    await turn(WARM_MS);
    answers = await answersOf(machine);
  }
  if (answers.length !== FLOWS) {
    throw new Error(`${firewall.name}: ${FLOWS} flows were sent, conntrack knows ${answers.length}`);
  }
  return answers;
};

/** A node that forwards what it is to drop, or the other way round, would be measured at the wrong thing. */
const checked = ({ name, kind, snat }: Firewall, owner: Owner, from: Side, turn: Turn): Turn => {
  const expected = owner === 'own' && kind !== 'receiver' ? turn.taken : 0;
  if (turn.taken === 0 || turn.through !== expected) {
    const which = `${name}${snat ? ' with SNAT' : ''}`;
    throw new Error(
      `${which}: of ${turn.taken} ${owner} packets from ${from} ${turn.through} came through, not ${expected}`,
    );
  }
  return turn;
};

const fail =
  (what: string) =>
  (cause: unknown): never => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the rules of ${what} can't be loaded: ${why}`, { cause });
  };
