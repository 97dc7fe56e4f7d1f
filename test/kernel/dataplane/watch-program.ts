/** Watches the links until it is killed. A WatchRequest as argument. */
import type { ClusterConfig } from '../../../src/config/types.ts';
import { LinkWatch } from '../../../src/dataplane/link-watch.ts';
import { nodeNamed } from './cluster-config.ts';

export interface WatchRequest {
  readonly config: ClusterConfig;
  readonly node: string;
}

const { config, node }: WatchRequest = JSON.parse(process.argv[2] ?? '');

new LinkWatch(config, nodeNamed(config, node), () => undefined);
