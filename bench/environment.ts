import { readFile } from 'node:fs/promises';
import { availableParallelism, release } from 'node:os';
import { execa } from 'execa';

/** Where the figures come from: without it they can't be compared. */
export interface Environment {
  readonly date: string;
  readonly kernel: string;
  readonly processors: string;
  readonly node: string;
  readonly conntrackd: string;
  readonly nft: string;
  readonly iptables: string;
  readonly keepalived: string;
}

export const readEnvironment = async (): Promise<Environment> => ({
  date: new Date().toISOString().slice(0, 16),
  kernel: release(),
  processors: `${availableParallelism()} x ${await processorName()}`,
  node: process.version,
  conntrackd: await versionOf('conntrackd', '-v'),
  nft: await versionOf('nft', '--version'),
  iptables: await versionOf('iptables', '--version'),
  keepalived: await versionOf('keepalived', '--version'),
});

const processorName = async (): Promise<string> =>
  /^model name\s*: (.*)$/m.exec(await readFile('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown processor';

/** The first number that it prints (keepalived on standard error); iptables says behind it which one it is. */
const versionOf = async (program: string, option: string): Promise<string> => {
  const { stdout, stderr } = await execa(program, [option], { reject: false });
  return /\d[\d.]*\d( \([a-z_]+\))?/.exec(`${stdout}\n${stderr}`)?.[0] ?? 'unknown';
};
