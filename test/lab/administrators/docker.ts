import type { FirewallNode } from '../rig/node.ts';
import { type RuleProduct, runAll } from './product.ts';

/** The rules that dockerd 20 to 28 makes for its default bridge, by iptables, and those that an administrator adds for forwarding. */
export const docker: RuleProduct = {
  name: 'Docker',
  prepare: async (node) => {
    await node.machine.ip([
      'link add docker0 type bridge',
      'addr add 172.17.0.1/16 dev docker0',
      'link set docker0 up',
    ]);
  },
  start: async (node) => {
    await runAll(node, ['iptables -N DOCKER-USER', ...DOCKER_USER]);
    await restore(node);
  },
  reload: (node) => restore(node),
  // It makes its chains anew, and leaves DOCKER-USER alone.
  restart: (node) => restore(node),
};

const restore = async (node: FirewallNode): Promise<void> => {
  await node.run(['iptables-restore', '--noflush'], { input: RULES });
};

const DOCKER_USER = [
  'iptables -I DOCKER-USER -i eth1 -o eth2 -j ACCEPT',
  'iptables -I DOCKER-USER -i eth2 -o eth1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
];

const RULES = `*nat
:DOCKER - [0:0]
-F PREROUTING
-F OUTPUT
-F POSTROUTING
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
-F FORWARD
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
COMMIT
`;
