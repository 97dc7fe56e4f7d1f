import { legMac, type NodeName, type Plug, SIDES, type Side } from '../../crossing/rig/crossing.ts';

/** Interfaces that firewalls have beside plain ones; the kernel needs 8021q, bonding, br_netfilter. */

const VLAN = { lan: 10, dmz: 20, wan: 30 } as const;
const NODES: readonly NodeName[] = ['fw1', 'fw2'];
const LEGS: readonly Side[] = Object.values(SIDES);

/** All legs of a node are VLANs on one trunk, into the LAN's switch; the other networks have a port there. */
export const plugVlans: Plug = async ({ nodes, switches }) => {
  const trunk = switches.lan.machine;
  await trunk.ip([
    `link set br0 type bridge vlan_default_pvid ${VLAN.lan}`,
    'link set br0 type bridge vlan_filtering 1',
  ]);
  for (const name of ['dmz', 'wan'] as const) {
    const { machine } = switches[name];
    await trunk.ip([
      `link add up-${name} type veth peer name to-trunk netns ${machine.pid}`,
      `link set up-${name} addrgenmode none master br0 up`,
    ]);
    await trunk.ip(
      [`vlan add dev up-${name} vid ${VLAN[name]} pvid untagged`, `vlan del dev up-${name} vid ${VLAN.lan}`],
      'bridge',
    );
    await machine.ip(['link set to-trunk addrgenmode none master br0 up']);
  }
  for (const node of NODES) {
    await switches.lan.attach(nodes[node], 'trunk', legMac(node, 'trunk9'), node);
    await trunk.ip(
      Object.values(VLAN).map((id) => `vlan add dev ${node} vid ${id}`),
      'bridge',
    );
    await nodes[node].ip([
      'link set trunk addrgenmode none up',
      ...LEGS.map(
        ({ name, device }) =>
          `link add link trunk name ${device} address ${legMac(node, device)} type vlan id ${VLAN[name]}`,
      ),
    ]);
  }
};

/** Each leg is a bond of two ports into the same switch, of which the first is used: `fw1a` there, `eth1a` here. */
export const plugBonds: Plug = async ({ nodes, switches }) => {
  for (const node of NODES) {
    for (const { name, device } of LEGS) {
      const ports = ['a', 'b'].map((letter) => `${device}${letter}`);
      await nodes[node].ip([
        `link add ${device} address ${legMac(node, device)} type bond mode active-backup miimon 20`,
      ]);
      for (const port of ports) {
        await switches[name].attach(nodes[node], port, legMac(node, device), `${node}${port.at(-1)}`);
      }
      await nodes[node].ip([
        ...ports.map((port) => `link set ${port} addrgenmode none master ${device}`),
        `link set ${device} type bond primary ${device}a`,
      ]);
    }
  }
};

/** Each leg is a bridge with one port; where br_netfilter is loaded, its frames come to iptables' hooks, which is their default. */
export const plugBridges: Plug = async ({ nodes, switches }) => {
  for (const node of NODES) {
    for (const { name, device } of LEGS) {
      await switches[name].attach(nodes[node], `${device}p`, legMac(node, device), node);
      await nodes[node].ip([
        `link add ${device} address ${legMac(node, device)} type bridge`,
        `link set ${device}p addrgenmode none master ${device} up`,
      ]);
    }
  }
};
