import type { Lab } from '../rig/lab.ts';
import { type NodePlan, SERVER } from '../rig/plan.ts';

/**
 * A host inside takes a node's own address for its gateway and asks the server again and again. What comes there with the host's own
 * address has passed the node unsorted and untranslated.
 */
export class Leaks {
  readonly #lab: Lab;

  private constructor(lab: Lab) {
    this.#lab = lab;
  }

  static async through(lab: Lab, node: NodePlan): Promise<Leaks> {
    const { plan, machine } = lab.client('c1');
    const [host = ''] = plan.addresses;
    const [gateway = ''] = node.links.inside.address.split('/');
    await machine.ip([
      `neighbor replace ${gateway} lladdr ${node.links.inside.mac} dev eth0 nud permanent`,
      `route replace ${SERVER} via ${gateway} src ${host}`,
    ]);
    const rules = `table ip lab_leaks {
      chain in {
        type filter hook prerouting priority -500;
        ip saddr ${host} icmp type echo-request counter
      }
    }`;
    await lab.server.run(['nft', '-f', '-'], { input: rules });
    await machine.spawn('asking', ['ping', '-q', '-n', '-i', '0.05', SERVER]);
    return new Leaks(lab);
  }

  /** How many packets of it the server has had by now. */
  async count(): Promise<number> {
    const rules = await this.#lab.server.run(['nft', 'list', 'table', 'ip', 'lab_leaks']);
    return Number(/packets (\d+)/.exec(rules)?.[1]);
  }
}
