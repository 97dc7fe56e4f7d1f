import type { BootedFirewall } from './booted-firewall.ts';

/** What was said when a node shut down, and in which place each thing should be. */
const ENDS: readonly (readonly [string, RegExp])[] = [
  ['given away', /released fw\d_fw\d/],
  ['keepalived', /Stopping keepalived\.service/],
  ['agent', /Stopping conntrack-ha\.service/],
  ['conntrackd', /Stopping conntrackd\.service/],
];

export const IN_ORDER: readonly string[] = ENDS.map(([what]) => what);

/** Reads a journal that outlives reboots: the directory for it has to be there before the first boot. */
export class ShutdownOrder {
  readonly #node: BootedFirewall;
  readonly #before: number;

  private constructor(node: BootedFirewall, before: number) {
    this.#node = node;
    this.#before = before;
  }

  /** To be called before the node shuts down. */
  static async watch(node: BootedFirewall): Promise<ShutdownOrder> {
    return new ShutdownOrder(node, (await journalOf(node)).length);
  }

  /** What ended in which order; to be called when it has booted again. */
  async read(): Promise<readonly string[]> {
    const journal = (await journalOf(this.#node)).slice(this.#before);
    return ENDS.map(([what, said]) => ({ what, at: journal.search(said) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at)
      .map(({ what }) => what);
  }
}

/** Of all its boots: the kernel, which is the host's, has only had one. */
const journalOf = (node: BootedFirewall): Promise<string> =>
  node.shell('journalctl --sync; journalctl --output=cat --unit="conntrack*" --unit=keepalived');
