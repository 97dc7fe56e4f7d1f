type Value = number | string;

/** An element with a timeout is an object. The kernel lists none whose timeout has ended; `expires` is in whole seconds. */
type Element = Value | { readonly elem: { readonly val: Value } };

interface NftSetListing {
  readonly nftables: readonly { readonly set?: { readonly elem?: readonly Element[] } }[];
}

/**
 * Reads `nft -j list set`: bucket numbers, which nft writes as numbers or as a priority (`none` is 0, `0:3f` is 63), for
 * ever or with a timeout.
 */
export const parseOwnedSet = (text: string): number[] => {
  const { nftables }: NftSetListing = JSON.parse(text);
  const elements = nftables.flatMap(({ set }) => set?.elem ?? []);
  return elements
    .map(plainOf)
    .map(bucketOf)
    .sort((one, other) => one - other);
};

/** Reads `iptables -t mangle -S`, where each bucket is a bit of a mask of its own; undefined if nothing leads to the rules. */
export const parseOwnedRules = (text: string): number[] | undefined =>
  text.includes('-A PREROUTING -j CONNTRACK-HA\n')
    ? [...text.matchAll(/^-A CONNTRACK-HA-OWNED .*--cluster-local-nodemask (0x[0-9a-f]+) /gm)]
        .map(([, mask]) => Math.log2(Number(mask)))
        .sort((one, other) => one - other)
    : undefined;

const plainOf = (element: Element): Value => (typeof element === 'object' ? element.elem.val : element);

const bucketOf = (element: Value): number => {
  if (typeof element === 'number') {
    return element;
  }
  const [major, minor] = element === 'none' ? ['0', '0'] : element.split(':');
  const bucket = Number.parseInt(major ?? '', 16) * 0x1_0000 + Number.parseInt(minor ?? '', 16);
  if (!Number.isSafeInteger(bucket)) {
    throw new SyntaxError(`expected a bucket in the owned set, got ${JSON.stringify(element)}`);
  }
  return bucket;
};
