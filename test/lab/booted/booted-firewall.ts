import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import type { Lab } from '../rig/lab.ts';
import { Machine } from '../rig/machine.ts';
import { parseOwnedSet } from '../rig/owned-set.ts';
import { OwnedSetReader } from '../rig/owned-set-reader.ts';
import { type NodePlan, SIDES } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';

/** How long booting and shutting down may take. */
const BOOT_MS = 60_000;

/**
 * A firewall with a disk of its own and Debian's systemd as its first process, which brings its interfaces up and starts its
 * services. It is one of the lab's machines in everything else: the host's kernel, and namespaces.
 */
export class BootedFirewall {
  readonly plan: NodePlan;
  readonly #lab: Lab;
  readonly #root: string;
  #machine: Machine | undefined;
  #ownedSet: OwnedSetReader | undefined;

  /** @param root what its disk holds as installed */
  constructor(lab: Lab, plan: NodePlan, root: string) {
    this.#lab = lab;
    this.plan = plan;
    this.#root = root;
    onTestFinished(({ task }) => this.#end(task.result?.state === 'fail'));
  }

  get name(): string {
    return this.plan.name;
  }

  get machine(): Machine {
    if (this.#machine === undefined) {
      throw new Error(`${this.name} is off`);
    }
    return this.#machine;
  }

  /** What it has written since it was installed. */
  get disk(): string {
    return join(this.#own, 'up');
  }

  /** Writes a file onto its disk, while it is off. */
  async write(path: string, text: string): Promise<void> {
    const file = join(this.disk, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  /** Copies a file into a directory of its disk, while it is off. */
  async hold(file: string, directory: string): Promise<void> {
    await mkdir(join(this.disk, directory), { recursive: true });
    await copyFile(file, join(this.disk, directory, basename(file)));
  }

  /** Switches it on and waits until systemd says that it has booted; with whatever has failed. */
  async boot(): Promise<void> {
    const { run } = this.#lab;
    await mkdir(this.#own, { recursive: true });
    const machine = await Machine.start({
      run: run.id,
      name: this.name,
      logs: run.logs,
      disk: { root: this.#root, own: this.#own },
    });
    this.#machine = machine;
    this.#ownedSet = new OwnedSetReader(machine.pid);
    machine.host(this.#ownedSet);
    for (const side of SIDES) {
      const { device, mac } = this.plan.links[side];
      await this.#lab.wire(side).attach(machine, device, mac, this.name, side !== 'sync');
    }
    machine.switchOn();
    await until(
      `${this.name} to boot`,
      () => machine.run(['sh', '-c', 'systemctl is-system-running 2>/dev/null || true']),
      BOOT_MS,
      (state) => state === 'running' || state === 'degraded',
    );
  }

  /** What `systemctl reboot` does. */
  async reboot(): Promise<void> {
    await this.shutDown();
    await this.boot();
  }

  /** The first half of a reboot. */
  async shutDown(): Promise<void> {
    const { machine } = this;
    let off = false;
    const ended = machine.ended().then(() => {
      off = true;
    });
    // The command may be ended with everything else.
    await machine.run(['systemctl', 'reboot']).catch(() => undefined);
    await until(`${this.name} to shut down`, () => off, BOOT_MS);
    await ended;
    await this.#unplug();
  }

  /** All at once, whatever it does. */
  async powerCut(): Promise<void> {
    await Promise.all(SIDES.map((side) => this.#lab.wire(side).forward([this.name], false)));
    await this.machine.kill();
    await this.#unplug();
  }

  /** Has a shell of its own run the commands, as an administrator's does. Throws at the first that fails. */
  async shell(commands: string, { cwd = '/root', boundMs = 120_000 } = {}): Promise<string> {
    const script = `cd ${cwd}\n${commands}\n`;
    const env = ['HOME=/root', 'LANG=C', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
    return this.machine.run(['env', '-i', ...env, 'bash', '-e', '-o', 'pipefail', '-c', script], { boundMs });
  }

  /** The buckets that its kernel has it filter; undefined without a data plane. */
  async ownedBuckets(): Promise<readonly number[] | undefined> {
    const listing = await this.#ownedSet?.read().catch(() => undefined);
    return listing === undefined ? undefined : parseOwnedSet(listing);
  }

  get #own(): string {
    return join(this.#lab.run.path, `disk-${this.name}`);
  }

  async #unplug(): Promise<void> {
    this.#machine = undefined;
    this.#ownedSet = undefined;
    await Promise.all(SIDES.map((side) => this.#lab.wire(side).remove(this.name)));
  }

  /** @param failed whether somebody wants to know what happened since its last boot */
  async #end(failed: boolean): Promise<void> {
    if (failed && this.#machine !== undefined) {
      const units = ['conntrack-ha*', 'conntrackd', 'keepalived', 'nftables'].map((unit) => `--unit=${unit}`);
      const journal = ['journalctl', '--boot', '--output=short-iso-precise', ...units];
      console.error(`==> ${this.name} <==\n${await this.#machine.run(journal).catch(String)}`);
    }
    await this.#machine?.kill();
    // The kernel keeps empty control groups.
    const group = `conntrack-ha-lab-${this.#lab.run.id}-${this.name}`;
    const remove = `mount -t cgroup2 cgroup2 /mnt && find /mnt/${group} -depth -type d -exec rmdir {} +`;
    await execa('unshare', ['--mount', 'sh', '-c', remove], { reject: false });
  }
}
