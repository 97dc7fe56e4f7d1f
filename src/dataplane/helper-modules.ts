import { existsSync } from 'node:fs';
import type { ClusterConfig } from '../config/types.ts';
import { ProgramError, run } from '../system/run.ts';

/**
 * Loads the modules of the helpers. A rule brings the one that tracks (nft_ct_helper_obj_init() in net/netfilter/nft_ct.c),
 * but not the one that translates what is said. Says what may be missing: one that is built in isn't listed anywhere.
 */
export const loadHelpers = async ({
  helpers,
}: Pick<ClusterConfig, 'helpers'>): Promise<readonly string[]> => {
  const warnings: string[] = [];
  // One that is there needs no modprobe, which the agent's sandbox keeps from the modules (conf/conntrack-ha.service).
  for (const name of helpers.filter((helper) => !existsSync(`/sys/module/nf_nat_${helper}`))) {
    try {
      await run('modprobe', [`nf_nat_${name}`]);
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      warnings.push(
        `helpers: nf_nat_${name} could not be loaded (${error.message}); unless the kernel has it built in, ${name} does not work where addresses are translated`,
      );
    }
  }
  return warnings;
};
