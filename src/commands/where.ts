import { ControlAccessError, NoAgentError } from '../agent/control-error.ts';
import { type Address, inNetworks, parseAddress, parseNetwork } from '../cluster/address.ts';
import { groupOfBucket } from '../cluster/groups.ts';
import { bucketOf } from '../cluster/hash.ts';
import { type Context, UsageError } from './context.ts';
import { readStatus } from './status.ts';

/** `where ADDRESS`: which bucket, group and node an inside address belongs to. Without an agent the owner is unknown. */
export const showWhere = async (
  context: Context,
  address: string,
  options: { readonly json: boolean },
): Promise<void> => {
  const { config, groups } = context;
  const bucket = bucketOf(addressOf(address), config.seed, config.buckets);
  const group = groupOfBucket(groups, bucket);
  if (!config.interfaces.some(({ networks }) => inNetworks(addressOf(address), networks.map(parseNetwork)))) {
    const inside = config.interfaces.flatMap(({ networks }) => networks).join(', ');
    console.error(
      `warning: ${address} is not inside (${inside}): the bucket of a flow is that of its inside address`,
    );
  }
  const owner = await ownerOf(context, group.name);
  if (options.json) {
    console.log(JSON.stringify({ address, bucket, group: group.name, home: group.home, owner }));
    return;
  }
  const where = owner === null ? 'owner unknown' : `owned by ${owner}`;
  console.log(
    `${address}: bucket ${bucket} of ${config.buckets}, group ${group.name}, home ${group.home}, ${where}`,
  );
};

const addressOf = (text: string): Address => {
  try {
    return parseAddress(text);
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
};

const ownerOf = async (context: Context, group: string): Promise<string | null> => {
  try {
    return (await readStatus(context)).groups.find(({ name }) => name === group)?.owner ?? null;
  } catch (error) {
    if (error instanceof NoAgentError) {
      return null;
    }
    if (error instanceof ControlAccessError) {
      console.error(`warning: ${error.message}: the owner isn't known`);
      return null;
    }
    throw error;
  }
};
