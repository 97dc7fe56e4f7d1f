import type { FirewallNode } from '../../test/lab/rig/node.ts';
import { until } from '../../test/lab/rig/wait.ts';
import { Program } from '../../test/lab/traffic/program.ts';
import { programFile } from '../program-files.ts';
import type { SetChange } from '../programs/set-watch.ts';

/** What a node's kernel tells of its buckets. */
export class SetWatch {
  readonly #changes: SetChange[] = [];
  #listens = false;

  private constructor(node: FirewallNode) {
    new Program(node.machine, [programFile('set-watch')], (said: SetChange | 'listens') => {
      if (said === 'listens') {
        this.#listens = true;
      } else {
        this.#changes.push(said);
      }
    });
  }

  static async start(node: FirewallNode): Promise<SetWatch> {
    const watch = new SetWatch(node);
    await until(`the kernel's words on ${node.name}`, () => watch.#listens, 5000);
    return watch;
  }

  /** When the bucket came last, in milliseconds of the machine's clock. */
  cameAt(bucket: number): number | undefined {
    return this.#changes.findLast(({ came }) => came.includes(bucket))?.at;
  }

  /** When it went last. */
  wentAt(bucket: number): number | undefined {
    return this.#changes.findLast(({ went }) => went.includes(bucket))?.at;
  }
}
