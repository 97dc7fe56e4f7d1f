import { show } from './complaint.ts';
import { Refusal, textLeaf } from './leaf.ts';
import {
  broadcastAddress,
  canonical,
  isHostAddress,
  isIpv4,
  isIpv6,
  isLinkLocal,
  networkAddress,
  parseSubnet,
  type Subnet,
  subnetText,
} from './subnet.ts';

/** An IPv4 address that a host can have; `reason` says why it can't be an IPv6 one. */
export const ipv4Address = (reason: string) =>
  textLeaf('use an IPv4 address such as 192.168.1.5', (text) =>
    isIpv6(text)
      ? new Refusal(`${show(text)} is an IPv6 address, and ${reason}`)
      : hostAddress(text, 'an IPv4 address'),
  );

/** An address of either family that a host can have, and that means the same host on every interface. */
export const anyAddress = textLeaf('use an address such as 192.168.1.5 or "fd00:1::5"', (text) =>
  isIpv6(text) && isLinkLocal(text)
    ? new Refusal(`${show(text)} is a link-local address, which is another host's on every interface`)
    : hostAddress(text, 'an IPv4 or IPv6 address'),
);

const hostAddress = (text: string, kind: string): string | Refusal => {
  if (parseSubnet(text) !== undefined) {
    return new Refusal(`${show(text)} has a prefix length`, `use ${text.split('/')[0]}`);
  }
  if (!isIpv4(text) && !isIpv6(text)) {
    return new Refusal(`${show(text)} is not ${kind}`);
  }
  return isHostAddress(text)
    ? canonical(text)
    : new Refusal(`${text} is not an address that a host can have`);
};

/** An IPv4 multicast address, and none that routers take for their own protocols (RFC 5771: 224.0.0.0/24). */
export const multicastAddress = textLeaf('use a multicast address such as 225.0.0.50', (text) => {
  const first = Number(text.split('.')[0]);
  if (!isIpv4(text) || first < 224 || first > 239) {
    return new Refusal(`${show(text)} is not an IPv4 multicast address`);
  }
  return text.startsWith('224.0.0.') ? new Refusal(`${text} belongs to routing protocols`) : text;
});

/** An address of either family with its prefix length. */
export const interfaceAddress = textLeaf(
  'use the form 192.168.0.5/24 or "fd00:1::5/64"',
  (text): Subnet | Refusal => {
    if (isIpv4(text) || isIpv6(text)) {
      const length = isIpv4(text) ? 24 : 64;
      return new Refusal(
        `${show(text)} has no prefix length`,
        `use ${text}/${length} if its network is that large`,
      );
    }
    const subnet = parseSubnet(text);
    if (subnet === undefined || subnet.prefix === 0) {
      return new Refusal(`${show(text)} is not an IPv4 or IPv6 address with a prefix length`);
    }
    if (!isHostAddress(subnet.address)) {
      return new Refusal(`${text} is not an address that a host can have`);
    }
    const problem = edgeProblem(subnet);
    return problem === undefined
      ? subnet
      : new Refusal(`${text} is ${problem}`, 'use the address of a host in it');
  },
);

/** The first address of an IPv6 network is any router's (RFC 4291, 2.6.1); a link's two ends have no such address. */
export const edgeProblem = (subnet: Subnet): string | undefined => {
  const { address, prefix } = subnet;
  if (prefix >= (isIpv4(address) ? 31 : 127)) {
    return undefined;
  }
  if (address === networkAddress(subnet)) {
    return 'the network itself';
  }
  return isIpv4(address) && address === broadcastAddress(subnet)
    ? "the network's broadcast address"
    : undefined;
};

/** A prefix of either family without host bits. */
export const network = textLeaf('use the form 192.168.0.0/24 or "fd00:1::/64"', (text): Subnet | Refusal => {
  const subnet = parseSubnet(text);
  if (subnet === undefined) {
    return new Refusal(`${show(text)} is not an IPv4 or IPv6 prefix`);
  }
  if (subnet.prefix === 0) {
    return new Refusal(
      `${text} is every address, and the rest of the world has to be somewhere`,
      'name the prefixes behind this interface',
    );
  }
  if (isLinkLocal(subnet.address)) {
    return new Refusal(`${text} is link-local, so nothing of it is forwarded`, 'leave it out');
  }
  return subnet.address === networkAddress(subnet)
    ? subnet
    : new Refusal(`${text} has bits set beyond its prefix`, `use ${subnetText(subnet)}`);
});
