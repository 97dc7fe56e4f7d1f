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

  /** What was told until now doesn't count. */
  forget(): void {
    this.#changes.length = 0;
  }

  /** When the bucket came first, in milliseconds of the machine's clock: a renewed lease has it come again. */
  cameAt(bucket: number): number | undefined {
    return this.#changes.find(({ came }) => came.includes(bucket))?.at;
  }

  /** When it went last: before that, a renewed lease may have had it go. */
  wentAt(bucket: number): number | undefined {
    return this.#changes.findLast(({ went }) => went.includes(bucket))?.at;
  }
}
