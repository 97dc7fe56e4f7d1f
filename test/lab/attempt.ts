import { execa } from 'execa';
import { type FirewallNode, productCommand } from './rig/node.ts';

/** How a command ended. */
export interface Attempt {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the product to its end, which must come within ten seconds, whatever its exit status is.
 *
 * @param behind a program and its arguments that runs it, such as setpriv
 */
export const attempt = async (
  node: FirewallNode,
  args: readonly string[],
  behind: readonly string[] = [],
): Promise<Attempt> => {
  const [program = '', ...rest] = [...node.machine.entrance, ...behind, ...productCommand, ...args];
  const { exitCode, stdout, stderr, timedOut } = await execa(program, rest, {
    input: '',
    timeout: 10_000,
    reject: false,
  });
  if (timedOut) {
    throw new Error(`conntrack-ha ${args.join(' ')} did not end: ${stdout} ${stderr}`);
  }
  return { status: exitCode, stdout, stderr };
};

/** All that the product changes on a machine, as text: to be the same before and after what must change nothing. */
export const picture = (node: FirewallNode): Promise<string> =>
  node.run([
    'sh',
    '-c',
    `nft -s list ruleset
     ip -o addr | sed 's/ tentative//; s/valid_lft.*//'
     ip -o link | sed 's/ state [A-Z]*//'
     ip maddr
     ls -R /run/conntrack-ha
     cat /proc/sys/net/netfilter/nf_conntrack_tcp_loose /proc/sys/net/ipv4/ip_forward
     true`,
  ]);
