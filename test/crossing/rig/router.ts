import { Machine } from '../../lab/rig/machine.ts';
import { addressOf, type Crossing, SERVER, type Side } from './crossing.ts';

/** The MTU of the link behind a router. IPv6 can't do with less than 1280. */
export const NARROW = 1300;

/** A host behind a router: the host of a side routes for it, over a link that takes less. */
export interface Far {
  readonly machine: Machine;
  readonly ip: string;
  readonly ip6: string;
  /** What is behind the router, for `networks`. */
  readonly networks: readonly string[];
}

/** Puts another host behind the one that is on a side. */
export const addFar = async (crossing: Crossing, side: Side['name'], number: number): Promise<Far> => {
  const router = crossing.hosts[side];
  const { id, logs } = crossing.directory;
  const machine = await Machine.start({ run: id, logs, name: `far-${side}` });
  const [ip, ip6] = [`192.168.${number}`, `fd00:${number}:`];
  await router.ip([
    `link add far type veth peer name eth0 netns ${machine.pid}`,
    'link set far addrgenmode none',
    `link set far mtu ${NARROW} up`,
    `address add ${ip}.1/24 dev far`,
    `address add ${ip6}:1/64 dev far nodad`,
  ]);
  await router.run(['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
  await machine.ip([
    'link set eth0 addrgenmode none',
    `link set eth0 mtu ${NARROW} up`,
    `address add ${ip}.2/24 dev eth0`,
    `address add ${ip6}:2/64 dev eth0 nodad`,
    `route add default via ${ip}.1`,
    `route add ::/0 via ${ip6}:1`,
  ]);
  for (const node of Object.values(crossing.nodes)) {
    await node.ip([
      `route add ${ip}.0/24 via ${addressOf(side, 'ip', SERVER)}`,
      `route add ${ip6}:/64 via ${addressOf(side, 'ip6', SERVER)}`,
    ]);
  }
  return { machine, ip: `${ip}.2`, ip6: `${ip6}:2`, networks: [`${ip}.0/24`, `${ip6}:/64`] };
};
