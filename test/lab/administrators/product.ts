import type { FirewallNode } from '../rig/node.ts';

/** A program that an administrator manages a firewall's rules with, as a node has it: with rules that let the lab's flows pass. */
export interface RuleProduct {
  readonly name: string;
  /** Its files and what else it needs; after each boot. */
  readonly prepare: (node: FirewallNode) => Promise<void>;
  readonly start: (node: FirewallNode) => Promise<void>;
  readonly reload: (node: FirewallNode) => Promise<void>;
  /** Stops it and starts it again. */
  readonly restart: (node: FirewallNode) => Promise<void>;
}

/** Gives a node directories of its own in place of the host's, with the same files in them. Until its power is cut. */
export const ownCopies = async (node: FirewallNode, directories: readonly string[]): Promise<void> => {
  const script = `set -e; for d; do c=/run/own$d; mkdir -p "$c" "$d"; cp -a "$d/." "$c"; mount --bind "$c" "$(readlink -f "$d")"; done`;
  await node.run(['sh', '-c', script, 'sh', ...directories]);
};

/** Writes a file below /etc or /var/lib of a node that has its own copy of the directory. */
export const write = async (node: FirewallNode, path: string, text: string): Promise<void> => {
  await node.run(['sh', '-c', 'cat >"$1"', 'sh', path], { input: text });
};

/** Runs commands one after the other. */
export const runAll = async (node: FirewallNode, lines: readonly string[]): Promise<void> => {
  for (const line of lines) {
    await node.run(line.split(' '));
  }
};
