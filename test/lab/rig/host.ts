import { Machine, type MachineOptions } from './machine.ts';
import { type DataSide, type NetworkOptions, SHARED, SHARED6 } from './plan.ts';
import type { Switch } from './switch.ts';

/** A host that is no firewall: a client or a server. */
export interface HostPlan {
  readonly name: string;
  readonly side: DataSide;
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly addresses6: readonly string[];
  /** Whether everything is reached by way of the firewalls, or just the inside and the DMZ. */
  readonly defaultRoute: boolean;
}

/** Starts it, plugs it in, and gives it addresses and routes by the firewalls' shared addresses. */
export const startHost = async (
  base: Omit<MachineOptions, 'name'>,
  plan: HostPlan,
  to: Switch,
  { ip6 = false, dmz = false }: NetworkOptions,
): Promise<Machine> => {
  const machine = await Machine.start({ ...base, name: plan.name });
  await to.attach(machine, 'eth0', plan.mac, plan.name, false);
  const [router, router6] = [SHARED[plan.side], SHARED6[plan.side]];
  const behind = plan.defaultRoute ? ['default'] : ['192.168.0.0/24', ...(dmz ? ['192.168.2.0/24'] : [])];
  const behind6 = plan.defaultRoute ? ['::/0'] : ['fd00:1::/64', 'fd00:2::/64'];
  await machine.ip([
    ...plan.addresses.map((address) => `addr add ${address}/24 dev eth0`),
    ...(ip6 ? plan.addresses6.map((address) => `addr add ${address}/64 dev eth0 nodad`) : []),
    'link set eth0 addrgenmode none',
    'link set eth0 up',
    ...behind.map((network) => `route add ${network} via ${router}`),
    ...(ip6 ? behind6.map((network) => `route add ${network} via ${router6}`) : []),
  ]);
  return machine;
};
