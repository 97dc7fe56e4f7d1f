import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Lab } from './lab.ts';
import type { FirewallNode } from './node.ts';
import { until } from './wait.ts';

const INSTALL = fileURLToPath(new URL('power-switch.sh', import.meta.url));
const AGENT = fileURLToPath(new URL('fence-agent.sh', import.meta.url));

/** Takes the power from a firewall when the cluster asks for it: real fencing, but for the wire to the switch. */
export class PowerSwitch {
  readonly #lab: Lab;
  readonly #directory: string;
  readonly #agent: string;

  private constructor(lab: Lab, directory: string, agent: string) {
    this.#lab = lab;
    this.#directory = directory;
    this.#agent = agent;
  }

  /** @param agent the name of the fence agent that a node gets for it */
  static async create(lab: Lab, agent: string): Promise<PowerSwitch> {
    const directory = join(lab.run.path, 'power');
    await mkdir(directory);
    return new PowerSwitch(lab, directory, agent);
  }

  /** Gives a node the fence agent; once a boot, before Pacemaker starts. */
  async install(node: FirewallNode): Promise<void> {
    await node.run(['bash', INSTALL, this.#directory, AGENT, this.#agent]);
  }

  /** Waits until the cluster wants a node to be off, and takes its power. */
  async obey(name: string, boundMs: number): Promise<void> {
    const asked = join(this.#directory, `${name}.off`);
    await until(`the cluster to fence ${name}`, () => existsSync(asked), boundMs);
    await this.#lab.node(name).powerCut();
    await rm(asked);
    await writeFile(join(this.#directory, `${name}.is-off`), '');
  }
}
