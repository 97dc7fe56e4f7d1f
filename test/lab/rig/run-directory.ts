import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTime } from './processes.ts';

const PREFIX = 'conntrack-ha-lab-';

/** Directories of its own that a firewall has in /etc; everything else there is the host's, read-only. */
const OWN_CONFIGURATION = [
  'conntrack-ha',
  'conntrackd',
  'keepalived',
  'corosync',
  'sysctl.d',
  'network',
  'netplan',
];

/** The directory that holds everything a run of the lab writes. */
export interface RunDirectory {
  readonly id: string;
  readonly path: string;
  readonly logs: string;
}

/** Makes one, after removing those of runs whose process is gone (their machines went with it). */
export const createRunDirectory = async (): Promise<RunDirectory> => {
  await removeLeftovers();
  const id = randomBytes(3).toString('hex');
  const path = join(tmpdir(), `${PREFIX}${id}`);
  await mkdir(join(path, 'logs'), { recursive: true, mode: 0o755 });
  await writeFile(join(path, 'owner'), `${process.pid} ${startTime(process.pid)}\n`);
  return { id, path, logs: join(path, 'logs') };
};

/** Debian's package brings it, and keepalived 2.3 ends at once where it isn't. */
const KEEPALIVED_OPTIONS = 'keepalived/keepalived.config-opts';

/** Makes a firewall's /etc and /var/log, and returns where. What is in it already stays: it survives a power cut. */
export const createTree = async (run: RunDirectory, node: string): Promise<string> => {
  const tree = join(run.path, node);
  await mkdir(join(tree, 'log'), { recursive: true });
  for (const name of OWN_CONFIGURATION) {
    await mkdir(join(tree, 'etc', name), { recursive: true });
  }
  if (existsSync(join('/etc', KEEPALIVED_OPTIONS))) {
    const options = join(tree, 'etc', KEEPALIVED_OPTIONS);
    await symlink(join('/run/host-etc', KEEPALIVED_OPTIONS), options).catch(ignoreExisting);
  }
  for (const name of await readdir('/etc')) {
    if (!OWN_CONFIGURATION.includes(name)) {
      const isLink = (await lstat(join('/etc', name))).isSymbolicLink();
      const target = isLink ? await readlink(join('/etc', name)) : join('/run/host-etc', name);
      await symlink(target, join(tree, 'etc', name)).catch(ignoreExisting);
    }
  }
  return tree;
};

/** Everything that the run's programs have printed, file by file, the last `lines` lines of each. */
export const readLogs = async (run: RunDirectory, lines: number): Promise<string> => {
  const files = (await readdir(run.logs)).sort();
  const texts = files.map(async (file) => {
    const text = await readFile(join(run.logs, file), 'utf8');
    return `==> ${file} <==\n${text.split('\n').slice(-lines).join('\n')}`;
  });
  return (await Promise.all(texts)).join('\n');
};

export const removeRunDirectory = (run: RunDirectory): Promise<void> =>
  rm(run.path, { recursive: true, force: true });

const removeLeftovers = async (): Promise<void> => {
  for (const name of (await readdir(tmpdir())).filter((entry) => entry.startsWith(PREFIX))) {
    const path = join(tmpdir(), name);
    const owner = await readFile(join(path, 'owner'), 'utf8').catch(() => '');
    const [pid, started] = owner.trim().split(' ');
    if (pid !== undefined && started !== undefined && startTime(Number(pid)) !== started) {
      await rm(path, { recursive: true, force: true });
    }
  }
};

const ignoreExisting = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') {
    throw error;
  }
};
