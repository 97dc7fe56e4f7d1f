interface NftSetListing {
  readonly nftables: readonly { readonly set?: { readonly elem?: readonly (number | string)[] } }[];
}

/** Reads `nft -j list set`: bucket numbers, which nft writes as numbers or as a priority (`none` is 0, `0:3f` is 63). */
export const parseOwnedSet = (text: string): number[] => {
  const { nftables }: NftSetListing = JSON.parse(text);
  const elements = nftables.flatMap(({ set }) => set?.elem ?? []);
  return elements.map(bucketOf).sort((one, other) => one - other);
};

const bucketOf = (element: number | string): number => {
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
