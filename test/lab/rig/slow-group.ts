import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { until } from './wait.ts';

const PERIOD_US = 100_000;

/** Where this kernel's cgroups with a limit of CPU time are: of version 1, or of version 2. */
const root = (): { readonly path: string; readonly version: 1 | 2 } | undefined => {
  if (existsSync('/sys/fs/cgroup/cpu/cpu.cfs_quota_us')) {
    return { path: '/sys/fs/cgroup/cpu', version: 1 };
  }
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? { path: '/sys/fs/cgroup', version: 2 } : undefined;
};

/** A group of processes that all together get one part of a CPU: to them the machine is so many times slower. */
export class SlowGroup {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Throws where this machine can't have one, as in a container that may not write its cgroups. */
  static create(name: string, times: number): SlowGroup {
    const found = root();
    if (found === undefined) {
      throw new Error('no cgroups with a limit of CPU time are mounted below /sys/fs/cgroup');
    }
    const path = `${found.path}/${name}`;
    const quota = String(Math.round(PERIOD_US / times));
    mkdirSync(path);
    if (found.version === 1) {
      writeFileSync(`${path}/cpu.cfs_quota_us`, quota);
    } else {
      writeFileSync(`${found.path}/cgroup.subtree_control`, '+cpu');
      writeFileSync(`${path}/cpu.max`, `${quota} ${PERIOD_US}`);
    }
    return new SlowGroup(path);
  }

  /** The command line that starts a program in it. */
  entrance(argv: readonly string[]): readonly string[] {
    return ['sh', '-c', `echo 0 >${this.#path}/cgroup.procs && exec "$@"`, 'sh', ...argv];
  }

  /** To be called when its processes have been ended. */
  async remove(): Promise<void> {
    await until(
      'the slow processes to be gone',
      () => !existsSync(this.#path) || rmdirSync(this.#path) === undefined,
      10_000,
    );
  }
}
