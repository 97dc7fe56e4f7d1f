import { setTimeout as delay } from 'node:timers/promises';
import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { listLinks } from '../kernel/links.ts';

/** Between two looks whether an interface is there. */
const AGAIN_MS = 200;

/**
 * Without a manager nothing is taken before every interface is there. The agent mends what was missing for want of it.
 *
 * @param tell says what is waited for; not called where nothing is
 */
export const untilThere = async (
  config: ClusterConfig,
  node: NodeConfig,
  tell: (text: string) => void,
): Promise<void> => {
  const devices = config.interfaces.map(({ name }) => deviceOf(node, name));
  const missing = async (): Promise<readonly string[]> => {
    const links = await listLinks();
    return devices.filter((device) => !links.some(({ name }) => name === device));
  };
  const first = await missing();
  if (first.length === 0) return;
  tell(`waiting for ${first.join(', ')}; nothing is filtered here until then`);
  while ((await missing()).length > 0) await delay(AGAIN_MS);
};
