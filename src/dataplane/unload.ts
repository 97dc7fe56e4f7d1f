import type { ClusterConfig } from '../config/types.ts';
import { writeSysctl } from '../system/sysctl.ts';
import { removePrefilters } from './prefilter/prefilter.ts';
import { takePresent } from './put.ts';
import { readRecord, removeRecord } from './record.ts';
import { rulesOf } from './rules.ts';

export interface Unloaded {
  /** False if there was nothing to take down. */
  readonly changed: boolean;
  /** What could not be put back, a line each. */
  readonly warnings: readonly string[];
}

/**
 * Takes the data plane down and puts back what the load found, as its record tells; what is gone already is no error,
 * and what was there before the load stays. Addresses go first, while the rules still stand.
 *
 * @throws ProgramError, SysctlError, RecordError; calling again goes on where it stopped
 */
export const unloadDataPlane = async (config: ClusterConfig): Promise<Unloaded> => {
  const record = await readRecord(config);
  const warnings = await removePrefilters().then(
    () => [],
    (error: unknown) => [error instanceof Error ? error.message : String(error)],
  );
  if (record === undefined) {
    const rules = rulesOf(config.firewall);
    if (!(await rules.loaded(config))) return { changed: false, warnings };
    await rules.remove();
    const warning = `${config.paths.run} holds no record of the load: its shared addresses, MACs and sysctls stay`;
    return { changed: true, warnings: [...warnings, warning] };
  }
  await takePresent(record.parts);
  // A load that was to replace the one by the other may have been cut off.
  for (const firewall of new Set([record.firewall, config.firewall])) await rulesOf(firewall).remove();
  for (const [name, value] of Object.entries(record.sysctls)) await writeSysctl(name, value);
  await removeRecord(config);
  return { changed: true, warnings };
};
